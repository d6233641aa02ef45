"""The projection row of an incident: what lists and the gate read without folding its record."""

from __future__ import annotations

from typing import Any

from holdfast.app.ports import IncidentRow
from holdfast.app.state import IncidentState
from holdfast.incidents import access
from holdfast.kernel.instants import format_instant


def row_of(state: IncidentState) -> IncidentRow:
    """The row after the state's newest event."""
    core = state.incidents
    promises = [promise.due_at for promise in state.communications.promises if promise.is_open]
    return IncidentRow(
        incident_id=state.id,
        seq=state.seq,
        restricted=core.restricted,
        kind=core.kind,
        name="" if core.name is None else core.name.text_id,
        severity=core.level or "",
        provisional=core.severity.provisional,
        status=core.status,
        disposition=core.lifecycle.disposition,
        commander=core.commander or "",
        acting=core.command.acting,
        declared_at="" if core.declared_at is None else format_instant(core.declared_at),
        next_update_at=format_instant(min(promises)) if promises else "",
        frozen=any(freeze.lifted_at is None for freeze in core.board.freezes.values()),
        body=_extras(state),
        viewers=_viewers(state),
    )


def _extras(state: IncidentState) -> dict[str, Any]:
    core = state.incidents
    return {
        "codename": core.access.codename,
        "peak": core.peak,
        "vacant_since": None if core.command.vacant_since is None else format_instant(core.command.vacant_since),
    }


def _viewers(state: IncidentState) -> dict[str, str]:
    return access.viewers(state.incidents) if state.incidents.restricted else {}
