"""An exposure search over targets: what is told, once and redacted, and that nothing unknown looks clean."""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from holdfast.app.exposing import Means, Order, Report, Step, search
from holdfast.app.ports_exposure import Listener, Target
from holdfast.exposure.query import Query, compile_query
from holdfast.exposure.report import Named, read
from holdfast.exposure.results import Fault, Hit, Provenance, Totals, Touch
from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.secrets import SecretValue

VALUE = secrets.token_hex(20)
HIT = Hit("repo", "blob", "raw", "exact", object="ab" * 20, path="a/b.env", start=4, end=44, line=2)
TOTALS = Totals(objects=3, bytes_read=10, bytes_inflated=40, bytes_matched=20)
TOUCH = Touch(
    "cd" * 20, "Ann <ann@example.org>", "2026-01-02T03:04:05Z", "Ann <ann@example.org>", "2026-01-02T03:04:05Z"
)


@dataclass
class Scripted:
    """A searcher that does what a test says."""

    script: Callable[[Target, Query, Listener], Totals]

    def search(self, target: Target, query: Query, listener: Listener) -> Totals:
        return self.script(target, query, listener)


@dataclass
class Heard:
    """An audience that writes down."""

    hints: list[tuple[str, bool]] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def hint(self, where: str, *, among_targets: bool) -> None:
        self.hints.append((where, among_targets))

    def hit(self, hit: Hit) -> None:
        self.hits.append(hit)

    def fault(self, fault: Fault) -> None:
        self.faults.append(fault)

    def progress(self, step: Step) -> None:
        self.steps.append(step)


def telling(*said: Hit | Fault) -> Callable[[Target, Query, Listener], Totals]:
    def script(target: Target, query: Query, listener: Listener) -> Totals:
        for one in said:
            (listener.hit if isinstance(one, Hit) else listener.fault)(one)  # type: ignore[arg-type]
        return TOTALS

    return script


def order(*names: str) -> Order:
    targets = tuple(Target(name, name, "internal") for name in names)
    return Order(
        targets, compile_query([SecretValue(VALUE)]), (Named(0, "0123456789abcdef", "deploy"),), ("raw", "hex")
    )


def means(*scripts: Callable[[Target, Query, Listener], Totals], **more: Any) -> Means:
    turns = iter(scripts)
    ticks = itertools.count()
    return Means(lambda _target: Scripted(next(turns)), lambda: "fast", lambda: float(next(ticks)), lambda: 0.5, **more)


def run(asked: Order, *scripts: Callable[[Target, Query, Listener], Totals]) -> tuple[Report, Heard]:
    heard = Heard()
    return search(asked, means(*scripts), heard), heard


def test_a_search_that_could_look_everywhere_is_complete_found_or_not() -> None:
    report, heard = run(order("repo", "other"), telling(HIT), telling())
    assert report.complete
    assert heard.hits == list(report.hits) == [replace(HIT, visibility="internal")]
    assert [(one.target, one.hits, one.faults) for one in report.targets] == [("repo", 1, 0), ("other", 0, 0)]
    assert report.totals == TOTALS + TOTALS


def test_a_place_and_a_fault_are_told_once() -> None:
    again = replace(HIT, provenance=Provenance(paths_total=1))
    fault = Fault("repo", "pack 1", "truncated")
    report, heard = run(order("repo"), telling(HIT, again, replace(HIT, start=5), fault, fault))
    assert [hit.start for hit in heard.hits] == [4, 5]
    assert list(report.faults) == heard.faults == [fault]


def test_one_fault_anywhere_makes_the_search_incomplete_and_the_others_are_still_searched() -> None:
    report, _ = run(order("one", "repo"), telling(Fault("one", "", "truncated")), telling(HIT))
    assert not report.complete
    assert [one.as_json()["complete"] for one in report.targets] == [False, True]
    assert len(report.hits) == 1


def test_a_searcher_that_fails_unforeseen_is_a_fault_that_tells_no_message() -> None:
    def failing(target: Target, query: Query, listener: Listener) -> Totals:
        listener.hit(HIT)
        raise ValueError(VALUE)

    report, heard = run(order("repo", "other"), failing, telling(replace(HIT, target="other")))
    assert not report.complete
    assert len(heard.hits) == 2
    assert "ValueError at test_exposing.py:" in report.faults[0].reason
    assert VALUE not in json.dumps(report.as_json())


def test_a_searcher_that_refuses_is_a_fault_with_its_reason() -> None:
    def refusing(target: Target) -> Scripted:
        raise UnavailableError(
            "extra-missing", "It cannot be read.", why="The library is missing.", next_step="Get it."
        )

    heard = Heard()
    report = search(order("repo"), replace(means(), searcher=refusing), heard)
    assert [fault.reason for fault in report.faults] == ["It cannot be read. The library is missing"]
    assert not report.complete


def test_an_interruption_names_what_was_not_reached_and_keeps_what_was_found() -> None:
    def interrupted(target: Target, query: Query, listener: Listener) -> Totals:
        listener.hit(replace(HIT, target="two"))
        raise KeyboardInterrupt

    report, heard = run(order("repo", "two", "three"), telling(HIT), interrupted)
    assert report.interrupted
    assert not report.complete
    assert [fault.target for fault in heard.faults] == ["two", "three"]
    assert [one.target for one in report.targets] == ["repo", "two", "three"]
    assert report.end()["interrupted"] is True
    assert len(report.hits) == 2


