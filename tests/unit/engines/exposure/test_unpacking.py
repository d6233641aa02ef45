"""Bytes that hold bytes: found wherever they are, and told whenever they are not."""

from __future__ import annotations

import base64
import gzip
import io
import os
import random
import struct
import tarfile
import time
import zipfile
import zlib
from typing import Any

import pytest
import zstandard

from holdfast.engines.exposure.limits import Limits
from holdfast.engines.exposure.unpacking import Wishes, is_container, search_bytes, search_encoded, search_stream
from holdfast.exposure.matching import matcher
from tests.unit.exposure.artifacts import Searching, artifacts, compressed, tar_of, zip_of

COMPRESSIONS = ("gzip", "zstd", "xz", "bzip2", "lzma")
SMALL = Limits(inflated=64 << 20, ratio_from=1 << 20, total_from=8 << 20, held=8 << 20)


@pytest.fixture(scope="module")
def one() -> Searching:
    return Searching()


@pytest.mark.parametrize("name", artifacts(Searching()))
def test_an_artifact_gives_its_secret_with_the_names_that_lead_to_it(one: Searching, name: str) -> None:
    data, where = artifacts(one)[name]
    found = one.search(data)
    assert found.faults == []
    assert [match.inner for match in found.matches] == [where]
    assert found.matches[0].match.cls in {"exact", "encoded"}


@pytest.mark.parametrize("spelled", ["base64", "hex", "json", "utf16"])
@pytest.mark.parametrize("name", ["layer.tar.gz", "release.zip", "pkg-1.0.0.tgz"])
def test_an_artifact_gives_an_encoded_secret_too(one: Searching, name: str, spelled: str) -> None:
    told = {
        "base64": base64.b64encode(b"user:" + one.secret),
        "hex": one.secret.hex().encode(),
        "json": b'{"k": "' + b"".join(b"\\u%04x" % byte for byte in one.secret) + b'"}',
        "utf16": one.secret.decode().encode("utf-16-le"),
    }[spelled]
    other = Searching(one.secret)
    other.document = b"a\n" + told + b"\nb\n"
    data, where = artifacts(other)[name]
    found = one.search(data)
    assert (where, "encoded") in [(match.inner, match.match.cls) for match in found.matches]


@pytest.mark.parametrize("kind", COMPRESSIONS)
@pytest.mark.parametrize("size", [1, 7, 513, 1 << 20])
def test_a_compression_is_undone_whatever_the_pieces(one: Searching, kind: str, size: int) -> None:
    data = compressed(kind, b"x" * 3000 + one.document)
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    found = search_stream(chunks, one.query, one.matcher, Limits())
    assert [(match.inner, match.match.start, match.kind_of_container) for match in found.matches] == [((), 3021, kind)]
    assert found.faults == []


@pytest.mark.parametrize("kind", COMPRESSIONS[:4])
def test_members_one_after_the_other_are_all_read(one: Searching, kind: str) -> None:
    data = b"".join(compressed(kind, part) for part in (b"first\n", b"", one.document)) + bytes(64)
    assert one.places(data) == [()]


def test_what_comes_after_the_end_of_a_compression_is_opened(one: Searching) -> None:
    data = compressed("gzip", b"nothing") + zip_of({"a": one.document})
    assert one.places(data) == [("(after the end)", "a")]


def test_skippable_frames_are_skipped_and_searched_raw(one: Searching) -> None:
    skipped = b"\x50\x2a\x4d\x18" + struct.pack("<L", len(one.secret)) + one.secret
    data = skipped + zstandard.compress(one.document)
    found = one.search(data)
    assert found.faults == []
    assert sorted(match.kind_of_container for match in found.matches) == ["", "zstd"]


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_each_way_a_zip_compresses_is_undone(one: Searching, how: int) -> None:
    assert one.places(zip_of({"a/b.txt": one.document}, how)) == [("a/b.txt",)]


def test_a_wide_zip_is_read(one: Searching) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("big", "w", force_zip64=True) as member:
        member.write(one.document)
    assert one.places(out.getvalue()) == [("big",)]


