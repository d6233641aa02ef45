"""A secret in every place of a repository: all are found, in their class, with where they come from."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.planting import QUIET, Planted, made_up, new_repository, plant
from tests.unit.engines.exposure.listening import Heard, searched, wrong


@pytest.fixture(scope="module", params=["sha1", "sha256"])
def planted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    home = tmp_path_factory.mktemp("planted") / "repository.git"
    return plant(new_repository(home, request.param, f"--object-format={request.param}"), seed=request.param)


@pytest.fixture(scope="module")
def heard(planted: Planted) -> Heard:
    return searched(planted.home, planted.secret)


def test_every_plant_is_found_in_its_class_with_its_origin(planted: Planted, heard: Heard) -> None:
    assert len(planted.plants) >= 36 + 30
    assert wrong(planted, heard) == []
    assert heard.faults == []


def test_what_was_not_planted_is_not_found(planted: Planted, heard: Heard) -> None:
    known = {one.oid for one in planted.plants.values()}
    others = [hit for hit in heard.hits if hit.kind != "git-file" and hit.object not in known]
    # The version before ``seam_delta`` held the secret with two characters changed.
    assert [(hit.path, hit.cls) for hit in others] == [("seam_delta", "partial")]


def test_the_plain_engine_finds_exactly_the_same(planted: Planted, heard: Heard) -> None:
    plainly = searched(planted.home, planted.secret, plain=True)
    assert sorted(map(repr, plainly.hits)) == sorted(map(repr, heard.hits))
    assert plainly.faults == []
    assert plainly.totals.objects == heard.totals.objects
    assert plainly.totals.bytes_inflated == heard.totals.bytes_inflated


def test_nothing_is_found_of_another_secret(planted: Planted) -> None:
    assert searched(planted.home, made_up("another")).hits == []


def _copied(planted: Planted, place: Path) -> Planted:
    shutil.copytree(planted.home, place, symlinks=True)
    return Planted(place, planted.secret, dict(planted.plants))


def _run(home: Path, *words: str, given: bytes | None = None) -> bytes:
    env = {**QUIET, "GIT_DIR": str(home)}
    return subprocess.run(["git", *words], env=env, input=given, capture_output=True, check=True).stdout


def test_a_repository_packed_into_one_is_searched_alike(planted: Planted, tmp_path: Path) -> None:
    one = _copied(planted, tmp_path / "one.git")
    _run(one.home, "repack", "-q", "-a", "-d", "-f", "-k", "--depth=50", "--window=50")
    assert len(list((one.home / "objects/pack").glob("*.pack"))) == 1
    found = searched(one.home, one.secret)
    assert wrong(one, found) == []
    assert found.faults == []


@pytest.mark.parametrize("form", ["1", "2,0x40"], ids=["version-1", "offsets-of-64-bits"])
def test_every_form_of_an_index_is_read(planted: Planted, tmp_path: Path, form: str) -> None:
    if len(planted.plants["raw_old"].oid or "") == 64:
        form = form.replace("1", "2,0x1000")  # git writes version 1 for SHA-1 only
    one = _copied(planted, tmp_path / "one.git")
    for pack in (one.home / "objects/pack").glob("*.pack"):
        for other in pack.parent.glob(f"{pack.stem}.[ir]*"):
            other.chmod(0o600)
            other.unlink()
        _run(one.home, "index-pack", f"--index-version={form}", str(pack))
    found = searched(one.home, one.secret)
    assert wrong(one, found) == []
    assert found.faults == []


def test_a_pack_without_its_index_is_read_from_its_beginning(planted: Planted, tmp_path: Path) -> None:
    one = _copied(planted, tmp_path / "one.git")
    for index in (one.home / "objects/pack").glob("*.idx"):
        index.unlink()
    found = searched(one.home, one.secret)
    objects = {hit.object for hit in found.hits}
    assert {p.oid for n, p in one.plants.items() if p.kind == "blob"} <= objects
    assert any("missing" in fault.reason for fault in found.faults)


def test_borrowed_objects_are_searched(planted: Planted, tmp_path: Path) -> None:
    borrower = tmp_path / "borrower.git"
    shutil.copytree(planted.home, borrower)
    shutil.rmtree(borrower / "objects")
    (borrower / "objects/info").mkdir(parents=True)
    (borrower / "objects/info/alternates").write_text(f"{planted.home / 'objects'}\n", encoding="utf-8")
    found = searched(borrower, planted.secret)
    assert wrong(planted, found) == []
    (borrower / "objects/info/alternates").write_text(f"{tmp_path / 'nowhere'}\n", encoding="utf-8")
    assert any("borrows" in fault.reason for fault in searched(borrower, planted.secret).faults)


def test_loose_objects_are_searched(planted: Planted, tmp_path: Path) -> None:
    one = _copied(planted, tmp_path / "one.git")
    packs = [pack.read_bytes() for pack in (one.home / "objects/pack").glob("*.pack")]
    shutil.rmtree(one.home / "objects/pack")
    for pack in packs:
        _run(one.home, "unpack-objects", "-q", given=pack)
    assert not list((one.home / "objects").rglob("*.pack"))
    found = searched(one.home, one.secret)
    assert wrong(one, found) == []
    assert found.faults == []


def test_a_multi_pack_index_changes_nothing(planted: Planted, tmp_path: Path) -> None:
    one = _copied(planted, tmp_path / "one.git")
    _run(one.home, "multi-pack-index", "write")
    found = searched(one.home, one.secret)
    assert wrong(one, found) == []
    assert found.faults == []


def test_several_processes_find_the_same(planted: Planted, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.engines.exposure.git_search.ALONE", 0)
    monkeypatch.setattr("holdfast.engines.exposure.git_search.UNIT", 2_000)
    found = searched(planted.home, planted.secret, processes=2)
    assert sorted(map(repr, found.hits)) == sorted(map(repr, heard.hits))
    assert found.faults == []
    assert found.steps[-1][0] <= found.steps[-1][1]


def test_a_work_tree_is_searched_with_the_stash_and_index_of_a_clone(tmp_path: Path) -> None:
    secret = b"kV3rySecretValue+of/theClone42=="
    work = tmp_path / "work"
    subprocess.run(["git", "init", "-q", str(work)], env=QUIET, check=True)
    (work / "a.txt").write_bytes(b"K=" + secret)
    subprocess.run(["git", "-C", str(work), "add", "a.txt"], env=QUIET, check=True)
    found = searched(work, secret)
    assert [(hit.kind, hit.cls) for hit in found.hits] == [("blob", "exact")]


def test_the_first_commit_the_last_and_the_heads_are_told(planted: Planted, heard: Heard) -> None:
    hit = heard.of(planted.plants["raw_head"])[0]
    told = hit.provenance
    assert told is not None
    assert told.first is not None
    assert _subject(planted, told.first.commit) == "all of them"
    assert told.first.authored == "2023-11-14T22:13:20.000Z"
    assert told.first.author == "Plant <plant@example.org>"
    assert "refs/heads/planted" in told.heads
    gone = heard.of(planted.plants["raw_old"])[0].provenance
    assert gone is not None
    assert gone.heads == ()
    assert gone.holding == 1
    assert "refs/heads/planted" in gone.refs


def _subject(planted: Planted, commit: str) -> str:
    return _run(planted.home, "log", "-1", "--format=%s", commit).decode().strip()


def test_lines_are_told(planted: Planted, heard: Heard) -> None:
    hit = next(hit for hit in heard.of(planted.plants["raw_old"]) if hit.cls == "exact")
    text = _run(planted.home, "cat-file", "blob", str(hit.object)).split(b"\n")
    assert hit.line is not None
    assert planted.secret in text[hit.line - 1]


def test_of_two_lines_the_second_is_told_too(planted: Planted, heard: Heard) -> None:
    hits = heard.of(planted.plants["twice"])
    assert sorted(hit.line or 0 for hit in hits) == [1, 2]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """A repository with an object over 64 MB, alone and with versions made from it."""
    planted = new_repository(tmp_path_factory.mktemp("large") / "large.git", "large")
    body = b"0123456789 a line of a very large log that says nothing\n" * 1_200_000
    oid = planted.blob(body + b"K=" + planted.secret + b"\n")
    planted.git("update-ref", "refs/heads/main", planted.commit(planted.tree({"large.log": oid})))
    planted.git("repack", "-q", "-a", "-d")
    yield planted
    shutil.rmtree(planted.home)


@pytest.mark.parametrize("plain", [False, True])
def test_an_object_over_64_megabytes_is_streamed(large: Planted, plain: bool) -> None:
    found = searched(large.home, large.secret, plain=plain)
    assert [(hit.kind, hit.cls, hit.path) for hit in found.hits] == [("blob", "exact", "large.log")]
    assert found.faults == []


def test_a_bundle_and_a_lone_pack_are_searched(planted: Planted, tmp_path: Path) -> None:
    bundle, pack = tmp_path / "all.bundle", tmp_path / "lone.pack"
    _run(planted.home, "bundle", "create", "-q", str(bundle), "--all")
    reachable = {one.oid for one in planted.plants.values() if one.kind == "blob" and one.reach == "reachable"}
    found = searched(bundle, planted.secret)
    assert found.faults == []
    assert reachable <= {hit.object for hit in found.hits}
    assert any(hit.kind == "git-file" for hit in found.hits)
    listed = _run(planted.home, "rev-list", "--objects", "--all", "--reflog", "--no-object-names")
    pack.write_bytes(_run(planted.home, "pack-objects", "-q", "--stdout", given=listed))
    assert reachable <= {hit.object for hit in searched(pack, planted.secret).hits}
    pack.write_bytes(pack.read_bytes()[:-500])
    assert searched(pack, planted.secret).faults
    bundle.write_bytes(b"something else")
    assert [fault.reason for fault in searched(bundle, planted.secret).faults] == [
        "it is no git repository, bundle or pack"
    ]
