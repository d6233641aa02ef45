"""Which empty hours are unusual: the silence of a log judged by its own hours of the day. Pure arithmetic.

Rules:
1. An empty hour is compared with the same hour of the other days of its kind (working days, weekends; all days where
   the weekend is as busy). Fewer than :data:`DAYS` such days: nothing can be said of it.
2. Hours that are empty on half of those days or more are quiet hours: their silence is usual.
3. A run of empty hours is a gap when chance would give its busy hours less than :data:`CHANCE` times in the whole
   range, by the mean and spread of the counts at that time of day; where they come in bursts, by the share of empty
   hours too, whichever says less.
   Hours that are empty together on a fifth or more of the other days of their kind are quiet days, not gaps: hours of
   one day are not independent (weekends with and without anybody on call).
4. A steady log (a heartbeat: its counts spread half as much as chance would make them, over :data:`STEADY` busy hours,
   of which few are empty) has a gap in every empty busy hour.
5. Before the first event and after the last, nothing tells quiet from missing but length: no longer than the longest
   usual silence is quiet.

Sources with heavy bursts and few days are the limit: their silence is ``TOO_LITTLE`` rather than a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TOLD, QUIET, MISSING, TOO_LITTLE = 0, 1, 2, 3
"""What an hour is: it has events; it is empty as usual; it is empty and should not be; it cannot be told."""

DAYS = 3
CHANCE = 0.02
STEADY = 48
_EMPTY_HALF = 0.5
_ALIKE = 0.8
_STEADY_SPREAD = 0.5
_BURSTS = 2
_STEADY_EMPTY = 0.05
_TOGETHER = 0.2
_EPOCH_WEEKDAY = 3
"""1970-01-01 was a Thursday; Monday is 0."""
_WEEKEND = 5

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Silence:
    """The judgement of every hour of a range."""

    verdict: NDArray[np.int8]
    usual: Floats
    """Events usual at each hour, 0 where nothing is known."""


def judge(counts: Counts, first_hour: int) -> Silence:
    """Judge each hour.

    Args:
        counts: events in each hour of a range without holes.
        first_hour: hours since 1970 UTC of the first one.
    """
    told = np.flatnonzero(counts)
    verdict = np.full(len(counts), TOO_LITTLE, np.int8)
    verdict[told] = TOLD
    usual = np.zeros(len(counts))
    if len(told) == 0:
        return Silence(verdict, usual)
    start, stop = int(told[0]), int(told[-1]) + 1
    inner = counts[start:stop]
    chance, usual_inner, days = _empty_chance(inner, first_hour + start)
    usual[start:stop] = usual_inner
    inside = verdict[start:stop]
    inside[(inner == 0) & (days >= DAYS)] = QUIET
    _find_gaps(inner, chance, days, inside)
    _quiet_days(inner, first_hour + start, inside)
    _judge_edges(verdict, start, stop)
    return Silence(verdict, usual)


def _empty_chance(counts: Counts, first_hour: int) -> tuple[Floats, Floats, Counts]:
    """For each hour: how likely it is empty, what is usual, and how many other days say so."""
    hours = first_hour + np.arange(len(counts))
    slot = hours % 24
    if not _weekend_alike(counts, hours):
        slot = slot + 24 * (((hours // 24 + _EPOCH_WEEKDAY) % 7) >= _WEEKEND)
    number = np.bincount(slot, minlength=48)
    empty = np.bincount(slot, weights=(counts == 0), minlength=48)
    total = np.bincount(slot, weights=counts, minlength=48)
    square = np.bincount(slot, weights=counts.astype(np.float64) ** 2, minlength=48)
    silent = counts == 0
    others = number[slot] - 1
    known = np.maximum(others, 1)
    share = (empty[slot] - silent + 0.5) / (known + 1)
    # An empty hour itself adds nothing to the sums, so they are those of the other days.
    mean = total[slot] / known
    spread = np.maximum(square[slot] / known - mean**2, 0)
    by_spread = _spread_chance(mean, spread)
    return np.where(spread > _BURSTS * mean, np.minimum(share, by_spread), by_spread), mean, others


def _spread_chance(mean: Floats, spread: Floats) -> Floats:
    """Chance of nothing for counts of that mean and variance: Poisson, or negative binomial where they spread more."""
    wide = np.maximum(spread - mean, 1e-9)
    size = mean**2 / wide
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        binomial = np.exp(size * np.log(np.where(size + mean > 0, size / (size + mean), 1.0)))
    chance: Floats = np.where(spread > mean * 1.05, binomial, np.exp(-mean))
    return np.where(mean > 0, np.clip(np.nan_to_num(chance, nan=1.0), 0.0, 1.0), 1.0)


def _weekend_alike(counts: Counts, hours: NDArray[Any]) -> bool:
    weekend = ((hours // 24 + _EPOCH_WEEKDAY) % 7) >= _WEEKEND
    if not weekend.any() or weekend.all():
        return True
    return bool((counts[weekend] > 0).mean() >= _ALIKE * (counts[~weekend] > 0).mean())


def _find_gaps(counts: Counts, chance: Floats, days: Counts, verdict: NDArray[np.int8]) -> None:
    busy = (chance < _EMPTY_HALF) & (days >= DAYS)
    steady = _steady(counts[busy])
    for start, stop in runs(counts == 0):
        likely = busy[start:stop]
        if not likely.any():
            continue
        expected = float(np.prod(chance[start:stop][likely])) * len(counts)
        if expected < CHANCE or steady:
            verdict[start:stop][likely] = MISSING


def _quiet_days(counts: Counts, first_hour: int, verdict: NDArray[np.int8]) -> None:
    """Take back gaps within a day whose hours are empty together on a fifth of the other days of its kind."""
    lead = first_hour % 24
    whole = (lead + len(counts) + 23) // 24
    empty, missing = np.zeros((whole, 24), np.bool_), np.zeros((whole, 24), np.bool_)
    empty.reshape(-1)[lead : lead + len(counts)] = counts == 0
    missing.reshape(-1)[lead : lead + len(counts)] = verdict == MISSING
    if _steady(counts[verdict == TOLD]):
        return
    weekend = ((first_hour // 24 + np.arange(whole) + _EPOCH_WEEKDAY) % 7) >= _WEEKEND
    for day in np.flatnonzero(missing.any(axis=1)).tolist():
        alike = (weekend == weekend[day]) & (np.arange(whole) != day)
        if alike.sum() >= DAYS and empty[alike][:, missing[day]].all(axis=1).mean() >= _TOGETHER:
            hours = day * 24 + np.flatnonzero(missing[day]) - lead
            verdict[hours] = QUIET


def _steady(busy: Counts) -> bool:
    """Whether the counts of busy hours hardly differ, and are hardly ever nothing."""
    told = busy[busy > 0]
    if len(told) < STEADY or len(told) < (1 - _STEADY_EMPTY) * len(busy):
        return False
    return bool(told.var() < _STEADY_SPREAD * told.mean())


def _judge_edges(verdict: NDArray[np.int8], start: int, stop: int) -> None:
    longest = max((end - begin for begin, end in runs(verdict[start:stop] == QUIET)), default=0)
    if 0 < start <= longest:
        verdict[:start] = QUIET
    if 0 < len(verdict) - stop <= longest:
        verdict[stop:] = QUIET


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Stretches where the mask holds, each from its first place to the one after its last."""
    padded = np.concatenate(([False], mask, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
