"""The use cases of plays and questions, from command to state, with the rest of the incident around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from holdfast import incidents, investigation
from holdfast.app import state as app_state
from holdfast.app.authorisation import INCIDENT_ROLES, ORGANISATION_ROLES, table
from holdfast.app.commanding import REGISTRY
from holdfast.app.commands import investigation as question_commands
from holdfast.app.commands import plays as play_commands
from holdfast.incidents import board
from holdfast.kernel.canonical import digest
from holdfast.kernel.citations import Citation
from holdfast.kernel.errors import BadInputError, RefusedError
from holdfast.kernel.events import Actor, Event, NewEvent
from holdfast.kernel.ids import TextId
from holdfast.kernel.texts import Sealed, sealed_within
from holdfast.wiring import library

NOW = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)
MODULES = (play_commands.__name__, question_commands.__name__)


class Desk:
    """The context of a handler, over a record in memory."""

    def __init__(self) -> None:
        shipped = library()
        self.stored = {digest(document): document for document in shipped.values()}
        pins = {
            "plays": {
                name.removeprefix("play/"): digest(document)
                for name, document in shipped.items()
                if name.startswith("play/")
            },
            "runbook": digest(shipped["runbook"]),
        }
        self.state = app_state.IncidentState("INC-1", incidents=replace(incidents.EMPTY, pins=pins))
        self.texts: dict[str, str] = {}
        self.documents = self
        self.now = NOW
        self.me = "bea"

    def get(self, digest: str) -> Mapping[str, Any]:
        return self.stored[digest]

    def seal(self, text: str) -> Sealed:
        name = f"txt-{len(self.texts) + 1}"
        self.texts[name] = text
        return Sealed(TextId(name), "c" * 64)

    def seal_or_none(self, text: str | None) -> Sealed | None:
        return None if text is None else self.seal(text)

    def cite(self, references: Iterable[str]) -> tuple[Citation, ...]:
        return tuple(Citation(event=int(one[1:])) if one[0] == "#" else Citation(one, "a" * 64) for one in references)

    def person(self, account: str) -> str:
        if account not in ("amir", "bea"):
            raise BadInputError(
                "account-unknown", "No such account.", why="It does not exist.", next_step="Look it up."
            )
        return account

    def emit(self, *events: NewEvent) -> None:
        self.emit_all(events)

    def emit_all(self, events: Iterable[NewEvent]) -> None:
        for event in events:
            seq = self.state.seq + 1
            bea = Actor("person", self.me, "passkey")
            data = Event("INC-1", seq, f"id-{seq}", event.type, event.version, NOW, NOW, "observed", bea, event.data)
            self.state = app_state.apply(self.state, data)

    def do(self, name: str, **fields: object) -> Mapping[str, Any] | None:
        case = REGISTRY[name]
        command = case.command.model_validate(fields)
        if case.facet is not None:
            assert "{" not in case.facet.format(**command.model_dump())
        handler: Callable[..., Mapping[str, Any] | None] = case.handler
        return handler(command, self)

    def words(self, value: object) -> list[str]:
        if isinstance(value, Sealed):
            return [self.texts[value.text_id]]
        return [self.texts[sealed.text_id] for sealed in sealed_within(value)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def on(step: str, **fields: object) -> dict[str, object]:
    return {"play_id": "play-1", "step": step, **fields}


def capture_everything(desk: Desk) -> None:
    for key in board.uncaptured_keys(desk.state.incidents.board):
        desk.emit_all(board.settle("F5", key, "done", desk.cite(["ev-1"]), None))


def test_a_leaked_secret_is_rotated_by_command_only_after_its_evidence_is_captured(desk: Desk) -> None:
    assert desk.do("play-start", play="leaked-secret", subject="key of payments") == {"play_id": "play-1"}
    assert desk.words(desk.state.plays.runs["play-1"].subject.as_json()) == ["key of payments"]  # type: ignore[union-attr]
    desk.do("step-assign", **on("LS3", owner="amir"))
    desk.do("step-settle", **on("LS3", cites=["ev-1", "#0"]))
    desk.do("step-record", **on("LS3", output="procedure", value="PAY-7, rotation of keys"))
    desk.do("step-record", **on("LS3", output="approved_by", value=" amir "))
    desk.do("step-record", **on("LS3", output="action", value="rotated"))
    desk.do("step-record", **on("LS3", output="at", value="2026-11-23T04:05:00+01:00"))
    with pytest.raises(RefusedError) as refusal:
        desk.do("step-done", **on("LS3"))
    assert refusal.value.code == "evidence-at-risk"
    capture_everything(desk)
    desk.do("step-done", **on("LS3"))
    step = desk.state.plays.runs["play-1"].step("LS3")
    assert (step.standing, step.owner) == ("done", "amir")
    assert step.outputs["at"][0].value == "2026-11-23T03:05:00.000Z"
    assert desk.words(step.outputs["procedure"][0].value) == ["PAY-7, rotation of keys"]
    assert desk.state.facets["step:play-1:LS3"] == desk.state.seq


def test_an_override_by_one_person_alone_owes_a_countersignature(desk: Desk) -> None:
    desk.do("play-start", play="cloud-admin")
    desk.do("step-settle", **on("CA1", cites=["ev-1"]))
    desk.do("step-record", **on("CA1", output="measure", value="disabled"))
    desk.do("step-record", **on("CA1", output="at", value="2026-11-23T03:00:00Z"))
    desk.do("step-override", **on("CA1", reason="it deletes backups now", lost="its live sessions"))
    override = desk.state.plays.runs["play-1"].step("CA1").override
    assert override is not None
    assert override.acting_alone
    assert set(override.uncaptured) == set(board.uncaptured_keys(desk.state.incidents.board))
    assert desk.words([override.reason.as_json(), override.lost.as_json()]) == [
        "it deletes backups now",
        "its live sessions",
    ]
    assert [owed.what for owed in desk.state.incidents.owed] == ["step.override_recorded"]
    desk.do("step-done", **on("CA1"))
    assert desk.state.plays.runs["play-1"].step("CA1").standing == "done"


def test_a_step_is_skipped_and_reopened_and_a_play_abandoned_by_command(desk: Desk) -> None:
    desk.do("play-start", play="ci-token")
    desk.do("step-skip", **on("CT5", reason="nothing was built in the window"))
    assert desk.state.plays.runs["play-1"].step("CT5").standing == "skipped"
    desk.do("step-reopen", **on("CT5", reason="a late run was found"))
    assert desk.state.plays.runs["play-1"].step("CT5").standing == "open"
    desk.do("play-abandon", play_id="play-1", reason="it was a test token")
    assert desk.state.plays.runs["play-1"].standing == "abandoned"


def test_a_list_item_takes_words_and_their_proof_in_one_command(desk: Desk) -> None:
    desk.do("play-start", play="leaked-secret")
    desk.do("step-record", **on("LS5", output="restarted", value="payments-api", cites=["ev-4"]))
    (item,) = desk.state.plays.runs["play-1"].step("LS5").outputs["restarted"]
    assert isinstance(item.value, Mapping)
    assert desk.words(item.value["workload"]) == ["payments-api"]
    assert item.value["proof"] == (Citation("ev-4", "a" * 64),)


def test_a_person_who_does_not_exist_is_refused(desk: Desk) -> None:
    desk.do("play-start", play="leaked-secret")
    for name, fields in (
        ("step-assign", on("LS1", owner="nobody")),
        ("step-record", on("LS1", output="owner", value="nobody")),
        ("question-assign", {"question": "I1", "owner": "nobody"}),
    ):
        with pytest.raises(BadInputError) as refusal:
            desk.do(name, **fields)
        assert refusal.value.code == "account-unknown"


def test_a_play_that_is_not_pinned_is_refused_with_those_that_are(desk: Desk) -> None:
    with pytest.raises(BadInputError, match="ci-token, cloud-admin, leaked-secret") as refusal:
        desk.do("play-start", play="ransomware")
    assert refusal.value.code == "play-unknown"


def test_a_question_is_settled_answered_reopened_and_left_unknown_by_command(desk: Desk) -> None:
    desk.do("question-assign", question="I5", owner="amir")
    for part in ("persistence", "lateral_movement"):
        desk.do("question-settle", question="I5", part=part, cites=["ev-1"])
    desk.do("question-settle", question="I5", part="repeated_access", standing="unknown", reason="no flow logs")
    desk.do("question-answer", question="I5", answer="One new key, removed.", cites=["ev-1", "#2"])
    state = desk.state.investigation.question("I5")
    assert (state.standing, state.owner, state.as_of) == ("answered", "amir", NOW)
    assert state.answer is not None
    assert desk.words(state.answer.as_json()) == ["One new key, removed."]
    desk.do("question-reopen", question="I5", reason="a second key was found")
    desk.do("question-unknown", question="I5", reason="the trail was off", as_of="2026-11-23T03:00:00Z")
    assert desk.state.investigation.question("I5").standing == "unknown"
    assert desk.state.facets["question:I5"] == desk.state.seq


def test_a_question_without_parts_is_settled_without_naming_one(desk: Desk) -> None:
    desk.do("question-settle", question="I7", cites=["ev-1"])
    assert set(desk.state.investigation.question("I7").parts) == {"answer"}
    assert isinstance(desk.state.investigation, investigation.State)


def test_every_use_case_here_has_its_act_and_facet_and_helps() -> None:
    cases = [case for case in REGISTRY.values() if case.module in MODULES]
    assert len(cases) == 14
    for case in cases:
        act = table().acts[case.act]
        assert act.organisation <= set(ORGANISATION_ROLES)
        assert act.incident <= set(INCIDENT_ROLES)
        assert case.runbook
        assert set(case.positional) <= set(case.command.model_fields)
        assert all(info.description for info in case.command.model_fields.values())


def test_only_a_commander_accepts_a_loss_and_only_leads_skip_or_give_up() -> None:
    assert table().acts["step.override"].incident == {"commander"}
    for act in ("step.skip", "play.abandon"):
        assert table().acts[act].incident == {"commander", "technical_lead"}
