"""The seven questions over millions of events: DuckDB by stage and query, chdb, Spark, and Python row by row.

``python -m benchmarks.investigation_queries [ROWS] [ENGINE …]``: 2,000,000 rows and every engine unless told otherwise.
Each engine runs in a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.estate import HOUR, START, generate
from holdfast.app.investigating import given_tables
from holdfast.app.ports_investigation import Engine
from holdfast.investigation.queries import queries
from holdfast.investigation.stages import Closure, ordered

ROWS = 2_000_000
SAMPLE = 50_000
LIMIT = 501
PATIENCE_S = 1800
_RULES_S: list[float] = []
AIMS = {2_000_000: (5.0, "warm"), 20_000_000: (40.0, "once, under 4 GB")}


@dataclass
class Times:
    """Seconds of each stage and query, and how many of them the processors worked (more than one may at once)."""

    steps: dict[str, float] = field(default_factory=dict)
    work: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure one."""
        begun, worked = time.perf_counter(), time.process_time()
        yield
        self.steps[name], self.work[name] = time.perf_counter() - begun, time.process_time() - worked

    @property
    def total(self) -> float:
        """All of them."""
        return sum(self.steps.values())


def main(given: Sequence[str] = ()) -> None:
    """Generate, run every engine in its own process, print."""
    rows = int(given[0]) if given else ROWS
    engines = list(given[1:]) or ["duckdb", "chdb", "spark", "python"]
    days = 180 if rows > 5_000_000 else 60
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        folder = Path(name)
        parts = generate(folder, rows, days)
        size = sum(part.stat().st_size for part in parts) / 1e6
        print(f"{rows:,} events of {days} days, {size:,.0f} MB as Parquet in {len(parts)} files")
        seconds: dict[str, float] = {}
        for engine in engines:
            seconds[engine] = _told(engine, folder, rows, days)
        for other, took in seconds.items():
            if other == "python" and _RULES_S:
                print(f"python takes {took / _RULES_S[0]:.0f} times as long as DuckDB for the same {len(RULES)} rules")
            elif other not in ("duckdb", "python") and "duckdb" in seconds:
                print(f"{other} takes {took / seconds['duckdb']:.1f} times as long as DuckDB")


