"""Places and the list to work from: what is urgent first, each line with its hits, nothing called clean."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest

from holdfast.exposure import summary
from holdfast.exposure.places import FORMULA, Place, places, spoken
from holdfast.exposure.places import to_csv as places_csv
from holdfast.exposure.report import Report, Searched
from holdfast.exposure.results import Fault, Hit
from holdfast.exposure.worklist import Group, to_csv, window_of, worklist
from tests.unit.exposure import world

FOUND = places(world.REPORT)


def only(*hits: Hit, **more: Any) -> Report:
    """A complete report of these hits."""
    targets = tuple(one for one in world.TARGETS if one.target in {hit.target for hit in hits})
    fields: dict[str, Any] = {"complete": True, "faults": (), "targets": targets, **more}
    return replace(world.REPORT, hits=hits, **fields)


def group(report: Report, key: str) -> Group:
    found = [one for one in worklist(report, places(report)).groups if one.key == key]
    assert len(found) == 1, key
    return found[0]


def test_a_place_is_a_path_in_a_target_and_each_hit_is_in_exactly_one() -> None:
    again = replace(world.HEAD, object=world.oid(9), start=999, end=1039)
    found = places(only(world.HEAD, again, world.OLD))
    assert [(one.name, one.hits) for one in found] == [("config/settings.py", (1, 2)), ("deploy/values.yaml", (3,))]
    assert sorted(number for one in FOUND for number in one.hits) == list(range(1, len(world.REPORT.hits) + 1))


def test_what_anybody_can_read_and_is_still_there_comes_first_and_pieces_last() -> None:
    assert [(one.visibility, one.still) for one in FOUND] == [
        ("public", "head"),
        ("public", "history"),
        ("public", "unreachable"),
        ("unknown", "there"),
        ("internal", "head"),
        ("internal", "there"),
        ("internal", "there"),
        ("internal", "there"),
    ]
    assert [one.whole for one in FOUND] == [True] * 7 + [False]


@pytest.mark.parametrize(
    ("hit", "first", "basis"),
    [
        (world.HEAD, "2026-11-02T14:03:00.000Z", "pushed"),
        (world.OLD, "2026-11-04T08:12:00.000Z", "committed"),
        (world.LAYER, "2026-11-10T07:30:00.000Z", "published"),
        (world.MESSAGE, "2026-11-11T18:22:00.000Z", "sent"),
        (world.LOG, None, "unknown"),
    ],
)
def test_the_first_instant_is_what_something_proves_and_says_by_what(hit: Hit, first: str | None, basis: str) -> None:
    (place,) = places(only(hit))
    assert (place.first, place.basis) == (first, basis)


def test_the_window_begins_at_the_push_and_only_not_later_than_a_commit() -> None:
    pushed = window_of(places(only(world.HEAD)))
    assert (pushed.begins, pushed.basis, pushed.hit) == ("2026-11-02T14:03:00.000Z", "pushed", 1)
    assert pushed.sentence.startswith("Begin at 2 Nov 2026, 14:03 UTC, proven by the host's log of the push")
    committed = window_of(places(only(world.INTERNAL)))
    assert committed.sentence.startswith("Begin not later than 6 Nov 2026, 10:00 UTC")
    assert "no log of the push" in committed.sentence


def test_where_no_time_is_known_the_window_begins_when_the_secret_was_made_and_never_at_the_discovery() -> None:
    window = window_of(places(only(world.LOG)))
    assert (window.begins, window.hit) == (None, None)
    assert window.sentence == "Begin when the secret was made: no place tells when it got there."
    assert group(only(world.LOG), "check").works[0].where == "from when the secret was made"


def test_places_without_a_time_put_the_beginning_in_doubt() -> None:
    assert "Of 1 more no instant is known, and any may be earlier." in window_of(FOUND).sentence


def test_a_piece_proves_no_exposure_while_there_is_a_whole_one() -> None:
    early = replace(world.HEAD, cls="partial", provenance=replace(world.LOST.provenance, reach="reachable"))  # type: ignore[type-var]
    assert window_of(places(only(early, world.INTERNAL))).begins == "2026-11-06T10:00:00.000Z"


def test_the_groups_are_revoke_check_access_clean_dependants_and_what_is_left() -> None:
    found = worklist(world.REPORT, FOUND)
    assert [(one.key, one.step) for one in found.groups] == [
        ("revoke", "LS3"),
        ("check", "LS4"),
        ("access", "LS4"),
        ("clean", "LS3"),
        ("dependants", "LS5"),
        ("look", "LS2"),
    ]


def test_the_secret_to_revoke_is_named_by_label_and_fingerprint() -> None:
    (one,) = group(world.REPORT, "revoke").works
    assert one.where == f"AWS key of payments (fp:{world.MARK})"
    assert one.why == "It is in 7 places, 4 of them open to anybody, or not told to whom."
    assert one.hits == (1, 2, 3, 4, 5, 6, 7)


@pytest.mark.parametrize(
    ("hit", "what", "why"),
    [
        (
            world.HEAD,
            "Replace it by a reference, then take it out of the history",
            "still at the head of main, release",
        ),
        (
            replace(world.HEAD, provenance=replace(world.HEAD.provenance, heads=("refs/tags/v1",))),  # type: ignore[type-var]
            "Take it out of the history, and make the tags anew",
            "Branches lost it; it is still in the tag v1",
        ),
        (world.OLD, "Take it out of the history", "after 9 Nov 2026, 16:40 UTC; every clone and fork"),
        (world.LOST, "Ask the host to delete unreachable objects, forks included", "by its id 000000000000…."),
        (world.LAYER, "Withdraw the image, every tag of this digest", "in a later layer leaves it in this one"),
        (world.MESSAGE, "Delete the message, with its edits", "Notifications"),
        (replace(world.LAYER, kind="package"), "Withdraw this version", "Mirrors and caches"),
        (replace(world.MESSAGE, kind="issue"), "Delete the issue", "Notifications"),
        (world.LOG, "Delete or replace it", "may be a copy"),
        (replace(world.HEAD, kind="git-file", provenance=None), "Change this setting or ref", "own files"),
    ],
)
def test_each_kind_of_place_has_its_own_cure(hit: Hit, what: str, why: str) -> None:
    (one,) = group(only(hit), "clean").works
    assert one.what.startswith(what)
    assert why in one.why


def test_a_log_of_ci_is_known_by_its_target() -> None:
    targets = (Searched("ci-logs", "ci-logs", "ci_logs"),)
    (one,) = group(only(world.LOG, targets=targets), "clean").works
    assert one.what == "Delete this log of the run"


def test_cleaning_what_is_public_and_there_is_for_now_and_old_versions_for_then() -> None:
    works = group(world.REPORT, "clean").works
    assert [one.urgency for one in works] == ["now", "next", "next", "next", "next", "then", "then"]
    assert works[0].hits == (1,)


def test_many_places_of_a_target_with_one_cure_are_one_line() -> None:
    works = group(world.many(500), "clean").works
    assert len(works) == 40
    assert works[0].where == "acme/repo0.git: 13 places (src/file0.py, src/file440.py, src/file320.py, …)"
    assert sum(len(one.hits) for one in works) == 500


def test_what_is_deployed_from_what_still_holds_it_is_to_be_updated() -> None:
    found = [one.where for one in group(world.REPORT, "dependants").works]
    assert found == ["repository acme/payments.git", "repository acme/tools.git", "artifact payments:1.4.2"]


def test_pieces_faults_and_what_was_not_searched_are_work_too() -> None:
    targets = (replace(world.TARGETS[0], not_searched=("its forks",)), *world.TARGETS[1:])
    report = replace(world.REPORT, targets=targets, not_searched=("its forks", "ciphers of one's own"))
    found = [(one.what, one.where) for one in group(report, "look").works]
    assert found == [
        ("Look at the piece by eye", "chat-export.zip: random/2026-11-12.json"),
        ("Search it again", "chat-export.zip: dm/2026-11-12.json"),
        ("Search for it in another way", "acme/payments.git"),
        ("Keep in mind what no search finds", "everywhere"),
    ]


def test_faults_alike_are_one_line() -> None:
    faults = tuple(Fault("chat-export.zip", f"dm/{number}", "truncated") for number in range(9))
    report = replace(world.REPORT, hits=(), faults=faults)
    (one,) = group(report, "look").works
    assert one.where == "chat-export.zip: dm/0, dm/1, dm/2 and 6 more"


def test_every_line_of_the_list_cites_hits_that_are_there_or_says_what_is_not() -> None:
    for report in (world.REPORT, world.many(500)):
        numbers = set(range(1, len(report.hits) + 1))
        for one in (work for found in worklist(report, places(report)).groups for work in found.works):
            assert set(one.hits) <= numbers
            assert one.hits or one.what.startswith("Search")


def test_nothing_found_by_a_complete_search_leaves_nothing_to_do() -> None:
    assert worklist(only(), ()).groups == ()


def test_the_headline_says_where_what_is_still_there_since_when_and_what_is_missing() -> None:
    assert summary.headline(world.REPORT, FOUND) == (
        "In 2 repositories, 1 file, 1 image layer, 1 message and 1 piece; still at the head of main, release; "
        "first pushed 2 Nov 2026, 14:03 UTC; incomplete: chat-export.zip: truncated."
    )
    assert summary.headline(only(world.OLD), places(only(world.OLD))) == (
        "In 1 repository; in older versions only; first committed 4 Nov 2026, 08:12 UTC."
    )


def test_nowhere_is_only_said_of_what_was_searched_completely() -> None:
    assert summary.headline(only(targets=world.TARGETS), ()) == "Found nowhere in 5 targets."
    broken = replace(world.REPORT, hits=(), faults=(), complete=False)
    assert summary.headline(broken, ()).startswith("Found nowhere so far in 5 targets; incomplete: it was broken off")
    partly = only(targets=(replace(world.TARGETS[0], not_searched=("its forks",)),))
    assert summary.headline(partly, ()) == "Found nowhere so far in 1 target; not searched: its forks."
    assert summary.headline(only(not_searched=("ciphers",), targets=world.TARGETS), ()) == "Found nowhere in 5 targets."


def test_a_part_is_done_only_when_all_its_targets_were_searched_completely() -> None:
    plans = {one.area: one for one in summary.parts(world.REPORT, FOUND)}
    assert {area: one.standing for area, one in plans.items()} == {
        "source_control": "done",
        "artifact_registries": "done",
        "chat": "unknown",
    }
    assert plans["chat"].reason == (
        "Found in 2 places so far; 1 of 1 targets were not searched completely: chat-export.zip: truncated."
    )
    failed = replace(world.REPORT.targets[1], complete=False)
    report = replace(world.REPORT, targets=(world.TARGETS[0], failed, *world.TARGETS[2:]))
    assert next(one for one in summary.parts(report, FOUND) if one.area == "source_control").standing == "unknown"


def test_no_part_is_done_by_a_run_that_was_broken_off_or_did_not_reach_all_of_a_target() -> None:
    for report in (
        only(targets=world.TARGETS[:2], complete=False),
        only(targets=(replace(world.TARGETS[0], not_searched=("its forks",)), world.TARGETS[1])),
    ):
        (one,) = summary.parts(report, ())
        assert one.standing == "unknown"
        assert (one.reason or "").startswith("Not found so far; ")


def test_what_nobody_searched_is_not_settled_at_all() -> None:
    areas = {one.area for one in summary.parts(world.REPORT, FOUND)}
    assert not areas & {"ticket_systems", "paste_locations", "ci_logs"}
    said = {one.area: one.standing for one in summary.parts(world.REPORT, FOUND, [("ci_logs", 5)])}
    assert said["ci_logs"] == "done"


def test_a_step_records_the_earliest_exposure_and_not_more_places_than_a_person_reads() -> None:
    report = world.many(500)
    told = summary.lines(places(report))
    assert len(told) == summary.LINES + 2
    assert told[0].startswith("Earliest exposure: not later than 1 Jan 2026, 10:00 UTC")
    assert told[-1] == "And 460 more places, all of them in places.csv of the report"


def test_the_event_holds_counts_and_fingerprints_and_no_name() -> None:
    (event,) = summary.searched_event(world.REPORT, FOUND, {"evidence_id": "ev-9", "sha256": "ab" * 32}, "elsewhere")
    assert event.data["places"] == len(FOUND)
    assert event.data["still"] == 6
    assert event.data["secrets"] == [world.MARK]
    told = str(event.data)
    assert not any(name in told for name in (world.REPOSITORY, "settings.py", "Ben", "truncated", "payments"))


@pytest.mark.parametrize("begin", [*FORMULA, " =", "\u00a0+"])
def test_no_cell_of_a_table_begins_like_a_formula(begin: str) -> None:
    hit = replace(world.LOG, path=f"{begin}cmd()", target=f"{begin}target")
    report = only(hit, targets=(Searched(hit.target),))
    found = places(report)
    for text in ("".join(places_csv(found, report)), "".join(to_csv(worklist(report, found)))):
        rows = list(csv.reader(io.StringIO(text)))
        assert all(not cell.lstrip(" \u00a0").startswith(FORMULA) for row in rows[1:] for cell in row)
        assert len({len(row) for row in rows}) == 1


def test_the_tables_hold_every_place_and_every_line() -> None:
    report = world.many(500)
    found = places(report)
    assert len(list(csv.reader(io.StringIO("".join(places_csv(found, report)))))) == 501
    listed = worklist(report, found)
    assert len(list(csv.reader(io.StringIO("".join(to_csv(listed)))))) == 1 + sum(
        len(one.works) for one in listed.groups
    )


def test_an_instant_is_spoken_as_people_do() -> None:
    assert spoken("2026-11-02T14:03:59.000Z") == "2 Nov 2026, 14:03 UTC"
    assert spoken(None) == "an unknown time"


def test_names_tell_places_apart() -> None:
    def named(hit: Hit) -> Place:
        return places(only(hit))[0]

    assert named(world.MESSAGE).name == "#deploys > general/2026-11-11.json > 2026-11-11T18:22:00Z"
    assert named(replace(world.HEAD, kind="commit")).name == (world.HEAD.object or "")[:12]
    assert named(replace(world.LOG, path=None)).name == "the whole of it"
    assert named(replace(world.LOG, path="a.zip", inner=("a.zip", "b.txt"))).name == "a.zip > b.txt"
