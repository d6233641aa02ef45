"""Tar, zip and everything that unpacks: no exception, no hang, and damage never passes for clean.

The kept corpus in ``corpus/exposure`` holds inputs that once were answered wrongly, and one of each shape.
"""

from __future__ import annotations

import random
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from holdfast.engines.exposure.limits import Limits
from holdfast.engines.exposure.unpacking import is_container
from holdfast.exposure import zips
from holdfast.exposure.encoded import Run, plausible
from holdfast.exposure.mail import MailWalker
from holdfast.exposure.tar import Walker
from holdfast.exposure.unpacked import Found
from holdfast.exposure.zips import Held
from tests.unit.exposure.artifacts import Searching, artifacts, compressed, tar_of, zip_of

CORPUS = Path(__file__).parent / "corpus" / "exposure"
ONE = Searching(b"kX81" + b"vQ0z" + b"m2Lr" + b"T7yN" + b"s5Bd")
LIMITS = Limits(inflated=16 << 20, ratio_from=1 << 20, total_from=4 << 20, held=4 << 20, members=2_000, depth=6)
SECONDS = 5
fuzzed = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))


def searched(data: bytes) -> Found:
    started = time.process_time()
    found = ONE.search(data, LIMITS)
    assert time.process_time() - started < SECONDS
    assert found.inflated <= LIMITS.inflated + (4 << 20)
    return found


def seeds() -> list[bytes]:
    text = ONE.document
    made = [data for data, _ in artifacts(ONE).values()]
    made += [tar_of({"a": text, "d/" * 60 + "b": text}, how) for how in (0, 1, 2)]
    made += [zip_of({"a": text, "b": text}, how) for how in (0, 8, 12, 14)]
    made += [compressed(kind, text) for kind in ("gzip", "zstd", "xz", "bzip2", "lzma")]
    return made


SEEDS = seeds()


def damaged(seed: bytes, number: int) -> bytes:
    """A seed with bits turned, bytes moved, cut out, doubled, or numbers replaced by extreme ones."""
    chance = random.Random(number)
    data = bytearray(seed)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at, length = chance.randrange(max(1, len(data))), chance.randrange(1, 40)
        what = chance.randrange(5)
        if what == 0 and data:
            data[at % len(data)] ^= 1 << chance.randrange(8)
        elif what == 1:
            del data[at : at + length]
        elif what == 2:
            data[at:at] = data[at : at + length]
        elif what == 3:
            data[at : at + 4] = chance.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"PK\x03\x04"))
        else:
            del data[at:]
    return bytes(data)


@fuzzed
@given(st.sampled_from(range(len(SEEDS))), st.integers(0, 1 << 32))
def test_damage_is_found_in_or_told(number: int, chance: int) -> None:
    seed = SEEDS[number]
    data = damaged(seed, chance)
    found = searched(data)
    same = is_container(data[:512]) == is_container(seed[:512]) is not None
    if same and data != seed and is_container(seed[:512]) != "tar":
        assert found.matches or found.faults


@fuzzed
@given(st.binary(max_size=3000))
@example(b"")
def test_any_bytes_are_searched(data: bytes) -> None:
    searched(data)
    for magic in (b"\x1f\x8b\x08", b"PK\x03\x04", b"(\xb5/\xfd", b"\xfd7zXZ\x00", b"BZh91AY&SY", b"!<arch>\n"):
        found = searched(magic + data)
        assert found.faults or magic == b"!<arch>\n"


@fuzzed
@given(st.lists(st.binary(max_size=1500), max_size=8))
def test_any_blocks_are_walked_as_a_tar_alike_in_all_pieces(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    ways = []
    for chunks in ([data], pieces):
        walker = Walker()
        parts = [part for chunk in chunks for part in walker.feed(chunk)] + walker.close()
        ways.append([(part.what, part.reason) for part in parts if part.what != "data"])
        assert walker.at == len(data)
    assert ways[0] == ways[1]


@fuzzed
@given(st.binary(max_size=600), st.binary(max_size=200))
def test_any_bytes_are_read_as_the_end_of_a_zip(body: bytes, end: bytes) -> None:
    for data in (body + b"PK\x05\x06" + end, body + b"PK\x06\x07" + end + b"PK\x05\x06" + end):
        reader = Held(data)
        told = zips.directory(reader)
        for entry in told.entries:
            zips.located(reader, entry)
        zips.stray(reader, 0, reader.size)
        searched(data)


@fuzzed
@given(st.lists(st.text("abAB01+/=-_\\n \n", max_size=90), max_size=20))
def test_any_text_is_decoded_alike_in_all_pieces(pieces: list[str]) -> None:
    whole, parts = Run(), Run()
    told = whole.feed("".join(pieces).encode()) + whole.close()
    made = b""
    for piece in pieces:
        if not parts.ended:
            made += parts.feed(piece.encode())
    assert made + parts.close() == told
    plausible(told)


@fuzzed
@given(st.lists(st.sampled_from([b"--b\n", b"--b--\n", b"\n", b"From x Mon 10:00\n", b"Content-Type: a; boundary=b\n",
                                 b"Content-Transfer-Encoding: base64\n", b"QUJD\n", b"=3D=\n", b"x", b"--", b"Fro"]),
                max_size=40), st.integers(1, 50))  # fmt: skip
def test_any_lines_are_walked_as_mail_alike_in_all_pieces(lines: list[bytes], size: int) -> None:
    data = b"".join(lines)
    ways = []
    for length in (max(1, len(data)), size):
        walker = MailWalker()
        events = [one for at in range(0, len(data), length) for one in walker.feed(data[at : at + length])]
        events += walker.close()
        assert walker.at == len(data)
        decoded = b"".join(event.data for event in events)
        ways.append(([event.what for event in events if event.what != "data"], decoded))
    assert ways[0] == ways[1]


@pytest.mark.parametrize("path", sorted([*CORPUS.glob("tar/*"), *CORPUS.glob("zip/*")]), ids=lambda path: path.name)
def test_the_kept_corpus_is_answered(path: Path) -> None:
    data = path.read_bytes()
    found = searched(data)
    if path.suffix == ".fault":
        assert found.faults
    for end in range(0, len(data), max(1, len(data) // 40)):
        searched(data[:end])


def test_the_formats_that_python_writes_are_those_that_are_fuzzed() -> None:
    assert (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT) == (0, 1, 2)
    assert (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA) == (0, 8, 12, 14)
