"""Alembic's entry: runs on the connection that ``migrating.upgrade`` hands over."""

from __future__ import annotations

from alembic import context

from holdfast.store.schema import RECORD

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=RECORD)
context.run_migrations()
