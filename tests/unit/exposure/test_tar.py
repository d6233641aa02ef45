"""Tar as arithmetic: every kind of header, whatever the pieces, and damage that is told."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from holdfast.exposure.tar import BLOCK, Member, Walker, begins
from tests.unit.exposure.artifacts import tar_of


def walked(data: bytes, size: int = 1 << 20) -> tuple[list[tuple[Member, bytes]], list[str]]:
    """Members with their content as stored, and faults."""
    walker = Walker()
    members: list[tuple[Member, bytearray]] = []
    faults: list[str] = []
    for at in range(0, len(data), size):
        piece = data[at : at + size]
        for part in walker.feed(piece):
            if part.what == "member" and part.member is not None:
                members.append((part.member, bytearray()))
            elif part.what == "data":
                members[-1][1].extend(piece[part.at : part.at + part.length])
            elif part.what == "fault":
                faults.append(part.reason)
    faults += [part.reason for part in walker.close() if part.what == "fault"]
    return [(member, bytes(content)) for member, content in members], faults


@pytest.mark.parametrize("size", [1, 100, 512, 513, 1 << 20])
@pytest.mark.parametrize("how", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_and_their_places_are_the_same_for_all_pieces(how: int, size: int) -> None:
    long = "d/" * 60 + "n" * 20 if how == tarfile.USTAR_FORMAT else "d/" * 90 + "\u00e9" * 40
    held = {"a": b"1" * 700, long: b"22", "empty": b"", "last": b"3" * 512}
    data = tar_of(held, how)
    members, faults = walked(data, size)
    assert faults == []
    assert {member.name: content for member, content in members} == held
    for member, content in members:
        assert data[member.data : member.data + member.size] == content
        assert member.header < member.data
        assert member.header % BLOCK == 0


def test_links_and_folders_have_no_content_and_tell_where_they_lead() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind in (("folder", tarfile.DIRTYPE), ("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "" if kind == tarfile.DIRTYPE else "x" * 150
            archive.addfile(info)
    members, faults = walked(out.getvalue())
    assert faults == []
    assert [(member.name, len(member.link), content) for member, content in members] == [
        ("folder/", 0, b""),
        ("link", 150, b""),
        ("hard", 150, b""),
    ]


@pytest.mark.parametrize("how", ["gnu", "posix"])
@pytest.mark.parametrize("size", [1, 700, 1 << 20])
def test_a_sparse_file_of_gnu_tar_knows_its_holes(tmp_path: Path, how: str, size: int) -> None:
    pieces = {0: b"begin", 1 << 20: b"middle", 3 << 20: b"end"}
    with (tmp_path / "sparse").open("wb") as file:
        for at, text in pieces.items():
            file.seek(at)
            file.write(text)
        file.truncate(4 << 20)
    made = subprocess.run(
        ["tar", "-C", str(tmp_path), "-S", f"--format={how}", "-cf", "-", "sparse"], check=True, capture_output=True
    ).stdout
    ((member, content),), faults = walked(made, size)
    assert faults == []
    assert member.name == "sparse"
    assert member.real_size == 4 << 20
    assert len(content) < 1 << 20
    for at, text in pieces.items():
        assert member.place(content.index(text)) == at


def test_a_size_that_needs_more_than_octal_digits_is_read() -> None:
    info = tarfile.TarInfo("big")
    info.size = 20 << 30
    for how in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        data = info.tobuf(how)
        members, faults = walked(data)
        assert [member.size for member, _ in members] == [20 << 30]
        assert faults == ["truncated within big"]


def test_a_damaged_header_is_told_and_the_next_member_is_found() -> None:
    data = bytearray(tar_of({"a": b"1" * 100, "b": b"2" * 100, "c": b"3"}, tarfile.USTAR_FORMAT))
    data[1024 + 20] ^= 1
    members, faults = walked(bytes(data))
    assert [member.name for member, _ in members] == ["a", "c"]
    assert faults == ["a damaged header at byte 1024"]


def test_archives_one_after_the_other_are_walked_on() -> None:
    members, faults = walked(tar_of({"a": b"1"}) + tar_of({"b": b"2"}))
    assert [member.name for member, _ in members] == ["a", "b"]
    assert faults == []


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (512, "truncated within a"),
        (700, "truncated within a"),
        (1024, "truncated: the end of the archive is missing"),
        (100, "truncated: the end of the archive is missing"),
    ],
)
def test_a_cut_archive_is_told(end: int, reason: str) -> None:
    assert walked(tar_of({"a": b"1" * 300}, tarfile.USTAR_FORMAT)[:end])[1] == [reason]


def test_a_name_longer_than_any_is_passed_over_and_told() -> None:
    name = "n" * (2 << 20)
    members, faults = walked(tar_of({name: b"1"}, tarfile.GNU_FORMAT))
    assert len(members) == 1
    assert faults == ["a name or record of more than 1024 KB is ignored"]


def test_damaged_records_are_told_and_the_member_is_read() -> None:
    data = bytearray(tar_of({"\u00e9" * 80: b"1"}, tarfile.PAX_FORMAT))
    data[512] = ord("x")
    members, faults = walked(bytes(data))
    assert [content for _, content in members] == [b"1"]
    assert faults == ["damaged pax records before byte 682"]


def test_only_a_header_begins_an_archive() -> None:
    data = tar_of({"a": b"1"})
    assert begins(data[:512])
    assert not begins(data[512:1024])
    assert not begins(b"ustar" + bytes(600))
    assert not begins(b"A text about ustar. " * 30)
    old = bytearray(data[:512])
    old[257:265] = bytes(8)
    total = sum(old[:148]) + sum(old[156:]) + 256
    old[148:156] = b"%06o\x00 " % total
    assert begins(bytes(old))
