"""The report of an incident, filled from its state and its record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from holdfast.app.application import Application
from holdfast.app.queries import clocks, timeline
from holdfast.app.reporting import (
    ClaimRow,
    CustodyRow,
    EvidenceRow,
    Field,
    GateRow,
    Report,
    Section,
    TimelineRow,
)
from holdfast.app.state import IncidentState
from holdfast.app.work import ERASED
from holdfast.evidence.names import display_name
from holdfast.kernel.events import Event
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import Sealed
from holdfast.recovery.gates import gates

WITHHELD = "[withheld]"
_ROLES = ("commander", "technical_lead", "communications_lead", "evidence_owner", "business_owner")


class _Words:
    """The ``Texts`` port without what is withheld."""

    def __init__(self, app: Application, withheld: Collection[str]) -> None:
        self._app = app
        self._withheld = frozenset(withheld)

    def read(self, text_ids: Iterable[str]) -> dict[str, str]:
        wanted = list(text_ids)
        found = self._app.texts.read(wanted)
        return {key: WITHHELD if key in self._withheld else found[key] for key in wanted if key in found}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the rest of the port
        return getattr(self._app.texts, name)

    def of(self, sealed: Sealed | None) -> str:
        """The words of one reference."""
        return "" if sealed is None else self.read([sealed.text_id]).get(sealed.text_id, ERASED)


def report(app: Application, state: IncidentState, seq: int, withheld: Collection[str]) -> Report:
    """The report through event ``seq``; ``withheld`` names items and text ids to leave out."""
    words = _Words(app, withheld_texts(state, withheld))
    events = app.record.load(state.id, upto=seq)
    entries = timeline.entries(state, events, words)
    rows = tuple(
        TimelineRow(
            entry.seq,
            entry.occurred_at if entry.basis == "observed" else f"{entry.occurred_at} ({entry.basis})",
            entry.actor,
            entry.kind,
            entry.sentence,
        )
        for entry in timeline.by_time(entries)
    )
    return Report(
        incident_id=state.id,
        title=words.of(state.incidents.name),
        through=format_instant(events[-1].recorded_at),
        header=_header(state),
        sections=tuple(_sections(app, state, words)),
        timeline=rows,
        evidence=tuple(_evidence(state, words, entries, events, withheld)),
        claims=tuple(_claims(state, words)),
        gates=tuple(_gates(app, state)),
        review=_review(state, words),
    )


def withheld_texts(state: IncidentState, withheld: Collection[str]) -> set[str]:
    """Withholding an item withholds what its file was called and where it came from as well."""
    texts = {one for one in withheld if not one.startswith("ev-")}
    for item in state.evidence.items.values():
        if item.id in withheld:
            texts |= {sealed.text_id for sealed in (item.name, item.origin) if sealed is not None}
    return texts


def _header(state: IncidentState) -> tuple[Field, ...]:
    core = state.incidents
    moments = {
        "Declared": core.declared_at,
        "Contained": core.lifecycle.contained_at,
        "Recovery verified": core.lifecycle.recovery_verified_at,
        "Closed": core.lifecycle.closed_at,
    }
    fields = [
        Field("Kind", core.kind),
        Field("Severity", f"{core.level} (peak {core.peak})" + (", provisional" if core.severity.provisional else "")),
        Field("Status", core.status),
        Field("Disposition", core.lifecycle.disposition.replace("_", " ")),
        Field("Commander", core.commander or "nobody"),
    ]
    fields += [Field(name, format_instant(at)) for name, at in moments.items() if at is not None]
    return tuple(fields)


def _sections(app: Application, state: IncidentState, words: _Words) -> Iterable[Section]:
    core = state.incidents
    yield Section(
        "Roles", tuple(Field(role.replace("_", " ").capitalize(), core.holder(role) or "nobody") for role in _ROLES)
    )
    yield Section(
        "Impact", tuple(Field(key.replace("_", " ").capitalize(), said.answer) for key, said in core.impact.items())
    )
    reported = [
        Field(part.replace("_", " ").capitalize(), "\n".join(words.of(entry.text) for entry in entries))
        for part, entries in core.report.items()
    ]
    yield Section("First report", tuple(reported))
    questions = [
        Field(key, f"{question.standing}: {words.of(question.answer)}")
        for key, question in sorted(state.investigation.questions.items())
    ]
    yield Section("Questions", tuple(questions))
    for run in state.plays.runs.values():
        steps = [Field(step, found.standing) for step, found in sorted(run.steps.items())]
        yield Section(f"{run.id}: {run.name} ({run.standing})", tuple(steps))
    updates = [
        Field(f"{update.id} to {update.audience}", words.of(update.text))
        for update in state.communications.updates.values()
        if update.sent_at is not None
    ]
    yield Section("Updates sent", tuple(updates))
    calendar = clocks.calendar_of(state, app.tools.documents)
    yield Section("Response calendar", (Field("Calendar", f"{calendar.name} ({calendar.zone})"),))


def _evidence(
    state: IncidentState,
    words: _Words,
    entries: list[timeline.Entry],
    events: Sequence[Event],
    withheld: Collection[str],
) -> Iterable[EvidenceRow]:
    custody: dict[str, list[CustodyRow]] = {}
    for entry, event in zip(entries, events, strict=True):
        named = event.data.get("evidence_id") or event.data.get("evidence") or ()
        for one in [named] if isinstance(named, str) else named:
            if isinstance(one, str):
                custody.setdefault(one, []).append(CustodyRow(entry.recorded_at, entry.actor, entry.sentence))
    for item in state.evidence.items.values():
        standing = "erased" if item.standing == "erased" else "withheld" if item.id in withheld else "in this pack"
        if not item.complete:
            standing += f", incomplete capture ({', '.join(item.shortfalls)})"
        yield EvidenceRow(
            item.id,
            display_name(words.of(item.name)),
            item.kind.replace("_", " "),
            item.sha256,
            item.size,
            standing,
            item.custodian,
            tuple(custody.get(item.id, ())),
        )


def _claims(state: IncidentState, words: _Words) -> Iterable[ClaimRow]:
    for claim in state.communications.claims.values():
        cited = ", ".join(str(citation) for citation in claim.citations)
        support = f"{claim.settled_by or claim.stated_by}" + (f", citing {cited}" if cited else "")
        yield ClaimRow(claim.id, claim.standing, words.of(claim.text), support)


def _gates(app: Application, state: IncidentState) -> Iterable[GateRow]:
    calendar = clocks.calendar_of(state, app.tools.documents)
    due = clocks.review_due(state, calendar)
    for gate in gates(state.recovery, peak=state.incidents.peak, review_due=due, now=app.tools.clock()):
        yield GateRow(gate.id, gate.name, gate.standing.replace("_", " "), " ".join(gate.missing))


def _review(state: IncidentState, words: _Words) -> tuple[Field, ...]:
    answers: Mapping[str, Any] = state.recovery.review.answers
    return tuple(Field(prompt, words.of(statement.text)) for prompt, statement in sorted(answers.items()))
