"""Reports of exposure searches that were made elsewhere, and what plays and investigations make of a report."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.app import exposure_results as results
from holdfast.exposure.report import Named, Searched
from holdfast.exposure.results import Fault
from holdfast.kernel.errors import (
    BadInputError,
    NotFoundError,
)
from tests.house import House
from tests.unit.app.exposure_house import files_with, handed_in, searching_house
from tests.unit.exposure import world

TOKEN = "ghp_" + "0123456789abcdefABCDEF0123456789abcd"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the whole installation."""
    return tmp_path_factory.mktemp("exposures")


@pytest.fixture(scope="module")
def house(installation: Path) -> Iterator[House]:
    with searching_house(installation) as found:
        yield found


@pytest.fixture
def secret() -> str:
    """A secret that nobody ever had."""
    return "kq9-" + secrets.token_urlsafe(30)


def test_a_report_from_elsewhere_is_kept_and_says_who_handed_it_in(house: House) -> None:
    incident = house.commanded()
    found = handed_in(house, incident)
    assert found.report.hits == world.REPORT.hits
    assert found.item.collected_by == "ben"
    event = house.events(incident)[-1]
    assert (event.type, event.data["made"], event.data["outcome"]) == ("exposure.searched", "elsewhere", "incomplete")
    assert (event.data["exposed_at"], event.data["basis"], event.data["proof"]) == (
        "2026-11-02T14:03:00.000Z",
        "pushed",
        1,
    )
    collected = next(one for one in house.events(incident) if one.data.get("evidence_id") == found.item.id)
    assert house.app.texts.read([collected.data["origin"]["sealed"]]).popitem()[1].endswith("handed in by ben")


def test_what_a_report_from_elsewhere_holds_is_screened_before_it_is_kept(house: House, installation: Path) -> None:
    incident = house.commanded()
    hit = replace(world.LOG, path=f"runs/{TOKEN}/log", about=(("job", TOKEN),))
    report = replace(
        world.REPORT,
        hits=(hit,),
        faults=(Fault("ci-logs", TOKEN, "truncated"),),
        targets=(Searched("ci-logs", complete=False),),
        secrets=(Named(0, world.MARK, f"label {TOKEN}"),),
        engine=TOKEN,
        not_searched=(TOKEN,),
    )
    found = handed_in(house, incident, report)
    assert files_with(installation, TOKEN.encode()) == []
    assert "[redacted" in str(found.report.hits[0].path)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b"not json"],
        [b"[]"],
        [b'{"kind": "rumour"}'],
        [b'{"kind": "hit"}'],
        [json.dumps(world.HEAD.as_json()).encode()],
        [json.dumps({**world.REPORT.end(), "hits": 3}).encode()],
        [json.dumps({**world.REPORT.end(), "surprise": 1}).encode()],
        [json.dumps({**world.HEAD.as_json(), "surprise": TOKEN}).encode()],
        [b'{"kind": "end", "complete": true, "hits": 1e999}'],
        [b"\xff\xfe"],
    ],
    ids=["empty", "text", "list", "unknown", "bare", "cut", "miscounted", "more", "more in a hit", "huge", "bytes"],
)
def test_what_is_no_report_is_refused_and_nothing_of_it_is_repeated(house: House, lines: list[bytes]) -> None:
    incident = house.commanded()
    before = house.types(incident)
    with pytest.raises(BadInputError) as refused:
        house.app.exposure_searches().take(incident, house.viewer("ben"), lines)
    assert refused.value.code == "exposure-report-invalid"
    assert TOKEN not in f"{refused.value} {refused.value.details}"
    assert house.types(incident) == before


def test_nobody_uploads_a_report_of_their_own_making_as_evidence(house: House) -> None:
    incident = house.commanded()
    found = handed_in(house, incident)
    fields = {"sha256": found.item.sha256, "size": found.item.size, "kind": "folder_manifest", "name": "exposure"}
    with pytest.raises(BadInputError, match="so that nobody can forge one") as refused:
        house.do("ben", "evidence-add", incident, manifest=found.item.sha256, source="exposure", **fields)
    assert refused.value.code == "source-reserved"


