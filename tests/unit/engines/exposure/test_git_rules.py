"""Secrets that nobody named, in every place of a repository: all found, each told once, by both engines alike."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from holdfast.app.ports_exposure import Target
from holdfast.engines.exposure.cache import ResultCache
from holdfast.engines.exposure.folders import FolderSearcher
from holdfast.engines.exposure.git_search import GitSearcher
from holdfast.engines.exposure.keeping import ExposureKey
from holdfast.exposure.cases import expand
from holdfast.exposure.formats import shipped
from holdfast.exposure.results import Hit, Totals
from holdfast.exposure.unknown import RuledQuery, compile_ruled
from holdfast.kernel.secrets import SecretValue
from tests.packing import Entry, blob_id, copied, delta, repository_of
from tests.planting import QUIET, Planted, made_up, new_repository
from tests.rule_planting import KEY, RulePlants, documented, plant_rules
from tests.unit.engines.exposure.listening import Heard

RULES = shipped()


def ruled(*secrets: bytes) -> RuledQuery:
    return compile_ruled([SecretValue(one) for one in secrets], RULES, KEY)


def searched(
    home: Path, query: RuledQuery, *, plain: bool = False, processes: int = 0, cache: ResultCache | None = None
) -> Heard:
    heard = Heard()
    searcher = GitSearcher(processes=processes, plain=plain, cache=cache)
    assert searcher.fallback is None
    heard.totals = searcher.search(Target(str(home), "repository"), query, heard)
    return heard


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> RulePlants:
    return plant_rules(new_repository(tmp_path_factory.mktemp("rules") / "repository.git", "rules"), RULES)


@pytest.fixture(scope="module")
def heard(made: RulePlants) -> Heard:
    return searched(made.planted.home, ruled())


def missed(made: RulePlants, heard: Heard) -> list[str]:
    """Plants that are not told as they should be."""
    wrong = []
    for name, plant in made.plants.items():
        hits = [
            hit
            for hit in heard.hits
            if (hit.rule, hit.fingerprint, hit.kind) == (plant.rule, plant.fingerprint, plant.kind)
            and (hit.path == plant.path if plant.oid is None else hit.object == plant.oid)
        ]
        if len(hits) != 1:
            wrong.append(f"{name}: {len(hits)} times")
            continue
        (hit,) = hits
        if bool(hit.inner) != plant.inner:
            wrong.append(f"{name}: within {hit.inner}")
        if plant.oid is not None and hit.provenance is not None and plant.reach not in (None, hit.provenance.reach):
            wrong.append(f"{name}: {hit.provenance.reach}")
        if plant.oid is not None and plant.path is not None and hit.path != plant.path:
            wrong.append(f"{name}: at {hit.path}")
    return wrong


def blob_of(planted: Planted, oid: str) -> bytes:
    words = ["git", "cat-file", "blob", oid]
    env = {**QUIET, "GIT_DIR": str(planted.home)}
    return subprocess.run(words, env=env, capture_output=True, check=True).stdout


def test_every_plant_is_found_once_by_its_rule_with_its_origin(made: RulePlants, heard: Heard) -> None:
    assert len({plant.rule for plant in made.plants.values()}) >= 25
    assert missed(made, heard) == []
    assert heard.faults == []


def test_nothing_else_is_found(made: RulePlants, heard: Heard) -> None:
    known = {(plant.rule, plant.fingerprint) for plant in made.plants.values()}
    assert [hit for hit in heard.hits if (hit.rule, hit.fingerprint) not in known] == []


def test_the_plain_engine_finds_exactly_the_same(made: RulePlants, heard: Heard) -> None:
    plainly = searched(made.planted.home, ruled(), plain=True)
    assert sorted(map(repr, plainly.hits)) == sorted(map(repr, heard.hits))
    assert plainly.totals.objects == heard.totals.objects


def test_processes_find_exactly_the_same(made: RulePlants, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.engines.exposure.git_search.ALONE", 0)
    assert sorted(map(repr, searched(made.planted.home, ruled(), processes=2).hits)) == sorted(map(repr, heard.hits))


def test_a_place_is_where_the_secret_stands_in_its_object(made: RulePlants, heard: Heard) -> None:
    for name in ("seam_0", "old_version", "settings.py", "key.pem", "alone"):
        plant = made.plants[name]
        hit = next(one for one in heard.hits if one.object == plant.oid)
        data = blob_of(made.planted, plant.oid or "")
        assert data[hit.start : hit.end] == plant.secret, name
        assert hit.line == data.count(b"\n", 0, hit.start) + 1


def test_tokens_that_a_delta_makes_whole_are_deltas_indeed(made: RulePlants) -> None:
    listed = "".join(
        subprocess.run(["git", "verify-pack", "-v", str(index)], capture_output=True, check=True, text=True).stdout
        for index in (made.planted.home / "objects/pack").glob("*.idx")
    )
    deltas = {line.split()[0] for line in listed.splitlines() if len(line.split()) == 7}
    assert {made.plants[f"seam_{number}"].oid for number in range(4)} <= deltas


def test_nothing_that_is_told_holds_a_secret(made: RulePlants, heard: Heard) -> None:
    query = ruled()
    told = query.redact(repr(heard.hits) + repr(heard.faults))
    for name, plant in made.plants.items():
        assert plant.secret.decode() not in told, name


def test_documented_samples_and_counterexamples_are_not_found(tmp_path: Path) -> None:
    planted = new_repository(tmp_path / "samples.git", "samples")
    texts = documented(RULES)
    assert len(texts) > 45
    tree = planted.tree({f"{number}.txt": planted.blob(text) for number, text in enumerate(texts)})
    planted.git("update-ref", "refs/heads/main", planted.commit(tree))
    heard = searched(planted.home, ruled())
    assert heard.hits == []
    assert heard.faults == []


def one_token() -> bytes:
    rule = next(rule for rule in RULES.scanning if rule.key == "github-token")
    return expand(rule.found[0]).encode()


def versions(planted: Planted, count: int, text: bytes) -> list[str]:
    """Versions of a file, each a delta of another, with a text in all but the first and the last."""
    lines = [f"line {number} of a file that grows\n".encode() for number in range(400)]
    tip, tips = None, []
    for number in range(count):
        held = text if 0 < number < count - 1 else b"nothing"
        data = b"".join([*lines[:200], held + b"\n", *lines[200:], b"version %d\n" % number])
        tree = planted.tree({"grown.txt": planted.blob(data)})
        more = {"GIT_COMMITTER_DATE": f"{1_700_000_000 + number} +0000"}
        tip = planted.commit(tree, *([tip] if tip else []), message=b"version %d" % number, more=more)
        tips.append(tip)
    planted.git("update-ref", "refs/heads/main", tips[-1])
    planted.git("symbolic-ref", "HEAD", "refs/heads/main")
    planted.git("repack", "-q", "-a", "-d", "-f")
    return tips


def test_a_value_that_versions_inherit_is_told_once_with_the_commit_that_brought_it(tmp_path: Path) -> None:
    planted = new_repository(tmp_path / "grown.git", "grown")
    tips = versions(planted, 12, one_token())
    for plain in (False, True):
        (hit,) = searched(planted.home, ruled(), plain=plain).hits
        assert hit.copies == 10
        assert hit.provenance is not None
        assert hit.provenance.first is not None
        assert (hit.provenance.first.commit, hit.provenance.introduced, hit.provenance.holding) == (tips[1], 1, 10)
        assert hit.object == planted.git("rev-parse", f"{tips[1]}:grown.txt")
        assert (hit.provenance.heads, hit.provenance.at_head, hit.path, hit.line) == ((), False, "grown.txt", 201)


def test_a_named_secret_and_others_are_found_in_one_search_and_the_named_one_is_not_told_as_unknown(
    tmp_path: Path,
) -> None:
    planted = new_repository(tmp_path / "both.git", "both")
    named, other = made_up("named"), one_token()
    text = b'password = "' + named + b'"\n' + other + b"\n"
    planted.git("update-ref", "refs/heads/main", planted.commit(planted.tree({"a.env": planted.blob(text)})))
    hits = searched(planted.home, ruled(named)).hits
    assert sorted((hit.secret, hit.rule or "") for hit in hits if hit.secret is not None) == [(0, "")]
    assert [(hit.secret, hit.rule) for hit in hits if hit.secret is None] == [(None, "github-token")]


def test_a_reason_on_the_line_is_carried_along(tmp_path: Path) -> None:
    planted = new_repository(tmp_path / "allowed.git", "allowed")
    text = one_token() + b"  # holdfast:allow made up for tests\n"
    planted.git("update-ref", "refs/heads/main", planted.commit(planted.tree({"a.txt": planted.blob(text)})))
    (hit,) = searched(planted.home, ruled()).hits
    assert hit.unknown is not None
    assert hit.unknown.allowed == "made up for tests"


def test_finished_units_are_kept_apart_for_other_rules_and_other_keys(tmp_path: Path) -> None:
    planted = new_repository(tmp_path / "kept.git", "kept")
    versions(planted, 4, one_token())
    cache = ResultCache(tmp_path / "cache", ExposureKey(b"k" * 32), engine="test")
    first = searched(planted.home, ruled(), cache=cache)
    again = searched(planted.home, ruled(), cache=cache)
    assert (first.totals.cached, again.totals.cached > 0) == (0, True)
    assert list(map(repr, again.hits)) == list(map(repr, first.hits))
    other = searched(planted.home, compile_ruled([], RULES, b"another key for fingerprints...."), cache=cache)
    assert other.totals.cached == 0
    assert other.hits[0].fingerprint != first.hits[0].fingerprint
    for file in (tmp_path / "cache").rglob("*"):
        assert not file.is_file() or one_token() not in file.read_bytes()


def found_in(folder: Path, *, plain: bool = False) -> list[Hit]:
    heard = Heard()

    def no_repository(*_: object) -> Totals:
        raise AssertionError

    FolderSearcher(no_repository, plain=plain).search(Target(str(folder), "folder"), ruled(), heard)
    assert heard.faults == []
    return heard.hits


def test_files_and_archives_in_folders_are_searched_by_the_same_rules(made: RulePlants, tmp_path: Path) -> None:
    names = [name for name, plant in made.plants.items() if plant.kind == "blob"]
    for name in names:
        (tmp_path / name).write_bytes(blob_of(made.planted, made.plants[name].oid or ""))
    hits = found_in(tmp_path)
    for name in names:
        plant = made.plants[name]
        mine = [hit for hit in hits if hit.path == name]
        assert {(hit.rule, hit.fingerprint) for hit in mine} == {(plant.rule, plant.fingerprint)}, name
        assert any(bool(hit.inner or hit.about) == plant.inner for hit in mine), name
    assert sorted(map(repr, found_in(tmp_path, plain=True))) == sorted(map(repr, hits))


@pytest.mark.parametrize("place", [0, 1, (1 << 20) - 300, (1 << 20) - 30, (1 << 20) - 2, 1 << 20, (1 << 20) + 5])
def test_a_token_across_the_pieces_of_a_file_is_found(tmp_path: Path, place: int) -> None:
    token = one_token()
    filler = (b"some text of a line that says nothing\n" * 40_000)[: 1 << 21]
    (tmp_path / "large.txt").write_bytes(filler[:place] + b"\n" + token + b"\n" + filler[place:])
    (hit,) = found_in(tmp_path)
    assert place < hit.start <= hit.end <= place + 1 + len(token)


def test_a_file_name_that_looks_like_a_secret_is_redacted_wherever_it_is_shown(made: RulePlants) -> None:
    secret = made.plants["file_name"].secret.decode()
    shown = ruled().redact(f"config/{secret}/x.txt")
    assert secret not in shown
    assert f"fp:{made.plants['file_name'].fingerprint}" in shown


@pytest.mark.parametrize("encoding", ["ascii", "utf-16-le", "utf-16-be"])
def test_a_long_secret_over_a_seam_is_found_however_far_it_reaches(tmp_path: Path, encoding: str) -> None:
    """Its halves come from two places of a base, so that nothing of it is new; UTF-16 takes twice the bytes."""
    token = f"AAAA{'a1B2c3d'}:APA91b{'x7Kq2Lm9Zw' * 12}"
    text = f"fcm key {token} behind it".encode(encoding)
    filler = "nothing to see here, move along. ".encode(encoding) * 30
    for share in (0.1, 0.4, 0.85):
        cut = int(share * len(text)) // 2 * 2 + 1
        base = filler + text[:cut] + filler + text[cut:] + filler
        first, behind = len(filler), 2 * len(filler) + cut
        operations = [copied(0, first + cut), copied(behind, len(text) - cut + len(filler))]
        whole = filler + text + filler
        made = delta(len(base), len(whole), *operations)
        entries = [Entry("blob", base, blob_id(base)), Entry("ofs", made, blob_id(whole), base=0)]
        home = tmp_path / f"{share}"
        repository_of(home, entries)
        fast, plain = (searched(home, ruled(), plain=one) for one in (False, True))
        assert blob_id(whole).hex() in {hit.object for hit in plain.hits}
        assert sorted(map(repr, fast.hits)) == sorted(map(repr, plain.hits))
