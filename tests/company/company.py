"""The company as a whole: days made one by one, each from the seed alone, and written as the sources deliver them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from math import sqrt
from multiprocessing import get_context
from pathlib import Path

import orjson
from isal import igzip

from tests.company import aws_noise, flaws, github, k8s, okta
from tests.company.answers import Answers, Inputs
from tests.company.attack import Attack
from tests.company.cast import A1, A2, A3, CELLS, CLUSTER, END, Cast, days
from tests.company.feed import Line, Place, in_order, seconds
from tests.company.knowing import could, holes, path, reach
from tests.company.others import Decoys, Responders
from tests.company.plan import Run, runs
from tests.company.state import documents
from tests.company.tale import GITHUB, K8S, OKTA, Feed, Tale

AWS_LEAST, OTHER_LEAST = 620, 190
"""Events a day of AWS, and of the other sources, that are there at any size."""
BIG = 1_000_000
"""From so many events on, CloudTrail comes by the hour throughout; below it by six hours on ordinary days."""


@dataclass
class Counts:
    """What one day, or all of them, put into files."""

    rows: Counter[str] = field(default_factory=Counter)
    """By source."""
    duplicates: int = 0
    quarantined: int = 0
    places: dict[Place, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def add(self, other: Counts) -> None:
        """Take another's into this."""
        self.rows.update(other.rows)
        self.duplicates += other.duplicates
        self.quarantined += other.quarantined
        self.places.update(other.places)
        self.refused.update(other.refused)


