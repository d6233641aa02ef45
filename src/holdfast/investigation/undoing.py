"""What was made or opened, and whether anything removed it later: pairs of acts, as data (I7).

Rules:
1. Only an act that succeeded makes or removes; a removal counts only after the making, in the same source and account.
2. Keys are compared by value; an ARN by its last part, because one act names a thing and another its ARN.
3. "Removed" needs a record that removes exactly this. A later act that changes the same thing again (``again``) leaves
   it "changed again": what holds now is not in the logs.
4. A credential that a suspect used is listed as if it had been made: whether anything disabled it later.
5. What captured state or a probe saw is put beside it with its date; a probe after the making decides.

Not handled here: what ends by itself (sessions), and things that go with what they hang on without a record of their
own, except where ``whole`` says so.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from holdfast.investigation.activity import Column
from holdfast.investigation.assembly import instant_text
from holdfast.investigation.trust import short
from holdfast.kernel.documents import Table

Row = Mapping[str, Any]
Tables = Mapping[str, list[Row]]

ROLES = ("make", "remove", "again")

OPERATIONS: tuple[Column, ...] = (
    Column("pair", "text", "id of the pair"),
    Column("role", "text", "make, remove or again"),
    Column("source", "text", "log that tells of it"),
    Column("operation", "text", "as the source spells it"),
)
MADE: tuple[Column, ...] = (
    Column("uid", "text", "what was made or opened"),
    Column("kind", "text", "kind of it, in words"),
    Column("rank", "integer", "0 for a key in use, 1 for what gives access by itself, 3 for what only helps"),
    Column("standing", "text", "open, changed again or removed, by the logs"),
    Column("operation", "text", "act that made it; null for a credential that was there before"),
    Column("actor_uid", "text", "who made it"),
    Column("src_ip", "text", "from where"),
    Column("source", "text", "log that tells of it"),
    Column("account_uid", "text", "account it is in"),
    Column("time_us", "integer", "when it was made, or last used for a credential"),
    Column("removed_us", "integer", "when it was removed or changed again"),
    Column("removed_by", "text", "who did that"),
    Column("removed_operation", "text", "with which act"),
    Column("state", "text", "what captured state shows of it"),
    Column("state_us", "integer", "when that was captured"),
    Column("check", "text", "probe that could ask the provider"),
    Column("row_id", "integer", "record that made it"),
    Column("removed_row_id", "integer", "record that removed it"),
    Column("state_row_id", "integer", "document of the captured state"),
    Column("what", "text", "the row in words"),
)
AFTER = ("undo_operations", "made_acts", "unmade_acts", "suspects", "suspect_credentials", "state_items")
"""Tables that the closure ``made`` reads."""

_KEY_PAIR = "aws.access_key"


@dataclass(frozen=True, slots=True)
class Act:
    """Operations that make or remove, and how their record names the thing."""

    operations: tuple[str, ...]
    key: tuple[str, ...]
    when: tuple[str, str] | None
    whole: bool
    """Whether it removes everything whose key starts like this."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A thing that can be made and removed."""

    id: str
    source: str
    kind: str
    rank: int
    check: str | None
    acts: Mapping[str, tuple[Act, ...]]


@cache
def pairs() -> Mapping[str, Pair]:
    """The shipped pairs by id.

    Raises:
        BadInputError: the shipped document is not valid.
    """
    file = files("holdfast.investigation").joinpath("library/undo_pairs.toml")
    table = Table(tomllib.loads(file.read_text(encoding="utf-8")), "")
    table.text("format", "undo-pairs")
    table.positive("version")
    found = {}
    for one in table.tables("pairs"):
        pair = Pair(
            one.text("id"),
            one.text("source"),
            one.text("kind"),
            one.positive("rank"),
            one.text_or("check", "") or None,
            {role: tuple(_act(act) for act in one.tables(role)) for role in ROLES},
        )
        one.finish()
        found[pair.id] = pair
    table.finish()
    return found


def _act(table: Table) -> Act:
    when = table.texts("when")
    act = Act(
        table.texts("operations"),
        table.texts("key"),
        (when[0], when[1]) if when else None,
        table.flag_or("whole", otherwise=False),
    )
    table.finish()
    return act


def operations(_: Tables) -> list[Row]:
    """Rows of ``undo_operations``: every operation of every pair, by role."""
    return [
        {"pair": pair.id, "role": role, "source": pair.source, "operation": operation}
        for pair in pairs().values()
        for role, acts in pair.acts.items()
        for act in acts
        for operation in act.operations
    ]


@dataclass(frozen=True, slots=True)
class _Done:
    """An act of the other side, ready to be looked up."""

    row: Row
    role: str
    whole: bool


