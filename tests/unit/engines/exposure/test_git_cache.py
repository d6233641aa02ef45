"""A repeat of a search, a fork and a resumed search cost nothing, and never tell less than the first one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from holdfast.app.ports_exposure import Target
from holdfast.engines.exposure import git_search
from holdfast.engines.exposure.cache import ResultCache
from holdfast.engines.exposure.git_search import GitSearcher
from holdfast.engines.exposure.git_work import Worker
from holdfast.engines.exposure.keeping import load_or_create_key
from holdfast.exposure.query import compile_query
from holdfast.kernel.secrets import SecretValue
from tests.planting import Planted, new_repository, plant
from tests.unit.engines.exposure.listening import Heard, searched, wrong


@pytest.fixture
def cache(tmp_path: Path) -> ResultCache:
    return ResultCache(tmp_path / "cache", load_or_create_key(tmp_path / "keys"), engine="test")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return plant(new_repository(tmp_path_factory.mktemp("cached") / "r.git", "cached"), seed="cached")


def _told(heard: Heard) -> list[str]:
    return sorted(map(repr, heard.hits))


def _redacted(heard: Heard, secret: bytes) -> list[str]:
    """As the one listener shows them: names without the secret."""
    query = compile_query([SecretValue(secret)])

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: clean(one) for name, one in value.items()}
        if isinstance(value, list):
            return [clean(one) for one in value]
        return query.redact(value) if isinstance(value, str) else value

    return sorted(json.dumps(clean(hit.as_json())) for hit in heard.hits)


def test_a_repeat_tells_the_same_and_makes_no_object(
    planted: Planted, cache: ResultCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = searched(planted.home, planted.secret, cache=cache)
    assert first.totals.cached == 0
    monkeypatch.setattr(git_search, "open_store", lambda _: pytest.fail("it was opened again"))
    again = searched(planted.home, planted.secret, cache=cache)
    assert again.totals.cached == 1
    assert _redacted(again, planted.secret) == _redacted(first, planted.secret)
    assert again.faults == first.faults
    assert again.totals.objects == first.totals.objects


def test_another_secret_is_searched_anew(planted: Planted, cache: ResultCache) -> None:
    searched(planted.home, planted.secret, cache=cache)
    other = searched(planted.home, b"another-Secret+of/42=characters", cache=cache)
    assert other.totals.cached == 0
    assert other.hits == []


def test_what_is_new_is_found_after_a_repeat(planted: Planted, cache: ResultCache, tmp_path: Path) -> None:
    shutil.copytree(planted.home, tmp_path / "copy.git")
    one = Planted(tmp_path / "copy.git", planted.secret, dict(planted.plants))
    searched(one.home, one.secret, cache=cache)
    fresh = one.blob(b"new: " + one.secret)
    found = searched(one.home, one.secret, cache=cache)
    assert fresh in {hit.object for hit in found.hits}
    one.git("update-ref", "refs/heads/new", one.commit(one.tree({"new.txt": fresh})))
    hit = next(hit for hit in searched(one.home, one.secret, cache=cache).hits if hit.object == fresh)
    assert hit.provenance is not None
    assert hit.provenance.reach == "reachable"
    assert wrong(one, searched(one.home, one.secret, cache=cache)) == []


def test_a_fork_searches_only_what_is_its_own(planted: Planted, cache: ResultCache, tmp_path: Path) -> None:
    first = searched(planted.home, planted.secret, cache=cache)
    shutil.copytree(planted.home, tmp_path / "fork.git")
    fork = searched(tmp_path / "fork.git", planted.secret, cache=cache)
    assert fork.totals.cached >= 2
    assert _told(fork) == _told(first)


def test_an_incomplete_search_is_not_kept(planted: Planted, cache: ResultCache, tmp_path: Path) -> None:
    shutil.copytree(planted.home, tmp_path / "cut.git")
    pack = max((tmp_path / "cut.git/objects/pack").glob("*.pack"), key=lambda path: path.stat().st_size)
    whole = pack.read_bytes()
    pack.chmod(0o600)
    pack.write_bytes(whole[: len(whole) // 2])
    assert searched(tmp_path / "cut.git", planted.secret, cache=cache).faults
    pack.write_bytes(whole)
    mended = searched(tmp_path / "cut.git", planted.secret, cache=cache)
    assert mended.faults == []
    assert wrong(planted, mended) == []


def test_what_is_missing_is_told_again(planted: Planted, cache: ResultCache, tmp_path: Path) -> None:
    shutil.copytree(planted.home, tmp_path / "gone.git")
    one = Planted(tmp_path / "gone.git", planted.secret)
    lost = one.blob(b"soon gone")
    one.git("update-ref", "refs/heads/lost", one.commit(one.tree({"f": lost})))
    (one.home / f"objects/{lost[:2]}/{lost[2:]}").unlink()
    first, again = (searched(one.home, one.secret, cache=cache) for _ in range(2))
    assert again.totals.cached == 1
    assert again.faults == first.faults
    assert again.faults


def test_an_interruption_tells_what_was_found_and_the_next_run_goes_on(
    planted: Planted, cache: ResultCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_search, "UNIT", 2_000)
    search, done = Worker.objects, list[int]()

    def interrupted(self, pack, roots):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        done.append(len(roots))
        if len(done) == 6:
            raise KeyboardInterrupt
        return search(self, pack, roots)

    monkeypatch.setattr(Worker, "objects", interrupted)
    heard = Heard()
    searcher = GitSearcher(processes=0, cache=cache)
    with pytest.raises(KeyboardInterrupt):
        searcher.search(Target(str(planted.home), "r"), compile_query([SecretValue(planted.secret)]), heard)
    assert heard.hits
    monkeypatch.setattr(Worker, "objects", search)
    resumed = searched(planted.home, planted.secret, cache=cache)
    assert resumed.totals.cached >= 4
    assert wrong(planted, resumed) == []
