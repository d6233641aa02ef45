"""Holdfast: the security incident response runbook that runs."""

__version__ = "0.1.0"
