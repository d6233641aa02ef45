"""The handlers of board, channel, decisions, freeze and tasks, over the real state and deciders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.app.authorisation import table
from holdfast.app.commanding import REGISTRY
from holdfast.app.commands import board, channel, decisions, freezing, tasks
from holdfast.app.state import IncidentState, apply
from holdfast.incidents.state_command import CommandState
from holdfast.kernel.citations import Citation
from holdfast.kernel.errors import BadInputError, ForbiddenError, NotFoundError, RefusedError
from holdfast.kernel.events import Actor, Event, NewEvent
from holdfast.kernel.ids import TextId
from holdfast.kernel.texts import Sealed
from tests.unit.incidents.boarding import T0, minutes

SOON = T0 + minutes(30)
MODULES = {module.__name__ for module in (board, channel, decisions, freezing, tasks)}


class Desk:
    """A stand-in context: real state, a fixed clock, words that seal to their own hash, three known people."""

    def __init__(self) -> None:
        self.state = IncidentState("INC-2026-0042")
        self.state = replace(self.state, incidents=replace(self.state.incidents, command=CommandState(commander="ana")))
        self.me = "ana"
        self.now = T0
        self.events: list[Event] = []
        self.words: dict[str, str] = {}

    def seal(self, text: str) -> Sealed:
        self.words[f"text-{len(self.words)}"] = text
        return Sealed(TextId(f"text-{len(self.words) - 1}"), "0f" * 32)

    def seal_or_none(self, text: str | None) -> Sealed | None:
        return None if text is None else self.seal(text)

    def person(self, account: str) -> str:
        if account not in {"ana", "li", "mo"}:
            raise NotFoundError("account-unknown", "Nobody.", why="Unknown.", next_step="Look.")
        return account

    def cite(self, references: Iterable[str]) -> tuple[Citation, ...]:
        for reference in references:
            if reference.startswith("#") and int(reference[1:]) > self.state.seq:
                raise BadInputError("citation-unknown", "No.", why="Not there.", next_step="Look.")
        return tuple(
            Citation(event=int(text[1:])) if text.startswith("#") else Citation(text, "ab" * 32) for text in references
        )

    def sign_pass(self, payload: Mapping[str, Any]) -> str:
        return f"signed:{payload['pass_id']}"

    def emit_all(self, events: Iterable[NewEvent]) -> None:
        for new in events:
            event = Event(
                self.state.id,
                self.state.seq + 1,
                f"event-{self.state.seq + 1}",
                new.type,
                new.version,
                new.occurred_at or self.now,
                self.now,
                new.basis,
                Actor("person", self.me, "password+totp"),
                new.data,
            )
            self.events.append(event)
            self.state = apply(self.state, event)

    def run(self, name: str, by: str = "ana", **fields: object) -> Mapping[str, Any]:
        case = REGISTRY[name]
        self.me = by
        return case.handler(case.command(**fields), self) or {}


def test_every_use_case_has_a_row_of_the_authorisation_table_and_a_facet_its_command_can_name() -> None:
    cases = [case for case in REGISTRY.values() if case.module in MODULES]
    assert len(cases) == 25
    for case in cases:
        assert case.act in table().acts, case.path
        assert set(case.positional) <= set(case.command.model_fields), case.path
        if case.facet is not None:
            case.facet.format(**dict.fromkeys(case.command.model_fields, "x"))


def test_freezing_passing_and_containing_is_for_the_commander_or_the_technical_lead() -> None:
    for act in ("freeze.order", "freeze.lift", "freeze.decline", "pass.issue", "pass.revoke", "containment.decide"):
        assert table().acts[act].incident == {"commander", "technical_lead"}
    for act in ("message.post", "board.claim", "board.settle", "timeline.add", "task.progress"):
        assert not table().acts[act].incident
        assert table().acts[act].organisation == {"responder", "administrator"}


def test_a_line_is_claimed_assigned_acknowledged_and_its_parts_settled() -> None:
    desk = Desk()
    desk.run("board-claim", line="F5")
    desk.run("board-assign", line="F5", owner="li")
    desk.run("board-acknowledge", by="li", line="F5")
    desk.run("board-settle", line="F5", part="ci_logs", cites=["ev-3"])
    desk.run("board-settle", line="F5", part="host_metadata", standing="unreachable", reason="node is gone")
    state = desk.state.incidents.board
    assert state.owners["F5"].acknowledged_at == T0
    assert [state.settled["F5"][key].standing for key in ("ci_logs", "host_metadata")] == ["done", "unreachable"]
    assert desk.state.facets["board:F5.ci_logs"] == 3
    with pytest.raises(ValidationError):
        desk.run("board-claim", line="F7")


def test_a_message_mentions_only_people_of_the_incident_and_seals_its_words() -> None:
    desk = Desk()
    desk.run("message-post", text="@li and @stranger: key is out")
    data = desk.events[-1].data
    assert data["mentions"] == ["li"]
    assert "key is out" not in str(data)
    assert desk.words[data["text"]["sealed"]] == "@li and @stranger: key is out"
    desk.run("message-post", by="li", text="on it", reply_to=0)
    assert desk.events[-1].data["reply_to"] == 0
    assert not [name for name in desk.state.facets if "message" in name], "messages never conflict"


def test_what_is_not_in_the_record_is_neither_answered_pinned_nor_corrected() -> None:
    desk = Desk()
    for name, fields in [
        ("message-post", {"text": "x", "reply_to": 9}),
        ("message-pin", {"entry": 9}),
        ("timeline-pin", {"entry": 9}),
        ("timeline-supersede", {"entry": 9, "text": "x", "occurred_at": T0, "reason": "y"}),
        ("decide", {"text": "x", "message": 9}),
    ]:
        with pytest.raises(BadInputError):
            desk.run(name, **fields)
    assert desk.events == []


def test_entries_are_added_corrected_and_pinned() -> None:
    desk = Desk()
    desk.run("timeline-add", text="first use", occurred_at=T0 - minutes(16), basis="evidenced", source="CloudTrail")
    desk.run("timeline-supersede", entry=0, text="earlier", occurred_at=T0 - minutes(20), reason="wrong zone")
    desk.run("timeline-pin", entry=1)
    desk.run("message-post", text="see the pin")
    desk.run("message-pin", entry=3)
    assert desk.events[0].occurred_at == T0 - minutes(16)
    assert desk.state.facets["entry:0"] == 1
    assert sorted(desk.state.incidents.board.pins) == [1, 3]
    desk.run("timeline-unpin", entry=1)
    desk.run("message-unpin", entry=3)
    assert not desk.state.incidents.board.pins


def test_decisions_are_logged_reviewed_and_containment_names_people_who_exist() -> None:
    desk = Desk()
    assert desk.run("decide", text="keep the key alive", rejected="disable it now", reversible=True) == {
        "decision_id": "decision-1"
    }
    desk.run("decision-review", decision_id="decision-1", outcome="changed", note="logs are safe now")
    contain = {"action": "disable the key", "owner": "li", "undo": "enable it", "destroys": "sessions in memory"}
    assert desk.run("contain-decide", **contain, accepts_loss="ana") == {"decision_id": "decision-2"}
    assert desk.events[-1].data["acting_alone"] is True
    assert [owed.by for owed in desk.state.incidents.owed] == ["ana"], "a countersignature is owed"
    with pytest.raises(NotFoundError):
        desk.run("contain-decide", **{**contain, "owner": "nobody"}, accepts_loss="ana")


def test_the_freeze_is_ordered_extended_and_lifted_and_a_pass_token_is_never_recorded() -> None:
    desk = Desk()
    assert desk.run("freeze-order", scopes=["prod"], reason="key is out", expires_at=SOON) == {"freeze_id": "freeze-1"}
    assert desk.state.incidents.board.freezes["freeze-1"].ask == "ana"
    desk.run("freeze-extend", freeze_id="freeze-1", expires_at=T0 + minutes(90), reason="still")
    issued = desk.run("freeze-pass", scope="prod/payments", issued_to="deploy-*", expires_at=SOON, reason="rotate")
    assert issued["once"] == {"token": "signed:pass-1"}
    assert (issued["pass_id"], issued["max_uses"]) == ("pass-1", 10)
    assert not any("signed:" in str(event.data) for event in desk.events)
    desk.run("freeze-revoke-pass", pass_id="pass-1", reason="done")
    desk.run("freeze-lift", freeze_id="freeze-1", reason="rotated")
    desk.run("freeze-decline", reason="nothing deploys tonight")
    assert desk.state.facets["freeze"] == len(desk.events) - 1
    assert desk.state.incidents.board.declined is not None


@pytest.mark.parametrize("fields", [{"scopes": []}, {"scopes": ["Prod"]}, {"scopes": ["prod/../x"]}, {}])
def test_a_freeze_needs_well_formed_scopes_and_an_expiry(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Desk().run("freeze-order", reason="x", **({"expires_at": SOON} if fields else {"scopes": ["prod"]}), **fields)


def test_a_closed_incident_freezes_decides_and_assigns_nothing_new_but_its_freeze_can_be_lifted() -> None:
    desk = Desk()
    desk.run("freeze-order", scopes=["prod"], reason="x", expires_at=SOON)
    core = desk.state.incidents
    desk.state = replace(desk.state, incidents=replace(core, lifecycle=replace(core.lifecycle, status="closed")))
    for name, fields in [
        ("freeze-order", {"scopes": ["prod"], "reason": "x", "expires_at": SOON}),
        ("freeze-pass", {"scope": "prod", "issued_to": "x", "reason": "x", "expires_at": SOON}),
        ("task-assign", {"owner": "li", "action": "x", "due": SOON}),
        ("contain-decide", {"action": "x", "owner": "li", "destroys_nothing": True, "no_undo": True}),
    ]:
        with pytest.raises(RefusedError) as refused:
            desk.run(name, **fields)
        assert refused.value.code == "incident-closed"
    desk.run("freeze-lift", freeze_id="freeze-1", reason="closed")


def test_a_task_is_worked_on_by_its_owner_and_closed_by_owner_or_commander() -> None:
    desk = Desk()
    assert desk.run("task-assign", owner="li", action="rotate", due=SOON) == {"task_id": "task-1"}
    desk.run("task-acknowledge", by="li", task_id="task-1")
    desk.run("task-progress", by="mo", task_id="task-1", note="seen")
    with pytest.raises(ForbiddenError):
        desk.run("task-done", by="mo", task_id="task-1")
    desk.run("task-done", by="li", task_id="task-1", cites=["ev-3"])
    desk.run("task-assign", owner="li", action="rest", due=SOON)
    desk.run("task-drop", by="ana", task_id="task-2", reason="not needed")
    assert [task.standing for task in desk.state.incidents.board.tasks.values()] == ["done", "dropped"]
    assert desk.state.facets["task:task-1"] == 3
