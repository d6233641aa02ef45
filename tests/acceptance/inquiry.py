"""I1 to I7, and the plays LS, CT and CA, through one surface."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.acceptance.driver import By
from tests.acceptance.installation import COMMANDER, KEEPER, LEAD, OWNER
from tests.acceptance.shipped import BOARD, PLAYS, QUESTIONS, Item

NOT_DONE = ("unknown", "unreachable", "not_applicable")


def ago(minutes: int) -> str:
    """So many minutes before now, to the second."""
    return (datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=minutes)).isoformat()


class Investigation:
    """The seven questions: every part, answered and unknown."""

    def test_every_question_is_answered_part_by_part_with_citations(self, by: By) -> None:
        incident = by.staged("questions")
        for question in QUESTIONS.values():
            given = by.performed(
                COMMANDER, "question-assign", incident, on="investigation", question=question.id, owner=LEAD
            )
            assert (given["type"], given["question"], given["owner"]) == ("question.assigned", question.id, LEAD)
            for part in question.parts or {"answer": ""}:
                settled = by.performed(
                    LEAD, "question-settle", incident, on="investigation", question=question.id, part=part,
                    cites=["ev-1"],
                )  # fmt: skip
                assert (settled["question"], settled["part"], settled["standing"]) == (question.id, part, "done")
                assert [one["evidence"] for one in settled["citations"]] == ["ev-1"]
            words = f"What we found on {question.name.lower()} for {question.id}"
            answered = by.performed(
                LEAD, "question-answer", incident, on="investigation", question=question.id, answer=words,
                cites=["ev-1", "#0"],
            )  # fmt: skip
            assert (answered["question"], answered["standing"], answered["parts_not_done"]) == (
                question.id, "answered", 0,
            )  # fmt: skip
            assert answered["citations"][1] == {"event": 0}
            by.shows(incident, "investigation", question.id, words)
        parts = [part for one in QUESTIONS.values() for part in one.parts.items()]
        by.shows_together(
            incident, "investigation", *((name if by.name == "page" else key, "done", "ev-1") for key, name in parts)
        )
        by.shows_timeline(incident)

    def test_a_question_that_cannot_be_answered_is_unknown_with_its_reason(self, by: By) -> None:
        incident = by.staged("unknowns")
        for question in QUESTIONS.values():
            for number, part in enumerate(question.parts):
                standing = NOT_DONE[number % 3]
                settled = by.performed(
                    LEAD, "question-settle", incident, on="investigation", question=question.id, part=part,
                    standing=standing, reason=f"{part} of {question.id} is {standing}: the logs are gone",
                )  # fmt: skip
                assert (settled["part"], settled["standing"]) == (part, standing)
            words = f"{question.id} cannot be told, because the logs begin too late"
            unknown = by.performed(
                LEAD, "question-unknown", incident, on="investigation", question=question.id, reason=words
            )
            assert (unknown["type"], unknown["standing"]) == ("question.answered", "unknown")
            by.shows(incident, "investigation", words)
        by.shows_together(incident, "investigation", ("read", "unknown", "read of I4 is unknown: the logs are gone"))
        reopened = by.performed(
            LEAD,
            "question-reopen",
            incident,
            on="investigation",
            question="I7",
            reason="a backup of the logs was found",
        )
        assert (reopened["type"], reopened["question"]) == ("question.reopened", "I7")
        by.shows_timeline(incident)

    def test_a_part_is_not_done_without_a_citation(self, by: By) -> None:
        incident = by.staged("questions")
        refused = by.refused(LEAD, "question-settle", incident, question="I3", part="answer", standing="done")
        assert refused == "part-needs-citation"


class Plays:
    """Every step of the three plays, with its parts and typed outputs."""

    def test_the_leaked_secret_play_is_run_to_its_end(self, by: By) -> None:
        self._run(by, "leaked-secret")

    def test_the_ci_token_play_is_run_to_its_end(self, by: By) -> None:
        self._run(by, "ci-token")

    def test_the_cloud_admin_play_is_run_to_its_end(self, by: By) -> None:
        self._run(by, "cloud-admin")

    def test_evidence_is_not_destroyed_while_volatile_sources_are_uncaptured(self, by: By) -> None:
        incident = by.staged("override")
        started = by.performed(COMMANDER, "play-start", incident, on="plays", play="cloud-admin")
        play = started["play_id"]
        for output, value in (("measure", "disabled"), ("at", ago(5))):
            by.performed(LEAD, "step-record", incident, play_id=play, step="CA1", output=output, value=value)
        by.performed(LEAD, "step-settle", incident, play_id=play, step="CA1", part="result", cites=["ev-1"])
        assert by.refused(LEAD, "step-done", incident, play_id=play, step="CA1") == "evidence-at-risk"
        overridden = by.performed(
            COMMANDER, "step-override", incident, on="plays", play_id=play, step="CA1",
            reason="they are deleting as we watch", lost="sessions of the last hour",
        )  # fmt: skip
        assert overridden["uncaptured"] == list(BOARD["F5"].parts)
        done = by.performed(LEAD, "step-done", incident, play_id=play, step="CA1")
        assert done["uncaptured"] == list(BOARD["F5"].parts)
        by.shows(incident, "plays", "they are deleting as we watch", "sessions of the last hour")
        by.shows_timeline(incident)

    def test_a_part_of_a_step_may_be_unreachable_and_a_step_may_not_apply(self, by: By) -> None:
        incident = by.staged("partly")
        play = by.performed(COMMANDER, "play-start", incident, on="plays", play="leaked-secret")["play_id"]
        for standing, part in zip(NOT_DONE, ("chat", "ticket_systems", "paste_locations"), strict=True):
            settled = by.performed(
                LEAD, "step-settle", incident, on="plays", play_id=play, step="LS2", part=part,
                standing=standing, reason=f"{part}: {standing}, we asked",
            )  # fmt: skip
            assert (settled["step"], settled["part"], settled["standing"]) == ("LS2", part, standing)
            by.shows(incident, "plays", f"{part}: {standing}, we asked")
        skipped = by.performed(
            LEAD, "step-skip", incident, on="plays", play_id=play, step="LS5", reason="nothing depends on it"
        )
        assert (skipped["type"], skipped["step"]) == ("step.skipped", "LS5")
        by.shows_timeline(incident)

    def _run(self, by: By, key: str) -> None:
        incident = by.staged(key)
        for part in BOARD["F5"].parts:
            by.perform(KEEPER, "board-settle", incident, line="F5", part=part, cites=["ev-1"])
        started = by.performed(COMMANDER, "play-start", incident, on="plays", play=key, subject=f"the {key} of tonight")
        assert (started["type"], started["play"]) == ("play.started", key)
        last: list[dict[str, Any]] = []
        for step in PLAYS[key].values():
            last = self._step(by, incident, started["play_id"], step)
        assert [event["type"] for event in last][-1] == "play.completed"
        assert last[-1]["data"]["steps_done"] == len(PLAYS[key])
        by.shows(incident, "plays", *PLAYS[key], f"the {key} of tonight")
        parts = [part for step in PLAYS[key].values() for part in step.parts.items()]
        by.shows_together(
            incident, "plays", *((name if by.name == "page" else part, "done", "ev-1") for part, name in parts)
        )
        if by.name == "page":
            by.shows(incident, "plays", *(step.name for step in PLAYS[key].values()))
        by.shows_timeline(incident)

    def _step(self, by: By, incident: str, play: str, step: Item) -> list[dict[str, Any]]:
        """Settle every part, record every output by its type, finish it."""
        for part in step.parts or {"result": ""}:
            settled = by.performed(
                LEAD, "step-settle", incident, on="plays", play_id=play, step=step.id, part=part, cites=["ev-1"]
            )
            assert (settled["step"], settled["part"], settled["standing"]) == (step.id, part, "done")
        for number, output in enumerate(step.outputs):
            fields = _output(step, output, number)
            if fields is None:
                continue
            recorded = by.performed(
                LEAD, "step-record", incident, on="plays", play_id=play, step=step.id, output=output["key"], **fields
            )
            assert (recorded["step"], recorded["output"], recorded["kind"]) == (
                step.id, output["key"], output["type"],
            )  # fmt: skip
            _check_value(recorded["value"], output["type"], fields)
            if "value" in fields and output["type"] in ("text", "list", "account", "choice"):
                by.shows(incident, "timeline", fields["value"])
        done = by.perform(LEAD, "step-done", incident, on="plays", play_id=play, step=step.id)
        assert (done[0]["type"], done[0]["data"]["step"]) == ("step.done", step.id)
        if any(output.get("window") for output in step.outputs):
            assert done[0]["data"]["derived"]["window_seconds"] > 0
        return done


def _output(step: Item, output: Mapping[str, Any], number: int) -> dict[str, Any] | None:
    """What to give for an output, or nothing where another one stands for it or its condition does not hold."""
    choice, key = output.get("required_if", ("", ""))
    chosen = {one["key"]: one["choices"][0]["key"] for one in step.outputs if one["type"] == "choice"}
    if "instead_of" in output or (choice and chosen[choice] != key):
        return None
    words = f"{output['name']} of {step.id}, as we found it"
    given: dict[str, dict[str, Any]] = {
        "text": {"value": words},
        "account": {"value": OWNER},
        "instant": {"value": ago(600 - 10 * number)},
        "citation": {"cites": ["ev-1"]},
        "choice": {"value": output.get("choices", [{"key": ""}])[0]["key"]},
        "list": {"value": words, "cites": ["ev-1"]},
    }
    return given[output["type"]]


def _check_value(value: Any, kind: str, fields: Mapping[str, Any]) -> None:
    if kind in ("account", "choice"):
        assert value == fields["value"]
    elif kind == "instant":
        assert datetime.fromisoformat(value) == datetime.fromisoformat(fields["value"])
    elif kind == "citation":
        assert [one["evidence"] for one in value] == ["ev-1"]
    elif kind == "text":
        assert set(value) == {"commitment", "sealed"}
    else:
        assert any(isinstance(one, list) and one[0]["evidence"] == "ev-1" for one in value.values())