def _told(engine: str, folder: Path, rows: int, days: int) -> float:
    command = [sys.executable, "-m", "benchmarks.investigation_queries", "--child", engine, str(folder), str(days)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        print(f"{engine}: not finished after {PATIENCE_S:,} s")
        return float("nan")
    if done.returncode:
        print(f"{engine}: did not run: {done.stderr.strip().splitlines()[-1:]}")
        return float("nan")
    told = json.loads(done.stdout.splitlines()[-1])
    if engine == "python":
        print(
            f"python, row by row ({SAMPLE:,} rows measured, {told['rules']} rules): {told['seconds']:.1f} s;"
            f" for {rows:,} rows, by proportion: {told['seconds'] * rows / SAMPLE:,.0f} s"
        )
        return float(told["seconds"]) * rows / SAMPLE
    _print(engine, told, rows)
    if engine == "duckdb":
        print(f"  the {len(RULES)} rules that Python asks below: {told['rules_s']:.2f} s")
        _RULES_S.append(told["rules_s"])
    return float(min(told["totals"]))


def _print(engine: str, told: dict[str, Any], rows: int) -> None:
    rounds = ", ".join(f"{total:.2f} s" for total in told["totals"])
    aim = f" (aim {AIMS[rows][0]:g} s {AIMS[rows][1]})" if engine == "duckdb" and rows in AIMS else ""
    print(
        f"{engine}: started in {told['start']:.1f} s; all stages and queries {rounds}{aim};"
        f" peak memory {told['memory_mb']:,.0f} MB, spilled {told['spilled_mb']:,.0f} MB"
    )
    if engine == "duckdb":
        work = told["work"]
        print(f"  processors worked {sum(work.values()):.2f} s in the last round; the most expensive:")
        for name in sorted(work, key=lambda step: -work[step])[: None if "-v" in sys.argv else 15]:
            print(f"  {told['steps'][name]:7.3f} s, worked {work[name]:7.3f} s  {name}")


def child(engine: str, folder: Path, days: int) -> None:
    """One engine's process: what it measured, as one line of JSON."""
    parts = sorted(folder.glob("*.parquet"))
    if engine == "python":
        print(json.dumps(_row_by_row(parts[0])))
        return
    with tempfile.TemporaryDirectory(dir=folder) as own:
        begun = time.perf_counter()
        opened = _open(engine, Path(own))
        start = time.perf_counter() - begun
        watch = _Watch(Path(own) / "spill")
        rounds = [_chain(opened, parts, days) for _ in range(2 if engine == "duckdb" else 1)]
        watch.stop()
        begun = time.perf_counter()
        if engine == "duckdb":
            for rule in RULES:
                opened.rows(f"SELECT row_id FROM activity WHERE {rule}")
        told = {
            "rules_s": time.perf_counter() - begun,
            "start": start,
            "totals": [one.total for one in rounds],
            "steps": rounds[-1].steps,
            "work": rounds[-1].work,
            "memory_mb": _memory_mb(),
            "spilled_mb": watch.most / 1e6,
        }
        opened.close()
    print(json.dumps(told))


def _memory_mb() -> float:
    """Peak resident memory of this process and of a Java it started."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    most = 0.0
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError, StopIteration):
            lines = status.read_text().splitlines()
            parent = next(line for line in lines if line.startswith("PPid:")).split()[1]
            peak = next(line for line in lines if line.startswith("VmHWM:")).split()[1]
            most += int(peak) / 1024 if parent == str(os.getpid()) else 0
    return own + most


class _Watch:
    """Looks now and then how much a folder holds."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.most, self._done = folder, 0, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._done.wait(0.05):
            with suppress(OSError):
                self.most = max(self.most, sum(one.stat().st_size for one in self._folder.glob("*")))

    def stop(self) -> None:
        self._done.set()
        self._thread.join()


def _open(engine: str, own: Path) -> Engine:
    if engine == "duckdb":
        from holdfast.engines.duck import DuckEngine  # noqa: PLC0415 - each process loads its own engine only

        return DuckEngine(own)
    if engine == "chdb":
        from holdfast.engines.clickhouse import ClickHouseEngine  # noqa: PLC0415 - likewise

        return ClickHouseEngine(own)
    from holdfast.engines.spark import SparkEngine  # noqa: PLC0415 - likewise

    more = {"spark.driver.memory": "6g", "spark.sql.shuffle.partitions": "8"}
    return SparkEngine(own, master="local[2]", options=more)


def _chain(engine: Engine, parts: list[Path], days: int) -> Times:
    """Every stage and every query, as an investigation runs them."""
    times = Times()
    engine.activity(parts)
    end = START + days * 24 * HOUR
    scope = {"from_us": end - 14 * 24 * HOUR, "to_us": end, "baseline_from_us": START, "as_of_us": end, "given": True}
    rows: dict[str, list[dict[str, Any]]] = {
        "scope": [{**scope, "baseline_to_us": scope["from_us"]}],
        "inputs": [
            {"input_no": n + 1, "path": part.name, "kind": "log", "reader": "aws.cloudtrail", "records": 1, "rows": 1}
            for n, part in enumerate(parts)
        ],
    }
    for name, columns in given_tables().items():
        if name != "activity":
            engine.define(name, columns, rows.get(name, []))
    for stage in ordered(given_tables()):
        with times.step(f"stage {stage.id}"):
            if isinstance(stage, Closure):
                given = {name: engine.rows(f"SELECT * FROM {name} ORDER BY ALL") for name in stage.after}
                engine.define(stage.id, stage.columns, stage.rows(given))
            else:
                engine.materialise(stage.id, stage.sql)
    for query in queries():
        with times.step(f"query {query.id}"):
            found = engine.rows(query.sql, LIMIT)
            if len(found) == LIMIT:
                engine.rows(f"SELECT count(*) AS n FROM ({query.sql}) AS counted")
    return times


RULES = (
    "operation = 'StopLogging'",
    "operation = 'CreateAccessKey' AND request LIKE '%userName%'",
    "operation = 'ConsoleLogin' AND status = 'failure'",
    "operation IN ('PutUserPolicy', 'AttachUserPolicy', 'UpdateAssumeRolePolicy')",
    "operation = 'ModifySnapshotAttribute'",
    "operation LIKE 'Delete%' AND actor_type = 'human'",
    "service = 'secretsmanager' AND operation = 'GetSecretValue'",
    "user_agent LIKE '%kali%' OR user_agent LIKE '%parrot%'",
    "error = 'AccessDenied' AND operation LIKE 'List%'",
    "operation = 'AssumeRole' AND src_ip NOT LIKE '10.%'",
)
"""In the manner of tools that flatten each record into SQLite and ask it rule by rule."""


def _row_by_row(part: Path) -> dict[str, Any]:
    table = pq.read_table(part).slice(0, SAMPLE)
    lines = [json.dumps(row) for row in table.to_pylist()]
    begun = time.perf_counter()
    base = sqlite3.connect(":memory:")
    names: list[str] = []
    for line in lines:
        flat = _flat(json.loads(line))
        if not names:
            names = list(flat)
            base.execute(f"CREATE TABLE logs ({', '.join(f'{name} TEXT' for name in names)})")
        base.execute(f"INSERT INTO logs VALUES ({', '.join('?' * len(names))})", [flat.get(name) for name in names])
    for rule in RULES:
        base.execute(f"SELECT * FROM logs WHERE {rule}").fetchall()
    return {"seconds": time.perf_counter() - begun, "rules": len(RULES)}


def _flat(value: dict[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, cell in value.items():
        if isinstance(cell, dict):
            found |= _flat(cell, f"{before}{name}_")
        else:
            found[before + name] = cell
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main([one for one in sys.argv[1:] if one != "-v"])
