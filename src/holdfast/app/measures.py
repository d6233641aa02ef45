"""Measures and review drafts of one incident, gathered from every package's part of the record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from holdfast.app.outward import Reader
from holdfast.app.state import IncidentState
from holdfast.communications.promises import kept_on_time
from holdfast.kernel.citations import Citation
from holdfast.kernel.instants import format_instant
from holdfast.kernel.parts import Settled
from holdfast.recovery.measures import Measures, Moment, Notice, measure
from holdfast.recovery.prefill import Facts, Item, Sentence, prefill

_GAPS = ("unknown", "unreachable")


def measures_of(state: IncidentState) -> Measures:
    """Every instant, notice and span of the incident."""
    return measure(moments(state), notices(state))


def moments(state: IncidentState) -> dict[str, Moment]:
    """The named instants that the record holds, each with who asserted it and on what basis.

    What somebody asserted goes before what the status changes show, because a change of status comes later than
    what it states.
    """
    found: dict[str, Moment | None] = {
        "detected": _detected(state),
        "declared": _observed(state.incidents.declared_at, state.incidents.declared_by, 0),
        "acknowledged": _acknowledged(state),
        "commander_assumed": _commander(state),
        "severity_set": _severity(state),
        "contained": _observed(state.incidents.lifecycle.contained_at, "the status"),
        "path_verified": _path(state),
        "recovered": _observed(state.incidents.lifecycle.recovery_verified_at, "the commander"),
        "closed": _observed(state.incidents.lifecycle.closed_at, "the status"),
        "reviewed": _reviewed(state),
    }
    asserted = {key: Moment(one.at, one.by, one.how, one.seq) for key, one in state.recovery.asserted.items()}
    return {key: moment for key, moment in found.items() if moment is not None} | asserted


def _observed(at: datetime | None, by: str | None, seq: int | None = None) -> Moment | None:
    return None if at is None or by is None else Moment(at, by, "observed", seq)


def _detected(state: IncidentState) -> Moment | None:
    detected = state.incidents.detected
    if detected is None:
        return None
    stated = state.facets.get("time:detected")
    if stated is not None:
        return Moment(detected.at, f"entry #{stated}", detected.basis, stated)
    # Said in the declaration, which is the first event.
    return Moment(detected.at, state.incidents.declared_by or "the report", detected.basis, 0)


def _acknowledged(state: IncidentState) -> Moment | None:
    """The first time somebody took something on: command, a line of the board or a task."""
    board = state.incidents.board
    found = [(one.acknowledged_at, one.owner) for one in board.owners.values() if one.acknowledged_at is not None]
    found += [(one.acknowledged_at, one.owner) for one in board.tasks.values() if one.acknowledged_at is not None]
    command = state.incidents.command
    if command.assumed_at is not None:
        found.append((command.assumed_at, "the commander"))
    return _observed(*min(found)) if found else None


def _commander(state: IncidentState) -> Moment | None:
    return _observed(state.incidents.command.assumed_at, "the commander")


def _severity(state: IncidentState) -> Moment | None:
    changes = state.incidents.severity.changes
    return _observed(changes[0].at, changes[0].by, changes[0].seq) if changes else None


def _path(state: IncidentState) -> Moment | None:
    verified = state.recovery.path_verified
    return None if verified is None else Moment(verified.at, verified.by, "evidenced", verified.seq)


def _reviewed(state: IncidentState) -> Moment | None:
    review = state.recovery.review
    return _observed(review.completed_at, review.completed_by, review.completed_seq)


def notices(state: IncidentState) -> tuple[Notice, ...]:
    """Every update sent and every notification receipted."""
    kept = {promise.kept_with: kept_on_time(promise) for promise in state.communications.promises}
    sent = [
        Notice(
            update.id,
            update.audience,
            Moment(update.sent_at, update.sent_by, "observed", update.sent_seq),
            kept.get(update.id),
        )
        for update in state.communications.updates.values()
        if update.sent_at is not None and update.sent_by is not None
    ]
    receipted = [
        Notice(
            one.id,
            escalation.kind,
            Moment(
                one.given_at, one.receipted_by, "evidenced" if one.receipt_citations else "observed", one.receipt_seq
            ),
            not one.late,
        )
        for escalation in state.recovery.escalations.values()
        for one in escalation.notifications
        if one.given_at is not None and one.receipted_by is not None
    ]
    return (*sent, *receipted)


def review_drafts(state: IncidentState, read: Reader) -> dict[str, tuple[Sentence, ...]]:
    """V1 to V6 as the record would answer them, each sentence with its citations; people decide what stays."""
    return prefill(review_facts(state, read))


def review_facts(state: IncidentState, read: Reader) -> Facts:
    """What the drafts are made from, in words."""
    return Facts(
        measures=measures_of(state),
        reported_by=_reported_by(state, read),
        late=tuple(_late(state)),
        refuted=tuple(_refuted(state, read)),
        worked=tuple(_worked(state)),
        gaps=tuple(_gaps(state, read)),
        improvements=tuple(_improvements(state, read)),
    )


def _reported_by(state: IncidentState, read: Reader) -> Item | None:
    entries = state.incidents.report.get("reported_by", ())
    return Item("report", read(entries[0].text), (f"#{entries[0].seq}",)) if entries else None


def _late(state: IncidentState) -> Iterator[Item]:
    for notice in notices(state):
        if notice.on_time is False:
            cited = () if notice.moment.seq is None else (f"#{notice.moment.seq}",)
            yield Item(notice.what, f"to {notice.to}, at {format_instant(notice.moment.at)}", cited)


def _refuted(state: IncidentState, read: Reader) -> Iterator[Item]:
    for claim in state.communications.claims.values():
        if claim.standing in ("disproved", "retracted") and claim.settled_seq is not None:
            yield Item(claim.id, read(claim.text), (f"#{claim.settled_seq}", *_written(claim.citations)))


def _worked(state: IncidentState) -> Iterator[Item]:
    for freeze in state.incidents.board.freezes.values():
        words = f"changes to {', '.join(freeze.scopes)} were frozen from {format_instant(freeze.ordered_at)}"
        yield Item(freeze.id, words, (f"#{freeze.seq}",))
    for run in state.plays.runs.values():
        for name, step in run.steps.items():
            if step.standing == "done":
                done = [part for part in step.parts.values() if part.standing == "done"]
                cited = dict.fromkeys(mark for part in done for mark in _written(part.citations))
                yield Item(f"{run.id} {name}", f"the step of {run.name} was done", tuple(cited))


def _gaps(state: IncidentState, read: Reader) -> Iterator[Item]:
    for name, question in state.investigation.questions.items():
        if question.standing == "unknown" and question.history:
            yield Item(name, read(question.answer), (f"#{question.history[-1]}", *_written(question.citations)))
    for name, part in _parts(state):
        if part.standing in _GAPS:
            yield Item(name, f"{part.standing}, {read(part.reason)}", (f"#{part.seq}",))


def _parts(state: IncidentState) -> Iterator[tuple[str, Settled]]:
    for line, parts in state.incidents.board.settled.items():
        yield from ((f"{line} {key}", part) for key, part in parts.items())
    for name, question in state.investigation.questions.items():
        yield from ((f"{name} {key}", part) for key, part in question.parts.items())
    for run in state.plays.runs.values():
        for name, step in run.steps.items():
            yield from ((f"{run.id} {name} {key}", part) for key, part in step.parts.items())
    yield from ((f"X4 {key}", part) for key, part in state.recovery.revalidated.items())


def _improvements(state: IncidentState, read: Reader) -> Iterator[Item]:
    for default in state.recovery.defaults.values():
        yield Item(default.id, read(default.text), (f"#{default.seq}",))
    for action in state.recovery.actions.values():
        if action.standing != "dropped":
            yield Item(action.id, read(action.text), (f"#{action.seq}",))


def _written(citations: tuple[Citation, ...]) -> tuple[str, ...]:
    return tuple(str(citation) for citation in citations)
