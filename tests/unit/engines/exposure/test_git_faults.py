"""What cannot be read of a repository is told with its reason, and never passes for clean."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from holdfast.app.ports_exposure import Target
from holdfast.engines.exposure import git_work
from holdfast.engines.exposure.git_search import GitSearcher
from holdfast.engines.exposure.limits import Limits
from holdfast.exposure.git import layout
from holdfast.exposure.query import compile_query
from holdfast.kernel.secrets import SecretValue
from tests.packing import Entry, blob_id, copied, delta, inserted, repository_of
from tests.planting import QUIET, Planted, gz, made_up, new_repository, plant
from tests.unit.engines.exposure.listening import Heard, searched, wrong

SECRET = made_up("faults")
BOTH = pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    planted = plant(new_repository(tmp_path_factory.mktemp("packed") / "packed.git", "packed"), seed="packed")
    env = {**QUIET, "GIT_DIR": str(planted.home)}
    subprocess.run(["git", "repack", "-q", "-a", "-d", "-f", "-k"], env=env, check=True)
    return planted


def _reasons(heard: Heard) -> list[str]:
    return [fault.reason for fault in heard.faults]


def _copy(planted: Planted, place: Path) -> tuple[Planted, Path]:
    shutil.copytree(planted.home, place)
    pack = next((place / "objects/pack").glob("*.pack"))
    pack.chmod(0o600)
    return Planted(place, planted.secret, planted.plants), pack


@BOTH
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.99, 0.9999])
def test_a_truncated_pack_is_incomplete(packed: Planted, tmp_path: Path, share: float, plain: bool) -> None:
    one, pack = _copy(packed, tmp_path / "cut.git")
    data = pack.read_bytes()
    pack.write_bytes(data[: int(share * len(data))])
    heard = searched(one.home, one.secret, plain=plain)
    assert any("cut off" in reason for reason in _reasons(heard))


def test_each_changed_byte_of_a_pack_is_told_or_changes_nothing(packed: Planted, tmp_path: Path) -> None:
    one, pack = _copy(packed, tmp_path / "changed.git")
    data = pack.read_bytes()
    chance = random.Random(5)
    for _ in range(120):
        place = chance.randrange(len(data))
        pack.write_bytes(data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :])
        heard = searched(one.home, one.secret)
        assert heard.faults or wrong(one, heard) == []


def test_both_engines_tell_the_same_of_a_damaged_pack(packed: Planted, tmp_path: Path) -> None:
    one, pack = _copy(packed, tmp_path / "damaged.git")
    data = pack.read_bytes()
    chance = random.Random(6)
    for _ in range(25):
        place = chance.randrange(12, len(data) - 20)
        pack.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        fast, plainly = (searched(one.home, one.secret, plain=plain) for plain in (False, True))
        assert sorted(map(repr, fast.hits)) == sorted(map(repr, plainly.hits))
        assert bool(fast.faults) == bool(plainly.faults)


@BOTH
def test_a_corrupt_entry_is_named_with_what_hangs_on_it(tmp_path: Path, plain: bool) -> None:
    base = b"some content " * 40
    made = delta(len(base), 10, copied(0, 10))
    entries = [Entry("blob", base, blob_id(base), size=len(base) + 1), Entry("ofs", made, b"\1" * 20, base=0)]
    repository_of(tmp_path / "r", entries)
    heard = searched(tmp_path / "r", SECRET, plain=plain)
    assert any("not as long as it says" in reason and "and 1 made from it" in reason for reason in _reasons(heard))


@BOTH
@pytest.mark.parametrize(
    "damaged",
    [
        delta(520, 10, copied(515, 10)),
        delta(520, 10, copied(0, 11)),
        delta(520, 10, copied(0, 9)),
        delta(519, 10, copied(0, 10)),
        delta(520, 10, b"\0"),
        delta(520, 10, b"\x7fshort"),
        delta(520, 1 << 40, copied(0, 10)),
        delta(520, 10, b"\xff"),
        b"",
        b"\xff" * 30,
    ],
)
def test_a_delta_that_does_not_fit_is_a_fault(tmp_path: Path, damaged: bytes, plain: bool) -> None:
    base = b"some content " * 40
    repository_of(tmp_path / "r", [Entry("blob", base, blob_id(base)), Entry("ofs", damaged, b"\1" * 20, base=0)])
    heard = searched(tmp_path / "r", SECRET, plain=plain)
    assert any("a delta that does not fit its base" in reason for reason in _reasons(heard))


@BOTH
def test_bytes_between_entries_are_a_fault(tmp_path: Path, plain: bool) -> None:
    repository_of(
        tmp_path / "r", [Entry("blob", b"one", blob_id(b"one"), after=SECRET), Entry("blob", b"two", blob_id(b"two"))]
    )
    heard = searched(tmp_path / "r", SECRET, plain=plain)
    assert any("bytes that the index does not name" in reason for reason in _reasons(heard))


@BOTH
def test_a_missing_base_is_named(tmp_path: Path, plain: bool) -> None:
    thin = Entry("ref", delta(9, 9, copied(0, 9)), b"\2" * 20, base=b"\7" * 20)
    repository_of(tmp_path / "r", [thin])
    assert "1 objects cannot be made: its base 070707070707 is missing" in _reasons(
        searched(tmp_path / "r", SECRET, plain=plain)
    )


@BOTH
def test_a_base_in_another_place_is_used(tmp_path: Path, plain: bool) -> None:
    base = b"the base of a thin pack\n"
    content = base + b"K=" + SECRET
    thin = Entry(
        "ref",
        delta(len(base), len(content), copied(0, len(base)), inserted(b"K=" + SECRET)),
        blob_id(content),
        blob_id(base),
    )
    repository_of(tmp_path / "r", [thin])
    env = {**QUIET, "GIT_DIR": str(tmp_path / "r")}
    subprocess.run(["git", "hash-object", "-w", "--stdin"], input=base, env=env, check=True, capture_output=True)
    heard = searched(tmp_path / "r", SECRET, plain=plain)
    assert [(hit.object, hit.cls) for hit in heard.hits] == [(blob_id(content).hex(), "exact")]
    assert heard.faults == []


@BOTH
def test_deltas_in_a_circle_are_a_fault(tmp_path: Path, plain: bool) -> None:
    one, two = b"\1" * 20, b"\2" * 20
    same = delta(9, 9, copied(0, 9))
    repository_of(tmp_path / "r", [Entry("ref", same, one, two), Entry("ref", same, two, one)])
    assert "2 deltas are made from one another in a circle" in _reasons(searched(tmp_path / "r", SECRET, plain=plain))


@BOTH
def test_a_secret_over_every_seam_is_found(tmp_path: Path, plain: bool) -> None:
    """The secret is put together from copies and inserted bytes in many ways; no version before held it."""
    base = b"x" * 300 + SECRET[:20] + b"y" * 300 + SECRET[20:] + b"z" * 300 + SECRET[7:] + SECRET[:7]
    entries = [Entry("blob", base, blob_id(base))]
    for cut in range(1, len(SECRET)):
        content = b"a" * 50 + SECRET + b"x" * 40
        head, tail = SECRET[:cut], SECRET[cut:]
        parts = [inserted(b"a" * 50)]
        parts += [copied(base.index(head), cut) if head in base else inserted(head)]
        parts += [copied(base.index(tail), len(tail)) if tail in base else inserted(tail), copied(0, 40)]
        content = b"a" * 50 + SECRET + b"x" * 40
        entries.append(Entry("ofs", delta(len(base), len(content), *parts), cut.to_bytes(20, "big"), base=0))
    repository_of(tmp_path / "r", entries)
    heard = searched(tmp_path / "r", SECRET, plain=plain)
    exact = {hit.object for hit in heard.hits if hit.cls == "exact"}
    assert exact == {cut.to_bytes(20, "big").hex() for cut in range(1, len(SECRET))}
    assert heard.faults == []


@BOTH
def test_an_object_that_is_gone_is_told(packed: Planted, tmp_path: Path, plain: bool) -> None:
    one, _ = _copy(packed, tmp_path / "gone.git")
    lost = one.blob(b"soon gone")
    tip = one.commit(one.tree({"f": lost}))
    one.git("update-ref", "refs/heads/lost", tip)
    (one.home / f"objects/{lost[:2]}/{lost[2:]}").unlink()
    assert f"1 objects are missing: {lost[:12]}" in _reasons(searched(one.home, one.secret, plain=plain))


@BOTH
def test_a_loose_object_that_cannot_be_read_is_told(tmp_path: Path, plain: bool) -> None:
    planted = new_repository(tmp_path / "r.git", "loose")
    oids = [planted.blob(b"content %d" % number + planted.secret) for number in range(3)]
    paths = [planted.home / f"objects/{oid[:2]}/{oid[2:]}" for oid in oids]
    for path in paths:
        path.chmod(0o600)
    paths[0].write_bytes(paths[0].read_bytes()[:-4])
    paths[1].write_bytes(b"no zlib at all")
    paths[2].unlink()
    paths[2].mkdir()
    heard = searched(planted.home, planted.secret, plain=plain)
    assert len([reason for reason in _reasons(heard) if "an entry that is not as long" in reason]) == 1
    assert len([reason for reason in _reasons(heard) if "a corrupt entry" in reason]) == 1
    assert len([reason for reason in _reasons(heard) if "cannot be read: Is a directory" in reason]) == 1


def _clone(planted: Planted, place: Path, *words: str) -> Path:
    subprocess.run(["git", "-C", str(planted.home), "config", "uploadpack.allowFilter", "true"], env=QUIET, check=True)
    subprocess.run(
        ["git", "clone", "-q", "--bare", *words, f"file://{planted.home}", str(place)],
        env=QUIET, check=True, capture_output=True,
    )  # fmt: skip
    return place


def test_a_partial_clone_says_what_was_never_fetched(packed: Planted, tmp_path: Path) -> None:
    heard = searched(_clone(packed, tmp_path / "partial.git", "--filter=blob:none"), packed.secret)
    assert any("promised by the repository it was cloned from" in reason for reason in _reasons(heard))


def test_a_shallow_clone_says_so(packed: Planted, tmp_path: Path) -> None:
    heard = searched(_clone(packed, tmp_path / "shallow.git", "--depth=1"), packed.secret)
    assert any("shallow" in reason for reason in _reasons(heard))
    assert not any("missing" in reason for reason in _reasons(heard))


def test_content_kept_elsewhere_says_so(tmp_path: Path) -> None:
    planted = new_repository(tmp_path / "r.git", "lfs")
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 12\n"
    planted.git("update-ref", "refs/heads/main", planted.commit(planted.tree({"big.bin": planted.blob(pointer)})))
    heard = searched(planted.home, planted.secret)
    assert [(fault.where, fault.reason) for fault in heard.faults] == [
        ("Git LFS content abababababab", "it is kept elsewhere and is not here")
    ]


def test_a_bomb_in_a_repository_is_broken_off(tmp_path: Path) -> None:
    planted = new_repository(tmp_path / "r.git", "bomb")
    oid = planted.blob(gz(gz(bytes(20_000_000)) + gz(b"K=" + planted.secret)))
    heard = Heard()
    searcher = GitSearcher(processes=0, limits=Limits(ratio=100, ratio_from=1 << 20, total_from=1 << 20))
    searcher.search(Target(str(planted.home), "r"), compile_query([SecretValue(planted.secret)]), heard)
    assert len(heard.faults) == 1
    assert oid[:12] in heard.faults[0].where
    assert "times" in heard.faults[0].reason


def test_a_killed_process_makes_its_unit_incomplete(packed: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.engines.exposure.git_search.ALONE", 0)
    monkeypatch.setattr("holdfast.engines.exposure.git_search.UNIT", 2_000)
    search, first = git_work.Worker.objects, os.getpid()

    def deadly(self, pack, roots):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        if os.getpid() != first and np.nonzero(pack.entries.pack.kind == layout.BLOB)[0][0] in roots:
            os.kill(os.getpid(), signal.SIGKILL)
        return search(self, pack, roots)

    monkeypatch.setattr(git_work.Worker, "objects", deadly)
    heard = searched(packed.home, packed.secret, processes=2)
    assert any("was killed" in reason for reason in _reasons(heard))
    assert heard.hits


def test_a_folder_that_is_no_repository_is_a_fault(tmp_path: Path) -> None:
    assert _reasons(searched(tmp_path, SECRET)) == ["it is no git repository that can be read"]


def test_refs_in_another_form_are_told(packed: Planted, tmp_path: Path) -> None:
    one, _ = _copy(packed, tmp_path / "reftable.git")
    (one.home / "reftable").mkdir()
    assert any("form that is not read" in reason for reason in _reasons(searched(one.home, one.secret)))


def test_a_repository_that_is_not_trusted_leads_nowhere_else(packed: Planted, tmp_path: Path) -> None:
    """Borrowed objects, a folder kept elsewhere and linked packs: of each it is said that it was not followed."""
    query = compile_query([SecretValue(packed.secret)])
    one = new_repository(tmp_path / "one/r.git", "untrusted")
    (one.home / "objects/info/alternates").write_text(f"{packed.home / 'objects'}\n", encoding="utf-8")
    pack = next((packed.home / "objects/pack").glob("*.pack"))
    two = new_repository(tmp_path / "two/r.git", "untrusted")
    for file in (pack, pack.with_suffix(".idx")):
        (two.home / "objects/pack" / file.name).symlink_to(file)
    three = tmp_path / "three/work"
    three.mkdir(parents=True)
    (three / ".git").write_text(f"gitdir: {packed.home}\n", encoding="utf-8")
    for place in (one.home, two.home, three):
        heard = Heard()
        searcher = GitSearcher(processes=0)
        searcher.search(Target(str(place), "r"), query, heard, within=place.parent)
        assert heard.hits == []
        assert any("leads out of what may be searched" in reason for reason in _reasons(heard))
        assert searched(place, packed.secret).hits
