"""Ordered lists of ids as one."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from holdfast.exposure.git.index import DamagedError, merged, parse_index
from holdfast.exposure.git.layout import Bytes
from tests.packing import Entry, blob_id, repository_of


def _ids(chosen: list[bytes]) -> Bytes:
    return np.frombuffer(b"".join(sorted(chosen)), np.uint8).reshape(len(chosen), -1)


@pytest.mark.parametrize("width", [20, 32])
@pytest.mark.parametrize("alike", [0, 8, 16], ids=["all differ", "8 bytes are equal", "16 bytes are equal"])
def test_each_id_is_once_in_order_and_known_by_its_place(width: int, alike: int) -> None:
    chance = random.Random(width + alike)
    for _ in range(60):
        known = list({bytes(alike) + chance.randbytes(width - alike) for _ in range(30)} | {chance.randbytes(width)})
        one, other = (chance.sample(known, chance.randrange(len(known))) for _ in range(2))
        if not one or not other:
            continue
        ids, places, others = merged(_ids(one), _ids(other))
        assert [row.tobytes() for row in ids] == sorted({*one, *other})
        assert (ids[places] == _ids(one)).all()
        assert (ids[others] == _ids(other)).all()


def test_with_a_list_of_none_the_other_stays() -> None:
    some, none = _ids([b"a" * 20, b"b" * 20]), np.zeros((0, 20), np.uint8)
    for ids, places, others in (merged(none, some), merged(some, none)):
        assert (ids == some).all()
        assert sorted([*places.tolist(), *others.tolist()]) == [0, 1]


def test_an_index_out_of_order_is_damaged(tmp_path: Path) -> None:
    """Objects are numbered by the order of their ids, and looked up by it."""
    entries = [Entry("blob", data, blob_id(data)) for data in (b"one", b"two")]
    _, index = repository_of(tmp_path / "r", entries)
    raw = np.fromfile(index, np.uint8)
    assert len(parse_index(raw, 20).ids) == 2
    at = 8 + 1024
    raw[at : at + 40] = np.concatenate([raw[at + 20 : at + 40], raw[at : at + 20]])
    with pytest.raises(DamagedError, match="order"):
        parse_index(raw, 20)
