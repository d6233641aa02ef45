"""What waits for one person: approvals by a second person, countersignatures, and what is theirs to do.

What is listed may be answered by the viewer; the decider still has the last word. Nobody is shown their own
proposal as waiting for themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from holdfast.app.authorisation import Viewer, held_roles, is_permitted
from holdfast.app.state import TYPES, IncidentState
from holdfast.communications import updates
from holdfast.evidence.state import Item
from holdfast.incidents import access
from holdfast.incidents.state_board import Task
from holdfast.kernel.texts import Sealed

Answer = tuple[str, Mapping[str, Any]]
"""A use case and its fixed fields."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits for an answer."""

    key: str
    what: str
    words: Sealed | None
    by: str
    at: datetime
    place: str
    """Path below the incident where the whole of it is read."""
    answers: tuple[Answer, ...] = ()
    """What answers it."""


@dataclass(frozen=True, slots=True)
class Mine:
    """What is one person's."""

    roles: tuple[str, ...]
    tasks: tuple[Task, ...]
    """Open ones, the soonest due first."""
    lines: tuple[str, ...]
    """Ids of the lines of the board they own."""
    transfers: tuple[Item, ...]
    """Evidence offered to them."""
    countersign: tuple[Waiting, ...]
    """Approvals somebody else gave alone."""
    approvals: tuple[Waiting, ...] = field(default=())


def mine(state: IncidentState, viewer: Viewer) -> Mine:
    """What is the viewer's to do."""
    board = state.incidents.board
    me = viewer.account
    tasks = [task for task in board.tasks.values() if task.standing == "open" and task.owner == me]
    return Mine(
        roles=state.incidents.roles_of(me),
        tasks=tuple(sorted(tasks, key=lambda task: task.due)),
        lines=tuple(line for line, owned in board.owners.items() if owned.owner == me),
        transfers=tuple(
            item for item in state.evidence.pending_transfers if item.transfer is not None and item.transfer.to == me
        ),
        countersign=tuple(_countersignatures(state, viewer)),
        approvals=tuple(sorted(_approvals(state, viewer), key=lambda one: one.at)),
    )


def _countersignatures(state: IncidentState, viewer: Viewer) -> Iterator[Waiting]:
    if not is_permitted(viewer, "countersign", state):
        return
    for owed in state.incidents.owed:
        if owed.by != viewer.account:
            kind = TYPES.get((owed.what, 1))
            what = owed.what if kind is None else owed.what.replace(".", " ").replace("_", " ")
            yield Waiting(
                f"owed-{owed.seq}",
                f"#{owed.seq}: {what}, approved alone",
                None,
                owed.by,
                owed.at,
                f"/timeline#e-{owed.seq}",
                (("countersign", {"of": owed.seq}),),
            )


def _approvals(state: IncidentState, viewer: Viewer) -> Iterator[Waiting]:
    yield from _command(state, viewer)
    yield from _seconds(state, viewer)
    yield from _texts(state, viewer)
    yield from _erasures(state, viewer)
    yield from _glasses(state, viewer)


def _command(state: IncidentState, viewer: Viewer) -> Iterator[Waiting]:
    command = state.incidents.command
    offered = command.handover
    if offered is not None and offered.to == viewer.account:
        yield Waiting(
            "handover",
            "Command is offered to you: read the brief, then answer",
            offered.note,
            offered.by,
            offered.at,
            "/people#handover",
            (("handover-accept", {}), ("handover-decline", {})),
        )
    asked = command.challenge
    if asked is not None and asked.commander == viewer.account:
        yield Waiting(
            "challenge", "Are you there, and do you command?", None, asked.by, asked.at, "/people#command",
            (("command-answer", {}),),
        )  # fmt: skip  # the answer belongs on a line of its own


def _seconds(state: IncidentState, viewer: Viewer) -> Iterator[Waiting]:
    lowering = state.incidents.severity.lowering
    if lowering is not None and lowering.by != viewer.account:
        answers: tuple[Answer, ...] = (("severity-confirm-lower", {}), ("severity-refuse-lower", {}))
        what = f"Lower the severity to {lowering.level}?"
        yield Waiting("lowering", what, lowering.reason, lowering.by, lowering.at, "", answers)
    proposal = state.incidents.lifecycle.proposal
    if proposal is not None and proposal.by != viewer.account:
        what = f"Is this a {proposal.disposition.replace('_', ' ')} {proposal.target or ''}".rstrip() + "?"
        answers = (("disposition-confirm", {}), ("disposition-refuse", {}))
        yield Waiting("disposition", what, proposal.reason, proposal.by, proposal.at, "/recovery", answers)


def _texts(state: IncidentState, viewer: Viewer) -> Iterator[Waiting]:
    roles = held_roles(state, viewer.account)
    for update in state.communications.updates.values():
        groups = updates.open_groups(update, state.incidents.peak) if update.standing == "draft" else ()
        if any(group & roles for group in groups) and update.author != viewer.account:
            yield Waiting(
                update.id,
                f"{update.id} to {update.audience}: approve exactly this text?",
                update.text,
                update.author,
                update.written_at,
                f"/updates#{update.id}",
                (("update-approve", {"update": update.id, "text_hash": update.text_hash}),
                 ("update-refuse", {"update": update.id})),
            )  # fmt: skip  # the two answers stay together


def _erasures(state: IncidentState, viewer: Viewer) -> Iterator[Waiting]:
    for order in state.evidence.pending_erasures:
        if order.requested_by != viewer.account and is_permitted(viewer, "erasure.approve", state):
            fixed = {"erasure_id": order.id}
            erase: tuple[Answer, ...] = (("erasure-approve", fixed), ("erasure-decline", fixed))
            what = f"Erase {order.target} for good ({order.id})?"
            yield Waiting(
                order.id, what, order.reason, order.requested_by, order.requested_at, "/evidence#orders", erase
            )


def _glasses(state: IncidentState, viewer: Viewer) -> Iterator[Waiting]:
    if not is_permitted(viewer, "access.review", state):
        return
    for glass in access.unreviewed(state.incidents):
        if glass.account != viewer.account:
            fixed = {"opened": glass.seq}
            what = "Somebody broke the glass to see this incident: was it justified?"
            yield Waiting(
                f"glass-{glass.seq}", what, glass.reason, glass.account, glass.opened_at, "/people#access",
                (("access-review", fixed),),
            )  # fmt: skip  # the answer belongs on a line of its own
