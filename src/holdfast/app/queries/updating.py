"""Updates by audience: what is promised, what was written, what its wording lacks, and who must still approve it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from holdfast.app import outward
from holdfast.app.commanding import Documents
from holdfast.app.outward import Reader
from holdfast.app.ports import Texts
from holdfast.app.queries.clocks import calendar_of
from holdfast.app.queries.parts import reader
from holdfast.app.state import IncidentState
from holdfast.communications import updates as deciders
from holdfast.communications.state import AUDIENCES, Approval, Audience, Refusal, Update
from holdfast.communications.updates import Situation
from holdfast.communications.wording import Finding
from holdfast.incidents import targets
from holdfast.incidents.tasks import current_actions
from holdfast.kernel.errors import NotFoundError
from holdfast.kernel.texts import Sealed

_EFFECTS = ("impact", "scope")
_OTHERWISE = timedelta(hours=1)
"""Suggested when the cadence names no instant (SEV-4 is updated on change only)."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class FindingShown:
    """What the review of the wording found, with the words it is about."""

    severity: str
    """block or warn."""
    rule: str
    start: int
    end: int
    words: str
    """The words found; empty for something that is missing."""
    why: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class Needed:
    """One approval that a text needs."""

    roles: tuple[str, ...]
    """Any of these."""
    holders: tuple[str, ...]
    """Who holds one of them now."""
    given: bool


@dataclass(frozen=True, slots=True)
class UpdateShown:
    """One update, as its newest revision stands."""

    id: str
    audience: Audience
    standing: str
    """draft, approved, refused, sent."""
    text: Sealed
    text_hash: str
    """What an approval is bound to."""
    author: str
    written_at: datetime
    seq: int
    revision: int
    claims: tuple[str, ...]
    next_update_at: datetime | None
    approvals: tuple[Approval, ...]
    refusal: Refusal | None
    needed: tuple[Needed, ...]
    missing: tuple[str, ...]
    """What keeps it from being sent, as sentences."""
    findings: tuple[FindingShown, ...]
    blocked: bool
    sent_by: str | None
    sent_at: datetime | None
    sent_where: Sealed | None
    sent_seq: int | None


@dataclass(frozen=True, slots=True)
class PromiseShown:
    """A next update that is promised."""

    update_id: str
    made_at: datetime
    due_at: datetime
    overdue: bool


@dataclass(frozen=True, slots=True)
class DraftOffered:
    """What a new draft would start from: confirmed facts only, but for responders."""

    next_update_at: datetime | None
    claims: tuple[str, ...]
    text: str
    """The C1 text as it would be written now; empty for customers."""
    happened: str
    affected: str


@dataclass(frozen=True, slots=True)
class AudienceShown:
    """Everything about one audience."""

    audience: Audience
    promise: PromiseShown | None
    cadence_over: bool
    """Recovery is verified or the incident closed: a last update may promise nothing."""
    updates: tuple[UpdateShown, ...]
    """Newest first."""
    offered: DraftOffered


@dataclass(frozen=True, slots=True)
class Updates:
    """The three audiences."""

    audiences: tuple[AudienceShown, ...]
    withheld: tuple[Sealed, ...]
    """Names that outward text must not contain."""


def updates(state: IncidentState, texts: Texts, documents: Documents, now: datetime) -> Updates:
    """All updates of an incident."""
    read = _reader(state, texts)
    situation = outward.situation(state, now)
    due = next_promise(state, documents, now)
    return Updates(
        tuple(_audience(state, audience, read, situation, due) for audience in AUDIENCES),
        state.communications.withheld_names,
    )


def update(state: IncidentState, texts: Texts, now: datetime, update_id: str) -> UpdateShown:
    """One update.

    Raises:
        NotFoundError: there is none of that id.
    """
    found = state.communications.updates.get(update_id)
    if found is None:
        raise NotFoundError(
            "update-not-found",
            f"There is no {update_id} in this incident.",
            why=f"The record holds {len(state.communications.updates)} updates, numbered from update-1.",
            next_step=f"List them: holdfast update list {state.id}",
        )
    return _update(state, found, _reader(state, texts), outward.situation(state, now))


