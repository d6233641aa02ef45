"""When logging was off, by the logs' own events and by captured trail state. Pure.

Rules:
1. ``StopLogging`` and ``DeleteTrail`` switch a trail off until ``StartLogging`` of the same trail, else to the end.
2. Event selectors without management events, or without data events, switch that class off until the next selectors.
3. A trail made single-region is off in every other region.
4. A captured trail that is not logging is off from its stop time to the capture.
5. Whether an interval counts is judged by ``coverage``: another trail may have gone on.

Changes that only touch copies of a log (a stream, a sink) do not make it incomplete: the export is taken elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

Row = Mapping[str, Any]
_TRAILS = "aws.cloudtrail"


@dataclass(frozen=True, slots=True)
class Off:
    """An interval in which something was not recorded, if nothing else recorded it."""

    source: str
    account: str | None
    from_us: int
    to_us: int | None
    """Until when; none when nothing tells that it was switched on again."""
    why: str
    row_id: int
    classes: tuple[str, ...] | None = None
    """Classes that were off; none for all."""
    not_region: str | None = None
    """The one region that stayed on."""
    region: str | None = None
    """Where the change was made; a trail of one region is changed there."""
    only_region: str | None = None
    """The one region it counts in: captured state says that the trail covers no other."""
    next_us: int | None = None
    """The first event told there more than a minute later."""

    def concerns(self, region: str | None) -> bool:
        """Whether it can count in a region."""
        if self.not_region is not None and region in {self.not_region, None}:
            return False
        return self.only_region is None or region in {self.only_region, None}

    @property
    def went_on(self) -> bool:
        """Whether something was told where the change was made, while it was in effect."""
        return self.next_us is not None and (self.to_us is None or self.next_us < self.to_us)


def intervals(changes: Iterable[Row], state_items: Iterable[Row]) -> list[Off]:
    """Every interval told by rows of ``logging_changes`` and of ``state_items`` (type ``trail``)."""
    by_thing: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in sorted(changes, key=lambda row: (row["time_us"] or 0, row["row_id"])):
        if row["effect"] != "notes" and row["time_us"] is not None:
            by_thing[(row["source"], row["account_uid"], _thing(row))].append(row)
    state = list(state_items)
    alone = _trails_of_one_region(state)
    found: list[Off] = []
    for (_, account, thing), rows in by_thing.items():
        only = alone.get((account, thing))
        found += [replace(one, only_region=only) for one in (*_stops(rows), *_selectors(rows))]
        found += _single_region(rows)
    found += _state(state)
    return found


def trail_selects(state_items: Iterable[Row]) -> dict[str, tuple[bool, int]]:
    """Whether captured trails of an account select data events, and the row that says so: by account."""
    found: dict[str, tuple[bool, int]] = {}
    for row in state_items:
        if row["type"] == "trail" and "selector" in row["attribute"] and row["account_uid"]:
            text = row["value"] or ""
            if row["attribute"] == "has_selectors" and text.lower() != "false":
                continue  # there are some, which ones was not captured
            selects = _selects(text)
            known = found.get(row["account_uid"])
            if known is None or (selects and not known[0]):
                found[row["account_uid"]] = (selects, row["row_id"])
    return found


def _selects(text: str) -> bool:
    """Whether selectors, as JSON text, select data events."""
    return "AWS::" in text or '"Data"' in text


def regions_without_data(state_items: Iterable[Row]) -> dict[str, dict[str, int]]:
    """Regions whose captured trails select no data events, by account, each with a row that says so.

    Only regions with a trail of their own whose selectors were captured: of the others nothing is known here.
    """
    trails: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in state_items:
        if row["type"] == "trail" and row["account_uid"]:
            trails[row["uid"]][row["attribute"]] = row
    own: dict[str, dict[str, int]] = defaultdict(dict)
    selected: set[tuple[str, str]] = set()
    for uid, told in trails.items():
        chosen = [told[name] for name in ("selectors", "advanced_selectors") if name in told]
        home = told["home_region"]["value"] if "home_region" in told else _region(uid)
        everywhere = "multi_region" in told and told["multi_region"]["value"] == "true"
        for row in chosen:
            if _selects(row["value"] or ""):
                selected.add((row["account_uid"], "" if everywhere else home))
            elif not everywhere:
                own[row["account_uid"]].setdefault(home, row["row_id"])
    return {
        account: {region: row for region, row in regions.items() if (account, region) not in selected}
        for account, regions in own.items()
        if (account, "") not in selected
    }


def _trails_of_one_region(state_items: Iterable[Row]) -> dict[tuple[str | None, str], str]:
    """Home of each trail that was captured as one of a single region, by account and name."""
    return {
        (row["account_uid"], row["uid"].rsplit("/", 1)[-1]): _region(row["uid"])
        for row in state_items
        if row["type"] == "trail"
        and row["attribute"] == "multi_region"
        and row["value"] == "false"
        and _region(row["uid"])
    }


def _region(arn: str) -> str:
    parts = arn.split(":")
    return parts[3] if len(parts) > 3 else ""  # noqa: PLR2004 - an ARN's fourth part


def _request(row: Row) -> Mapping[str, Any]:
    try:
        found = orjson.loads(row["request"] or "{}")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _thing(row: Row) -> str:
    """Which trail or device: the last part of its name, so that name and ARN meet."""
    if row["source"] != _TRAILS:
        return str(row["target_uid"])
    asked = _request(row)
    name = asked.get("name") or asked.get("trailName") or row["target_uid"] or ""
    return str(name).rsplit("/", 1)[-1]


def _by(row: Row) -> str:
    return f"{row['operation']} by {row['actor_uid'] or 'an unknown actor'}"


def _stops(rows: Sequence[Row]) -> Iterator[Off]:
    stopped: Row | None = None
    for row in rows:
        effect = _effect(row)
        if effect == "stops" and stopped is None:
            stopped = row
        elif effect == "starts" and stopped is not None:
            yield _off(stopped, row["time_us"], "logging was off")
            stopped = None
    if stopped is not None:
        yield _off(stopped, None, "logging was switched off, and nothing tells that it was switched on again")


def _effect(row: Row) -> str:
    if row["operation"] == "Set-AdminAuditLogConfig":
        text = (row["request"] or "").lower()
        return "starts" if "true" in text else "stops" if "false" in text else "notes"
    return str(row["effect"])


def _off(row: Row, to_us: int | None, words: str, classes: tuple[str, ...] | None = None) -> Off:
    why = f"{words} ({_by(row)})"
    return Off(
        source=row["source"],
        account=row["account_uid"],
        from_us=row["time_us"],
        to_us=to_us,
        why=why,
        row_id=row["row_id"],
        classes=classes,
        region=row["region"],
        next_us=row.get("next_us"),
    )


def _selectors(rows: Sequence[Row]) -> Iterator[Off]:
    changes = [row for row in rows if row["operation"] == "PutEventSelectors"]
    for number, row in enumerate(changes):
        to_us = changes[number + 1]["time_us"] if number + 1 < len(changes) else None
        management, data = _selected(_request(row))
        if not management:
            yield _off(row, to_us, "management events were deselected", ("management", "signin"))
        if not data:
            yield _off(row, to_us, "data events were not selected", ("data",))


def _selected(asked: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether selectors keep management events, and whether they select data events."""
    plain = [one for one in asked.get("eventSelectors") or [] if isinstance(one, Mapping)]
    advanced = [one for one in asked.get("advancedEventSelectors") or [] if isinstance(one, Mapping)]
    if not plain and not advanced:
        return True, True
    text = orjson.dumps(advanced).decode()
    management = any(one.get("includeManagementEvents", True) is not False for one in plain) or '"Management"' in text
    data = any(one.get("dataResources") for one in plain) or '"Data"' in text
    return management, data


