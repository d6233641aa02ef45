"""Adds every page to the application."""

from __future__ import annotations

from fastapi import FastAPI


def add_to(app: FastAPI) -> None:
    """Add the pages."""
    del app