def test_a_zip_that_was_written_as_a_stream_is_read(one: Searching) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", one.document)
        archive.writestr("b", one.document)
    assert one.places(bytes(pipe.data)) == [("a",), ("b",)]
    cut = bytes(pipe.data[: pipe.data.rfind(b"PK\x01\x02") - 60])
    found = one.search(cut)
    assert [match.inner for match in found.matches] == [
        ("a (not in the directory)",),
        ("b (not in the directory)",),
    ]
    assert found.faults


@pytest.mark.parametrize("how", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_each_kind_of_tar_is_walked(one: Searching, how: int) -> None:
    name = "folder/" * 12 + "file.txt" if how == tarfile.USTAR_FORMAT else "folder/" * 40 + "n\u00e4me.txt"
    assert one.places(tar_of({"first": b"1" * 600, name: one.document}, how)) == [(name,)]


def test_a_line_is_counted_within_the_member(one: Searching) -> None:
    data = compressed("gzip", tar_of({"a": b"\n" * 99, "b": one.document}))
    assert one.search(data).matches[0].line == 3


def test_a_package_of_debian_is_opened(one: Searching) -> None:
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": compressed("xz", tar_of({"./control": b"x"})),
        "data.tar.zst": compressed("zstd", tar_of({"./etc/conf": one.document})),
    }
    data = b"!<arch>\n"
    for name, content in members.items():
        data += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode() + content
        data += b"\n" * (len(content) % 2)
    assert one.places(data) == [("data.tar.zst", "./etc/conf")]
    assert one.search(data[:-300]).faults
    assert one.search(data[:66] + b"?" + data[67:]).faults == [((), "a damaged header at byte 8")]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_name_that_holds_the_secret_is_found(one: Searching, kind: str) -> None:
    name = f"{one.secret.decode()}.txt"
    data = zip_of({name: b"1"}) if kind == "zip" else tar_of({name: b"1"})
    assert (f"{name} (header)",) in one.places(data)


def test_the_bytes_of_containers_themselves_are_searched(one: Searching) -> None:
    extra = gzip.compress(b"x")
    header = extra[:3] + b"\x10" + extra[4:10] + one.secret + b"\x00" + extra[10:]
    assert one.places(header) == [()]
    assert one.places(zip_of({"a": b"1"}, comment=one.secret)) == [()]
    found = one.search(compressed("gzip", tar_of({"a": b"1"}) + one.document))
    assert [match.inner for match in found.matches] == [("(after a)",)]


def test_a_stored_member_is_told_once(one: Searching) -> None:
    inner = zip_of({"b": one.document}, zipfile.ZIP_STORED)
    data = tar_of({"a.zip": zip_of({"c.zip": inner}, zipfile.ZIP_STORED)})
    assert one.places(data) == [("a.zip", "c.zip", "b")]


@pytest.mark.parametrize("before", [b"MZ" + bytes(5000), b"#!/bin/sh\nexit\n", b"\x89PNG" + b"z" * 3000])
def test_a_zip_behind_other_bytes_is_opened(one: Searching, before: bytes) -> None:
    data = before + zip_of({"a": one.document})
    assert one.places(data) == [("a",)]
    found = search_stream([data], one.query, one.matcher, Limits())
    assert [match.inner for match in found.matches] == [("a",)] or found.faults == [
        ((), "a zip archive after other bytes is not opened")
    ]
    within = one.search(tar_of({"x": data}))
    assert [match.inner for match in within.matches] == [("x", "a")] or within.faults == [
        (("x",), "a zip archive after other bytes is not opened")
    ]


def test_a_script_with_an_archive_at_its_end_is_opened(one: Searching) -> None:
    data = b"#!/bin/sh\ntail -n +3 $0 | tar xz\nexit\n" + compressed("gzip", tar_of({"a": one.document}))
    assert one.places(tar_of({"x.run": data})) == [("x.run", "(after a script)", "a")]


def test_a_member_that_the_directory_does_not_list_is_opened(one: Searching) -> None:
    listed = zip_of({"b": b"2"})
    data = zip_of({"a": one.document})
    hidden = data[: data.find(b"PK\x01\x02")]
    found = one.search(hidden + listed)
    assert [match.inner for match in found.matches] == [("a (not in the directory)",)]


