"""Results that are kept: found again, never trusted when damaged, never telling a secret."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

import pytest

from holdfast.engines.exposure.cache import ResultCache
from holdfast.engines.exposure.keeping import KEY_FILE, ExposureKey, load_or_create_key
from holdfast.exposure.query import Query, compile_query
from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.secrets import SecretValue

KEY = ExposureKey(bytes(range(32)))
ROWS = [{"object": "ab" * 20, "start": 7, "form": "base64 > json", "names": ["a b", "\udcff"]}, {}]


def question(*values: str) -> Query:
    return compile_query(SecretValue(value) for value in values or ("only one of us knows 4711 this",))


@pytest.fixture
def cache(tmp_path: Path) -> ResultCache:
    return ResultCache(tmp_path / "results", KEY, engine="1 fast")


def files(cache: ResultCache) -> list[Path]:
    return list(cache._entries())


def test_what_was_put_is_got_and_nothing_else_is(cache: ResultCache) -> None:
    query = question()
    mark = cache.mark(query)
    assert cache.get("pack 1", mark) is None
    assert cache.put("pack 1", mark, ROWS, query)
    assert cache.get("pack 1", mark) == ROWS
    assert cache.get("pack 2", mark) is None
    assert cache.get("pack 1", cache.mark(question("another secret 8 words long"))) is None


def test_an_empty_answer_is_an_answer(cache: ResultCache) -> None:
    query = question()
    cache.put("pack", cache.mark(query), [], query)
    assert cache.get("pack", cache.mark(query)) == []


def test_the_mark_tells_questions_apart_by_secrets_order_engine_key_and_what_else_counts(tmp_path: Path) -> None:
    one, other = "first secret of 30 characters.", "other secret of 30 characters."
    caches = [
        ResultCache(tmp_path, KEY, engine="1 fast"),
        ResultCache(tmp_path, KEY, engine="2 fast"),
        ResultCache(tmp_path, ExposureKey(bytes(32)), engine="1 fast"),
    ]
    marks = [one_cache.mark(question(*some)) for one_cache in caches for some in ((one,), (one, other), (other, one))]
    marks.append(caches[0].mark(question(one), "rules 3"))
    assert len(set(marks)) == len(marks)
    assert caches[0].mark(question(one)) == marks[0]


def test_rows_that_hold_the_secret_are_not_kept(cache: ResultCache) -> None:
    value = secrets.token_hex(20)
    query = question(value)
    assert not cache.put("pack", cache.mark(query), [{"path": f"keys/{value}.pem"}], query)
    assert files(cache) == []


def test_nothing_on_disk_tells_the_secret_or_the_unit(cache: ResultCache) -> None:
    value = secrets.token_hex(20)
    query = question(value)
    cache.put("pack-of-the-customer", cache.mark(query), ROWS, query)
    (path,) = files(cache)
    for text in (value.encode(), value[:12].encode(), b"customer"):
        assert text not in path.read_bytes() + os.fsencode(path)


def test_files_and_folders_are_for_their_owner_only(cache: ResultCache) -> None:
    query = question()
    cache.put("pack", cache.mark(query), ROWS, query)
    (path,) = files(cache)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("place", [0, 5, 31, 32, 40, -1])
def test_a_damaged_entry_is_as_if_it_was_not_there(cache: ResultCache, place: int) -> None:
    query = question()
    cache.put("pack", cache.mark(query), ROWS, query)
    (path,) = files(cache)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    assert cache.get("pack", cache.mark(query)) is None
    assert not path.exists()


def test_a_cut_or_swapped_entry_is_as_if_it_was_not_there(cache: ResultCache) -> None:
    query = question()
    mark = cache.mark(query)
    cache.put("one", mark, ROWS, query)
    (one,) = files(cache)
    kept = one.read_bytes()
    cache.put("two", mark, [], query)
    (two,) = set(files(cache)) - {one}
    two.write_bytes(kept)
    assert cache.get("two", mark) is None
    one.write_bytes(kept[:20])
    assert cache.get("one", mark) is None


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path, KEY, engine="1", largest=3_000)
    query = question()
    mark = cache.mark(query)
    for number in range(6):
        cache.put(f"pack {number}", mark, [{"noise": secrets.token_hex(900)}], query)
        (path,) = [one for one in files(cache) if one.stat().st_mtime > 1_000_000]
        os.utime(path, (number, number))
    assert cache.get("pack 0", mark) is not None  # used just now
    assert cache.prune() > 0
    kept = [number for number in range(6) if cache.get(f"pack {number}", mark) is not None]
    assert 0 in kept
    assert 1 not in kept
    assert sum(path.stat().st_size for path in files(cache)) <= 3_000


def test_a_cache_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = ResultCache(tmp_path / "file", KEY, engine="1")
    query = question()
    assert not cache.put("pack", cache.mark(query), ROWS, query)
    assert cache.get("pack", cache.mark(query)) is None
    assert cache.clear() == 0


def test_everything_can_be_removed(cache: ResultCache) -> None:
    query = question()
    for unit in ("a", "b", "c"):
        cache.put(unit, cache.mark(query), ROWS, query)
    assert cache.clear() == 3
    assert files(cache) == []


def test_the_key_is_made_once_for_its_owner_and_serves_purposes_apart(tmp_path: Path) -> None:
    first = load_or_create_key(tmp_path / "keys")
    again = load_or_create_key(tmp_path / "keys")
    path = tmp_path / "keys" / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first.key("results") == again.key("results") != again.key("index")
    assert path.read_bytes() not in (first.key("results"), first.key("index"))


@pytest.mark.parametrize("harm", ["open", "short", "folder"])
def test_a_key_that_is_open_or_not_whole_is_refused(tmp_path: Path, harm: str) -> None:
    path = tmp_path / KEY_FILE
    if harm == "folder":
        path.mkdir()
    else:
        path.write_bytes(bytes(32 if harm == "open" else 31))
        path.chmod(0o644 if harm == "open" else 0o600)
    with pytest.raises(UnavailableError) as refused:
        load_or_create_key(tmp_path)
    assert refused.value.code == "exposure-key-unusable"
