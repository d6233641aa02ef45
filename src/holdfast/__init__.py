"""Holdfast: the security incident response runbook that runs."""
