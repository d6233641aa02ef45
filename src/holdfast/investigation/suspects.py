"""Whom to suspect: the subjects asked about, or else whoever the leads point at, closed over chains of sessions.

Rules:
1. Asked about a subject, it is found by exact name (in any case) among identities, people, credentials, sessions and
   addresses. What is none of these is an artifact: whoever did more than read it is suspect. Nothing is guessed.
2. Not asked, the credential of each lead counts, else its session, else its identity: the narrowest that is named.
3. What a suspect issued is suspect too, again and again: sessions, credentials, lasting credentials it made.
4. What a suspect came from is an ``origin``: it is shown, and what else it did is not held against it.
5. A role as such is suspect only when it was asked about by name: others assume it too.

Not handled here: which acts are suspicious (``signals``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.investigation.activity import Column
from holdfast.investigation.identity_names import is_role, label

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]

SUSPECTS: tuple[Column, ...] = (
    Column("value", "text", "identity, session, credential or address"),
    Column("kind", "text", "actor, session, credential or ip; origin for what a suspect came from"),
    Column("why", "text", "why it is one"),
    Column("subject", "text", "subject asked about that led to it; null when a lead did"),
    Column("row_id", "integer", "record that shows it"),
)
AFTER = ("subjects", "subject_hits", "suspect_leads", "sessions", "people")

ORIGIN = "origin"
_KINDS = ("actor", "credential", "session", "ip", ORIGIN)
_FAR = 1 << 62


@dataclass(frozen=True, slots=True)
class _Suspect:
    value: str
    kind: str
    why: str
    subject: str | None
    row: int | None
    named: bool = False
    """Whether it was asked about by name."""

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.value


def suspects(tables: Tables) -> list[dict[str, Any]]:
    """Rows of the suspects table, by kind and value, each value of a kind once.

    Args:
        tables: rows of the tables named in :data:`AFTER`.
    """
    asked = any(row["value"] for row in tables["subjects"])
    seeds = _asked(tables) if asked else _led(tables["suspect_leads"])
    found = _closed(seeds, tables["sessions"])
    for one in _origins(found, tables["sessions"]):
        found.setdefault(one.key, one)
    ordered = sorted(found.values(), key=lambda one: (_KINDS.index(one.kind), one.value))
    return [
        {"value": one.value, "kind": one.kind, "why": one.why, "subject": one.subject, "row_id": one.row}
        for one in ordered
    ]


def unmatched_subjects(subjects: Iterable[Row], hits: Iterable[Row], found: Iterable[Row]) -> list[str]:
    """Subjects asked about that do not occur in what was read, in their own spelling and order.

    Args:
        subjects: rows of the subjects table.
        hits: rows of the subject_hits table.
        found: rows of the suspects table.
    """
    known = {row["value"] for row in hits} | {row["subject"] for row in found}
    return [row["value"] for row in subjects if row["value"] and row["value"] not in known]


def _asked(tables: Tables) -> list[_Suspect]:
    asked = {row["value"].lower(): row["value"] for row in tables["subjects"] if row["value"]}
    hits = tables["subject_hits"]
    found = [one for hit in hits if hit["matched"] != "target" for one in _from_hit(hit)]
    found += _by_person(tables, asked)
    identities = {one.subject for one in found}
    return found + [
        one
        for hit in hits
        if hit["matched"] == "target" and hit["access"] != "read" and hit["value"] not in identities
        for one in _narrowest(hit, f"acted on {hit['value']}", hit["value"])
    ]


def _by_person(tables: Tables, asked: Mapping[str, str]) -> list[_Suspect]:
    found: list[_Suspect] = []
    for one in tables["people"]:
        subject = asked.get((one["person_uid"] or "").lower()) or asked.get((one["person_name"] or "").lower())
        if subject is not None:
            why = f"{one['person_name']}: {one['why']}" if one["why"] else f"it is {one['person_name']}"
            found.append(_Suspect(one["actor_uid"], "actor", why, subject, one["row_id"], named=True))
    for one in tables["sessions"]:
        named = (one["person_uid"], one["person_name"], one["root_uid"])
        subject = next((asked[text.lower()] for text in named if text and text.lower() in asked), None)
        if subject is not None:
            found.append(_Suspect(one["key"], one["kind"], f"{one['chain']}: {one['why']}", subject, one["row_id"]))
    return found


def _from_hit(hit: Row) -> list[_Suspect]:
    subject, row, matched = hit["value"], hit["row_id"], hit["matched"]
    if matched == "actor":
        return [_Suspect(hit["actor_uid"], "actor", "asked about", subject, row, named=True)]
    if matched == "ip":
        return [_Suspect(subject, "ip", "asked about", subject, row)]
    asked = subject.lower()
    keys = (("credential", hit["credential_uid"]), ("session", hit["session_uid"]))
    return [_Suspect(uid, kind, "asked about", subject, row) for kind, uid in keys if uid and uid.lower() == asked]


def _led(leads: Iterable[Row]) -> list[_Suspect]:
    found: list[_Suspect] = []
    for row in leads:
        more = f" (and {row['leads'] - 1} more leads)" if row["leads"] > 1 else ""
        found += _narrowest(row, f"{row['title']}{more}: {row['reasons'] or row['why']}", None)
    return found


def _narrowest(row: Row, why: str, subject: str | None) -> list[_Suspect]:
    for kind, name in (("credential", "credential_uid"), ("session", "session_uid"), ("actor", "actor_uid")):
        uid = row[name]
        if uid is not None and not (kind == "actor" and is_role(uid)):
            return [_Suspect(uid, kind, why, subject, row["row_id"])]
    return []


def _closed(seeds: Iterable[_Suspect], sessions: Sequence[Row]) -> dict[tuple[str, str], _Suspect]:
    """The seeds and everything they issued; each is taken once, so that it ends on any graph."""
    offspring = _offspring(sessions)
    found: dict[tuple[str, str], _Suspect] = {}
    waiting = sorted(seeds, key=lambda one: (one.key, not one.named, one.subject or "", _row_order(one), one.why))
    while waiting:
        following: list[_Suspect] = []
        for one in waiting:
            known = found.get(one.key)
            if known is not None and (known.named or not one.named):
                continue
            found[one.key] = one
            if one.kind != "actor" or one.named or not is_role(one.value):
                following += _next(one, offspring.get(one.key, ()))
        waiting = sorted(following, key=lambda one: (one.key, one.subject or "", _row_order(one), one.why))
    return found


def _row_order(one: _Suspect) -> int:
    return _FAR if one.row is None else one.row


def _next(one: _Suspect, rows: Iterable[tuple[Row, str]]) -> list[_Suspect]:
    return [
        _Suspect(row["key"], row["kind"], how.format(label(one.value)), one.subject, row["row_id"]) for row, how in rows
    ]


def _offspring(sessions: Iterable[Row]) -> dict[tuple[str, str], list[tuple[Row, str]]]:
    """From kind and value to the keys that follow from it, and how that is said."""
    kinds = {row["key"]: row["kind"] for row in sessions}
    found: defaultdict[tuple[str, str], list[tuple[Row, str]]] = defaultdict(list)
    for row in sessions:
        if row["actor_uid"] is not None:
            found["actor", row["actor_uid"]].append((row, "a " + row["kind"] + " of {}"))
        if row["kind"] == "credential" and row["session_uid"] is not None:
            found["session", row["session_uid"]].append((row, "a credential of the session {}"))
        if row["parent_key"] is not None:
            found[kinds.get(row["parent_key"], "credential"), row["parent_key"]].append((row, "issued by {}"))
        if row["maker_key"] is not None:
            found[kinds.get(row["maker_key"], "actor"), row["maker_key"]].append((row, "made by {}"))
    return found


def _origins(found: Mapping[tuple[str, str], _Suspect], sessions: Sequence[Row]) -> list[_Suspect]:
    """What each suspect session came from, up to the start of its chain."""
    by_key = {row["key"]: row for row in sessions}
    taken = {value for _, value in found}
    origins: dict[str, _Suspect] = {}
    for one in sorted(found.values(), key=lambda one: one.key):
        at = by_key.get(one.value)
        while at is not None and one.kind in {"credential", "session"}:
            above = [uid for uid in (at["parent_key"], at["maker_key"], at["root_uid"]) if uid is not None]
            fresh = [uid for uid in above if uid not in taken and uid not in origins]
            for uid in fresh:
                origins[uid] = _Suspect(uid, ORIGIN, f"{label(at['key'])} came from it", one.subject, at["row_id"])
            parent = at["parent_key"] or at["maker_key"]
            at = by_key.get(parent) if parent in fresh else None
    return list(origins.values())
