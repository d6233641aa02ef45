"""Naming what a hit in an export is in."""

from __future__ import annotations

import json
import time

import pytest

from holdfast.exposure.exports import Export, Named, names_of_people
from holdfast.exposure.mail import MailWalker, sent

MARK = "here it is"


def named(document: bytes, name: str = "x", people: dict[str, str] | None = None) -> Named | None:
    at = document.index(MARK.encode())
    return Export(document, name, people or {}, [at]).named(at)


def about(document: object, name: str = "x", people: dict[str, str] | None = None) -> tuple[str, dict[str, str]]:
    data = document if isinstance(document, bytes) else json.dumps(document, indent=1).encode()
    found = named(data, name, people)
    assert found is not None
    return found.kind, dict(found.about)


def test_a_message_of_slack_has_channel_author_and_time() -> None:
    day = [{"type": "message", "user": "U2", "text": "no", "ts": "1.0"},
           {"user": "U1", "ts": "1704103260.000200", "blocks": [{"elements": [{"text": MARK}]}]}]  # fmt: skip
    assert about(day, "out/ops/2024-01-01.json", {"U1": "Ada"}) == (
        "message",
        {"channel": "ops", "author": "Ada", "sent": "2024-01-01T10:01:00Z", "message": "1704103260.000200"},
    )
    assert about(day, "out/ops/2024-01-01.json")[1]["author"] == "U1"


def test_people_are_known_by_their_real_names() -> None:
    users = [{"id": "U1", "profile": {"real_name": "Ada"}}, {"id": "U2", "name": "bob"}, {"id": 3}, "x"]
    assert names_of_people(json.dumps(users).encode()) == {"U1": "Ada", "U2": "bob"}
    assert names_of_people(b"{}") == {}
    assert names_of_people(b"[" * 100_000) == {}


def test_an_event_of_a_matrix_export_has_room_and_sender() -> None:
    event = {"type": "m.room.message", "sender": "@ada:x", "origin_server_ts": 1704103260123, "event_id": "$1",
             "content": {"body": MARK}}  # fmt: skip
    assert about({"room_name": "War room", "messages": [{}, event]}) == (
        "message",
        {"channel": "War room", "author": "@ada:x", "sent": "2024-01-01T10:01:00Z", "message": "$1"},
    )


def test_an_issue_of_jira_has_key_summary_and_who_commented() -> None:
    fields = {
        "summary": "S",
        "created": "2024-01-02T03:04:05.678+0000",
        "reporter": {"name": "ada"},
        "description": MARK,
    }
    assert about({"issues": [{"key": "OPS-1", "fields": fields}]}) == (
        "issue",
        {"issue": "OPS-1", "subject": "S", "author": "ada", "sent": "2024-01-02T03:04:05Z"},
    )
    fields = {
        "summary": "S",
        "comment": {"comments": [{"author": {"displayName": "Bob"}, "body": MARK, "created": "c"}]},
    }
    assert about({"key": "OPS-1", "fields": fields})[1]["part"] == "comment"


def test_xml_of_jira_has_the_entity_or_the_item() -> None:
    entities = (
        b'<?xml version="1.0"?><entity-engine-xml><Issue id="1" key="A-1"/>'
        b'<Action id="7" issue="1002" author="bob" type="comment" body="here it is" created="2024-01-02 03:04:05.0"/>'
    )
    assert about(entities) == ("issue", {"issue": "1002", "author": "bob", "sent": "2024-01-02T03:04:05Z"})
    item = b"<?xml version='1.0'?><rss><item><key id='1'>OPS-9</key><summary>S</summary><d>here it is</d></item></rss>"
    assert about(item) == ("issue", {"issue": "OPS-9", "subject": "S"})


def test_a_ticket_of_request_tracker_and_its_history_are_named() -> None:
    ticket = {"id": 12, "type": "ticket", "Subject": "S", "Creator": {"id": "root"}, "Created": "2024-01-02T03:04:05Z",
              "CustomFields": [{"values": [MARK]}]}  # fmt: skip
    told = {"issue": "12", "subject": "S", "author": "root", "sent": "2024-01-02T03:04:05Z"}
    assert about(ticket) == ("issue", told)
    step = {"type": "transaction", "Object": {"id": "12", "type": "ticket"}, "Created": "c", "Creator": "ada"}
    history = {"items": [{**step, "Content": MARK}]}
    assert about(history)[1] == {"issue": "12", "author": "ada", "sent": "c"}


