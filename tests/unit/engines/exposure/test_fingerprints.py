"""The index of fingerprints: what it finds, how fast, and that it never says more than *probably*."""

from __future__ import annotations

import os
import random
import secrets
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engines.exposure.fingerprints import FingerprintIndex, Unit, folder_unit
from holdfast.engines.exposure.git_tokens import repository_units
from holdfast.engines.exposure.keeping import ExposureKey
from holdfast.exposure import marking
from holdfast.exposure.fingerprints import Head, holds, mark, pack_head, tokens, unpack_head
from holdfast.kernel.errors import IncompleteError, NotFoundError
from holdfast.kernel.secrets import SecretValue

KEY = ExposureKey(bytes(range(32)))
MADE = "2026-11-23T02:30:00Z"


@pytest.fixture
def index(tmp_path: Path) -> FingerprintIndex:
    return FingerprintIndex(tmp_path / "index", KEY)


def unit(*texts: bytes, name: str = "") -> Unit:
    return Unit(name, lambda: iter(texts))


def found(index: FingerprintIndex, *values: bytes) -> dict[str, tuple[int, ...]]:
    return {head.name: numbers for head, numbers in index.ask([SecretValue(value) for value in values]).probable}


def test_marks_are_siphash_as_its_authors_publish_it() -> None:
    # The first, ninth and last of the test vectors in Aumasson and Bernstein's reference implementation.
    key = bytes(range(16))
    vectors = {0: 0x726FDB47DD0E0E31, 8: 0x93F5F5799A932462, 15: 0xA129CA6149BE45E5, 63: 0x958A324CEB064572}
    assert {length: mark(bytes(range(length)), key) for length in vectors} == vectors


@given(st.lists(st.text(alphabet="abcXYZ019+/_-=. \n\"'", max_size=400), max_size=4))
def test_the_kernel_and_the_plain_way_give_the_same_marks(texts: list[str]) -> None:
    buffers = [text.encode() for text in texts]
    assert np.array_equal(marking.gather(buffers, bytes(16)), marking.gather_plainly(buffers, bytes(16)))


def test_a_long_text_gives_the_same_marks_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)
    text = bytes(chance.choices(b"abcdefgh0123456789+/=. \n", weights=[*[5] * 18, 1, 1, 1, 1, 1, 1], k=60_000))
    whole = marking.gather([text], bytes(16))
    monkeypatch.setattr(marking, "_PIECE", 5_000)
    assert np.array_equal(marking.gather([text], bytes(16)), whole)
    assert len(whole) > 500


def test_no_token_goes_over_the_border_of_two_windows_of_one_buffer() -> None:
    one, two = secrets.token_hex(10).encode(), secrets.token_hex(10).encode()
    together = marking.Windows(memoryview(one + two), np.array([0, len(one)]))
    assert np.array_equal(marking.gather([together], bytes(16)), marking.gather_plainly([one, two], bytes(16)))
    assert len(marking.gather([one + two], bytes(16))) == 1


def git(folder: Path, *arguments: str, said: bytes = b"") -> bytes:
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, env=clean, check=True, capture_output=True, input=said
    )
    return done.stdout


def test_every_token_of_a_repositorys_history_is_indexed_and_a_pack_is_read_once(
    index: FingerprintIndex, tmp_path: Path
) -> None:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q")
    values: list[bytes] = []
    lines = [f"line {number} of a file that changes slowly" for number in range(200)]
    for number in range(30):
        values.append(secrets.token_hex(20).encode())
        lines[(number * 37) % 200] = f"key_{number}={values[-1].decode()}"
        (folder / "app.env").write_text("\n".join(lines), encoding="ascii")
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", f"Rotate to {values[-1].decode()[::-1]}")
    git(folder, "gc", "-q", "--aggressive")
    home = folder / ".git"
    first = repository_units(home)
    assert first is not None
    assert [bool(unit.name) for unit in first] == [True]
    index.add(str(home), "repo", first, MADE)
    messages = [value[::-1] for value in values]
    assert found(index, *values, *messages) == {"repo": tuple(range(60))}
    (folder / "later").write_bytes(later := secrets.token_hex(20).encode())
    git(folder, "add", ".")
    second = repository_units(home)
    assert second is not None
    assert index.add(str(home), "repo", second, MADE).new_units == 1
    assert found(index, later, values[0]) == {"repo": (0, 1)}
    assert repository_units(tmp_path) is None


