"""People across sources: which identities are one person, and of what kind each identity is.

Rules:
1. Equal e-mail addresses, in lower case, are one person; what follows a plus sign is part of the address.
2. What a record says outright (external identity of single sign-on) beats an address in a name.
3. Never linked: equal local parts, similar names, roles by the names of their sessions, an identity under which
   several addresses were told, who acts on another's behalf, and addresses that belong to nobody (noreply). An
   identity that is spelled as the session of a role (Kubernetes names them so) is whoever its chain leads to.
4. Every link has its reason and the record that shows it; without a link an identity is a person of its own.
5. The kind is the source's word; ``unknown`` is refined by spelling and by rhythm, and a guess is called one.

Not handled here: chains of sessions (``sessions``); guest names that spell another tenant's address.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from holdfast.investigation.activity import Column
from holdfast.investigation.identity_names import email_of, is_role, is_session, label, values
from holdfast.investigation.sessions import roots
from holdfast.kernel.documents import Table, fault

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]

PEOPLE: tuple[Column, ...] = (
    Column("actor_uid", "text", "identity as the activity names it"),
    Column("actor_type", "text", "its kind, refined where the source does not know"),
    Column("person_uid", "text", "address of the person, or the identity itself"),
    Column("person_name", "text", "how people call the person"),
    Column("why", "text", "why it is that person and of that kind; null when only the source's own word counts"),
    Column("ours", "boolean", "whether it is one of our own responders"),
    Column("row_id", "integer", "record that shows it"),
)
AFTER = (
    "actors",
    "identity_hints",
    "rhythms",
    "responders",
    "issues",
    "session_keys",
    "key_parents",
    "federated_signons",
    "run_ends",
)

_NAME_KEYS = ("external_identity_nameid", "external_identity_username")
_KINDS = (
    "break_glass",
    "root",
    "deploy_key",
    "ci_token",
    "workload",
    "service_account",
    "human",
    "cloud_service",
    "anonymous",
)
"""Where sources disagree on the kind of one identity, the first of these is taken."""


@dataclass(frozen=True, slots=True)
class _Spelling:
    kind: str
    pattern: re.Pattern[str]
    why: str
    guess: bool


@dataclass(slots=True)
class _Identity:
    """What is known of one identity, gathered over sources."""

    uid: str
    types: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    first: tuple[int, int] = (1 << 62, 1 << 62)
    """Time and row of its first act."""
    told: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Address that a record ties to it: how, and the record."""
    rhythms: set[str] = field(default_factory=set)


def people(tables: Tables) -> list[dict[str, Any]]:
    """Rows of the people table: one for each identity that acted, by identity.

    Args:
        tables: rows of the tables named in :data:`AFTER`.
    """
    found = _gathered(tables["actors"])
    _told(found, tables["identity_hints"])
    for one in tables["rhythms"]:
        if one["actor_uid"] in found:
            found[one["actor_uid"]].rhythms.add(one["rhythm"])
    ours = {one["value"].lower() for one in tables["responders"] if one["value"]}
    _by_chain(found, tables)
    names = _names(found.values())
    return [_person(found[uid], names, ours) for uid in sorted(found)]


def people_by_actor(rows: Iterable[Row]) -> dict[str, Row]:
    """Rows of the people table by identity."""
    return {row["actor_uid"]: row for row in rows if row["actor_uid"] is not None}


def _gathered(actors: Iterable[Row]) -> dict[str, _Identity]:
    found: dict[str, _Identity] = {}
    for row in actors:
        uid = row["actor_uid"]
        if uid is None:
            continue
        one = found.setdefault(uid, _Identity(uid))
        one.types.add(row["actor_type"] or "unknown")
        if row["actor_name"]:
            one.names.add(row["actor_name"])
        if row["first_us"] is not None:
            one.first = min(one.first, (row["first_us"], row["first_row"]))
    return found


def _told(found: Mapping[str, _Identity], hints: Iterable[Row]) -> None:
    for row in hints:
        one = found.get(row["actor_uid"])
        if one is None or is_role(one.uid):
            continue
        for document, number in ((row["detail"], row["row_id"]), (row["last_detail"], row["last_row"])):
            for address in _addresses(document):
                known = one.told.get(address)
                if known is None or number < known[1]:
                    one.told[address] = ("its external identity in single sign-on", number)


