"""Alembic, driven from code: the migrations ship inside the package."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from holdfast.kernel.errors import UnavailableError

_FOLDER = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config


def current(engine: Engine) -> str | None:
    """The revision a database is at, none for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> None:
    """Bring the tables to this version; a database of a later version is refused.

    Raises:
        UnavailableError: the database was written by a newer Holdfast.
    """
    config = _config()
    script = ScriptDirectory.from_config(config)
    here = current(engine)
    newest = script.get_current_head()
    if here == newest:
        return
    if here is not None and here not in {revision.revision for revision in script.walk_revisions()}:
        raise UnavailableError(
            "database-newer",
            "This database was written by a newer Holdfast.",
            why=f"It is at revision {here}, and this version knows revisions up to {newest}.",
            next_step="Start the newer version; nothing was changed.",
        )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