def test_what_is_longer_than_any_credential_is_passed_over() -> None:
    assert len(marking.gather([b"a" * 4097], bytes(16))) == 0
    assert len(marking.gather([b"a" * 4096], bytes(16))) == 1
    assert tokens(b"a" * 4097) == ()


@pytest.mark.parametrize(
    "around",
    [b"%b", b"KEY=%b\n", b'{"key": "%b"}', b"https://user:%b@host/", b"a.b=%b", b"//registry/:_authToken=%b;", b"<%b>"],
)
def test_a_secret_is_found_beside_what_it_usually_stands_beside(index: FingerprintIndex, around: bytes) -> None:
    value = secrets.token_hex(20).encode()
    index.add("/a", "a", [unit(b"nothing", around % value)], MADE)
    index.add("/b", "b", [unit(around % secrets.token_hex(20).encode())], MADE)
    assert found(index, value) == {"a": (0,)}


def test_a_secret_with_other_characters_is_looked_up_by_its_longest_run(index: FingerprintIndex) -> None:
    run = secrets.token_hex(12).encode()
    value = b"p@ss word! " + run + b" {end}"
    index.add("/a", "a", [unit(b"x = '" + value + b"'")], MADE)
    assert found(index, value, run) == {"a": (0, 1)}


def test_a_secret_without_a_run_cannot_be_asked_and_that_is_told(index: FingerprintIndex) -> None:
    index.add("/a", "a", [unit(b"correct horse battery")], MADE)
    asked = index.ask([SecretValue(b"correct horse battery"), SecretValue(b"x" * 16)])
    assert asked.not_asked == (0,)
    assert (asked.probable, asked.places) == ((), 1)


def test_what_never_changes_is_read_once_and_new_contents_are_added(index: FingerprintIndex) -> None:
    read: list[str] = []

    def pack(name: str, text: bytes) -> Unit:
        def buffers() -> Iterator[bytes]:
            read.append(name)
            yield text

        return Unit(name, buffers)

    one, two = secrets.token_hex(16).encode(), secrets.token_hex(16).encode()
    assert index.add("/a", "a", [pack("1", one)], MADE).new_units == 1
    added = index.add("/a", "a", [pack("1", one), pack("2", two)], MADE)
    assert (added.new_units, added.head.units, added.head.count) == (1, ("1", "2"), 2)
    assert read == ["1", "2"]
    assert found(index, one, two) == {"a": (0, 1)}
    assert index.add("/a", "a", [pack("2", two)], MADE).head.units == ("1", "2")