def next_promise(state: IncidentState, documents: Documents, now: datetime) -> datetime | None:
    """When the next update is suggested for, to the minute, by the cadence of the severity; none once it is over."""
    core = state.incidents
    if core.declared_at is None or outward.situation(state, now).cadence_over:
        return None
    level = core.level or "SEV-2"
    due = targets.next_update(calendar_of(state, documents), level, core.declared_at, now) or now + _OTHERWISE
    rounded = due.replace(second=0, microsecond=0)
    return rounded if rounded > now else rounded + _MINUTE


def _reader(state: IncidentState, texts: Texts) -> Reader:
    told = state.communications
    words: list[Sealed | None] = [state.incidents.name, *told.withheld_names]
    words += [claim.text for claim in told.claims.values()]
    words += [one.text for one in told.updates.values()]
    words += [task.action for task in current_actions(state.incidents.board)]
    return reader(texts, words)


def _audience(
    state: IncidentState, audience: Audience, read: Reader, situation: Situation, due: datetime | None
) -> AudienceShown:
    told = state.communications
    mine = [one for one in told.updates.values() if one.audience == audience]
    promise = next((one for one in told.promises if one.is_open and one.audience == audience), None)
    return AudienceShown(
        audience=audience,
        promise=None
        if promise is None
        else PromiseShown(promise.update_id, promise.made_at, promise.due_at, promise.due_at < situation.now),
        cadence_over=situation.cadence_over,
        updates=tuple(_update(state, one, read, situation) for one in reversed(mine)),
        offered=_offered(state, audience, read, due),
    )


def _offered(state: IncidentState, audience: Audience, read: Reader, due: datetime | None) -> DraftOffered:
    if audience != "customers":
        claims = outward.resting_on(state, audience)
        return DraftOffered(due, claims, outward.update_text(state, read, audience, claims, due), "", "")
    facts = [line for line in outward.claim_lines(state, read) if line.standing == "fact"]
    return DraftOffered(
        due,
        tuple(line.id for line in facts),
        "",
        _joined(line.text for line in facts if line.kind not in _EFFECTS),
        _joined(line.text for line in facts if line.kind in _EFFECTS),
    )


def _joined(words: Iterable[str]) -> str:
    return "\n".join(one.strip() for one in words)


def _update(state: IncidentState, found: Update, read: Reader, situation: Situation) -> UpdateShown:
    findings = () if found.sent_at is not None else tuple(outward.findings_of(state, read, found))
    missing = () if found.sent_at is not None else deciders.missing(state.communications, found, situation)
    approved = found.standing == "draft" and deciders.is_approved(found, situation.peak)
    return UpdateShown(
        id=found.id,
        audience=found.audience,
        standing="approved" if approved else found.standing,
        text=found.text,
        text_hash=found.text_hash,
        author=found.author,
        written_at=found.written_at,
        seq=found.seq,
        revision=found.revision,
        claims=found.claims,
        next_update_at=found.next_update_at,
        approvals=found.approvals,
        refusal=found.refusal,
        needed=_needed(found, situation),
        missing=tuple(missing),
        findings=tuple(_finding(one, read(found.text)) for one in findings),
        blocked=any(one.severity == "block" for one in findings),
        sent_by=found.sent_by,
        sent_at=found.sent_at,
        sent_where=found.sent_where,
        sent_seq=found.sent_seq,
    )


def _needed(found: Update, situation: Situation) -> tuple[Needed, ...]:
    left = set(deciders.open_groups(found, situation.peak))
    return tuple(
        Needed(
            tuple(sorted(group)),
            tuple(sorted({situation.holders[role] for role in group if role in situation.holders})),
            group not in left,
        )
        for group in deciders.required(found.audience, situation.peak)
    )


def _finding(finding: Finding, text: str) -> FindingShown:
    start, end = finding.span
    return FindingShown(finding.severity, finding.rule, start, end, text[start:end], finding.why, finding.suggestion)
