"""Providers: one package each, behind a port of the application; none knows another."""