def test_a_folder_is_read_whole_and_what_it_held_before_stays_known(index: FingerprintIndex, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    (folder / "deep/.git").mkdir(parents=True)
    old, new, ours = (secrets.token_hex(16).encode() for _ in range(3))
    (folder / "deep/a.env").write_bytes(b"KEY=" + old)
    (folder / "deep/.git/config").write_bytes(ours)
    (folder / "link").symlink_to(folder / "deep/a.env")
    index.add(str(folder), "work", [folder_unit(folder)], MADE)
    assert found(index, old, ours) == {"work": (0,)}
    (folder / "deep/a.env").write_bytes(b"KEY=" + new)
    index.add(str(folder), "work", [folder_unit(folder)], MADE)
    assert found(index, old, new) == {"work": (0, 1)}
    index.add(str(folder / "deep/a.env"), "file", [folder_unit(folder / "deep/a.env")], MADE)
    assert found(index, new) == {"work": (0,), "file": (0,)}


def test_a_folder_that_cannot_be_read_whole_is_not_indexed(index: FingerprintIndex, tmp_path: Path) -> None:
    with pytest.raises(IncompleteError):
        index.add("/gone", "gone", [folder_unit(tmp_path / "gone")], MADE)
    assert index.places() == ()


def test_nothing_on_disk_is_a_text_of_the_place_and_files_are_private(index: FingerprintIndex, tmp_path: Path) -> None:
    value = secrets.token_hex(20).encode()
    index.add("/a", "a", [unit(value)], MADE)
    (path,) = (tmp_path / "index").iterdir()
    assert value not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_another_key_gives_other_marks_and_its_files_are_unusable(index: FingerprintIndex, tmp_path: Path) -> None:
    value = secrets.token_hex(20).encode()
    index.add("/a", "a", [unit(value)], MADE)
    other = FingerprintIndex(tmp_path / "index", ExposureKey(bytes(32)))
    asked = other.ask([SecretValue(value)])
    assert (asked.probable, asked.places, len(asked.unusable)) == ((), 0, 1)
    assert mark(value, KEY.key("index")[:16]) != mark(value, ExposureKey(bytes(32)).key("index")[:16])


@pytest.mark.parametrize("harm", ["cut", "head", "magic", "empty", "more"])
def test_a_damaged_file_is_named_and_answers_nothing(index: FingerprintIndex, tmp_path: Path, harm: str) -> None:
    value = secrets.token_hex(20).encode()
    index.add("/a", "a", [unit(value)], MADE)
    (path,) = (tmp_path / "index").iterdir()
    data = path.read_bytes()
    harmed = {"cut": data[:-1], "head": data.replace(b'"a"', b'"b"', 1), "magic": b"x" + data[1:], "empty": b""}
    path.write_bytes(harmed.get(harm, data + b"\0" * 8))
    asked = index.ask([SecretValue(value)])
    assert (asked.probable, asked.unusable) == ((), (path.name,))
    assert index.add("/a", "a", [unit(value)], MADE).head.count == 1
    assert found(index, value) == {"a": (0,)}


def test_places_are_listed_and_dropped(index: FingerprintIndex) -> None:
    for name in ("b", "a"):
        index.add(f"/{name}", name, [unit(b"x" * 20)], MADE)
    assert [head.name for head in index.places()] == ["a", "b"]
    index.drop("/a")
    assert [head.name for head in index.places()] == ["b"]
    with pytest.raises(NotFoundError):
        index.drop("/a")


def test_a_large_estate_is_asked_in_under_a_hundred_milliseconds(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    folder.mkdir()
    index = FingerprintIndex(folder, KEY)
    value = secrets.token_hex(20).encode()
    chance = np.random.default_rng(5)
    for number in range(40):
        marks = np.unique(chance.integers(0, 1 << 63, 100_000, np.uint64))
        head = Head(str(number), f"/{number}", (), len(marks), MADE, 0)
        (folder / f"{number}.marks").write_bytes(pack_head(head, KEY.key("index heads")) + marks.tobytes())
    index.add("/here", "here", [unit(value)], MADE)
    began = time.perf_counter()
    asked = index.ask([SecretValue(value), SecretValue(value[::-1])])
    seconds = time.perf_counter() - began
    assert [head.name for head, _ in asked.probable] == ["here"]
    assert asked.places == 41
    assert seconds < 0.1


@given(st.binary(max_size=300))
def test_a_file_from_elsewhere_is_never_taken_for_one_of_ours(data: bytes) -> None:
    assert unpack_head(data, b"key") is None


def test_marks_are_found_by_halves() -> None:
    marks = [3, 5, 9]
    assert [one for one in range(11) if holds(marks, one)] == marks
    assert not holds([], 3)
