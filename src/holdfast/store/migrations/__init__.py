"""Alembic migrations of the record's database."""