def test_a_line_of_a_build_log_has_step_and_time() -> None:
    log = b"2024-01-01T10:00:00.1234567Z ##[group]Run make\n2024-01-01T10:00:01.2Z here it is\n"
    assert about(log, "0_build.txt") == ("ci-log", {"step": "build", "sent": "2024-01-01T10:00:01Z"})
    assert about(log, "deploy/4_Push.txt")[1] == {"job": "deploy", "step": "Push", "sent": "2024-01-01T10:00:01Z"}
    assert about(log, "log")[1]["step"] == "Run make"


def test_a_paste_is_named_by_its_key() -> None:
    lines = (
        b'{"key": "a", "content": "x"}\n'
        b'{"key": "b", "title": "T", "user": "u", "date": "1704103260", "content": "here it is"}\n'
    )
    assert about(lines)[1] == {"paste": "b", "subject": "T", "author": "u", "sent": "2024-01-01T10:01:00Z"}


@pytest.mark.parametrize("document", [{"a": MARK}, [MARK], [[{"b": [MARK]}]], {"ts": 5, "user": MARK}])
def test_other_documents_are_not_named(document: object) -> None:
    assert named(json.dumps(document).encode()) is None


@pytest.mark.parametrize(
    "document",
    [
        b"[" * 200_000 + b'"here it is"' + b"]" * 200_000,
        b'{"a":' * 50_000 + b'"here it is"' + b"}" * 50_000,
        b'{"ts": "' + b"9" * 400_000 + b'", "user": "here it is"}',
        b'{"origin_server_ts": ' + b"9" * 4000 + b', "sender": "here it is"}',
        b'{"id": 1' + b"0" * 9000 + b', "text": "here it is"}',
        b'[{"text": "here it is',
        b'{"key": "\\ud800", "content": "here it is"}',
        b'{"fields": {"comment": 3, "reporter": [1]}, "key": [], "x": "here it is"}',
        b"<?xml " + b"<Issue " * 100_000 + b"here it is",
        (b'{"a": "' + b"\\" * 400_001 + b'here it is"}'),
    ],
)
def test_documents_made_to_hurt_are_answered_soon(document: bytes) -> None:
    started = time.process_time()
    found = named(document)
    assert time.process_time() - started < 2
    assert found is None or len(repr(found)) < 2000


def test_dates_of_mail_are_told_in_one_way() -> None:
    assert sent("Mon, 1 Jan 2024 10:00:00 +0200") == "2024-01-01T08:00:00Z"
    assert sent("yesterday") == "yesterday"
    assert sent("Fri, 31 Dec 9999 23:59:59 -2359") == "Fri, 31 Dec 9999 23:59:59 -2359"


@pytest.mark.parametrize("size", [1, 10, 1 << 20])
def test_parts_of_mail_within_parts_are_decoded_whatever_the_pieces(size: int) -> None:
    mail = (
        b"From: a@b\nSubject: S\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=one\n\nintro\n--one\n"
        b'Content-Type: multipart/alternative;\n boundary="two"\n\n--two\n'
        b"Content-Transfer-Encoding: quoted-printable\n\na=3Db=\nc\n-- \nnot a boundary\n--two--\n--one\n"
        b"Content-Disposition: attachment; filename=x.bin\nContent-Transfer-Encoding: base64\n\n"
        b"aGVs\nbG8=\n--one--\nend\n"
    )
    walker = MailWalker()
    events = [event for at in range(0, len(mail), size) for event in walker.feed(mail[at : at + size])]
    events += walker.close()
    parts: dict[str, bytes] = {}
    for event in events:
        if event.part is not None and event.what == "data":
            parts[event.part.name] = parts.get(event.part.name, b"") + event.data
    assert parts == {"part 1": b"a=bc\n-- \nnot a boundary\n", "x.bin": b"hello"}
    assert [dict(event.about)["subject"] for event in events if event.what == "message"] == ["S"]
    assert walker.at == len(mail)


def test_many_small_messages_take_time_in_proportion() -> None:
    one = b"From a@b Mon Jan  1 10:00:00 2024\nFrom: a@b\nSubject: S\n" + b"X-Y: z\n" * 20 + b"\nbody\n\n"
    started = time.process_time()
    walker = MailWalker()
    assert len([event for event in walker.feed(one * 6000) if event.what == "message"]) == 6000
    assert time.process_time() - started < 3