@dataclass(frozen=True)
class Company:
    """A company of some seed and size.

    ``events`` is about how many events its logs hold in all; there are some 800 a day at least.
    """

    seed: int = 1
    events: int = 150_000
    months: float = 6

    @cached_property
    def cast(self) -> Cast:
        """Everyone."""
        return Cast(self.seed, max(24, min(400, 24 + self.events // 10_000)))

    @cached_property
    def days(self) -> list[datetime]:
        """The days of the logs."""
        return days(self.months)

    @cached_property
    def rate(self) -> float:
        """Runs of workflows a day."""
        return sqrt(self.events / len(self.days)) / 8

    def _left(self, share: float, least: int) -> float:
        """How many events of a day are left to fill up with."""
        return max(share * (self.events / len(self.days) - least), 0)

    @cached_property
    def story(self) -> tuple[Tale, Attack, Responders, list[Run]]:
        """Everything that does not come from ordinary days."""
        tale = Tale(self.cast)
        attack = Attack(self.cast, tale)
        responders = Responders(self.cast, tale, attack)
        attack.tell()
        responders.tell()
        return tale, attack, responders, Decoys(self.cast, tale).tell()

    def write(self, folder: Path, processes: int = 1) -> Answers:
        """Write every file below an empty folder; what is known of them."""
        if folder.exists() and any(folder.iterdir()):
            raise FileExistsError(f"files of an earlier company would be mixed with this one's: {folder}")
        total = Counts()
        for counts in self._days(folder, processes):
            total.add(counts)
        self._runs(folder, total)
        for name, data in self._documents():
            _put(folder / name, data)
        total.quarantined += sum(bool(data) for data in flaws.STRAY.values())
        return self._answers(total)

    def _days(self, folder: Path, processes: int) -> Iterator[Counts]:
        if processes == 1:
            yield from (self.write_day(folder, day) for day in self.days)
            return
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            waiting = [pool.submit(self.write_day, folder, day) for day in self.days]
            yield from (one.result() for one in waiting)

    def write_day(self, folder: Path, day: datetime) -> Counts:
        """Write one day of every source."""
        counts, cast = Counts(), self.cast
        least = AWS_LEAST + OTHER_LEAST
        cloud = self._left(0.80, least)
        for cell in CELLS:
            lines = self._with(("aws", *cell), day, aws_noise.ordinary(cast, day, cell, cloud, self.rate))
            kept = [line for line in lines if not flaws.lost(*cell, line[0])]
            _write_trail(folder, counts, cell, day, kept, by_hour=self.events >= BIG or flaws.special(day))
        audit = self._with(GITHUB, day, github.ordinary(cast, day, self._left(0.05, least), self.rate))
        if day == flaws.BAD_LINE_DAY:
            audit = flaws.damaged(audit)
            counts.quarantined += 1
            counts.rows["github.audit"] -= 1
            counts.refused[f"github/audit-{day:%Y-%m-%d}.ndjson.gz"] = "one line"
        _write_lines(folder, f"github/audit-{day:%Y-%m-%d}.ndjson.gz", counts, "github.audit", audit)
        pods = self._with(K8S, day, k8s.ordinary(cast, day, self._left(0.12, least)))
        _write_lines(folder, f"k8s/{CLUSTER}/audit-{day:%Y-%m-%d}.ndjson.gz", counts, "k8s.audit", pods)
        signed = self._with(OKTA, day, okta.ordinary(cast, day, self._left(0.03, least)))
        _write_array(folder, f"okta/system-{day:%Y-%m-%d}.json", counts, signed)
        return counts

    def _with(self, feed: Feed, day: datetime, lines: Iterable[Line]) -> list[Line]:
        begun = seconds(day)
        told = [line for line in self.story[0].lines.get(feed, []) if begun <= line[0] < begun + 86400]
        return in_order(lines, told)

    def _runs(self, folder: Path, counts: Counts) -> None:
        """Runs as the API of Actions lists them: the attacker's was deleted, so it is not among them."""
        by_month: dict[str, list[Run]] = {}
        for day in self.days:
            by_month.setdefault(f"{day:%Y-%m}", []).extend(runs(self.cast, day, self.rate))
        for run in self.story[3]:
            by_month.setdefault(f"{run.at:%Y-%m}", []).append(run)
        for month, found in by_month.items():
            listed = [github.as_run(self.cast, run) for run in sorted(found, key=lambda run: (run.at, run.id))]
            data = orjson.dumps({"total_count": len(listed), "workflow_runs": listed})
            _put(folder / f"github/actions-runs-{month}.json", data)
            counts.rows["github.actions"] += len(listed)

    def _documents(self) -> Iterator[tuple[str, bytes]]:
        yield from documents(self.cast, self.story[1])
        yield from flaws.STRAY.items()

    def _answers(self, total: Counts) -> Answers:
        tale, attack, responders, _ = self.story
        rows = sum(total.rows.values())
        counted = Inputs(
            records=rows + total.duplicates + total.quarantined,
            rows=rows,
            duplicates=total.duplicates,
            quarantined=total.quarantined,
            by_source=dict(total.rows),
        )
        return Answers(
            acts=tale.acts,
            places=total.places,
            reach=reach(),
            path=path(attack),
            could=could(),
            holes=holes(self.days[0], END),
            inputs=counted,
            responders=tuple(responders.rows()),
            subject=attack.key,
            addresses=(A1, A2, A3),
            refused=total.refused,
        )


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _packed(data: bytes) -> bytes:
    return igzip.compress(data, 1, mtime=0)


def _note(counts: Counts, path: str, lines: Sequence[Line]) -> None:
    for place, (_, _, uid) in enumerate(lines):
        if uid is not None:
            counts.places[Place(path, place)] = uid


def _write_lines(folder: Path, path: str, counts: Counts, source: str, lines: Sequence[Line]) -> None:
    _put(folder / path, _packed(b"".join(text + b"\n" for _, text, _ in lines)))
    _note(counts, path, lines)
    counts.rows[source] += len(lines)


def _write_array(folder: Path, path: str, counts: Counts, lines: Sequence[Line]) -> None:
    _put(folder / path, b"[" + b",".join(text for _, text, _ in lines) + b"]")
    _note(counts, path, lines)
    counts.rows["okta.system"] += len(lines)


def _write_trail(
    folder: Path, counts: Counts, cell: tuple[str, str], day: datetime, lines: Sequence[Line], *, by_hour: bool
) -> None:
    """Files of one day of a trail, named as AWS names them."""
    span, start = 1 if by_hour else 6, 0
    for hour in range(0, 24, span):
        begun = day + timedelta(hours=hour)
        end, last = start, seconds(begun) + span * 3600
        while end < len(lines) and lines[end][0] < last:
            end += 1
        if end > start:
            _trail_file(folder, counts, cell, begun, span, lines[start:end])
        start = end


def _trail_file(
    folder: Path, counts: Counts, cell: tuple[str, str], begun: datetime, span: int, lines: Sequence[Line]
) -> None:
    account, region = cell
    at = flaws.delivery(account, region, begun, span)
    tag = Cast(0).token(16, account, region, begun).title()
    name = f"{account}_CloudTrail_{region}_{at:%Y%m%dT%H%M}Z_{tag}.json.gz"
    path = f"AWSLogs/{account}/CloudTrail/{region}/{at:%Y/%m/%d}/{name}"
    packed = _packed(b'{"Records":[' + b",".join(text for _, text, _ in lines) + b"]}")
    whole = len(lines)
    if flaws.cut_file(account, region, begun):
        broken = flaws.cut(packed)
        packed, whole = broken.data, broken.whole
        counts.quarantined += 1
        counts.refused[f"aws/{path}"] = "broken off"
    _put(folder / "aws" / path, packed)
    _note(counts, f"aws/{path}", lines)
    counts.rows["aws.cloudtrail"] += whole
    if flaws.copied(account, region, begun.replace(hour=0)):
        other = path.replace(tag, Cast(0).token(16, "second", begun).title())
        _put(folder / "aws-second" / other, packed)
        _note(counts, f"aws-second/{other}", lines)
        counts.duplicates += len(lines)
