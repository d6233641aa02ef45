"""Secrets that nobody named, in whole histories: CPU seconds and recall, against gitleaks where it is there.

Repositories come from ``HOLDFAST_BENCH_REPOSITORIES`` (git folders, separated by colons); without it, this project's
own is taken. Each is borrowed from by a new repository with plants: one secret of another kind in each place.

gitleaks is found on the path or by ``HOLDFAST_BENCH_GITLEAKS``; it runs once, with its own rules and its defaults. A
plant counts as found by it when it reports the secret anywhere.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.planting import new_repository
from tests.rule_planting import KEY, RulePlants, plant_rules
from tests.unit.engines.exposure.listening import Heard

from benchmarks.bench_exposure import TOP, borrow, cpu, spent, stand_in
from holdfast.app.ports_exposure import Target
from holdfast.engines.exposure.git_layout import git_folder
from holdfast.engines.exposure.git_search import GitSearcher
from holdfast.engines.exposure.inflater import ready
from holdfast.exposure.formats import shipped
from holdfast.exposure.unknown import compile_ruled

_SHOWN = 30


@contextmanager
def planted_in(source: Path) -> Iterator[RulePlants]:
    """A repository that borrows all of another, with plants of its own."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
    try:
        planted = new_repository(folder / "planted.git", source.name)
        made = plant_rules(planted, shipped())
        borrow(planted, source)
        stand_in(planted)
        yield made
    finally:
        shutil.rmtree(folder)


def ours(made: RulePlants, shown: str) -> tuple[float, set[str]]:
    """CPU seconds of the search, and the plants that it finds."""
    heard = Heard()
    begun, walled = cpu(), time.perf_counter()
    query = compile_ruled([], made.rules, KEY)
    searcher = GitSearcher(processes=os.cpu_count() or 1)
    totals = searcher.search(Target(str(made.planted.home), shown), query, heard)
    seconds, wall = cpu() - begun, time.perf_counter() - walled
    told = {(hit.rule, hit.fingerprint, hit.object or hit.path) for hit in heard.hits}
    found = {name for name, one in made.plants.items() if (one.rule, one.fingerprint, one.oid or one.path) in told}
    values = len({(hit.rule, hit.fingerprint) for hit in heard.hits})
    print(f"{shown}: {totals.objects:,} objects, {totals.bytes_inflated / 1e6:,.0f} MB")
    rate = totals.bytes_inflated / 1e6 / seconds
    print(
        f"  holdfast: {seconds:.1f} s of CPU, {wall:.1f} s, {rate:,.0f} MB a second of CPU; {values:,} values in "
        f"{len(heard.hits):,} findings; {len(found)} of {len(made.plants)} plants"
    )
    _missed(made, found)
    return seconds, found


def peer(made: RulePlants, program: str) -> tuple[float, set[str]]:
    """CPU seconds of gitleaks, and the plants whose secrets it reports."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        report = Path(folder) / "report.json"
        words = [program, "detect", "--no-banner", "--source", str(made.planted.home), "-r", str(report), "-f", "json"]
        env = {**os.environ, "GIT_NO_LAZY_FETCH": "1"}
        seconds = spent(lambda: subprocess.run(words, env=env, capture_output=True, check=False))
        listed = json.loads(report.read_text(encoding="utf-8")) if report.exists() else []
    told = {f"{one.get('Secret', '')}\n{one.get('Match', '')}" for one in listed}
    found = {
        name
        for name, one in made.plants.items()
        if any(one.secret.decode() in text or _within(text, one.text.decode()) for text in told)
    }
    print(f"  gitleaks: {seconds:.1f} s of CPU; {len(listed):,} findings; {len(found)} of {len(made.plants)} plants")
    _missed(made, found)
    return seconds, found


def _within(told: str, text: str) -> bool:
    """Whether a reported secret is a piece of what was planted; a short one may be by chance."""
    secret = told.partition("\n")[0]
    return len(secret) >= 12 and secret in text


def _missed(made: RulePlants, found: set[str]) -> None:
    missed = sorted(set(made.plants) - found)
    if missed:
        print(f"    not found: {', '.join(missed[:_SHOWN])}")


def main() -> None:
    """Measure every repository."""
    ready()
    program = os.environ.get("HOLDFAST_BENCH_GITLEAKS") or shutil.which("gitleaks")
    given = os.environ.get("HOLDFAST_BENCH_REPOSITORIES", "")
    for path in [Path(one) for one in given.split(":") if one] or [TOP]:
        home = git_folder(path)
        if home is None:
            print(f"{path}: no git repository")
            continue
        with planted_in(home) as made:
            seconds, found = ours(made, str(path))
            if program is None:
                print("  gitleaks: not measured, it is not installed (HOLDFAST_BENCH_GITLEAKS names its program)")
                continue
            theirs, others = peer(made, program)
            print(
                f"  gitleaks takes {theirs / seconds:.1f} times the CPU (aim 10), and finds {len(others)} plants where "
                f"{len(found)} are found here"
            )


if __name__ == "__main__":
    main()
