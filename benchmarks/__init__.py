"""Measurements: CPU milliseconds and ratios against a named baseline in the same run. Nothing here fails on time."""