def _by_chain(found: Mapping[str, _Identity], tables: Tables) -> None:
    """Tie identities that are spelled as sessions to whom their chain leads to."""
    spelled = [one for uid, one in found.items() if is_session(uid)]
    if not spelled:
        return
    start = roots(tables)
    for one in spelled:
        root = start.get(one.uid)
        if root is None or root == one.uid:
            continue
        behind = found.get(root)
        address = email_of(root) if behind is None else _address(behind)[0]
        one.told = {address or root: (f"the session leads back to {label(root)}", one.first[1])}


def _addresses(document: str | None) -> list[str]:
    told = [email_of(text) for name in _NAME_KEYS for text in values(document, name)]
    return [address for address in told if address is not None]


def _person(one: _Identity, names: Mapping[str, str], ours: set[str]) -> dict[str, Any]:
    address, why, row = _address(one)
    kind, reason = _kind(one)
    person = one.uid if address is None else address
    name = names.get(person) or (min(one.names) if len(one.names) == 1 else None) or label(one.uid)
    reasons = [text for text in (why, reason) if text]
    mine = {one.uid.lower(), person.lower(), *(text.lower() for text in one.names)}
    return {
        "actor_uid": one.uid,
        "actor_type": kind,
        "person_uid": person,
        "person_name": name,
        "why": "; ".join(reasons) or None,
        "ours": not ours.isdisjoint(mine),
        "row_id": one.first[1] if row is None else row,
    }


def _address(one: _Identity) -> tuple[str | None, str | None, int | None]:
    """The address of the person behind an identity, why, and the record; rules 1 to 3."""
    if len(one.told) > 1:
        return None, f"not one person: tied to {_listed(one.told)}", None
    for address, (why, row) in one.told.items():
        return address, why, row
    if is_role(one.uid):
        return None, None, None
    own = email_of(one.uid)
    if own is not None:
        return own, None, None
    named = {email for name in (*one.names, one.uid.rsplit("/", 1)[-1]) if (email := email_of(name)) is not None}
    if len(named) > 1:
        return None, f"not one person: named {_listed(named)}", None
    return (min(named), "its name is the address", None) if named else (None, None, None)


def _listed(addresses: Iterable[str]) -> str:
    kept = sorted(addresses)
    return ", ".join(kept[:3]) + (f" and {len(kept) - 3} more" if len(kept) > 3 else "")  # noqa: PLR2004 - three are enough to see it


def _names(found: Iterable[_Identity]) -> dict[str, str]:
    """Address to the person's name: the shortest that is not an address itself, else the address."""
    told: defaultdict[str, set[str]] = defaultdict(set)
    for one in found:
        address = _address(one)[0]
        if address is not None:
            told[address].add(address)
            told[address] |= {name for name in one.names if " " in name.strip() and len(one.names) == 1}
    return {address: min(some, key=lambda name: ("@" in name, len(name), name)) for address, some in told.items()}


def _kind(one: _Identity) -> tuple[str, str | None]:
    """The kind of an identity, and why where it is not the source's own word."""
    said = next((kind for kind in _KINDS if kind in one.types), "unknown")
    for spelling in _spellings():
        fits = any(spelling.pattern.search(text) for text in (one.uid, *one.names))
        if fits and (said == "unknown" or (spelling.guess and said in {"human", "service_account"})):
            guess = f"a guess: {spelling.why}" if spelling.guess else spelling.why
            return spelling.kind, f"{spelling.kind.replace('_', ' ')}, {guess}"
    told = one.rhythms & {"human", "automated"}
    if said != "unknown" or is_role(one.uid) or len(told) != 1:
        return said, None
    if "human" in told:
        return "human", "human by its rhythm"
    return "service_account", "automated by its rhythm"


@cache
def _spellings() -> tuple[_Spelling, ...]:
    place = files("holdfast.investigation").joinpath("library/identity_kinds.toml")
    table = Table(tomllib.loads(place.read_text(encoding="utf-8")), "")
    table.text("format", "identity-kinds")
    table.positive("version")
    found = tuple(_spelling(one) for one in table.tables("kinds"))
    table.finish()
    return found


def _spelling(table: Table) -> _Spelling:
    kind, pattern = table.text("kind"), table.text("pattern")
    if kind not in _KINDS:
        raise fault(table.at("kind"), f"{kind!r} is not one of {', '.join(_KINDS)}")
    made = _Spelling(kind, re.compile(pattern), table.text("why"), table.flag_or("guess", otherwise=False))
    table.finish()
    return made
