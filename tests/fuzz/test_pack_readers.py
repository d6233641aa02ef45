"""Hostile packs, deltas, indexes and refs: no exception, no bytes out of bounds, no hang; what is damaged is told."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from holdfast.exposure.git import texts
from holdfast.exposure.git.index import DamagedError, multi_pack_names, parse_index
from holdfast.exposure.git.plain import UnmadeError, apply_delta
from holdfast.exposure.git.pushes import from_log
from tests.packing import Entry, blob_id, copied, delta, index_of, inserted, pack_of, repository_of
from tests.planting import made_up
from tests.unit.engines.exposure.listening import searched

SECRET = made_up("fuzz")
CORPUS = Path(__file__).parent / "corpus" / "exposure" / "delta"
BASE = b"base " * 60 + SECRET[:15]
QUICK = settings(max_examples=120, suppress_health_check=list(HealthCheck))


def _both(entries: list[Entry], change: tuple[int, bytes] | None = None, of_index: bool = False) -> None:
    """Search a crafted repository with both engines: they say the same, and never raise."""
    with tempfile.TemporaryDirectory() as folder:
        pack, index = repository_of(Path(folder) / "r", entries)
        changed = index if of_index else pack
        if change is not None:
            data = bytearray(changed.read_bytes())
            at = change[0] % max(1, len(data))
            data[at : at + len(change[1])] = change[1]
            changed.write_bytes(bytes(data))
        fast, plainly = (searched(Path(folder) / "r", SECRET, plain=plain) for plain in (False, True))
        assert sorted(map(repr, fast.hits)) == sorted(map(repr, plainly.hits))
        assert bool(fast.faults) == bool(plainly.faults)


def _kept() -> list[bytes]:
    return [path.read_bytes() for path in sorted(CORPUS.iterdir())]


@pytest.mark.parametrize("data", _kept())
def test_the_kept_deltas_are_told_alike(data: bytes) -> None:
    _both([Entry("blob", BASE, blob_id(BASE)), Entry("ofs", data, b"\1" * 20, base=0)])


@QUICK
@given(st.binary(max_size=60))
@example(b"\xff" * 8)
@example(delta(len(BASE), 5, b"\x80"))
def test_any_delta_is_applied_or_told_alike(data: bytes) -> None:
    _both([Entry("blob", BASE, blob_id(BASE)), Entry("ofs", data, b"\1" * 20, base=0)])


_OPERATION = st.one_of(
    st.tuples(st.integers(0, len(BASE)), st.integers(1, 400)).map(lambda pair: copied(*pair)),
    st.binary(min_size=1, max_size=40).map(inserted),
    st.integers(0, len(SECRET) - 1).map(lambda at: inserted(SECRET[at:])),
)


@QUICK
@given(st.lists(_OPERATION, max_size=12), st.integers(-1, 1))
def test_deltas_of_any_operations_are_applied_alike(operations: list[bytes], off: int) -> None:
    try:
        length = len(apply_delta(BASE, _sized(operations)))
    except UnmadeError:
        length = 100
    made = delta(len(BASE), max(0, length + off), *operations)
    middle = Entry("ofs", made, b"\1" * 20, base=0)
    leaf = delta(max(0, length + off), 6, inserted(b"a leaf"))
    _both([Entry("blob", BASE, blob_id(BASE)), middle, Entry("ofs", leaf, b"\2" * 20, base=1)])


def _sized(operations: list[bytes]) -> bytes:
    for length in range(3_000):
        made = delta(len(BASE), length, *operations)
        try:
            apply_delta(BASE, made)
        except UnmadeError:
            continue
        return made
    return b""


_SOUND = [
    Entry("blob", BASE, blob_id(BASE)),
    Entry("ofs", delta(len(BASE), 30, copied(3, 30)), b"\1" * 20, base=0),
    Entry("ref", delta(len(BASE), 12, copied(9, 12)), b"\2" * 20, base=blob_id(BASE)),
    Entry("blob", b"K=" + SECRET, blob_id(b"K=" + SECRET)),
    Entry("tree", b"100644 name\0" + b"\3" * 20, b"\4" * 20),
    Entry("commit", b"tree " + b"04" * 20 + b"\nauthor A <a@b> 5 +0000\ncommitter A <a@b> 6 +0000\n\nm", b"\5" * 20),
    Entry("tag", b"object " + b"05" * 20 + b"\ntype commit\ntag t\n\nm", b"\6" * 20),
]


@QUICK
@given(st.integers(0, 2_000), st.binary(min_size=1, max_size=6), st.booleans())
def test_a_changed_pack_or_index_is_told_alike(at: int, data: bytes, of_index: bool) -> None:
    _both(_SOUND, (at, data), of_index)


@QUICK
@given(st.sampled_from(["tree", "commit", "tag"]), st.binary(max_size=200))
def test_any_bytes_as_a_tree_commit_or_tag_are_read_alike(kind: str, data: bytes) -> None:
    _both([Entry(kind, data, b"\1" * 20), Entry("blob", b"K=" + SECRET, blob_id(b"K=" + SECRET))])


_ENTRIES = st.lists(
    st.tuples(
        st.sampled_from([b"100644", b"40000", b"160000", b"1", b""]), st.binary(max_size=6), st.sampled_from(range(4))
    ),
    max_size=8,
).map(lambda rows: b"".join(mode + b" " + name + b"\0" + bytes([number]) * 20 for mode, name, number in rows))


@QUICK
@given(_ENTRIES, st.lists(st.tuples(st.integers(0, 150), st.integers(1, 150)), max_size=6), st.binary(max_size=40))
def test_trees_made_from_trees_are_read_alike(data: bytes, copies: list[tuple[int, int]], more: bytes) -> None:
    parts = [copied(at, length) for at, length in copies if at + length <= len(data)]
    if more:
        parts.insert(len(parts) // 2, inserted(more))
    length = sum(length for at, length in copies if at + length <= len(data)) + len(more)
    entries = [
        Entry("tree", data, b"\1" * 20),
        Entry("ofs", delta(len(data), length, *parts), b"\2" * 20, base=0),
        Entry("ofs", delta(length, length, *([copied(0, length)] if length else [])), b"\3" * 20, base=1),
    ]
    _both(entries)


@QUICK
@given(st.binary(max_size=3_000), st.sampled_from([20, 32]))
def test_any_bytes_as_an_index_are_read_or_refused(data: bytes, width: int) -> None:
    for head in (b"", b"\xfftOc\0\0\0\2"):
        try:
            found = parse_index(np.frombuffer(head + data, np.uint8), width)
        except DamagedError:
            continue
        assert len(found.ids) == len(found.offsets)


@QUICK
@given(st.integers(0, 1_500), st.binary(min_size=1, max_size=9))
def test_a_changed_index_is_read_or_refused(at: int, change: bytes) -> None:
    data, places = pack_of(_SOUND)
    index = bytearray(index_of(data, _SOUND, places))
    index[at % len(index) : at % len(index) + len(change)] = change
    try:
        found = parse_index(np.frombuffer(bytes(index), np.uint8), 20)
    except DamagedError:
        return
    assert len(found.ids) == len(found.offsets)


@QUICK
@given(st.binary(max_size=400))
def test_any_bytes_as_a_multi_pack_index_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(DamagedError):
        assert isinstance(multi_pack_names(b"MIDX\1\1\4\0" + data), list)


@QUICK
@given(st.text(max_size=300), st.binary(max_size=300))
def test_any_text_as_refs_reflogs_bundles_and_logs_of_pushes_is_read(text: str, data: bytes) -> None:
    list(texts.packed_refs(text))
    list(texts.reflog("x", text))
    list(texts.ids_in(text))
    texts.ref_content(text)
    texts.id_width(text)
    texts.bundle(b"# v2 git bundle\n" + data)
    from_log(text)
