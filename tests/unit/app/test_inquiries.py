"""Investigations inside an incident: what they read, what they leave, who may run them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.app import investigation_results as results
from holdfast.app.inquiries import Running, Wanted
from holdfast.evidence.manifests import FolderEntry, Member, Span, folder_manifest
from holdfast.kernel.canonical import canonical
from holdfast.kernel.errors import BadInputError, ConflictError, ForbiddenError, NotFoundError, RefusedError
from tests.house import House, open_house

KEY = "AKIAIOSFODNN7EXAMPLE"
TOKEN = "ghp_" + "0123456789abcdefABCDEF0123456789abcd"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


def record(number: int, name: str, *, user: str = "payments", **more: Any) -> dict[str, Any]:
    return {
        "awsRegion": "eu-central-1",
        "eventCategory": "Management",
        "eventID": f"00000000-0000-4000-8000-{number:012d}",
        "eventName": name,
        "eventSource": "iam.amazonaws.com",
        "eventTime": f"2026-11-23T02:{number % 60:02d}:00Z",
        "eventVersion": "1.11",
        "managementEvent": True,
        "readOnly": False,
        "recipientAccountId": "111122223333",
        "requestParameters": {"userName": "backup"},
        "responseElements": None,
        "sourceIPAddress": "203.0.113.77",
        "userAgent": "-",
        "userIdentity": {
            "accessKeyId": KEY,
            "accountId": "111122223333",
            "arn": f"arn:aws:iam::111122223333:user/{user}",
            "principalId": "AIDA1",
            "type": "IAMUser",
            "userName": user,
        },
        **more,
    }


def trail(*records: dict[str, Any]) -> bytes:
    return json.dumps({"Records": list(records)}).encode()


def test_captured_items_are_read_and_the_result_is_an_item_that_a_pack_would_carry(house: House) -> None:
    incident = house.commanded()
    item = house.collect(incident, body=trail(record(1, "CreateAccessKey"), record(2, "ListUsers")))
    told = house.app.investigations().run(incident, house.viewer("ada"), Wanted(subjects=(KEY,)))
    assert told["inputs"]["records"] == told["inputs"]["rows"] == 2
    assert set(told["answers"]) == {"I1", "I2", "I3", "I4", "I5", "I6", "I7"}
    cited = [
        row["citation"]["item"] for answer in told["answers"].values() for row in answer["rows"] if row["citation"]
    ]
    assert cited
    assert set(cited) == {item}
    state = house.app.states.incident(incident)
    kept = state.evidence.items[told["evidence_id"]]
    assert kept.source == results.SOURCE
    assert state.evidence.items[item].views == 1
    assert results.read(house.app.vault, state, kept.id)["answers"].keys() == told["answers"].keys()


def test_a_second_run_reads_no_earlier_result_and_says_what_changed(house: House) -> None:
    incident = house.commanded()
    house.collect(incident, body=trail(record(1, "ListUsers")))
    first = house.app.investigations().run(incident, house.viewer("ada"), Wanted())
    house.collect(incident, body=trail(record(2, "CreateAccessKey"), record(3, "DeleteTrail")))
    second = house.app.investigations().run(incident, house.viewer("ada"), Wanted())
    assert second["inputs"]["records"] == 3
    assert second["changes"]["since"] == first["evidence_id"]
    assert second["changes"]["inputs"]["rows"] == 2
    assert second["changes"]["answers"]
    assert {one["item"]: one["why"] for one in second["left_out"]} == {
        first["evidence_id"]: "it is the result of an earlier investigation"
    }


def test_without_captured_items_there_is_nothing_to_investigate(house: House) -> None:
    incident = house.commanded()
    with pytest.raises(RefusedError, match="nothing to investigate"):
        house.app.investigations().run(incident, house.viewer("ada"), Wanted())
    again = house.app.investigations().running(incident)
    assert again is not None
    assert again.done
    assert again.error is not None


def test_one_run_at_a_time(house: House) -> None:
    incident = house.commanded()
    house.collect(incident, body=trail(record(1, "ListUsers")))
    inquiries = house.app.investigations()
    inquiries._running[incident] = Running("ben", house.clock())
    with pytest.raises(ConflictError, match="ben started one"):
        inquiries.run(incident, house.viewer("ada"), Wanted())


def test_who_may_not_add_evidence_may_not_run_one_and_who_may_not_see_the_incident_finds_none(house: House) -> None:
    incident = house.commanded()
    house.collect(incident, body=trail(record(1, "ListUsers")))
    with pytest.raises(ForbiddenError):
        house.app.investigations().run(incident, house.viewer("eye"), Wanted())
    hidden = house.commanded(sensitivity="restricted")
    with pytest.raises(NotFoundError):
        house.app.investigations().run(hidden, house.viewer("out"), Wanted())


def test_a_secret_that_somebody_put_into_a_name_is_not_kept_in_the_result(house: House) -> None:
    incident = house.commanded()
    house.collect(incident, body=trail(record(1, "CreateAccessKey", user=TOKEN)))
    told = house.app.investigations().run(incident, house.viewer("ada"), Wanted())
    state = house.app.states.incident(incident)
    raw = results.file(house.app.vault, state, told["evidence_id"], results.RESULT)
    assert TOKEN.encode() not in raw
    assert b"[redacted" in raw


def test_an_answer_becomes_the_questions_answer_and_a_fact_when_a_person_says_so(house: House) -> None:
    incident = house.commanded()
    item = house.collect(incident, body=trail(record(1, "CreateAccessKey"), record(2, "ListUsers")))
    told = house.app.investigations().run(incident, house.viewer("ada"), Wanted(subjects=(KEY,)))
    adopted = house.do("ben", "question-adopt", incident, question="I2", evidence=told["evidence_id"], fact=True)
    state = house.app.states.incident(incident)
    question = state.investigation.question("I2")
    assert question.standing == "answered"
    assert {str(one) for one in question.citations} == {told["evidence_id"], item}
    claim = state.communications.claims[adopted.result["claim"]]
    assert claim.standing == "fact"
    words = house.app.texts.read([question.answer.text_id]) if question.answer else {}
    assert list(words.values()) == [told["answers"]["I2"]["sentence"]]


def test_what_cannot_be_told_is_recorded_as_unknown_and_never_as_a_fact(house: House) -> None:
    incident = house.commanded()
    house.collect(incident, body=b"nothing that any reader knows\n")
    told = house.app.investigations().run(incident, house.viewer("ada"), Wanted())
    unknown = [name for name, answer in told["answers"].items() if answer["standing"] == "cannot_tell"]
    assert unknown
    with pytest.raises(BadInputError, match="not confirmed as a fact"):
        house.do("ben", "question-adopt", incident, question=unknown[0], evidence=told["evidence_id"], fact=True)
    house.do("ben", "question-adopt", incident, question=unknown[0], evidence=told["evidence_id"])
    assert house.app.states.incident(incident).investigation.question(unknown[0]).standing == "unknown"


def test_only_the_result_of_an_investigation_can_be_adopted(house: House) -> None:
    incident = house.commanded()
    item = house.collect(incident, body=b"a line\n")
    with pytest.raises(NotFoundError, match="shows no answers"):
        house.do("ben", "question-adopt", incident, question="I2", evidence=item)


def test_nobody_uploads_a_result_of_their_own_making(house: House) -> None:
    incident = house.commanded()
    house.collect(incident, body=trail(record(1, "ListUsers")))
    told = house.app.investigations().run(incident, house.viewer("ada"), Wanted())
    kept = house.app.states.incident(incident).evidence.items[told["evidence_id"]]
    fields = {"sha256": kept.sha256, "size": kept.size, "kind": "folder_manifest", "manifest": kept.sha256, "name": "x"}
    with pytest.raises(BadInputError, match="so that nobody can forge one"):
        house.do("ben", "evidence-add", incident, **fields, source="investigation")
    assert house.app.tools.own_results == set()


def test_whatever_a_run_says_can_be_adopted(house: House) -> None:
    incident = house.commanded()
    house.collect(incident, body=trail(record(1, "ListUsers")))
    told = house.app.investigations().run(incident, house.viewer("ada"), Wanted(subjects=("AKIANOBODY",)))
    for question in told["answers"]:
        house.do("ben", "question-adopt", incident, question=question, evidence=told["evidence_id"])
    standings = house.app.states.incident(incident).investigation.questions
    assert {one.standing for one in standings.values()} <= {"answered", "unknown"}
    assert len(standings) == 7


def test_a_folder_is_read_with_the_paths_its_files_had_and_a_picture_is_left_out(house: House) -> None:
    incident = house.commanded()
    viewer = house.viewer("ada")
    member = house.app.upload(incident, viewer, io.BytesIO(trail(record(1, "ListUsers"))))
    span = Span(house.clock(), house.clock(), "test", "1")
    manifest = folder_manifest("logs", [FolderEntry(b"eu/trail.json", 0o100644, 0, Member(*member))], span)
    stored = house.app.upload(incident, viewer, io.BytesIO(canonical(manifest)))
    fields = {"sha256": stored[0], "size": stored[1], "kind": "folder_manifest", "name": "logs", "manifest": stored[0]}
    house.do("ada", "evidence-add", incident, **fields)
    picture = house.app.upload(incident, viewer, io.BytesIO(b"\x89PNG\r\n\x1a\n"))
    house.do(
        "ada",
        "evidence-add",
        incident,
        sha256=picture[0],
        size=picture[1],
        kind="screenshot",
        name="x.png",
        media_type="image/png",
    )
    told = house.app.investigations().run(incident, viewer, Wanted())
    assert [one["path"] for one in told["inputs"]["files"]] == ["logs/eu/trail.json"]
    assert [one["why"] for one in told["left_out"]] == ["it is a picture"]


def test_the_activity_table_stays_for_questions_and_goes_when_evidence_is_erased(house: House) -> None:
    incident = house.commanded()
    item = house.collect(incident, body=trail(record(1, "ListUsers")))
    inquiries = house.app.investigations()
    assert inquiries.table(incident) is None
    inquiries.run(incident, house.viewer("ada"), Wanted())
    table = inquiries.table(incident)
    assert table is not None
    assert table.stat().st_mode & 0o077 == 0
    assert list((inquiries.folder / "scratch").iterdir()) == []
    house.do("ada", "role-assign", incident, role="business_owner", account="ben")
    house.do("ada", "role-assign", incident, role="evidence_owner", account="cem")
    order = house.do("ben", "erasure-request", incident, target=item, reason="asked", legal_basis="their right")
    house.do("cem", "erasure-approve", incident, erasure_id=order.result["erasure_id"])
    assert inquiries.table(incident) is None