@pytest.mark.parametrize("cut", ["directory", "within"])
def test_a_cut_zip_is_read_by_its_local_headers(one: Searching, cut: str) -> None:
    data = zip_of({"a": one.document, "b": os.urandom(2000)})
    end = data.find(b"PK\x01\x02") if cut == "directory" else data.find(b"PK\x01\x02") - 500
    found = one.search(data[:end])
    assert [match.inner for match in found.matches] == [("a (not in the directory)",)]
    assert ((), "no central directory: read by its local headers") in found.faults


def test_an_encrypted_member_is_a_fault_and_the_others_are_read(one: Searching) -> None:
    data = bytearray(zip_of({"locked": b"x" * 50, "open": one.document}))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + at] |= 1
    found = one.search(bytes(data))
    assert [match.inner for match in found.matches] == [("open",)]
    assert found.faults == [(("locked",), "encrypted")]


def test_a_compression_that_is_not_undone_is_named(one: Searching) -> None:
    data = bytearray(zip_of({"a": b"x" * 50}))
    for signature, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.find(signature) + at] = 9
    assert one.search(bytes(data)).faults == [(("a",), "compressed by deflate64, which is not undone")]


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive is not opened"),
        (b"Rar!\x1a\x07\x01\x00", "a rar archive is not opened"),
        (b"\x04\x22\x4d\x18", "a lz4 archive is not opened"),
        (b"MSCF\x00\x00\x00\x00", "a cab archive is not opened"),
        (b"xar!\x00\x1c", "a xar archive is not opened"),
    ],
)
def test_an_archive_that_is_not_opened_is_told_and_searched_raw(one: Searching, head: bytes, reason: str) -> None:
    found = one.search(tar_of({"x": head + one.document}))
    assert found.faults == [(("x",), reason)]
    assert [match.inner for match in found.matches] == [("x",)]
    assert is_container(head) is not None


def test_a_document_of_pdf_is_no_fault_but_told_as_not_searched_within(one: Searching) -> None:
    found = one.search(b"%PDF-1.7\n" + one.document)
    assert (len(found.matches), found.faults) == (1, [])
    assert found.not_searched == {"compressed streams within PDF"}


# -- base64 within text


@pytest.mark.parametrize("rounds", [1, 2])
@pytest.mark.parametrize("kind", ["gzip", "zip", "zstd", "xz", "bzip2"])
def test_an_archive_in_base64_within_a_text_is_opened(one: Searching, kind: str, rounds: int) -> None:
    data = zip_of({"a": one.document}) if kind == "zip" else compressed(kind, one.document)
    for _ in range(rounds):
        data = base64.b64encode(data)
    places = one.places(b"apiVersion: v1\ndata:\n  release: " + data + b"\nkind: Secret\n")
    assert "(base64 at 32)" in [place[0] for place in places if place]


def test_wrapped_and_escaped_base64_is_opened_across_pieces(one: Searching) -> None:
    data = compressed("gzip", os.urandom(200_000) + one.document)
    wrapped = base64.encodebytes(data)
    for text in (
        b"k: |\n" + wrapped,
        b'{"k": "' + wrapped.replace(b"\n", b"\\n") + b'"}',
        base64.urlsafe_b64encode(data),
    ):
        chunks = [text[at : at + 999] for at in range(0, len(text), 999)]
        found = search_stream(chunks, one.query, one.matcher, Limits())
        assert len([match for match in found.matches if match.match.cls == "exact"]) == 1
        assert found.faults == []


def test_a_text_that_others_match_has_its_encoded_archives_searched(one: Searching) -> None:
    text = b"x: " + base64.b64encode(compressed("gzip", one.document)) + b"\ny: " + one.secret
    found = search_encoded(text, one.query, one.matcher, Limits())
    assert [match.inner for match in found.matches] == [("(base64 at 3)",)]


def test_letters_that_look_like_an_archive_by_chance_are_no_fault(one: Searching) -> None:
    text = b"H4sIHelloWorld and UEsDBnot KLUv/ /Td6WFoA QlpoOxxxx\n" + one.document
    found = one.search(text)
    assert (len(found.matches), found.faults) == (1, [])


# -- hostile ones