def _single_region(rows: Sequence[Row]) -> Iterator[Off]:
    changes = [row for row in rows if row["operation"] == "UpdateTrail"]
    for number, row in enumerate(changes):
        if _request(row).get("isMultiRegionTrail") is False:
            to_us = changes[number + 1]["time_us"] if number + 1 < len(changes) else None
            why = f"the trail was limited to {row['region']} ({_by(row)})"
            yield Off(row["source"], row["account_uid"], row["time_us"], to_us, why, row["row_id"], None, row["region"])


def _state(rows: Iterable[Row]) -> Iterator[Off]:
    trails: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        if row["type"] == "trail":
            trails[row["uid"]][row["attribute"].lower()] = row
    for uid, told in trails.items():
        logging = told.get("is_logging")
        stop = next((told[name] for name in told if "stop" in name), None)
        since = _instant(stop["value"]) if stop is not None else None
        if logging is not None and (logging["value"] or "").lower() == "false" and since is not None:
            why = f"the captured trail {uid.rsplit('/', 1)[-1]} is not logging since then"
            account = logging["account_uid"]
            yield Off(_TRAILS, account, since, logging["captured_us"], why, logging["row_id"])


def _instant(text: str | None) -> int | None:
    """Microseconds of an ISO instant, or of seconds or microseconds since 1970 as text."""
    try:
        number = float(text or "")
    except ValueError:
        try:
            return int(datetime.fromisoformat(text or "").timestamp() * 1_000_000)
        except ValueError:
            return None
    return int(number) if number > 1e14 else int(number * 1_000_000)  # noqa: PLR2004 - seconds since 1970 never get there
