from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.incidents import tasks
from holdfast.kernel.errors import BadInputError, ForbiddenError, NotFoundError, RefusedError
from tests.unit.incidents.boarding import PROOF, T0, Recorder, minutes, words

DUE = T0 + minutes(30)


def assigned(owner: str = "li", by: str = "ana") -> Recorder:
    recorder = Recorder()
    recorder.record(tasks.assign(recorder.state, owner, words("action"), DUE, T0), by=by)
    return recorder


def test_a_task_has_one_owner_one_action_and_a_time_box() -> None:
    task = assigned().state.tasks["task-1"]
    assert (task.owner, task.action, task.due, task.standing) == ("li", words("action"), DUE, "open")
    assert task.acknowledged_at is None


@pytest.mark.parametrize("due", [T0, T0 - minutes(1), T0 + timedelta(days=90, milliseconds=1)])
def test_a_time_box_ends_after_now_and_within_ninety_days(due: object) -> None:
    with pytest.raises(BadInputError) as refused:
        tasks.assign(Recorder().state, "li", words(), due, T0)  # type: ignore[arg-type]  # parametrised instants
    assert refused.value.code == "task-due-invalid"


def test_a_task_given_to_oneself_needs_no_answer() -> None:
    recorder = assigned(owner="ana")
    assert recorder.state.tasks["task-1"].acknowledged_at == T0
    with pytest.raises(RefusedError, match="already"):
        tasks.acknowledge(recorder.state, "task-1", "ana")


def test_only_the_owner_acknowledges() -> None:
    recorder = assigned()
    with pytest.raises(ForbiddenError, match="li's"):
        tasks.acknowledge(recorder.state, "task-1", "ana")
    recorder.record(tasks.acknowledge(recorder.state, "task-1", "li"), by="li", at=T0 + minutes(3))
    assert recorder.state.tasks["task-1"].acknowledged_at == T0 + minutes(3)


def test_progress_by_the_owner_acknowledges_and_by_another_does_not() -> None:
    recorder = assigned()
    recorder.record(tasks.progress(recorder.state, "task-1", words("seen")), by="ana")
    assert recorder.state.tasks["task-1"].acknowledged_at is None
    recorder.record(tasks.progress(recorder.state, "task-1", words("half")), by="li", at=T0 + minutes(8))
    task = recorder.state.tasks["task-1"]
    assert (task.acknowledged_at, task.note, task.changed_at) == (T0 + minutes(8), words("half"), T0 + minutes(8))


def test_only_the_owner_or_the_commander_closes_a_task() -> None:
    recorder = assigned()
    with pytest.raises(ForbiddenError, match="commander"):
        tasks.finish(recorder.state, "task-1", "mo", commands=False, note=None, citations=())
    with pytest.raises(ForbiddenError, match="commander"):
        tasks.drop(recorder.state, "task-1", "mo", commands=False, reason=words())
    assert tasks.finish(recorder.state, "task-1", "mo", commands=True, note=None, citations=())
    assert tasks.drop(recorder.state, "task-1", "li", commands=False, reason=words())


def test_a_finished_task_stays_finished_and_keeps_its_last_word() -> None:
    recorder = assigned()
    recorder.record(tasks.progress(recorder.state, "task-1", words("half")), by="li")
    event = recorder.record(
        tasks.finish(recorder.state, "task-1", "li", commands=False, note=None, citations=[PROOF]), by="li"
    )
    assert event.data["citations"] == [PROOF.as_json()]
    task = recorder.state.tasks["task-1"]
    assert (task.standing, task.note) == ("done", words("half"))
    for change in (
        lambda: tasks.progress(recorder.state, "task-1", words()),
        lambda: tasks.acknowledge(recorder.state, "task-1", "li"),
        lambda: tasks.drop(recorder.state, "task-1", "li", commands=True, reason=words()),
    ):
        with pytest.raises(RefusedError, match="done"):
            change()


def test_current_actions_are_the_open_tasks_soonest_due_first() -> None:
    recorder = Recorder()
    for owner, due in (("li", 30), ("mo", 10), ("ana", 20), ("li", 10)):
        recorder.record(tasks.assign(recorder.state, owner, words(owner), T0 + minutes(due), T0))
    recorder.record(tasks.drop(recorder.state, "task-3", "ana", commands=False, reason=words("why")))
    assert [task.id for task in tasks.current_actions(recorder.state)] == ["task-2", "task-4", "task-1"]
    assert recorder.state.tasks["task-3"].note == words("why")


def test_an_unknown_task_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        tasks.progress(Recorder().state, "task-1", words())
