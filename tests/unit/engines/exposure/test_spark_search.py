"""Repositories searched by tasks of a real local Spark: the same hits, and nothing secret leaves this process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from holdfast import wiring_exposure
from holdfast.app.ports_exposure import Target
from holdfast.cli import exposure
from holdfast.engines.exposure import spark_search, spark_worker
from holdfast.engines.exposure.limits import Limits
from holdfast.engines.exposure.spark_search import Cluster, SparkGitSearcher
from holdfast.engines.exposure.spark_worker import Told, Unit
from holdfast.engines.spark import OPTIONS
from holdfast.exposure.filters import Filter, build
from holdfast.exposure.query import Query, compile_query
from holdfast.kernel.errors import BadInputError, UnavailableError
from holdfast.kernel.secrets import SecretValue
from tests.packing import Entry, blob_id, copied, delta, repository_of
from tests.planting import QUIET, Planted, made_up, new_repository, plant
from tests.unit.engines.exposure.listening import Heard, searched, wrong


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One session for the whole file; a task is tried twice."""
    folder = tmp_path_factory.mktemp("spark")
    (folder / "events").mkdir()
    options = {
        **OPTIONS,
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": f"file://{folder}/events",
        "spark.eventLog.compress": "false",
        "spark.driver.memory": "512m",
    }
    made = Cluster("local[2,2]", folder, options)
    try:
        made.session()
    except UnavailableError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{error.why} {error.next_step}")
    yield made
    made.close()
    assert sorted(path.name for path in folder.iterdir()) == ["events"]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """Packed into one, with everything that nothing reaches."""
    planted = plant(new_repository(tmp_path_factory.mktemp("planted") / "r.git", "spark"), seed="spark")
    words = ["git", "repack", "-q", "-a", "-d", "-f", "-k", "--depth=50"]
    subprocess.run(words, env={**QUIET, "GIT_DIR": str(planted.home)}, check=True)
    return planted


@pytest.fixture(autouse=True)
def _small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.engines.exposure.git_search.UNIT", 25_000)


def _query(secret: bytes) -> Query:
    return compile_query([SecretValue(secret)])


def _on_spark(cluster: Cluster, home: Path, secret: bytes) -> Heard:
    heard = Heard()
    searcher = SparkGitSearcher(processes=0, cluster=cluster)
    heard.totals = searcher.search(Target(str(home), "repository"), _query(secret), heard)
    return heard


def _told(heard: Heard) -> tuple[list[str], list[str]]:
    return sorted(map(repr, heard.hits)), sorted(map(repr, heard.faults))


def _copy(planted: Planted, place: Path) -> tuple[Planted, Path]:
    shutil.copytree(planted.home, place)
    pack = next((place / "objects/pack").glob("*.pack"))
    pack.chmod(0o600)
    return Planted(place, planted.secret, planted.plants), pack


def test_the_hits_are_those_of_this_machine_alone(
    cluster: Cluster, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Told] = []
    ask = spark_search._ask

    def heard(*words: Any) -> Told:
        answers.append(ask(*words))
        return answers[-1]

    monkeypatch.setattr(spark_search, "_ask", heard)
    here, there = searched(planted.home, planted.secret), _on_spark(cluster, planted.home, planted.secret)
    assert len(answers) >= 3
    assert wrong(planted, there) == []
    assert _told(there) == _told(here)
    assert there.faults == []
    for name in ("objects", "files", "bytes_read", "bytes_inflated"):
        assert getattr(there.totals, name) == getattr(here.totals, name), name
    assert any("short pieces" in words for words in there.totals.not_searched)
    # Tasks really said where to look, and where not: most archives of a repository hold nothing.
    assert any(told.families for told in answers)
    assert any(told.archives for told in answers)


def test_nothing_is_found_of_another_secret(cluster: Cluster, planted: Planted) -> None:
    there = _on_spark(cluster, planted.home, made_up("another"))
    assert there.hits == []
    assert there.faults == []


def test_archives_that_hold_nothing_are_accounted_alike(cluster: Cluster, planted: Planted) -> None:
    other = made_up("yet another")
    here, there = searched(planted.home, other), _on_spark(cluster, planted.home, other)
    assert here.totals.files > 0
    assert there.totals.files == here.totals.files
    assert there.totals.bytes_inflated == here.totals.bytes_inflated


def _spellings(query: Query) -> list[bytes]:
    """The secret and every anchor: what is made from it is made of these."""
    return [*(one.reveal() for one in query.secrets), *query.anchors]


