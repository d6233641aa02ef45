"""The handlers of declaring, severity, command, roles, lifecycle and access, with the shipped library and acts."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.app.authorisation import Viewer, permit, table
from holdfast.app.commanding import REGISTRY, Command, IncidentCommand, Pins
from holdfast.app.commands import access, command, declaring, lifecycle, severity
from holdfast.app.state import TYPES, IncidentState, apply
from holdfast.incidents import calendars
from holdfast.incidents.access import may_see
from holdfast.incidents.state_command import ROLES
from holdfast.kernel.citations import Citation
from holdfast.kernel.errors import ForbiddenError, NotFoundError, RefusedError
from holdfast.kernel.events import Actor, Event, NewEvent
from holdfast.kernel.ids import TextId
from holdfast.kernel.texts import Sealed
from holdfast.plays.library import library as plays

START = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)
MODULES = {module.__name__ for module in (access, command, declaring, lifecycle, severity)}
ROLES_OF = {"ana": "responder", "li": "responder", "mo": "administrator", "ob": "observer", "au": "auditor"}
QUALIFIED = {("li", "commander"), ("ana", "commander"), ("mo", "business_owner"), ("mo", "commander")}


def shipped(name: str) -> dict[str, Any]:
    return tomllib.loads(files("holdfast.incidents").joinpath(f"library/{name}.toml").read_text(encoding="utf-8"))


DOCUMENTS: Mapping[str, Mapping[str, Any]] = {
    "severity": shipped("severity"),
    "calendar": calendars.freeze_named(shipped("calendars"), "utc-weekdays", 2026),
    **plays(),
}


class Library:
    def get(self, digest: str) -> Mapping[str, Any]:
        return DOCUMENTS[digest]


@dataclass
class Desk:
    """A stand-in context: the real state, table of acts and library; a clock that is set by hand."""

    state: IncidentState = field(default_factory=lambda: IncidentState("INC-2026-0042"))
    now: datetime = START
    me: str = ""
    told: list[Event] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    documents: Library = field(default_factory=Library)

    default_calendar = "utc-weekdays"

    def pins(self, calendar: str) -> Pins:
        assert calendar == "utc-weekdays"
        return Pins("severity", "calendar", "runbook", {key: key for key in plays()})

    def seal(self, text: str) -> Sealed:
        self.words[f"text-{len(self.words)}"] = text
        return Sealed(TextId(f"text-{len(self.words) - 1}"), "0f" * 32)

    def seal_or_none(self, text: str | None) -> Sealed | None:
        return None if text is None else self.seal(text)

    def read(self, sealed: Sealed | None) -> str:
        return "" if sealed is None else self.words[sealed.text_id]

    def cite(self, references: Iterable[str]) -> tuple[Citation, ...]:
        return tuple(Citation(event=int(reference.removeprefix("#"))) for reference in references)

    def person(self, account: str) -> str:
        if account not in ROLES_OF or not may_see(self.state.incidents, account, {ROLES_OF[account]}, self.now):
            raise NotFoundError("account-unknown", "Nobody.", why="Unknown.", next_step="Look.")
        return account

    def is_qualified(self, account: str, role: str) -> bool:
        return (account, role) in QUALIFIED

    def emit_all(self, events: Iterable[NewEvent]) -> None:
        for new in events:
            assert set(new.data) == set(TYPES[new.type, 1].fields), new.type
            event = Event(
                self.state.id,
                self.state.seq + 1,
                f"event-{self.state.seq + 1}",
                new.type,
                new.version,
                self.now,
                self.now,
                new.basis,
                Actor("person", self.me, "password+totp"),
                new.data,
            )
            self.told.append(event)
            self.state = apply(self.state, event)

    def run(self, name: str, by: str, /, **fields: object) -> Mapping[str, Any]:
        case = REGISTRY[name]
        viewer = Viewer(by, frozenset({ROLES_OF[by]}), Actor("person", by, "local"))
        permit(viewer, case.act, self.state if self.state.seq >= 0 else None)
        self.me = by
        return case.handler(case.command(**fields), self) or {}


def opened(**fields: object) -> Desk:
    desk = Desk()
    desk.run("declare", "ana", name="AWS key of payments is public", **fields)
    return desk


def test_every_use_case_has_an_act_a_facet_it_can_name_and_a_sentence_for_help() -> None:
    cases = [case for case in REGISTRY.values() if case.module in MODULES]
    assert len(cases) == 36
    for case in cases:
        assert case.act in table().acts, case.path
        assert case.summary.endswith((".", "!")), case.path
        assert set(case.positional) <= set(case.command.model_fields), case.path
        assert issubclass(case.command, IncidentCommand) or case.command is declaring.DeclareIncident
        if case.facet is not None:
            case.facet.format(**dict.fromkeys(case.command.model_fields, "x"))


def test_observers_and_auditors_only_read() -> None:
    for case in [case for case in REGISTRY.values() if case.module in MODULES]:
        assert table().acts[case.act].organisation == {"responder", "administrator"}


def test_declaring_with_a_play_gives_a_provisional_severity_and_starts_the_play() -> None:
    desk = opened(play="leaked-secret")
    core = desk.state.incidents
    assert (core.level, core.severity.provisional, core.commander) == ("SEV-2", True, "ana")
    assert [run.key for run in desk.state.plays.runs.values()] == ["leaked-secret"]
    assert [event.type for event in desk.told] == [
        "incident.declared",
        "acting.began",
        "impact.stated",
        "impact.stated",
        "impact.stated",
        "severity.answered",
        "severity.set",
        "play.started",
    ]


def test_declaring_keeps_every_part_word_for_word() -> None:
    report = {
        "reported_by": "Kim, on call",
        "reported_when": "03:05 by pager",
        "affected_systems": "payments",
        "suspected_impact": "card data?\n  maybe",
        "evidence_in_hand": "alert 4711",
    }
    desk = opened(**report, customer_data="suspected", customer_data_reason="the bucket")
    assert {part: desk.read(entries[0].text) for part, entries in desk.state.incidents.report.items()} == report
    assert desk.read(desk.state.incidents.impact["customer_data"].reason) == "the bucket"


def test_a_likely_customer_impact_is_a_sev_1() -> None:
    desk = opened(answers=["cloud_admin=suspected"], customer_impact_likely=True)
    assert desk.state.incidents.level == "SEV-1"


def test_later_answers_are_merged_and_stand_as_a_proposal() -> None:
    desk = opened(play="leaked-secret")
    answer = desk.run("severity-answer", "li", answers=["attacker_in_production=confirmed"])
    assert (answer["assessment"]["level"], answer["declared"]) == ("SEV-1", "SEV-2")
    found = desk.state.incidents.severity.assessed
    assert found is not None
    assert found.answers == {"production_secret": "confirmed", "attacker_in_production": "confirmed"}
    desk.run("severity-raise", "li", level="SEV-1", reason="attacker acts")
    assert desk.state.incidents.severity.proposed is None


def test_only_the_commander_judges_harm_likely() -> None:
    with pytest.raises(ForbiddenError, match="commander's judgement"):
        opened().run("severity-answer", "li", customer_impact_likely=True)


def test_containment_is_part_of_the_next_assessment() -> None:
    desk = opened(play="leaked-secret", answers=["data_left=suspected"])
    assert desk.state.incidents.level == "SEV-1"
    desk.run("status-set", "ana", status="contained", reason="key disabled")
    desk.run("severity-answer", "ana")
    assert desk.state.incidents.severity.proposed == "SEV-2"


def test_lowering_takes_the_commander_and_somebody_else() -> None:
    desk = opened(play="leaked-secret")
    with pytest.raises(ForbiddenError):
        desk.run("severity-lower", "li", level="SEV-3", reason="no use")
    desk.run("severity-lower", "ana", level="SEV-3", reason="no use")
    with pytest.raises(ForbiddenError, match="cannot confirm"):
        desk.run("severity-confirm-lower", "ana")
    desk.run("severity-confirm-lower", "li")
    assert (desk.state.incidents.level, desk.state.incidents.peak) == ("SEV-3", "SEV-2")


def test_command_is_handed_over_with_a_brief_that_names_hypotheses_and_clocks() -> None:
    desk = opened(play="leaked-secret")
    desk.run("command-take", "ana")
    claim = {"claim_id": "claim-1", "kind": "cause", "text": desk.seal("a laptop was stolen").as_json()}
    desk.emit_all([NewEvent("claim.stated", claim)])
    desk.run("handover-propose", "ana", to="li", note="all calm")
    waiting = desk.state.incidents.command.handover
    assert waiting is not None
    brief = desk.read(waiting.brief)
    assert "Open hypotheses\n- claim-1: a laptop was stolen" in brief
    assert "First 15 minutes: due 2026-11-23T03:22:00.000Z" in brief
    assert desk.state.incidents.commander == "ana"
    desk.run("handover-accept", "li")
    assert desk.state.incidents.commander == "li"


def test_a_silent_commander_is_challenged_and_relieved() -> None:
    desk = opened()
    desk.run("command-take", "ana")
    assert desk.run("command-challenge", "li")["answer_by"] == "2026-11-23T03:12:00.000Z"
    with pytest.raises(RefusedError):
        desk.run("command-relieve", "li", reason="silent")
    desk.now += timedelta(minutes=5)
    desk.run("command-relieve", "li", reason="silent")
    assert desk.state.incidents.commander == "li"


def test_roles_are_assigned_by_the_commander_to_people_who_exist_and_are_qualified() -> None:
    desk = opened()
    for role in ROLES[1:]:
        desk.run("role-assign", "ana", role=role, account="mo")
    assert len(desk.state.incidents.roles_of("mo")) == 4
    with pytest.raises(NotFoundError):
        desk.run("role-assign", "ana", role="evidence_owner", account="nobody")
    with pytest.raises(ForbiddenError, match="not qualified"):
        desk.run("role-assign", "ana", role="business_owner", account="li")
    with pytest.raises(ForbiddenError):
        desk.run("role-assign", "li", role="evidence_owner", account="li")


def test_closing_alone_owes_a_countersignature_that_somebody_else_gives() -> None:
    desk = opened()
    desk.run("role-assign", "ana", role="evidence_owner", account="ana")
    desk.run("disposition-propose", "ana", disposition="false_positive", reason="test key", citations=["#0"])
    desk.run("disposition-confirm", "li")
    desk.run("close", "ana")
    (owed,) = desk.state.incidents.owed
    with pytest.raises(ForbiddenError):
        desk.run("countersign", "ana", of=owed.seq)
    desk.run("countersign", "li", of=owed.seq)
    assert desk.state.incidents.owed == ()
    desk.run("reopen", "li", reason="it is back")
    assert desk.state.incidents.status == "investigating"


def test_a_real_incident_does_not_close_or_recover_while_gates_are_open() -> None:
    desk = opened()
    desk.run("status-set", "ana", status="contained", reason="key disabled")
    desk.run("status-set", "ana", status="recovering", reason="rotating")
    with pytest.raises(RefusedError, match="X2") as refused:
        desk.run("recovery-verify", "ana")
    assert len(refused.value.details["blockers"]) == 3  # type: ignore[arg-type]  # a list
    with pytest.raises(RefusedError, match="X1"):
        desk.run("close", "ana")


def test_a_restricted_incident_lets_in_only_people_who_exist() -> None:
    desk = opened(sensitivity="restricted", codename="GREY HERON")
    with pytest.raises(NotFoundError):
        desk.run("role-assign", "ana", role="technical_lead", account="li")
    desk.run("access-grant", "ana", account="li", reason="needs to know")
    desk.run("role-assign", "ana", role="technical_lead", account="li")
    with pytest.raises(NotFoundError):
        desk.run("access-grant", "ana", account="ghost")


def test_glass_is_broken_by_a_responder_and_reviewed_by_the_commander() -> None:
    desk = opened(sensitivity="restricted")
    assert desk.run("access-break-glass", "mo", reason="fire", minutes=30)["expires_at"] == "2026-11-23T03:37:00.000Z"
    opening = desk.state.incidents.access.break_glass[0]
    desk.run("access-review", "ana", opened=opening.seq, verdict="justified", note="there was a fire")
    assert desk.state.incidents.access.break_glass[0].reviewed_by == "ana"


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (declaring.DeclareIncident, {"name": ""}),
        (declaring.DeclareIncident, {"name": "x", "codename": "payments leak"}),
        (declaring.DeclareIncident, {"name": "x", "answers": ["data_left=maybe"]}),
        (declaring.DeclareIncident, {"name": "x", "commander": "me"}),
        (declaring.DeclareIncident, {"name": "x", "detected_at": "2026-11-23T03:07:00"}),
        (lifecycle.SetStatus, {"status": "closed", "reason": "x"}),
        (lifecycle.ProposeDisposition, {"disposition": "duplicate_of", "reason": "x", "target": "../1"}),
        (command.AssignRole, {"role": "commander", "account": "ana"}),
        (access.BreakGlass, {"reason": "x", "minutes": 1441}),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_decided(model: type[Command], fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model(**fields)
