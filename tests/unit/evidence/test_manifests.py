from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.evidence.manifests import (
    CommandRun,
    FolderEntry,
    Member,
    Span,
    command_manifest,
    folder_manifest,
    members,
    objects,
    parse,
    redacted_arguments,
    shortfalls,
)
from holdfast.kernel.canonical import canonical
from holdfast.kernel.errors import BadInputError

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SPAN = Span(NOON, NOON, "holdfast-cli", "0.1.0")
A, B = Member("a" * 64, 3), Member("b" * 64, 5)


def entry(path: bytes, **changes: Any) -> FolderEntry:
    return FolderEntry(path, 0o100644, 1_795_472_749_832_938_043, **changes)


def test_a_folder_names_every_entry_in_order_of_bytes() -> None:
    document = folder_manifest(
        "logs", [entry(b"b", member=B), entry(b"A", member=A), entry(b"a/x", target=b"/x")], SPAN
    )
    assert [(found["path"], found["type"]) for found in document["entries"]] == [
        ("A", "file"),
        ("a/x", "symlink"),
        ("b", "file"),
    ]
    assert (document["files"], document["bytes"], document["complete"]) == (2, 8, True)
    assert document["entries"][0]["mtime_ns"] == "1795472749832938043"
    assert document["entries"][0]["mode"] == "0644"


def test_an_unreadable_entry_is_named_and_makes_the_capture_incomplete() -> None:
    document = folder_manifest("logs", [entry(b"ok", member=A), entry(b"no", shortfall="unreadable")], SPAN)
    assert (document["complete"], document["shortfalls"]) == (False, ["unreadable"])
    assert document["entries"][0]["type"] == "unread"
    assert shortfalls(document) == ("unreadable",)


def test_a_path_that_is_no_text_keeps_its_exact_bytes_beside() -> None:
    found = folder_manifest("logs", [entry(b"caf\xe9", member=A)], SPAN)["entries"][0]
    assert (found["path"], bytes.fromhex(found["path_hex"])) == ("caf\ufffd", b"caf\xe9")


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=20), st.integers(0, 2**40))))
def test_members_come_back_from_the_canonical_bytes(files: list[tuple[bytes, int]]) -> None:
    named = [Member(f"{size:064x}", size) for _, size in files]
    document = folder_manifest(
        "f", [entry(path, member=member) for (path, _), member in zip(files, named, strict=True)], SPAN
    )
    assert set(members(parse(canonical(document)))) == set(named)


def run(**changes: Any) -> CommandRun:
    fields: dict[str, Any] = {
        "arguments": ("kubectl", "logs"),
        "redacted": 0,
        "working_folder": "/srv",
        "environment": {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "hunter2", "TZ": "UTC"},
        "exit_status": 0,
        "signal": None,
        "stdout": A,
        "stderr": B,
        "shortfalls": (),
    }
    return CommandRun(**(fields | changes))


def test_a_command_keeps_environment_names_and_only_harmless_values() -> None:
    document = command_manifest(run(), SPAN)
    assert document["environment"] == {
        "names": ["AWS_SECRET_ACCESS_KEY", "PATH", "TZ"],
        "values": {"PATH": "/bin", "TZ": "UTC"},
    }
    assert b"hunter2" not in canonical(document)
    assert members(document) == (A, B)


def test_undecodable_arguments_are_still_recordable() -> None:
    assert canonical(command_manifest(run(arguments=("cat", "caf\udce9"), shortfalls=("timed_out",)), SPAN))


def test_objects_of_an_item_are_bytes_manifest_and_members() -> None:
    document = command_manifest(run(), SPAN)
    assert objects("a" * 64, "c" * 64, document) == ("a" * 64, "b" * 64, "c" * 64)
    assert objects("a" * 64, None, None) == ("a" * 64,)


@pytest.mark.parametrize(
    ("arguments", "clean"),
    [
        (("mysql", "--password", "hunter2", "db"), ("mysql", "--password", "[redacted]", "db")),
        (("curl", "--api-key=abc", "x"), ("curl", "--api-key=[redacted]", "x")),
        (("env", "DB_PASSWORD=abc", "run"), ("env", "DB_PASSWORD=[redacted]", "run")),
        (("tool", "--token", "--verbose"), ("tool", "--token", "--verbose")),
        (("grep", "token", "file"), ("grep", "token", "file")),
        (("echo", "AKIA1"), ("echo", "<secret>")),
    ],
)
def test_arguments_lose_secrets_by_their_option_and_by_their_looks(
    arguments: tuple[str, ...], clean: tuple[str, ...]
) -> None:
    found, changed = redacted_arguments(arguments, lambda text: text.replace("AKIA1", "<secret>"))
    assert found == clean
    assert changed == (arguments != clean)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        b'{"manifest": "holdfast-folder-9", "entries": []}',
        b'{"manifest": "holdfast-folder-1", "entries": [{"type": "file", "sha256": "../x", "size": 1}]}',
        b'{"manifest": "holdfast-folder-1", "entries": [{"type": "file", "sha256": "%s", "size": true}]}' % (b"a" * 64),
        b'{"manifest": "holdfast-folder-1", "entries": [7]}',
        b'{"manifest": "holdfast-command-1", "stdout": null}',
    ],
)
def test_what_is_no_manifest_is_refused_and_never_crashes(raw: bytes) -> None:
    with pytest.raises(BadInputError) as refusal:
        members(parse(raw))
    assert refusal.value.code == "manifest-not-understood"


@pytest.mark.parametrize(
    "changes",
    [{"complete": False}, {"shortfalls": ["bored"], "complete": False}, {"shortfalls": None}, {"shortfalls": [[]]}],
)
def test_a_manifest_that_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInputError):
        shortfalls({**command_manifest(run(), SPAN), **changes})