def test_a_bomb_of_one_compression_is_broken_off_and_the_rest_is_read(one: Searching) -> None:
    found = one.search(zip_of({"bomb": bytes(16 << 20), "z": one.document}), Limits(ratio_from=1 << 20, ratio=500))
    assert [match.inner for match in found.matches] == [("z",)]
    assert found.faults == [(("bomb",), "inflates to more than 500 times its size: broken off")]
    assert found.inflated < 12 << 20


@pytest.mark.parametrize("kind", ["gzip", "zstd", "xz", "bzip2"])
def test_a_bomb_is_told_for_every_compression(one: Searching, kind: str) -> None:
    found = one.search(compressed(kind, bytes(64 << 20)), Limits(ratio_from=4 << 20, ratio=500))
    assert [reason for _, reason in found.faults] == [f"{kind}: inflates to more than 500 times its size: broken off"]
    assert found.inflated < 40 << 20


def test_zips_of_zips_of_zips_end(one: Searching) -> None:
    level = zip_of({f"{number}": bytes(1 << 20) for number in range(8)})
    for _ in range(4):
        level = zip_of({f"{number}.zip": level for number in range(8)})
    started = time.process_time()
    found = one.search(one.document + level, SMALL)
    assert time.process_time() - started < 10
    assert [match.inner for match in found.matches] == [()]
    assert any("inflates to more than" in reason for _, reason in found.faults)


def test_members_that_share_their_bytes_are_opened_once(one: Searching) -> None:
    """A bomb after Fifield: one kernel of compressed bytes that every member claims as its own."""
    kernel = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = kernel.compress(bytes(1 << 20)) + kernel.flush()
    crc = zlib.crc32(bytes(1 << 20))
    local = struct.pack("<LHHHLLLLHH", 0x04034B50, 20, 0, 8, 0, crc, len(packed), 1 << 20, 1, 0) + b"a" + packed
    central = b"".join(
        struct.pack("<LHHHHLLLLHHHHHLL", 0x02014B50, 20, 20, 0, 8, 0, crc, len(packed), 1 << 20, 4, 0, 0, 0, 0, 0, 0)
        + b"%04d" % number
        for number in range(5000)
    )
    end = struct.pack("<LHHHHLLH", 0x06054B50, 0, 0, 5000, 5000, len(central), len(local), 0)
    found = one.search(local + central + end)
    assert found.inflated == 1 << 20
    assert found.faults == [((), "4999 members share bytes with others and are not opened again")]


def test_a_file_that_holds_itself_ends_at_the_depth(one: Searching) -> None:
    data = one.document
    for _ in range(40):
        data = gzip.compress(data, mtime=0)
    found = one.search(data)
    assert found.faults == [((), "more than 16 containers within one another: the rest is not opened")]
    assert one.search(data, Limits(depth=40)).matches


def test_an_empty_secret_of_members_is_limited(one: Searching) -> None:
    found = one.search(tar_of({f"{number}": b"" for number in range(200)}), Limits(members=100))
    assert found.faults == [((), "more than 100 members: the rest is not searched")]


def test_what_passed_before_a_search_stopped_is_matched(one: Searching) -> None:
    found = one.search(compressed("gzip", one.document + tar_of({"a": b""}) * 1000), Limits(inflated=100_000))
    assert len(found.matches) == 1
    assert "inflates to more than 0 MB" in found.faults[0][1]


def test_a_zip_within_an_archive_that_is_too_large_for_memory_is_a_fault(one: Searching) -> None:
    inner = zip_of({"a": os.urandom(300_000)})
    found = one.search(tar_of({"x.zip": inner, "y": one.document}), Limits(held=100_000))
    assert [match.inner for match in found.matches] == [("y",)]
    assert len(found.faults) == 1
    assert found.faults[0][0] == ("x.zip",)