def test_a_report_that_is_erased_is_no_result_any_more(house: House) -> None:
    incident = house.commanded()
    house.do("ada", "role-assign", incident, role="business_owner", account="ada")
    first, second = handed_in(house, incident), handed_in(house, incident)
    order = house.do("ada", "erasure-request", incident, target=second.item.id, reason="x", legal_basis="y")
    house.do("ben", "erasure-approve", incident, erasure_id=order.result["erasure_id"])
    state = house.app.states.incident(incident)
    latest = house.app.exposure_searches().latest(state)
    assert latest is not None
    assert latest.item.id == first.item.id
    with pytest.raises(NotFoundError):
        results.read(house.app.vault, state, second.item.id)


def test_the_newest_report_is_read_once_and_a_newer_one_takes_its_place(house: House) -> None:
    incident = house.commanded()
    searches = house.app.exposure_searches()
    first = handed_in(house, incident)
    state = house.app.states.incident(incident)
    assert searches.latest(state) is searches.latest(state)
    second = handed_in(house, incident, replace(world.REPORT, seconds=9.0))
    latest = searches.latest(house.app.states.incident(incident))
    assert latest is not None
    assert first.item.id != second.item.id == latest.item.id


def started(house: House, incident: str) -> str:
    return str(house.do("ada", "play-start", incident, play="leaked-secret").result["play_id"])


def words(house: House, values: Any) -> list[str]:
    read = house.app.texts.read([one.text_id for one in values])
    return [read[one.text_id] for one in values]


def test_a_play_takes_the_report_parts_by_what_was_searched_and_outputs_by_what_was_found(house: House) -> None:
    incident = house.commanded()
    play = started(house, incident)
    found = handed_in(house, incident)
    done = house.do("ben", "exposure-adopt", incident, play_id=play, evidence=found.item.id, covers=["ci_logs=5"])
    step = house.app.states.incident(incident).plays.runs[play].step("LS2")
    standings = {key: part.standing for key, part in step.parts.items()}
    assert standings == {
        "source_control": "done",
        "artifact_registries": "done",
        "chat": "unknown",
        "ci_logs": "done",
    }
    cited = {key: [str(one) for one in part.citations] for key, part in step.parts.items()}
    assert cited == {key: [found.item.id] if standing == "done" else [] for key, standing in standings.items()}
    reason = step.parts["chat"].reason
    assert reason is not None
    assert words(house, [reason])[0].endswith("chat-export.zip: truncated.")
    recorded = words(house, [item.value["place"] for item in step.outputs["places"] if isinstance(item.value, dict)])
    assert recorded[0].startswith("Earliest exposure: 2 Nov 2026, 14:03 UTC, by the host's log of the push")
    assert len(recorded) == 1 + len(found.places)
    assert done.result["open_parts"] == ["ticket_systems", "paste_locations"]
    check = house.app.states.incident(incident).plays.runs[play].step("LS4")
    assert check.outputs["exposed_at"][-1].value == "2026-11-02T14:03:00.000Z"


def test_taking_a_report_twice_changes_nothing_and_what_somebody_settled_by_hand_stays(house: House) -> None:
    incident = house.commanded()
    play = started(house, incident)
    found = handed_in(house, incident)
    house.do(
        "ben", "step-settle", incident, play_id=play, step="LS2", part="source_control", standing="unreachable",
        reason="the host is down",
    )  # fmt: skip
    house.do("ben", "exposure-adopt", incident, play_id=play, evidence=found.item.id)
    again = house.do("ben", "exposure-adopt", incident, play_id=play, evidence=found.item.id)
    step = house.app.states.incident(incident).plays.runs[play].step("LS2")
    assert step.parts["source_control"].standing == "unreachable"
    assert "ci_logs" not in step.parts
    assert again.events == ()
    assert again.result["places"] == 0


def test_a_target_that_the_report_does_not_have_covers_nothing(house: House) -> None:
    incident = house.commanded()
    play = started(house, incident)
    found = handed_in(house, incident)
    with pytest.raises(BadInputError, match="has 5 targets, and 6 is none of them"):
        house.do("ben", "exposure-adopt", incident, play_id=play, evidence=found.item.id, covers=["ci_logs=6"])
    with pytest.raises(NotFoundError, match="shows no places"):
        house.do("ben", "exposure-adopt", incident, play_id=play, evidence=house.collect(incident))


def test_an_investigation_does_not_read_reports_of_exposure_searches(house: House) -> None:
    from holdfast.app.inquiries import Wanted as Asked

    incident = house.commanded()
    house.collect(incident)
    found = handed_in(house, incident)
    told = house.app.investigations().run(incident, house.viewer("ada"), Asked())
    assert {"item": found.item.id, "why": "it is the report of an exposure search"} in told["left_out"]
