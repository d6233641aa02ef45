"""Folders: every file, name, link and repository in them, and what could not be read."""

from __future__ import annotations

import base64
import json
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from holdfast.app.ports_exposure import Listener, Target
from holdfast.engines.exposure.folders import SPECIAL, FolderSearcher
from holdfast.engines.exposure.limits import Limits
from holdfast.engines.exposure.reading import FileReader, NotReadableError
from holdfast.exposure.query import Query
from holdfast.exposure.results import Fault, Hit, Totals
from tests.unit.exposure.artifacts import Searching, compressed, jira_of, slack_of, tar_of, zip_of


@dataclass
class Heard:
    """Listens, and stands for what searches repositories."""

    hits: list[Hit] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    steps: list[tuple[int, int, str]] = field(default_factory=list)
    repositories: list[tuple[str, str]] = field(default_factory=list)

    def hit(self, hit: Hit) -> None:
        self.hits.append(hit)

    def fault(self, fault: Fault) -> None:
        self.faults.append(fault)

    def progress(self, done: int, total: int, what: str) -> None:
        self.steps.append((done, total, what))

    def repository(self, path: Path, target: Target, query: Query, listener: Listener) -> Totals:
        self.repositories.append((path.name, target.shown))
        return Totals(objects=1)

    def reasons(self) -> list[tuple[str, str]]:
        return [(fault.where, fault.reason) for fault in self.faults]


@pytest.fixture(scope="module")
def one() -> Searching:
    return Searching()


def look(one: Searching, where: Path, limits: Limits | None = None) -> tuple[Heard, Totals]:
    heard = Heard()
    searcher = FolderSearcher(heard.repository, limits)
    totals = searcher.search(Target(str(where), "t", "internal"), one.query, heard)
    return heard, totals


def places(heard: Heard) -> list[tuple[str | None, tuple[str, ...]]]:
    return [(hit.path, hit.inner) for hit in heard.hits]


def test_files_are_found_by_their_path_within_the_target_with_line_and_place(one: Searching, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "config.ini").write_bytes(one.document)
    (tmp_path / "dump.zip").write_bytes(zip_of({"x/y.txt": one.document}))
    (tmp_path / "clean").write_bytes(b"nothing")
    heard, totals = look(one, tmp_path)
    assert places(heard) == [("dump.zip", ("x/y.txt",)), ("a/b/config.ini", ())]
    assert [(hit.line, hit.start, hit.kind, hit.form, hit.visibility) for hit in heard.hits] == [
        (3, 21, "file", "raw", "internal")
    ] * 2
    assert heard.faults == []
    assert totals.files == 4
    assert totals.bytes_read == sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
    assert heard.steps[-1][:2] == (totals.bytes_read, totals.bytes_read)


