"""The handover brief of an incident, gathered from every package."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from holdfast.app.commanding import Documents
from holdfast.app.queries.clocks import calendar_of, clocks
from holdfast.app.state import IncidentState
from holdfast.incidents import brief, freezing, tasks
from holdfast.incidents.brief import BriefInput, RunningClock, SentUpdate
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import Sealed

Reader = Callable[[Sealed | None], str]
"""The words behind a reference: ``Context.read``."""


def handover_brief(state: IncidentState, read: Reader, documents: Documents, now: datetime) -> str:
    """The brief as it would be handed over now.

    Args:
        state: the incident.
        read: reads sealed words.
        documents: holds the incident's pinned calendar.
        now: the instant of the brief.
    """
    core = state.incidents
    running = [
        RunningClock(clock.name, clock.until)
        for clock in clocks(state, calendar_of(state, documents), now)
        if clock.stopped_at is None and clock.until is not None
    ]
    more = BriefInput(
        name=read(core.name),
        facts=_claims(state, read, "fact"),
        open_hypotheses=_claims(state, read, "hypothesis"),
        disproved_hypotheses=_claims(state, read, "disproved"),
        last_customer_update=_last_customer_update(state, read),
        clocks=running,
        pending_approvals=_drafts(state),
        tasks=[
            f"{task.id}, {task.owner}, due {format_instant(task.due)}: {read(task.action)}"
            for task in tasks.current_actions(core.board)
        ],
        freezes=[
            f"{freeze.id} on {', '.join(freeze.scopes)} until {format_instant(freeze.expires_at)}; ask {freeze.ask}"
            for freeze in freezing.standing_freezes(core.board, now)
        ],
    )
    return brief.write(core, more, now)


def _claims(state: IncidentState, read: Reader, standing: str) -> list[str]:
    return [
        f"{claim.id}: {read(claim.text)}"
        for claim in state.communications.claims.values()
        if claim.standing == standing
    ]


def _last_customer_update(state: IncidentState, read: Reader) -> SentUpdate | None:
    sent = [
        (update.sent_at, update.text)
        for update in state.communications.updates.values()
        if update.audience == "customers" and update.sent_at is not None
    ]
    if not sent:
        return None
    at, text = max(sent, key=lambda pair: pair[0])
    return SentUpdate(at, read(text))


def _drafts(state: IncidentState) -> list[str]:
    return [
        f"{update.id} to {update.audience}, by {update.author}, {len(update.approvals)} approval(s) so far"
        for update in state.communications.updates.values()
        if update.standing == "draft"
    ]
