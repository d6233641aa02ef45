from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from holdfast.app import capturing
from holdfast.app.capturing import Capturer, Collector, Labels
from holdfast.app.commands.evidence import AddEvidence
from holdfast.app.ports_capture import Collected, CommandOrder, Ran
from holdfast.app.ports_vault import ByteSource, Stored
from holdfast.engines.commands import CommandRunner
from holdfast.evidence.manifests import members, parse
from holdfast.kernel.errors import BadInputError, IncompleteError, NotFoundError

START = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)


class MemorySink:
    """Keeps everything in memory, as a server would on disk."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.items: list[Collected] = []
        self.hints: list[int | None] = []

    def put(self, stream: ByteSource, size_hint: int | None) -> Stored:
        data = b""
        while chunk := stream.read(7):
            data += chunk
        digest = hashlib.sha256(data).hexdigest()
        self.objects[digest] = data
        self.hints.append(size_hint)
        return Stored(digest, len(data))

    def register(self, found: Collected) -> str:
        AddEvidence.model_validate(found.as_json())
        self.items.append(found)
        return f"ev-{len(self.items)}"

    def document(self, number: int = -1) -> dict[str, Any]:
        manifest = self.items[number].manifest
        assert manifest is not None
        found: dict[str, Any] = json.loads(self.objects[manifest])
        return found


class Ticking:
    def __init__(self) -> None:
        self.seconds = 0

    def __call__(self) -> datetime:
        self.seconds += 1
        return START + timedelta(seconds=self.seconds)


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture
def capturer(sink: MemorySink) -> Capturer:
    return Capturer(sink, Ticking(), Collector("holdfast-cli", "0.1.0", -140))


def test_a_file_is_kept_byte_for_byte_and_registered(tmp_path: Path, capturer: Capturer, sink: MemorySink) -> None:
    path = tmp_path / "auth.log"
    path.write_bytes(b"\xff\x00line\r\n")
    captured = capturer.path(path, Labels(kind="log", source="cloud_audit"))
    item = sink.items[0]
    assert sink.objects[captured.sha256] == b"\xff\x00line\r\n"
    assert (captured.evidence_id, captured.shortfalls) == ("ev-1", ())
    assert (item.kind, item.name, item.origin, item.source) == ("log", "auth.log", str(path), "cloud_audit")
    assert (item.started, item.ended) == ("2026-11-23T03:07:01.000Z", "2026-11-23T03:07:02.000Z")
    assert (item.collector, item.collector_version, item.clock_offset_ms) == ("holdfast-cli", "0.1.0", -140)
    assert (item.media_type, sink.hints) == ("application/octet-stream", [8])


def test_a_picture_is_taken_for_a_screenshot(tmp_path: Path, capturer: Capturer, sink: MemorySink) -> None:
    (tmp_path / "s.png").write_bytes(b"\x89PNG\r\n\x1a\n....")
    capturer.file(tmp_path / "s.png")
    assert (sink.items[0].kind, sink.items[0].media_type) == ("screenshot", "image/png")


def test_a_file_that_grows_while_it_is_read_is_kept_and_called_changed(
    tmp_path: Path, capturer: Capturer, sink: MemorySink
) -> None:
    path = tmp_path / "live.log"
    path.write_bytes(b"0123456789")
    growing = iter([b"more"])
    capturer.progress = lambda _done, _items: grow(path, next(growing, b""))
    captured = capturer.file(path)
    assert captured.shortfalls == ("changed",)
    assert sink.items[0].shortfalls == ("changed",)
    assert sink.objects[captured.sha256] == b"0123456789more"


def grow(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: None])
def test_what_is_no_file_or_not_there_is_refused(tmp_path: Path, capturer: Capturer, make: Any) -> None:
    make(tmp_path / "x")
    with pytest.raises((BadInputError, NotFoundError)) as refusal:
        capturer.path(tmp_path / "x")
    assert refusal.value.code in {"capture-not-a-file", "capture-not-opened"}


def make_tree(root: Path) -> None:
    (root / "app" / "deep").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "app" / "b.log").write_bytes(b"bb")
    (root / "app" / "a.log").write_bytes(b"a")
    (root / "app" / "deep" / "same.log").write_bytes(b"a")
    (root / "link").symlink_to("/etc/shadow")


def test_a_folder_is_walked_in_order_and_every_file_kept_raw(
    tmp_path: Path, capturer: Capturer, sink: MemorySink
) -> None:
    make_tree(tmp_path / "logs")
    captured = capturer.path(tmp_path / "logs")
    document = sink.document()
    assert [(found["path"], found["type"]) for found in document["entries"]] == [
        ("app", "folder"),
        ("app/a.log", "file"),
        ("app/b.log", "file"),
        ("app/deep", "folder"),
        ("app/deep/same.log", "file"),
        ("empty", "folder"),
        ("link", "symlink"),
    ]
    assert document["entries"][-1]["target"] == "/etc/shadow"
    assert (captured.contents, captured.contents_size, captured.shortfalls) == (3, 4, ())
    assert all(sink.objects[member.sha256] for member in members(document))
    item = sink.items[0]
    assert (item.kind, item.name, item.manifest) == ("folder_manifest", "logs", item.sha256)


def test_the_same_folder_gives_the_same_entries_again(tmp_path: Path, capturer: Capturer, sink: MemorySink) -> None:
    make_tree(tmp_path / "logs")
    capturer.folder(tmp_path / "logs")
    capturer.folder(tmp_path / "logs")
    assert sink.document(0)["entries"] == sink.document(1)["entries"]


def test_what_cannot_be_read_is_named_and_the_rest_is_still_kept(
    tmp_path: Path, capturer: Capturer, sink: MemorySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tree(tmp_path / "logs")
    os.mkfifo(tmp_path / "logs" / "pipe")
    real_open = os.open

    def denied(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        if path in {b"a.log", b"deep"}:
            raise PermissionError(13, "Permission denied")
        return real_open(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", denied)
    captured = capturer.folder(tmp_path / "logs")
    found = {entry["path"]: entry["shortfall"] for entry in sink.document()["entries"]}
    assert found["app/a.log"] == "unreadable"
    assert found["app/deep"] == "unreadable"
    assert found["pipe"] == "special"
    assert found["app/b.log"] is None
    assert captured.shortfalls == ("unreadable", "special")
    assert captured.unread == ("app/a.log: unreadable", "app/deep: unreadable", "pipe: special")
    assert sink.document()["complete"] is False


def test_a_tree_that_is_too_deep_is_cut_and_says_so(
    tmp_path: Path, capturer: Capturer, sink: MemorySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert capturing.MAX_DEPTH < 500
    deep = tmp_path / "root"
    for _ in range(capturing.MAX_DEPTH + 2):
        deep /= "d"
    deep.mkdir(parents=True)
    captured = capturer.folder(tmp_path / "root")
    assert captured.shortfalls == ("too_deep",)


def test_a_name_that_is_no_text_is_kept_by_its_bytes(tmp_path: Path, capturer: Capturer, sink: MemorySink) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")).write_bytes(b"x")
    capturer.folder(tmp_path)
    found = sink.document()["entries"][0]
    assert bytes.fromhex(found["path_hex"]) == b"caf\xe9"
    capturer.file(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")))
    assert sink.items[-1].name == "caf\ufffd"


def test_a_fault_of_the_sink_is_never_taken_for_an_unreadable_file(
    tmp_path: Path, capturer: Capturer, sink: MemorySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tree(tmp_path / "logs")

    def full(_stream: ByteSource, _hint: int | None) -> Stored:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sink, "put", full)
    with pytest.raises(OSError, match="No space"):
        capturer.folder(tmp_path / "logs")
    assert sink.items == []


class Failing:
    """A stream that gives some bytes and then fails or is interrupted."""

    def __init__(self, error: BaseException) -> None:
        self._error = error
        self._data = io.BytesIO(b"some")

    def read(self, size: int) -> bytes:
        data = self._data.read(size)
        if not data:
            raise self._error
        return data


def test_standard_input_is_kept_to_its_end(capturer: Capturer, sink: MemorySink) -> None:
    captured = capturer.stream(io.BytesIO(b"piped"), Labels(kind="ticket", name="SEC-12"))
    assert sink.objects[captured.sha256] == b"piped"
    assert (sink.items[0].kind, sink.items[0].name, sink.items[0].media_type) == ("ticket", "SEC-12", "text/plain")


def test_an_interrupted_stream_is_kept_as_incomplete(capturer: Capturer, sink: MemorySink) -> None:
    captured = capturer.stream(Failing(KeyboardInterrupt()))
    assert sink.objects[captured.sha256] == b"some"
    assert sink.items[0].shortfalls == ("interrupted",)


def test_a_stream_that_fails_is_not_registered(capturer: Capturer, sink: MemorySink) -> None:
    with pytest.raises(IncompleteError, match="Input/output error"):
        capturer.stream(Failing(OSError(5, "Input/output error")))
    assert sink.items == []


def test_progress_counts_bytes_and_items(tmp_path: Path, capturer: Capturer) -> None:
    make_tree(tmp_path / "logs")
    told: list[tuple[int, int]] = []
    capturer.progress = lambda done, items: told.append((done, items))
    capturer.folder(tmp_path / "logs")
    assert told[-1] == (4, 3)
    assert told == sorted(told)


def order(code: str, *more: str, timeout: float | None = 20, **environment: str) -> CommandOrder:
    arguments = (sys.executable, "-c", code, *more)
    return CommandOrder(arguments, {"PATH": "/bin", **environment}, "/", timeout)


def test_a_command_keeps_both_outputs_its_status_and_how_it_was_called(capturer: Capturer, sink: MemorySink) -> None:
    code = """