def test_a_single_file_is_a_target_and_a_link_that_was_named_is_followed(one: Searching, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(compressed("gzip", one.document))
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name in ("real", "link"):
        heard, _ = look(one, tmp_path / name)
        assert places(heard) == [(name, ())]
        assert heard.hits[0].about == (("container", "gzip"),)


def test_names_of_files_folders_and_links_are_searched_once_each(one: Searching, tmp_path: Path) -> None:
    name = one.secret.decode()
    (tmp_path / name / "inner").mkdir(parents=True)
    (tmp_path / name / "inner" / "file").write_bytes(b"1")
    (tmp_path / f"{one.secret.hex()}.txt").write_bytes(b"1")
    (tmp_path / "link").symlink_to(f"/nowhere/{name}")
    heard, _ = look(one, tmp_path)
    assert sorted((hit.path or "", hit.about[0][1]) for hit in heard.hits) == sorted(
        [(name, "name"), (f"{one.secret.hex()}.txt", "name"), ("link", "where the link leads to")]
    )
    assert heard.faults == []


def test_links_are_not_followed_out_or_around(one: Searching, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(one.document)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "out").symlink_to(outside)
    (inside / "file").symlink_to(outside / "secret")
    (inside / "loop").symlink_to(inside)
    heard, _ = look(one, inside)
    assert (heard.hits, heard.faults) == ([], [])


def test_special_files_are_never_opened_and_told(one: Searching, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        heard, totals = look(one, tmp_path)
    assert (heard.hits, heard.faults) == ([], [])
    assert SPECIAL in totals.not_searched


def test_attributes_beside_a_file_are_searched(one: Searching, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1")
    try:
        os.setxattr(tmp_path / "file", "user.note", one.secret)
    except OSError:
        pytest.skip("this file system keeps no attributes")
    heard, _ = look(one, tmp_path)
    assert [hit.about[0] for hit in heard.hits] == [("in", "attribute user.note")]


def test_what_cannot_be_read_is_a_fault(one: Searching, tmp_path: Path) -> None:
    heard, _ = look(one, tmp_path / "nowhere")
    assert heard.reasons() == [("", "cannot be read: no such file or directory")]
    with pytest.raises(NotReadableError):
        FileReader(tmp_path)
    if os.getuid() == 0:
        return  # root reads everything
    (tmp_path / "locked").write_bytes(one.document)
    (tmp_path / "locked").chmod(0)
    heard, _ = look(one, tmp_path)
    assert heard.reasons() == [("locked", "cannot be read: permission denied")]


def test_a_file_that_changes_while_it_is_read_is_a_fault(one: Searching, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(one.document + bytes(1 << 20))

    class Shrinking(Heard):
        def progress(self, done: int, total: int, what: str) -> None:
            os.truncate(tmp_path / "log", 100)

    heard = Shrinking()
    FolderSearcher(heard.repository).search(Target(str(tmp_path), "t"), one.query, heard)
    assert len(heard.hits) == 1
    assert heard.reasons() == [("log", "it changed while it was read")]


def test_holes_of_sparse_files_are_passed_over(one: Searching, tmp_path: Path) -> None:
    with (tmp_path / "disk.img").open("wb") as file:
        file.write(b"start" * 200)
        file.seek(40 << 30)
        file.write(one.document)
        file.seek(80 << 30)
        file.write(b"end")
    heard, totals = look(one, tmp_path)
    assert [hit.start for hit in heard.hits] == [(40 << 30) + 21]
    assert heard.faults == []
    assert totals.bytes_matched < 1 << 30


def test_repositories_are_handed_on_and_what_is_checked_out_is_searched(one: Searching, tmp_path: Path) -> None:
    (tmp_path / "checkout" / ".git" / "objects").mkdir(parents=True)
    (tmp_path / "checkout" / "settings.py").write_bytes(one.document)
    for name in ("objects", "refs"):
        (tmp_path / "bare.git" / name).mkdir(parents=True)
    (tmp_path / "bare.git" / "HEAD").write_bytes(b"ref: refs/heads/main\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / ".git").write_bytes(b"gitdir: ../checkout/.git\n")
    (tmp_path / "all.bundle").write_bytes(b"# v2 git bundle\n")
    (tmp_path / "lone.pack").write_bytes(b"PACK\x00\x00\x00\x02\x00\x00\x00\x00")
    heard, totals = look(one, tmp_path)
    assert sorted(heard.repositories) == sorted(
        [
            ("all.bundle", "t/all.bundle"),
            ("bare.git", "t/bare.git"),
            ("lone.pack", "t/lone.pack"),
            (".git", "t/sub/.git"),
            (".git", "t/checkout/.git"),
        ]
    )
    assert totals.objects == 5
    assert places(heard) == [("checkout/settings.py", ())]


def test_names_that_are_no_text_are_told_as_text(one: Searching, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9")).write_bytes(one.document)
    heard, _ = look(one, tmp_path)
    assert json.dumps(heard.hits[0].as_json())
    assert heard.hits[0].path == "caf\\udce9"


def test_truncated_archives_make_the_search_incomplete(one: Searching, tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(compressed("gzip", tar_of({"x": os.urandom(5000)}))[:-40])
    heard, _ = look(one, tmp_path)
    assert ("a.tar.gz", "truncated gzip") in heard.reasons()


# -- exports


def about(heard: Heard) -> list[tuple[str, dict[str, str]]]:
    return [(hit.kind, dict(hit.about)) for hit in heard.hits]


@pytest.mark.parametrize("packed", [True, False])
def test_a_message_of_a_slack_export_is_named(one: Searching, tmp_path: Path, packed: bool) -> None:
    data = slack_of(f"it is {one.secret.decode()} ok")
    if packed:
        (tmp_path / "export.zip").write_bytes(data)
    else:
        import io
        import zipfile

        zipfile.ZipFile(io.BytesIO(data)).extractall(tmp_path)
    heard, _ = look(one, tmp_path)
    ((kind, told),) = about(heard)
    assert kind == "message"
    assert told | {"container": ""} == {
        "channel": "ops",
        "author": "Ada L.",
        "sent": "2024-01-01T10:01:00Z",
        "message": "1704103260.000200",
        "container": "",
    }


def test_an_issue_of_a_compressed_jira_export_is_named(one: Searching, tmp_path: Path) -> None:
    (tmp_path / "j.json.gz").write_bytes(compressed("gzip", jira_of(f"use {one.secret.decode()}")))
    heard, _ = look(one, tmp_path)
    ((kind, told),) = about(heard)
    assert kind == "issue"
    assert (told["issue"], told["author"], told["sent"], told["part"]) == (
        "OPS-7",
        "Bob",
        "2024-03-04T03:06:07Z",
        "comment",
    )


def test_a_step_of_a_build_log_is_named(one: Searching, tmp_path: Path) -> None:
    log = b"2024-01-01T10:00:01.0Z export K=" + one.secret + b"\n"
    (tmp_path / "logs.zip").write_bytes(zip_of({"build/3_Run tests.txt": log}))
    heard, _ = look(one, tmp_path)
    ((kind, told),) = about(heard)
    assert (kind, told["job"], told["step"], told["sent"]) == ("ci-log", "build", "Run tests", "2024-01-01T10:00:01Z")


def test_a_mail_is_named_also_for_what_is_attached_to_it(one: Searching, tmp_path: Path) -> None:
    attached = base64.encodebytes(zip_of({"k.txt": one.document})).replace(b"\n", b"\r\n")
    quoted = one.secret.replace(b"a", b"=61")
    quoted = quoted[:20] + b"=\r\n" + quoted[20:]
    mail = (
        b"From x@y Mon Jan  1 10:00:00 2024\r\n"
        b"From: Ada <ada@example.org>\r\nSubject: =?utf-8?q?Caf=C3=A9?=\r\nMessage-ID: <1@example.org>\r\n"
        b"Date: Mon, 1 Jan 2024 10:00:00 +0200\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="=_b"\r\n\r\n--=_b\r\n'
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"it is " + quoted + b" ok\r\n--=_b\r\n"
        b'Content-Type: application/zip\r\nContent-Disposition: attachment; filename="k.zip"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n" + attached + b"--=_b--\r\n\r\n"
        b"From x@y Mon Jan  2 10:00:00 2024\r\nFrom: bob@example.org\r\nSubject: plain\r\n\r\nand "
        + one.secret
        + b"\r\n"
    )
    (tmp_path / "inbox").write_bytes(mail)
    heard, _ = look(one, tmp_path)
    assert {hit.kind for hit in heard.hits} == {"mail"}
    told = {hit.inner: dict(hit.about) for hit in heard.hits}
    assert set(told) == {("part 1",), ("k.zip", "k.txt"), ()}
    assert told["k.zip", "k.txt"]["subject"] == "Caf\u00e9"
    assert told["part 1",]["author"] == "Ada <ada@example.org>"
    assert told["part 1",]["sent"] == "2024-01-01T08:00:00Z"
    assert told[()]["subject"] == "plain"


def test_a_paste_of_a_dump_is_named(one: Searching, tmp_path: Path) -> None:
    lines = [json.dumps({"key": f"k{number}", "title": "t", "user": "u", "date": 1704103200 + number,
                         "content": one.secret.decode() if number == 3 else "x"}) for number in range(9)]  # fmt: skip
    (tmp_path / "pastes.jsonl").write_text("\n".join(lines))
    heard, _ = look(one, tmp_path)
    ((kind, told),) = about(heard)
    assert (kind, told["paste"], told["author"], told["sent"]) == ("paste", "k3", "u", "2024-01-01T10:00:03Z")
