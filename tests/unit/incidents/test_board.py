from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.incidents import board, decisions, events_board, freezing, tasks
from holdfast.incidents.board import Stated, board_clock, board_lines, shipped_board, uncaptured, uncaptured_keys
from holdfast.incidents.board_nags import board_nags
from holdfast.incidents.state_board import EMPTY_BOARD, apply_board
from holdfast.kernel.citations import Citation
from holdfast.kernel.errors import BadInputError, RefusedError
from holdfast.kernel.events import Event
from holdfast.kernel.parts import Standing
from tests.unit.incidents.boarding import PROOF, T0, Recorder, facts, minutes, words

CAPTURES = (
    "cloud_audit_events",
    "ci_logs",
    "deployment_history",
    "identity_provider_logs",
    "host_metadata",
    "application_logs",
)
REPORT = ("reported_by", "reported_when", "affected_systems", "suspected_impact", "evidence_in_hand")
IMPACTS = ("customer_data", "production_availability", "privileged_access")


def done(at_minute: float = 1, standing: Standing = "done") -> Stated:
    return Stated(standing, T0 + minutes(at_minute), "ana", 3)


def line(recorder: Recorder, line_id: str, known: board.BoardFacts, at_minute: float = 2) -> board.Line:
    return next(found for found in board_lines(recorder.state, known, T0 + minutes(at_minute)) if found.id == line_id)


def all_done() -> tuple[Recorder, board.BoardFacts]:
    recorder = Recorder()
    recorder.now = T0 + minutes(9)
    recorder.record(freezing.decline(recorder.state, words(), recorder.now))
    for part in CAPTURES:
        recorder.record(board.settle("F5", part, "done", [PROOF], None))
    recorder.record(decisions.contain(recorder.state, containment(), "ana", recorder.now))
    known = facts(
        commander=done(),
        severity=done(2),
        impacts={key: done(3, "unknown") for key in IMPACTS},
        report={key: done(0) for key in REPORT},
    )
    return recorder, known


def containment() -> decisions.Containment:
    return decisions.Containment(
        owner="li",
        action=words("action"),
        destroys=None,
        destroys_nothing=True,
        accepts_loss=None,
        undo=words("undo"),
        no_undo=False,
        review_at=None,
    )


def test_the_board_has_the_six_lines_with_exactly_the_parts_of_the_runbook() -> None:
    parts = {found.id: tuple(part.key for part in found.parts) for found in shipped_board().lines}
    assert list(parts) == ["F1", "F2", "F3", "F4", "F5", "F6"]
    assert parts["F1"] == ("channel", "commander")
    assert parts["F2"] == REPORT
    assert parts["F3"] == ("severity", *IMPACTS)
    assert parts["F4"] == ("freeze",)
    assert parts["F5"] == CAPTURES
    assert parts["F6"] == ("decision", "owner")
    assert shipped_board().limits.clock == minutes(15)


def test_a_board_document_with_a_part_named_twice_is_refused() -> None:
    part = {"key": "a", "name": "A"}
    limits = dict.fromkeys(("minutes", "warn_minutes", "freeze_max_days", "pass_max_minutes", "acknowledge_minutes"), 1)
    row = {"id": "F1", "name": "x", "source": "capture", "next": "y", "part": [part, part]}
    with pytest.raises(ValueError, match="key of its own"):
        board.load({"limits": limits, "line": [row]})
    with pytest.raises(ValueError, match="known source"):
        board.load({"limits": limits, "line": [{**row, "source": "guess", "part": [part]}]})
    with pytest.raises(ValueError, match="id of its own"):
        board.load({"limits": limits, "line": []})


def test_a_fresh_incident_has_its_channel_open_and_everything_else_to_do() -> None:
    lines = board_lines(EMPTY_BOARD, facts(), T0)
    assert [found.standing for found in lines] == ["open"] * 6
    assert [(part.key, part.standing) for part in lines[0].parts] == [("channel", "done"), ("commander", "open")]
    assert all(found.since == T0 and not found.late for found in lines)


def test_the_commander_counts_only_once_command_is_assumed() -> None:
    recorder = Recorder()
    assert line(recorder, "F1", facts()).standing == "open"
    assert line(recorder, "F1", facts(commander=done())).standing == "done"


def test_a_stated_unknown_impact_settles_severity_as_unknown_and_never_as_done() -> None:
    impacts = {key: done() for key in IMPACTS[:2]} | {IMPACTS[2]: done(1, "unknown")}
    shown = line(Recorder(), "F3", facts(severity=done(), impacts=impacts))
    assert (shown.standing, shown.undone) == ("unknown", 1)
    assert line(Recorder(), "F3", facts(severity=done(), impacts={})).standing == "open"


