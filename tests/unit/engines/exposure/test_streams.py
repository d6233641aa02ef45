"""What lies across two pieces is found, at its place in the whole, once."""

from __future__ import annotations

import contextlib
import os
import time
import zlib

import pytest

from holdfast.engines.exposure.inflating import MAKERS, DamagedError
from holdfast.engines.exposure.streams import Finder, Recent, Sought, Window
from holdfast.exposure.matching import matcher
from holdfast.exposure.query import CONTEXT
from holdfast.exposure.results import Match
from tests.unit.exposure.artifacts import Searching, compressed


class Ear:
    def __init__(self) -> None:
        self.matches: list[Match] = []
        self.gates: list[tuple[int, int]] = []
        self.size = 0

    def tap(self, piece: bytes) -> None:
        self.size += len(piece)

    def gate(self, number: int, end: int) -> None:
        self.gates.append((number, end))

    def hear(self, match: Match) -> None:
        self.matches.append(match)


@pytest.fixture(scope="module")
def one() -> Searching:
    return Searching()


def heard(one: Searching, pieces: list[bytes]) -> Ear:
    ear = Ear()
    window = Window(one.query, Sought(one.matcher), Sought(matcher([b"GATE!"])), ear)
    for piece in pieces:
        window.feed(piece)
    window.close()
    assert ear.size == window.matched == sum(map(len, pieces))
    return ear


@pytest.mark.parametrize("length", [1, 3, 1000, 1 << 16, 70_000])
def test_a_finder_finds_the_same_whatever_the_pieces(length: int) -> None:
    data = bytearray(os.urandom(200_000))
    for at in (0, 65_530, 65_536, 139_998, 199_990):
        data[at : at + 10] = b"0123456789"
    literals = (b"0123456789", b"345", b"9")
    whole = sorted((end, number) for number, end in matcher(literals).find(bytes(data)))
    finder = Finder(Sought(matcher(literals)))
    found = []
    for at in range(0, len(data), length):
        found += [(end, number) for number, end in finder.find(bytes(data[at : at + length]), at)]
    assert sorted(found) == whole


@pytest.mark.parametrize("cut", [0, 1, 39, 40, 41])
@pytest.mark.parametrize("size", [10, 1 << 16, 1 << 20])
def test_a_secret_across_a_seam_is_told_once_at_its_place(one: Searching, size: int, cut: int) -> None:
    first, second = bytes(size) + one.secret[:cut], one.secret[cut:] + bytes(size)
    ear = heard(one, [first, second])
    assert [(match.start, match.end, match.cls) for match in ear.matches] == [(size, size + 40, "exact")]


def test_every_secret_of_many_pieces_is_told_once(one: Searching) -> None:
    data = b"".join(os.urandom(9_000) + one.secret for _ in range(700))
    places = [number * 9_040 + 9_000 for number in range(700)]
    for length in (50_000, 65_536, 1 << 20):
        ear = heard(one, [data[at : at + length] for at in range(0, len(data), length)])
        assert [match.start for match in ear.matches] == places


def test_an_encoded_secret_near_the_end_of_a_piece_waits_for_what_follows(one: Searching) -> None:
    text = one.secret.hex().encode()
    for before in (CONTEXT - 40, CONTEXT, (1 << 16) - 50):
        data = b"\n" * before + text + b"\n" * (1 << 17)
        ear = heard(one, [data[: before + 41], data[before + 41 :]])
        assert [(match.start, match.end, match.cls) for match in ear.matches] == [(before, before + 80, "encoded")]


def test_a_gate_is_told_while_its_bytes_are_there(one: Searching) -> None:
    ear = heard(one, [b"x" * 70_000 + b"GA", b"TE!" + b"y" * 70_000])
    assert ear.gates == [(0, 70_005)]


def test_a_hole_moves_places_on(one: Searching) -> None:
    ear = Ear()
    window = Window(one.query, Sought(one.matcher), Sought(matcher([b"GATE!"])), ear)
    window.feed(b"x" * 100 + one.secret[:20])
    window.skip(1 << 40)
    window.feed(one.secret[20:] + one.secret)
    window.close()
    assert [match.start for match in ear.matches if match.cls == "exact"] == [(1 << 40) + 140]


def test_a_piece_full_of_secrets_takes_time_in_proportion(one: Searching) -> None:
    data = (one.secret + b"\n") * 25_000
    started = time.process_time()
    ear = heard(one, [data])
    assert len(ear.matches) == 25_000
    assert time.process_time() - started < 20


def test_recent_bytes_are_given_and_forgotten() -> None:
    recent = Recent()
    for piece in (b"a\nb", b"c\n", b"d"):
        recent.add(piece)
    assert recent.between(1, 5) == (1, b"\nbc\n")
    assert recent.lines(0, 5) == 2
    recent.forget(3)
    assert (recent.start, recent.lines(0, 5), recent.lines(3, 5)) == (3, None, 1)


def given_before_damage(kind: str, packed: bytes) -> bytes:
    given = bytearray()
    try:
        for piece in MAKERS[kind]().feed(packed):
            given += piece
    except DamagedError:
        return bytes(given)
    pytest.fail("the damage was not noticed")


@pytest.mark.parametrize("kind", ["gzip", "zstd", "xz", "bzip2"])
def test_what_stands_before_damage_is_given(kind: str) -> None:
    data = b"".join(os.urandom(30).hex().encode() for _ in range(8_000 if kind == "xz" else 40_000))
    packed = bytearray(compressed(kind, data))
    packed[len(packed) - len(packed) // 4] ^= 0xFF
    given = given_before_damage(kind, bytes(packed))
    # xz keeps a whole block back, bzip2 one of 900 KB.
    least = {"xz": 0, "bzip2": 800_000}.get(kind, len(data) // 2)
    assert len(given) >= least
    assert given[:least] == data[:least]


@pytest.mark.parametrize("number", range(20))
def test_deflate_gives_every_byte_that_the_slow_way_gives(number: int) -> None:
    packed = bytearray(compressed("gzip", b"0123456789" * 300 + os.urandom(2_000).hex().encode()))
    packed[200 + 70 * number] ^= 0xFF
    slow = zlib.decompressobj(31)
    expected = bytearray()
    with contextlib.suppress(zlib.error):
        for byte in packed:
            expected += slow.decompress(bytes((byte,)))
    assert given_before_damage("gzip", bytes(packed)) == bytes(expected)