def made(tables: Tables) -> list[dict[str, Any]]:
    """Rows of ``made``, by rank, standing and time.

    Args:
        tables: rows of the tables in :data:`AFTER`.
    """
    undone = _undone(tables["unmade_acts"])
    rows = [_made_row(pair, key, act, undone) for act in tables["made_acts"] for pair, key in _things(act, "make")]
    rows += [
        _used_row(one, undone) for one in tables["suspect_credentials"] if str(one["credential_uid"]).startswith("AKIA")
    ]
    seen: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        # The same thing made twice (a retry) is one line; the later making is the one a removal has to follow.
        kept = seen.get(key := (row["source"], row["account_uid"], row["kind"], row["uid"]))
        if kept is None or kept["operation"] is None or (row["operation"] and row["time_us"] > kept["time_us"]):
            seen[key] = row
    items = _items(tables["state_items"])
    for row in seen.values():
        _beside(row, items)
        row["what"] = _words(row)
    order = {"open": 0, "changed again": 1, "removed": 2}
    return sorted(
        seen.values(), key=lambda row: (order[row["standing"]], row["rank"], row["time_us"], row["row_id"], row["uid"])
    )


def _words(row: Row) -> str:
    by = short(str(row["actor_uid"] or "an unknown identity"))
    name = " / ".join(short(part) for part in str(row["uid"]).split(" "))
    if row["operation"] is None:
        text = f"{name}, used by {by} until {instant_text(row['time_us'])}"
    else:
        text = f"{row['kind']} {name}: {row['operation']} by {by} at {instant_text(row['time_us'])}"
    end = {"open": "nothing in the logs undoes it", "removed": "undone", "changed again": "changed again"}
    text += f"; {end[row['standing']]}"
    if row["standing"] != "open":
        text += f" at {instant_text(row['removed_us'])} by {short(str(row['removed_by'] or 'an unknown identity'))}"
    if row.get("state"):
        dated = f" of {instant_text(row['state_us'])}" if row.get("state_us") else ""
        text += f"; captured state{dated}: {row['state']}"
    return text


def _made_row(pair: Pair, key: tuple[str, ...], act: Row, undone: Mapping[Any, list[_Done]]) -> dict[str, Any]:
    end = _end(pair.id, key, act, undone)
    return {
        "uid": " ".join(key),
        "kind": pair.kind,
        "rank": pair.rank,
        "operation": act["operation"],
        "actor_uid": act["actor_uid"] or act["session_uid"] or act["credential_uid"],
        "src_ip": act["src_ip"],
        "source": act["source"],
        "account_uid": act["account_uid"],
        "time_us": act["time_us"],
        "check": pair.check,
        "row_id": act["row_id"],
        **end,
    }


def _used_row(used: Row, undone: Mapping[Any, list[_Done]]) -> dict[str, Any]:
    pair = pairs()[_KEY_PAIR]
    key = (str(used["credential_uid"]),)
    return {
        "uid": key[0],
        "kind": "access key in use",
        "rank": 0,
        "operation": None,
        "actor_uid": used["actor_uid"],
        "src_ip": None,
        "source": used["source"],
        "account_uid": used["account_uid"],
        "time_us": used["last_us"],
        "check": pair.check,
        "row_id": used["last_row"],
        **_end(_KEY_PAIR, key, {**used, "time_us": used["first_us"], "row_id": used["first_row"]}, undone),
    }


def _end(pair: str, key: tuple[str, ...], act: Row, undone: Mapping[Any, list[_Done]]) -> dict[str, Any]:
    """The last thing that happened to it afterwards: a removal, or another change."""
    after = (act["time_us"], act["row_id"])
    candidates = [
        done
        for length in range(1, len(key) + 1)
        for done in undone.get((pair, act["source"], act["account_uid"], _folded(key[:length])), ())
        if (done.whole or length == len(key)) and (done.row["time_us"], done.row["row_id"]) > after
    ]
    if not candidates:
        return {"standing": "open"}
    last = max(candidates, key=lambda done: (done.role == "remove", done.row["time_us"], done.row["row_id"]))
    return {
        "standing": "removed" if last.role == "remove" else "changed again",
        "removed_us": last.row["time_us"],
        "removed_by": last.row["actor_uid"] or last.row["session_uid"] or last.row["credential_uid"],
        "removed_operation": last.row["operation"],
        "removed_row_id": last.row["row_id"],
    }


def _undone(acts: Iterable[Row]) -> Mapping[Any, list[_Done]]:
    found: dict[Any, list[_Done]] = defaultdict(list)
    for row in acts:
        for role in ("remove", "again"):
            for pair, act in _acts_of(row, role):
                for key in _keys(act, row):
                    found[pair.id, row["source"], row["account_uid"], _folded(key)].append(_Done(row, role, act.whole))
    return found


