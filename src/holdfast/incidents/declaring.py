"""Declaring an incident (F1, F2, F3): cheap, word for word, and never waiting for what is unknown.

Rules:
1. Only the short name is needed. Every other part may be unknown, and is recorded as unknown.
2. The first report's parts are kept word for word; later words are added, never put in their place.
3. The three impact statements (F3) are separate and always recorded, *unknown* unless something is said.
4. Who declares acts as commander until somebody says "I command".
5. Severity table, calendar, runbook and plays are pinned by digest for the incident's whole life.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from holdfast.incidents import judging
from holdfast.incidents.lifecycle import require_open
from holdfast.incidents.severity import Answer, Assessment, Circumstances
from holdfast.incidents.state import IMPACTS, REPORT_PARTS, Impact, Kind, Moment, ReportPart, Sensitivity, State
from holdfast.kernel.errors import BadInputError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import Sealed


@cache
def _implied() -> Mapping[str, Mapping[str, str]]:
    text = files("holdfast.incidents").joinpath("library/declaring.toml").read_text(encoding="utf-8")
    implied: Mapping[str, Mapping[str, str]] = tomllib.loads(text)["answers"]
    return implied


def implied_answers(play: str | None) -> Mapping[str, str]:
    """What choosing a play already answers of the severity questions: a leaked secret is a leaked secret."""
    return {} if play is None else _implied().get(play, {})


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is said when declaring."""

    name: Sealed
    pins: Mapping[str, Any]
    """Digests by document, ``plays`` by key."""
    calendar: str
    kind: Kind = "real"
    sensitivity: Sensitivity = "open"
    codename: str | None = None
    detected: Moment | None = None
    started: Moment | None = None
    play: str | None = None
    report: Mapping[ReportPart, Sealed] = field(default_factory=dict)
    """The parts in hand; a missing one is unknown."""
    impact: Mapping[Impact, tuple[Answer, Sealed | None]] = field(default_factory=dict)
    """The statements in hand; a missing one is recorded as unknown."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The first assessment and what it was made from."""

    answers: Mapping[str, str]
    circumstances: Circumstances
    assessment: Assessment


def declare(state: State, said: Declaration, judgement: Judgement, *, by: str, now: datetime) -> list[NewEvent]:
    """Open the incident: declaration, acting commander, three impact statements, first severity.

    Args:
        state: of a fresh incident.
        said: the declaration.
        judgement: the first assessment.
        by: who declares, and acts as commander.
        now: instant of declaring.

    Raises:
        RefusedError: the incident is declared already.
        BadInputError: the play is not among the pinned ones, or a time does not fit.
    """
    if state.declared:
        raise RefusedError(
            "already-declared",
            "The incident was not declared.",
            why="It is declared already.",
            next_step=f"See it: holdfast show {state.incident_id}",
        )
    _check(said, now)
    events = [NewEvent("incident.declared", _data(said)), NewEvent("acting.began", {"account": by})]
    if said.sensitivity == "restricted":
        # The declarer keeps sight of it when command has moved on.
        events.append(NewEvent("access.granted", {"account": by, "reason": None}))
    for impact in IMPACTS:
        answer, reason = said.impact.get(impact, ("unknown", None))
        events.append(_statement(impact, answer, reason))
    return events + judging.answer(state, judgement.answers, judgement.circumstances, judgement.assessment, now)


def _data(said: Declaration) -> dict[str, Any]:
    return {
        "kind": said.kind,
        "sensitivity": said.sensitivity,
        "codename": said.codename,
        "name": said.name.as_json(),
        "detected_at": None if said.detected is None else format_instant(said.detected.at),
        "detected_basis": "estimated" if said.detected is None else said.detected.basis,
        "started_at": None if said.started is None else format_instant(said.started.at),
        "started_basis": "estimated" if said.started is None else said.started.basis,
        "play": said.play,
        "calendar": said.calendar,
        "pins": dict(said.pins),
        "report": {part: said.report[part].as_json() if part in said.report else None for part in REPORT_PARTS},
    }


def _check(said: Declaration, now: datetime) -> None:
    if said.play is not None and said.play not in said.pins["plays"]:
        raise BadInputError(
            "play-unknown",
            f"There is no play {said.play!r}.",
            why="The plays are " + ", ".join(sorted(said.pins["plays"])) + ".",
            next_step="Name one of those, or leave it out: a play can be started later.",
        )
    _check_times(said.detected, said.started, now)


def _check_times(detected: Moment | None, started: Moment | None, now: datetime) -> None:
    for moment, what in ((detected, "been detected"), (started, "started")):
        if moment is not None and moment.at > now:
            raise BadInputError(
                "time-in-future",
                "Nothing was recorded.",
                why=f"It cannot have {what} after now ({format_instant(now)}).",
                next_step="Check the date and the time zone, or leave the time out.",
            )
    if detected is not None and started is not None and started.at > detected.at:
        raise BadInputError(
            "times-out-of-order",
            "Nothing was recorded.",
            why="It cannot have started after it was detected.",
            next_step="Check the two times, or leave the start out: it can be estimated later.",
        )


def state_time(
    state: State, which: Literal["detected", "started"], moment: Moment, reason: Sealed, now: datetime
) -> list[NewEvent]:
    """State when it was detected or started; what was said before stays in the record.

    Args:
        state: the incident.
        which: the moment meant.
        moment: the instant and how it is known.
        reason: what it rests on.
        now: neither moment may be later.

    Raises:
        BadInputError: it is in the future, or the start would be after the detection.
    """
    detected = moment if which == "detected" else state.detected
    started = moment if which == "started" else state.started
    _check_times(detected, started, now)
    at = format_instant(moment.at)
    data = {"moment": which, "at": at, "basis": moment.basis, "reason": reason.as_json()}
    return [NewEvent("time.stated", data)]


def add_to_report(state: State, part: ReportPart, text: Sealed) -> list[NewEvent]:
    """Add words to a part of the first report; nothing said before is replaced."""
    del state
    return [NewEvent("report.added", {"part": part, "text": text.as_json()})]


def state_impact(state: State, impact: Impact, answer: Answer, reason: Sealed | None) -> list[NewEvent]:
    """State one impact (F3) anew.

    Raises:
        BadInputError: what was suspected or confirmed is taken back without a reason.
        RefusedError: the incident is closed, or nothing would change.
    """
    require_open(state)
    before = state.impact.get(impact)
    if before is not None and before.answer == answer and reason is None:
        raise RefusedError(
            "impact-unchanged",
            "Nothing was recorded.",
            why=f"The impact on {impact.replace('_', ' ')} is stated as {answer} already.",
            next_step="Give a reason to say more about it.",
        )
    taken_back = before is not None and before.answer in ("suspected", "confirmed") and answer in ("no", "unknown")
    if taken_back and reason is None:
        raise BadInputError(
            "impact-needs-reason",
            "Nothing was recorded.",
            why="Taking back a suspected or confirmed impact needs a reason.",
            next_step="Say what shows it: --reason …",
        )
    return [_statement(impact, answer, reason)]


def _statement(impact: Impact, answer: Answer, reason: Sealed | None) -> NewEvent:
    said = None if reason is None else reason.as_json()
    return NewEvent("impact.stated", {"impact": impact, "answer": answer, "reason": said})
