"""A made-up estate's hours, for tests of coverage: accounts, regions, a busy day and a quiet night, seeded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

HOUR_US = 3_600_000_000
START = 19723 * 24
TABLES = ("hourly", "inputs", "scope", "state_items", "logging_changes", "log_checks", "digests")


def hourly_rows(
    places: Iterable[tuple[str, str | None]],
    days: int,
    day: float,
    night: float,
    *,
    source: str = "aws.cloudtrail",
    event_class: str = "management",
    gaps: Mapping[tuple[str, str | None], tuple[int, int]] | None = None,
    seed: int = 7,
) -> list[dict[str, Any]]:
    """Rows of ``hourly``: Poisson counts, ``day`` an hour from 06:00 to 20:00, ``night`` otherwise."""
    chance = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    number = 1 << 32
    for account, region in places:
        first, last = (gaps or {}).get((account, region), (0, 0))
        for hour in range(START, START + days * 24):
            number += 1
            count = int(chance.poisson(day if 6 <= hour % 24 < 20 else night))
            if count and not first <= hour < last:
                rows.append(
                    {
                        "source": source,
                        "account_uid": account,
                        "region": region,
                        "event_class": event_class,
                        "hour": hour,
                        "events": count,
                        "first_row": number,
                        "last_us": hour * HOUR_US + 3_599_000_000,
                        "delivered_us": None,
                        "delay_us": None,
                    }
                )
    return rows


def given(hourly: list[dict[str, Any]], days: int, **tables: list[Any]) -> dict[str, list[Any]]:
    """All tables that coverage reads, with a window over all days."""
    scope = {
        "from_us": START * HOUR_US,
        "to_us": (START + days * 24) * HOUR_US - 1,
        "baseline_from_us": START * HOUR_US,
        "baseline_to_us": START * HOUR_US,
        "as_of_us": (START + days * 24) * HOUR_US - 1,
        "given": True,
    }
    whole: dict[str, list[Any]] = {name: [] for name in TABLES}
    return {**whole, "hourly": hourly, "scope": [scope], **tables}


def graded(rows: Iterable[Mapping[str, Any]], grade: str) -> set[tuple[str | None, str | None, int]]:
    """Every hour with a grade: account, region, hour."""
    return {
        (row["account_uid"], row["region"], hour)
        for row in rows
        if row["grade"] == grade
        for hour in range(row["from_hour"], row["to_hour"])
    }