def test_a_later_word_about_the_report_goes_before_what_the_report_said() -> None:
    recorder = Recorder()
    known = facts(report={key: done(0, "unknown" if key == "affected_systems" else "done") for key in REPORT})
    assert line(recorder, "F2", known).standing == "unknown"
    recorder.record(board.settle("F2", "affected_systems", "done", [Citation(event=17)], None))
    assert line(recorder, "F2", known).standing == "done"
    recorder.record(board.settle("F2", "affected_systems", "open", [], None))
    assert line(recorder, "F2", known).standing == "open"


def test_f4_is_settled_by_an_order_or_by_declining_with_a_reason() -> None:
    recorder = Recorder()
    recorder.record(freezing.decline(recorder.state, words("why-not"), T0))
    declined = line(recorder, "F4", facts())
    assert declined.standing == "not_applicable"
    assert declined.parts[0].reason == words("why-not")
    recorder.record(freezing.order(recorder.state, ["prod"], [], T0 + minutes(60), reason=words(), ask="ana", now=T0))
    assert line(recorder, "F4", facts()).standing == "done"
    assert line(recorder, "F4", facts(), at_minute=600).standing == "done", "an order that lapsed was still given"


def test_f6_is_settled_by_the_first_containment_decision_and_names_its_owner() -> None:
    recorder = Recorder()
    recorder.record(decisions.contain(recorder.state, containment(), "ana", T0))
    shown = line(recorder, "F6", facts())
    assert shown.standing == "done"
    assert {part.key: part.by for part in shown.parts} == {"decision": "ana", "owner": "li"}


@pytest.mark.parametrize("line_id", ["F1", "F3", "F4", "F6"])
def test_a_line_that_follows_from_acts_is_never_ticked_by_hand(line_id: str) -> None:
    part = shipped_board().line(line_id).parts[0].key
    with pytest.raises(RefusedError) as refused:
        board.settle(line_id, part, "done", [PROOF], None)
    assert refused.value.code == "board-line-derived"
    assert refused.value.next_step.startswith("Do it: holdfast ")


def test_done_needs_a_citation_and_anything_else_a_reason() -> None:
    with pytest.raises(BadInputError, match="citation"):
        board.settle("F5", "ci_logs", "done", [], words())
    for standing in ("unknown", "unreachable", "not_applicable"):
        with pytest.raises(BadInputError, match="reason"):
            board.settle("F5", "ci_logs", standing, [PROOF], None)
    with pytest.raises(BadInputError, match="no part"):
        board.settle("F5", "tea_leaves", "done", [PROOF], None)
    with pytest.raises(BadInputError) as unknown:
        board.settle("F7", "ci_logs", "done", [PROOF], None)
    assert unknown.value.code == "board-line-unknown"


@given(st.lists(st.tuples(st.sampled_from(CAPTURES), st.sampled_from(["open", "done", "unknown", "unreachable"]))))
def test_uncaptured_is_exactly_what_is_open_or_opened_again(steps: list[tuple[str, Standing]]) -> None:
    recorder = Recorder()
    last: dict[str, str] = {}
    for part, standing in steps:
        recorder.record(board.settle("F5", part, standing, [PROOF], words()))
        last[part] = standing
    expected = tuple(part for part in CAPTURES if last.get(part, "open") == "open")
    assert uncaptured_keys(recorder.state) == expected
    assert len(uncaptured(recorder.state)) == len(expected)
    assert (line(recorder, "F5", facts()).standing == "open") == bool(expected)


def test_a_line_open_at_fifteen_minutes_is_late_and_not_a_moment_before() -> None:
    due = T0 + minutes(15)
    before = board_lines(EMPTY_BOARD, facts(), due - minutes(0.001))
    assert not any(found.late for found in before)
    assert all(found.late for found in board_lines(EMPTY_BOARD, facts(), due))
    assert not any(found.late for found in board_lines(EMPTY_BOARD, facts(ended=True), due)), "closed is never late"


def test_the_clock_runs_from_the_declaration_and_stops_with_the_last_line() -> None:
    running = board_clock(EMPTY_BOARD, facts(), T0 + minutes(16))
    assert (running.overdue, running.stopped_at, running.seconds_left) == (True, None, -60)
    recorder, known = all_done()
    stopped = board_clock(recorder.state, known, T0 + minutes(500))
    assert (stopped.overdue, stopped.stopped_at, stopped.seconds_left) == (False, T0 + minutes(9), 360)
    assert board_nags(recorder.state, known, T0 + minutes(500)) == []