def test_every_name_that_leaves_is_redacted_in_one_place() -> None:
    touch = replace(TOUCH, author=f"{VALUE} <a@b>", committer=f"<{VALUE}>", pushed_by=VALUE)
    spelled = replace(
        HIT,
        target=f"t-{VALUE}",
        path=f"a/{VALUE}",
        inner=(f"{VALUE}.zip", "b"),
        artifact=f"image:{VALUE}",
        about=((f"name-{VALUE}", f"value {VALUE}"),),
        provenance=Provenance(paths=(VALUE,), heads=(f"refs/heads/{VALUE}",), refs=(VALUE,), first=touch, last=touch),
    )
    asked = order(f"repo-{VALUE}")

    def script(target: Target, query: Query, listener: Listener) -> Totals:
        listener.hit(spelled)
        listener.fault(Fault(VALUE, f"file {VALUE}", f"no such member {VALUE}"))
        listener.progress(1, 2, f"reading {VALUE}")
        return Totals(not_searched=frozenset({f"files in {VALUE}"}))

    heard = Heard()
    report = search(asked, means(script, hints=lambda _query: (f"place {VALUE}",)), heard)
    said = json.dumps(report.as_json()) + repr(heard) + repr(report.targets)
    assert VALUE not in said
    assert VALUE[:12] not in said
    assert len(heard.hits) == len(heard.faults) == len(heard.steps) == len(heard.hints) == 1
    assert heard.hits[0].line == 2


def test_repositories_within_a_target_are_told_of_by_their_own_names() -> None:
    inner = replace(HIT, target="folder/inner")
    fault = Fault("folder/other", "pack", "truncated")
    report, _ = run(order("folder"), telling(replace(HIT, target="folder"), inner, fault))
    assert [(one.target, one.hits, one.faults) for one in report.targets] == [
        ("folder", 1, 0),
        ("folder/inner", 1, 0),
        ("folder/other", 0, 1),
    ]
    assert report.totals == TOTALS


def test_the_last_line_counts_what_was_told() -> None:
    encoded = replace(HIT, form="base64 > json", cls="encoded", start=9)
    report, _ = run(order("repo"), telling(HIT, encoded, Fault("repo", "x", "y")))
    end = report.end()
    assert (end["kind"], end["hits"], end["faults"], end["complete"]) == ("end", 2, 1, False)
    assert end["by_class"] == {"encoded": 1, "exact": 1}
    assert end["by_form"] == {"base64 > json": 1, "raw": 1}
    assert end["bytes_per_second"] == round(40 / end["seconds"])
    assert (end["engine"], end["searched_forms"]) == ("fast", ["raw", "hex"])
    assert end["secrets"] == [{"number": 0, "fingerprint": "0123456789abcdef", "label": "deploy"}]


def test_what_is_printed_is_a_report_that_can_be_read_again() -> None:
    story = Provenance(paths=("a",), paths_total=1, first=TOUCH, last=TOUCH, reach="reachable", at_head=True)
    report, _ = run(order("repo", "two"), telling(replace(HIT, provenance=story), Fault("repo", "x", "y")), telling())
    again = read(json.dumps(line) for line in report.lines())
    assert again.hits == report.hits
    assert again.faults == report.faults
    assert not again.complete
    assert [one.target for one in again.targets] == ["repo", "two"]


def test_a_hint_says_whether_its_place_is_among_the_targets_and_changes_no_answer() -> None:
    heard = Heard()
    report = search(order("repo"), means(telling(), hints=lambda _query: ("repo", "elsewhere")), heard)
    assert heard.hints == [("repo", True), ("elsewhere", False)]
    assert report.complete
    assert report.hits == ()


def test_progress_tells_rate_and_remaining_time_of_the_target() -> None:
    def script(target: Target, query: Query, listener: Listener) -> Totals:
        listener.progress(0, 100, "reading")
        listener.progress(50, 100, "reading")
        listener.progress(150, 100, "reading")
        return Totals()

    _, heard = run(order("a", "repo"), telling(), script)
    first, half, over = heard.steps
    assert (half.number, half.targets, half.target, half.what) == (2, 2, "repo", "reading")
    assert (first.rate, first.remaining) == (0.0, None)
    assert half.rate > 0
    assert half.remaining == pytest.approx(50 / half.rate)
    assert over.remaining is None


def test_an_audience_that_has_gone_ends_the_search_and_is_no_fault_of_the_target() -> None:
    class Gone(Heard):
        def hit(self, hit: Hit) -> None:
            raise BrokenPipeError

    def stubborn(target: Target, query: Query, listener: Listener) -> Totals:
        try:
            listener.hit(HIT)
        except Exception:  # noqa: BLE001 - what a searcher may do with whatever goes wrong in a file
            listener.fault(Fault("repo", "", "unreadable"))
        return Totals()

    gone = Gone()
    with pytest.raises(BrokenPipeError):
        search(order("repo"), means(stubborn), gone)
    assert gone.faults == []