def _things(row: Row, role: str) -> Iterator[tuple[Pair, tuple[str, ...]]]:
    for pair, act in _acts_of(row, role):
        for key in _keys(act, row):
            yield pair, key


@cache
def _index() -> Mapping[tuple[str, str, str], tuple[tuple[Pair, Act], ...]]:
    found: dict[tuple[str, str, str], list[tuple[Pair, Act]]] = defaultdict(list)
    for pair in pairs().values():
        for role, acts in pair.acts.items():
            for act in acts:
                for operation in act.operations:
                    found[pair.source, operation, role].append((pair, act))
    return {key: tuple(value) for key, value in found.items()}


def _acts_of(row: Row, role: str) -> tuple[tuple[Pair, Act], ...]:
    return _index().get((row["source"], row["operation"], role), ())


def _keys(act: Act, row: Row) -> list[tuple[str, ...]]:
    """Every thing the record is about; empty when it is about none, or the condition does not hold."""
    record = _Record(row)
    if act.when is not None and act.when[1] not in record.values(act.when[0]):
        return []
    keys: list[tuple[str, ...]] = [()]
    for path in act.key:
        keys = [(*key, value) for key in keys for value in record.values(path)]
    return keys


class _Record:
    """Looks values up in one row; its JSON columns are parsed once, when asked for."""

    def __init__(self, row: Row) -> None:
        self._row = row
        self._parsed: dict[str, Any] = {}

    def values(self, path: str) -> list[str]:
        for one in path.split("|"):
            column, _, rest = one.partition(".")
            start = self._json(column) if rest else self._row.get(column)
            found = [str(value) for value in _walk(start, rest) if isinstance(value, str | int) and str(value)]
            if found:
                return sorted(set(found))
        return []

    def _json(self, column: str) -> Any:  # noqa: ANN401 -- parsed JSON
        if column not in self._parsed:
            try:
                self._parsed[column] = orjson.loads(self._row.get(column) or "null")
            except orjson.JSONDecodeError:
                self._parsed[column] = None
        return self._parsed[column]


def _walk(value: Any, path: str) -> Iterator[Any]:  # noqa: ANN401 -- parsed JSON
    if not path:
        yield value
        return
    step, _, rest = path.partition(".")
    if step.endswith("[]"):
        inner = value.get(step[:-2]) if isinstance(value, Mapping) and step != "[]" else value
        for one in inner if isinstance(inner, list) else []:
            yield from _walk(one, rest)
    elif isinstance(value, Mapping):
        yield from _walk(value.get(step), rest)


def tail(text: str) -> str:
    """The last part of an ARN, and any other text as it is."""
    return text.rpartition(":")[2].rpartition("/")[2] if text.startswith("arn:") else text


def _folded(key: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(tail(part) for part in key)


def _items(rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["attribute"] in _TELLING:
            for name in {row["uid"], tail(str(row["uid"])), str(row["uid"]).removeprefix("user/")}:
                found[name].append(row)
    return found


_TELLING = frozenset({"status", "created", "open_to", "public", "is_logging", "read_only", "shared", "name"})
"""Attributes that tell that a thing is there, or how it stands."""
_FITS: Mapping[str, tuple[str, ...]] = {
    "access key": ("access_key",),
    "access key in use": ("access_key",),
    "user": ("user",),
    "role": ("role",),
    "snapshot share": ("snapshot",),
    "database snapshot share": ("snapshot",),
    "machine image share": ("image",),
    "way in through a security group": ("security_group",),
    "bucket policy": ("bucket", "resource"),
    "bucket access list": ("bucket",),
    "stopped trail": ("trail",),
    "deploy key": ("deploy_key",),
}


def _beside(row: dict[str, Any], items: Mapping[str, list[Row]]) -> None:
    """Rule 5: what captured state shows, if it was captured afterwards or nobody knows when."""
    head, _, rest = row["uid"].partition(" ")
    fitting = [
        item
        for item in items.get(tail(head), ())
        if item["type"] in _FITS.get(row["kind"], ())
        and (item["captured_us"] is None or item["captured_us"] >= row["time_us"])
        and (not rest or item["attribute"] not in ("open_to", "public") or rest in str(item["value"]))
    ]
    if fitting:
        best = max(fitting, key=lambda item: (item["attribute"] != "name", item["captured_us"] or 0, item["attribute"]))
        row["state"] = (
            "it is there" if best["attribute"] in ("name", "created") else f"{best['attribute']}: {best['value']}"
        )
        row["state_us"] = best["captured_us"]
        row["state_row_id"] = best["row_id"]