def test_a_line_settled_after_the_limit_says_so() -> None:
    recorder = Recorder()
    recorder.now = T0 + minutes(15.5)
    recorder.record(decisions.contain(recorder.state, containment(), "ana", recorder.now))
    shown = line(recorder, "F6", facts(), at_minute=20)
    assert (shown.late, shown.settled_late, shown.since) == (False, True, recorder.now)


def test_a_line_has_one_owner_and_is_handed_over_not_taken() -> None:
    recorder = Recorder()
    recorder.record(board.claim(recorder.state, "F5", "ana"), by="ana")
    with pytest.raises(RefusedError, match="already owned by ana"):
        board.claim(recorder.state, "F5", "li")
    recorder.record(board.assign(recorder.state, "F5", "li"), by="ana")
    owner = recorder.state.owners["F5"]
    assert (owner.owner, owner.acknowledged_at) == ("li", None)
    with pytest.raises(RefusedError, match="already owned by li"):
        board.assign(recorder.state, "F5", "li")


def test_only_the_owner_acknowledges_and_only_once() -> None:
    recorder = Recorder()
    recorder.record(board.assign(recorder.state, "F5", "li"), by="ana")
    with pytest.raises(RefusedError):
        board.acknowledge(recorder.state, "F5", "ana")
    recorder.record(board.acknowledge(recorder.state, "F5", "li"), by="li", at=T0 + minutes(2))
    assert recorder.state.owners["F5"].acknowledged_at == T0 + minutes(2)
    with pytest.raises(RefusedError, match="acknowledged"):
        board.acknowledge(recorder.state, "F5", "li")
    with pytest.raises(RefusedError, match="nobody"):
        board.acknowledge(recorder.state, "F1", "li")


def test_nags_name_late_lines_unanswered_owners_lapsing_freezes_tasks_and_reviews() -> None:
    recorder = Recorder()
    recorder.record(board.assign(recorder.state, "F5", "li"), by="ana")
    recorder.record(freezing.order(recorder.state, ["prod"], [], T0 + minutes(25), reason=words(), ask="ana", now=T0))
    recorder.record(tasks.assign(recorder.state, "li", words("act"), T0 + minutes(12), T0), by="ana")
    choice = decisions.Choice(words(), None, None, reversible=True, review_at=T0 + minutes(14))
    recorder.record(decisions.record(recorder.state, choice, T0))
    assert board_nags(recorder.state, facts(), T0 + minutes(4)) == []
    nags = board_nags(recorder.state, facts(), T0 + minutes(15))
    assert [nag.key for nag in nags] == [
        "board-unacknowledged:F5",
        "task-unacknowledged:task-1",
        "freeze-lapsing:freeze-1",
        "task-overdue:task-1",
        "decision-review:decision-1",
        "board-late:F1",
        "board-late:F2",
        "board-late:F3",
        "board-late:F5",
        "board-late:F6",
    ]
    assert next(nag.who for nag in nags if nag.key == "board-late:F5") == "li"
    assert all(nag.since <= T0 + minutes(15) and nag.next_step for nag in nags)
    assert board_nags(recorder.state, facts(ended=True), T0 + minutes(15)) == []


def test_every_event_type_has_a_full_example_a_sentence_and_a_fold() -> None:
    recorder = Recorder()
    names = [kind.name for kind in events_board.TYPES]
    assert len(set(names)) == len(names)
    order = sorted(
        events_board.TYPES, key=lambda kind: kind.name.split(".")[1] not in {"assigned", "ordered", "issued"}
    )
    for kind in order:
        assert set(kind.example) == set(kind.fields), kind.name
        assert kind.sentence.format(actor="ana", **kind.example)
        if kind.facet is not None:
            assert kind.facet.format(**kind.example)
        before = recorder.state
        event = Event(**{**vars_of(recorder), "type": kind.name, "data": kind.example})
        recorder.state = apply_board(before, event)
        if not kind.name.endswith(".unpinned"):
            assert recorder.state != before, kind.name


def test_an_event_of_another_package_or_version_leaves_the_board_unchanged() -> None:
    recorder = Recorder()
    recorder.record(board.claim(recorder.state, "F5", "ana"))
    event = recorder.events[-1]
    assert apply_board(EMPTY_BOARD, replace(event, type="severity.raised")) is EMPTY_BOARD
    assert apply_board(EMPTY_BOARD, replace(event, version=2)) is EMPTY_BOARD


def vars_of(recorder: Recorder) -> dict[str, object]:
    recorder.record(board.claim(EMPTY_BOARD, "F1", "ana"))
    sample = recorder.events[-1]
    return {name: getattr(sample, name) for name in sample.__dataclass_fields__}