def test_a_sparse_file_is_opened_with_its_holes_in_time(one: Searching) -> None:
    """An archive with holes, and a map of very many pieces that is made to take long."""
    inner = tar_of({"hole": bytes(1 << 16), "a": one.document}, tarfile.USTAR_FORMAT)
    for pieces in ([(0, 512), (66_048, len(inner) - 66_048)], [(at, 512) for at in range(0, len(inner), 512)]):
        told = "".join(f"{at}\n{length}\n" for at, length in pieces)
        table = f"{len(pieces)}\n{told}".encode()
        stored = table + bytes(-len(table) % 512) + b"".join(inner[at : at + length] for at, length in pieces)
        records = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(len(inner))}
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={}) as archive:
            info = tarfile.TarInfo("inner.tar")
            info.size, info.pax_headers = len(stored), records
            archive.addfile(info, io.BytesIO(stored))
        found = one.search(out.getvalue())
        assert found.faults == []
        assert ("inner.tar", "a") in [match.inner for match in found.matches]
    table = b"99999\n" + b"0\n1\n" * 99_999
    stored = table + bytes(-len(table) % 512) + zip_of({"a": b"1"}) + bytes(99_000)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("x")
        info.size, info.pax_headers = len(stored), records
        archive.addfile(info, io.BytesIO(stored))
    started = time.process_time()
    assert one.search(out.getvalue()).faults
    assert time.process_time() - started < 5


def test_many_places_that_may_be_the_end_of_a_zip_take_no_time(one: Searching) -> None:
    end = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 9, 9, 32 << 20, 0, 0)
    data = zip_of({"a": one.document}) + b"PK\x01\x02" * (9 << 20) + end * 2_900
    started = time.process_time()
    found = one.search(data)
    assert time.process_time() - started < 5
    assert found.matches
    assert found.faults


def test_many_places_are_limited_and_told(one: Searching) -> None:
    found = one.search((one.secret + b"\n") * 500, Limits(places=100))
    assert len(found.matches) == 100
    assert found.faults == [((), "more than 100 places: the rest is not listed")]


def small(one: Searching) -> dict[str, bytes]:
    text = one.document
    return {
        **{kind: compressed(kind, text) for kind in COMPRESSIONS},
        "zip": zip_of({"a": text}),
        "tar": tar_of({"a": text}, tarfile.USTAR_FORMAT)[:1536],
        "tgz": compressed("gzip", tar_of({"a": text}, tarfile.USTAR_FORMAT)),
        "zip in zip": zip_of({"b.zip": zip_of({"a": text}, zipfile.ZIP_STORED)}),
    }


@pytest.mark.parametrize("name", small(Searching()))
def test_an_archive_cut_anywhere_is_found_in_or_told(one: Searching, name: str) -> None:
    data = small(one)[name]
    assert one.search(data).matches
    for end in range(8, len(data)):
        found = one.search(data[:end])
        assert found.faults or is_container(data[:end][:512]) is None, (name, end)


@pytest.mark.parametrize("name", [name for name in small(Searching()) if name != "tar"])
def test_damage_anywhere_never_passes_for_clean(one: Searching, name: str) -> None:
    data = small(one)[name]
    chance = random.Random(name)
    for _ in range(300):
        bad = bytearray(data)
        for _ in range(chance.choice((1, 1, 4))):
            bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        found = one.search(bytes(bad))
        # What no longer begins as an archive is a file like any other.
        assert found.matches or found.faults or is_container(bytes(bad[:512])) != is_container(data[:512])


def test_damage_of_a_header_of_a_tar_is_told(one: Searching) -> None:
    data = small(one)["tar"]
    for at in range(512):
        bad = bytearray(data)
        bad[at] ^= 0x11
        assert one.search(bytes(bad)).faults or is_container(bytes(bad[:512])) is None, at


def test_documents_and_digests_are_given_when_they_are_wished_for(one: Searching) -> None:
    data = compressed("gzip", tar_of({"a": b"1", "b": b"22"}))
    wishes = Wishes(frozenset({("a",)}), digest=lambda name: name == "b")
    found = search_bytes(data, one.query, one.matcher, Limits(), wishes)
    assert found.documents == {("a",): b"1"}
    assert list(found.digests) == [("b",)]


def test_the_plain_matcher_finds_the_same(one: Searching) -> None:
    plain = matcher(one.query.anchors, plain=True)
    for data, _ in artifacts(one).values():
        slow = search_bytes(data, one.query, plain, Limits())
        assert [match.match for match in slow.matches] == [match.match for match in one.search(data).matches]
