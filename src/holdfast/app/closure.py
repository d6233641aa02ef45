"""Closing and recovering: the gates joined with the incident they belong to."""

from __future__ import annotations

from datetime import datetime

from holdfast.app.state import IncidentState
from holdfast.recovery.gates import GateView, gates

RECOVERY_GATES = ("X2", "X3", "X4")
"""What *recovery verified* rests on."""


def gate_views(
    state: IncidentState, *, review_due: datetime | None = None, now: datetime | None = None
) -> list[GateView]:
    """X1 to X8 as they stand in this incident, by its peak severity."""
    return gates(state.recovery, peak=state.incidents.peak, review_due=review_due, now=now)


def recovery_blockers(state: IncidentState) -> list[str]:
    """What keeps recovery from being verified: one sentence per gate of X2 to X4 that is open.

    A waiver lets a gate pass here too: it is on record, under the business owner's name.
    """
    return [_blocker(view, state) for view in gate_views(state) if view.id in RECOVERY_GATES and not view.passes]


def closing_blockers(state: IncidentState) -> list[str]:
    """What keeps a real incident from closing: recovery verified, and every gate that is open.

    Whether the disposition needs the gates at all is decided by the lifecycle, which closes false positives and
    duplicates without them.
    """
    blockers = [_blocker(view, state) for view in gate_views(state) if not view.passes]
    if state.incidents.lifecycle.recovery_verified_at is None:
        blockers.insert(0, f"Recovery is not verified. For the commander: holdfast recovery verify {state.id}")
    return blockers


def _blocker(view: GateView, state: IncidentState) -> str:
    holders = [
        f"{role.replace('_', ' ')} ({state.incidents.holder(role) or 'nobody holds that role'})" for role in view.who
    ]
    missing = " ".join(view.missing)
    return f"{view.id} {view.name}: {missing} For the {' or '.join(holders)}: {command_for(view, state.id)}"


def command_for(view: GateView, incident_id: str) -> str:
    """The next command to type for a gate."""
    return view.next_command.replace(" INC ", f" {incident_id} ", 1).removesuffix(" INC") + (
        f" {incident_id}" if view.next_command.endswith(" INC") else ""
    )