def test_nothing_that_is_sent_holds_a_spelling(
    cluster: Cluster, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyspark.cloudpickle import dumps

    sent: list[bytes] = []
    ask = spark_search._ask

    def heard(context: Any, shared: Any, unit: Unit) -> Told:
        sent.extend((dumps(unit), dumps(partial(spark_worker.run, shared)), dumps(shared.value)))
        told = ask(context, shared, unit)
        sent.append(dumps(told))
        return told

    monkeypatch.setattr(spark_search, "_ask", heard)
    assert _on_spark(cluster, planted.home, planted.secret).hits
    assert len(sent) >= 12
    for spelling in _spellings(_query(planted.secret)):
        for data in sent:
            assert spelling not in data


def test_nothing_that_spark_writes_holds_a_spelling(
    cluster: Cluster, planted: Planted, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder, its log of events and its temporary files, during the search and after it."""
    monkeypatch.setenv("LEAKED", f"x{planted.secret.decode()}x")
    assert cluster._own is not None
    read: dict[Path, bytes] = {}

    def look() -> None:
        for path in cluster._own.parent.rglob("*"):  # type: ignore[union-attr]
            if path.is_file():
                try:
                    read[path] = read.get(path, b"") + path.read_bytes()
                except FileNotFoundError:
                    continue

    ask = spark_search._ask

    def heard(*words: Any) -> Told:
        look()
        told = ask(*words)
        look()
        return told

    monkeypatch.setattr(spark_search, "_ask", heard)
    assert _on_spark(cluster, planted.home, planted.secret).hits
    look()
    assert "LEAKED" not in os.environ  # what Spark starts would inherit it
    assert any("events" in path.parts and b"SparkListenerTaskEnd" in data for path, data in read.items())
    assert any("broadcast" in str(path) or path.name.startswith("tmp") for path in read)
    for spelling in _spellings(_query(planted.secret)):
        for path, data in read.items():
            assert spelling not in data, path


def test_a_corrupt_entry_is_told_alike(cluster: Cluster, tmp_path: Path) -> None:
    base, secret = b"some content " * 40, made_up("corrupt")
    made = delta(len(base), 10, copied(0, 10))
    entries = [
        Entry("blob", base, blob_id(base), size=len(base) + 1),
        Entry("ofs", made, b"\1" * 20, base=0),
        Entry("blob", b"K=" + secret, blob_id(b"K=" + secret)),
    ]
    repository_of(tmp_path / "r", entries)
    here, there = searched(tmp_path / "r", secret), _on_spark(cluster, tmp_path / "r", secret)
    assert any("and 1 made from it" in fault.reason for fault in there.faults)
    assert len(there.hits) == 1
    assert _told(there) == _told(here)


@pytest.mark.parametrize("share", [0.3, 0.99])
def test_a_truncated_pack_is_told_alike(cluster: Cluster, planted: Planted, tmp_path: Path, share: float) -> None:
    one, pack = _copy(planted, tmp_path / "cut.git")
    data = pack.read_bytes()
    pack.write_bytes(data[: int(share * len(data))])
    here, there = searched(one.home, one.secret), _on_spark(cluster, one.home, one.secret)
    assert any("cut off" in fault.reason for fault in there.faults)
    assert _told(there) == _told(here)


def test_a_pack_that_a_worker_does_not_have_is_a_fault(
    cluster: Cluster, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = spark_search._SparkRun._unit
    monkeypatch.setattr(
        spark_search._SparkRun, "_unit", lambda *words: replace(unit(*words), pack="/nowhere/else/p.pack")
    )
    there = _on_spark(cluster, planted.home, planted.secret)
    reasons = {fault.reason.partition(": ")[2] for fault in there.faults}
    assert reasons == {"the machine that was to search it cannot read it: No such file or directory"}
    # What is done here is done all the same.
    assert any(hit.kind == "commit" for hit in there.hits)


def _deadly(mark: str, ends: int, shared: Any, unit: Unit) -> Told:
    """Kill the task's process in one unit; ``ends`` times, or each time when negative."""
    deaths = Path(mark)
    with deaths.open("a+") as file:
        file.seek(0)
        lines = file.read().split()
        if lines.count(str(len(unit.roots))) != ends and (not lines or lines[0] == str(len(unit.roots))):
            file.write(f"{len(unit.roots)}\n")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    return spark_worker.run(shared, unit)


def _one_at_a_time(monkeypatch: pytest.MonkeyPatch, deaths: Path, ends: int) -> None:
    from pyspark.cloudpickle import register_pickle_by_value

    register_pickle_by_value(sys.modules[__name__])
    monkeypatch.setattr(spark_search, "_AT_ONCE", 1)
    monkeypatch.setattr(spark_search, "spark_worker", _Instead(partial(_deadly, str(deaths), ends)))


class _Instead:
    def __init__(self, run: Any) -> None:
        self.run = run


def test_a_killed_task_is_tried_again(
    cluster: Cluster, planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _one_at_a_time(monkeypatch, tmp_path / "deaths", 1)
    there = _on_spark(cluster, planted.home, planted.secret)
    assert len((tmp_path / "deaths").read_text().split()) == 1
    assert there.faults == []
    assert wrong(planted, there) == []


def test_a_unit_whose_tasks_are_always_killed_is_a_fault(
    cluster: Cluster, planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _one_at_a_time(monkeypatch, tmp_path / "deaths", -1)
    there = _on_spark(cluster, planted.home, planted.secret)
    deaths = (tmp_path / "deaths").read_text().split()
    assert len(deaths) >= 2
    assert {fault.reason.partition(": ")[2].partition(" (")[0] for fault in there.faults} == {
        "the task failed however often Spark tried it"
    }
    assert len(there.faults) * 2 == len(deaths)
    assert any(hit.kind == "blob" for hit in there.hits)


def test_an_answer_about_something_else_is_a_fault(
    cluster: Cluster, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark_search, "_ask", lambda *words: Told(families=[1 << 40]))
    there = _on_spark(cluster, planted.home, planted.secret)
    assert any("the answer names what was not asked for" in fault.reason for fault in there.faults)


def test_what_can_be_guessed_is_refused(cluster: Cluster, planted: Planted) -> None:
    with pytest.raises(BadInputError) as caught:
        _on_spark(cluster, planted.home, b"correct-horse-battery")
    assert caught.value.code == "secret-guessable"


def test_the_command_searches_through_spark(
    cluster: Cluster, planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = typer.Typer()
    group = typer.Typer()
    exposure.add_to(group)
    app.add_typer(group, name="exposure")
    monkeypatch.setenv("HOLDFAST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOLDFAST_KEYS", str(tmp_path / "keys"))
    monkeypatch.setattr(wiring_exposure, "quieten", lambda: None)
    session = cluster.session()
    monkeypatch.setattr(Cluster, "session", lambda _self: session)
    words = ["exposure", "search", "--secret-stdin", "--json", str(planted.home)]
    ended = CliRunner().invoke(app, [*words, "--spark", "local[2]"], input=planted.secret)
    assert ended.exit_code == 0, ended.output
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    objects = {line["object"] for line in lines if line["kind"] == "hit"}
    assert {one.oid for one in planted.plants.values() if one.kind == "blob"} <= objects
    assert any("short pieces of a secret" in words for words in lines[-1]["not_searched"])
    refused = CliRunner().invoke(app, [*words, "--spark", "local[2]", "--plain"], input=planted.secret)
    assert refused.exit_code == 2
    assert "spark-with-plain" in refused.output
    monkeypatch.setitem(sys.modules, "pyspark", None)
    missing = CliRunner().invoke(app, [*words, "--spark", "local[2]"], input=planted.secret)
    assert missing.exit_code == 8
    assert "holdfast[spark]" in missing.output


# -- a worker by itself


def _unit(planted: Planted, **changes: Any) -> tuple[Unit, Filter]:
    pack = next((planted.home / "objects/pack").glob("*.pack"))
    checksum = pack.read_bytes()[-20:].hex()
    unit = Unit(str(pack), str(pack.with_suffix(".idx")), checksum, 20, b"", Limits())
    return replace(unit, **changes), build(_query(planted.secret), b"k" * 32).filter


def test_another_pack_of_the_same_name_is_not_searched(planted: Planted) -> None:
    told = spark_worker.search(*_unit(planted, checksum="00" * 20), ())
    assert told.failed == "the machine that was to search it cannot use it: its index is that of another pack"


def test_a_worker_finds_packs_in_a_place_of_its_own(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit, made = _unit(planted)
    there = {name: f"/nowhere/{Path(getattr(unit, name)).name}" for name in ("pack", "index")}
    assert "No such file" in spark_worker.search(replace(unit, **there), made, ()).failed
    for name in ("pack", "index"):
        shutil.copy(getattr(unit, name), tmp_path)
    monkeypatch.setenv(spark_worker.PLACE, str(tmp_path))
    assert spark_worker.search(replace(unit, **there), made, ()).failed == ""


def test_without_the_extra_it_says_what_to_install(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(UnavailableError) as caught:
        _on_spark(Cluster("local[2]", tmp_path), planted.home, planted.secret)
    assert "holdfast[spark]" in caught.value.next_step
