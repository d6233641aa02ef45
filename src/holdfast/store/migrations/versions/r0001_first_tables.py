"""The first tables.

Revision ID: r0001
"""

from __future__ import annotations

from alembic import op

from holdfast.store.schema import RECORD

revision = "r0001"
down_revision: str | None = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table of the first version."""
    RECORD.create_all(op.get_bind())


def downgrade() -> None:
    """A record is never taken back to before it existed."""
    msg = "the first tables are not dropped by a downgrade"
    raise RuntimeError(msg)