import os, sys
print("out", sorted(name for name in os.environ if "FAST" in name))
print("err", file=sys.stderr)
sys.exit(3)
"""
    captured = capturer.command(
        order(code, "--token", "hunter2", API_KEY="hunter3", HOLDFAST_TOKEN="mine"), Labels(), CommandRunner(), str
    )
    document = sink.document()
    raw = sink.objects[str(sink.items[0].manifest)]
    assert sink.objects[captured.sha256] == b"out []\n"
    assert sink.objects[document["stderr"]["sha256"]] == b"err\n"
    assert (captured.exit_status, document["exit_status"], document["signal"]) == (3, 3, None)
    assert (document["arguments"][-2:], document["arguments_redacted"]) == (["--token", "[redacted]"], 1)
    assert "API_KEY" in document["environment"]["names"]
    assert document["environment"]["values"] == {"PATH": "/bin"}
    assert b"hunter" not in raw
    assert b"HOLDFAST" not in raw.replace(b"holdfast-", b"")
    assert "hunter" not in sink.items[0].name
    assert (sink.items[0].kind, captured.shortfalls) == ("command_history", ())
    assert {member.sha256 for member in members(parse(raw))} <= set(sink.objects)


def test_secrets_found_by_their_looks_are_redacted_too(capturer: Capturer, sink: MemorySink) -> None:
    capturer.command(order("pass", "AKIA1"), Labels(), CommandRunner(), lambda text: text.replace("AKIA1", "<key>"))
    assert sink.document()["arguments"][-1] == "<key>"


class SilentRunner:
    """Ends as told, without running anything."""

    def __init__(self, ran: Ran) -> None:
        self.ran = ran

    def run(self, order: CommandOrder, stdout: Any, stderr: Any) -> Ran:
        stdout(io.BytesIO(b""))
        stderr(io.BytesIO(b""))
        return self.ran


def test_a_timed_out_command_is_recorded_as_incomplete(capturer: Capturer, sink: MemorySink) -> None:
    ran = Ran(None, signal.Signals.SIGTERM.name, ("timed_out",))
    captured = capturer.command(order("pass"), Labels(), SilentRunner(ran), str)
    assert (captured.shortfalls, sink.items[0].shortfalls) == (("timed_out",), ("timed_out",))
    assert (sink.document()["signal"], sink.document()["complete"]) == ("SIGTERM", False)
