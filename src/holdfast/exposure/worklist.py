"""The list that LS3 to LS5 work from: what to revoke, what to check, what to clean, what to update, who could read it.

Rules:
1. Every line cites the hits it rests on, by their numbers in the report. None is invented where no hit is.
2. The most urgent first: what anybody can read and is still there, before what members can, before old versions.
3. The window begins at the earliest instant something proves, and says when that is not the exposure itself. Where
   nothing tells, it says so and names the making of the secret as its beginning; it never begins at the discovery.
4. Cleaning ends no use of the secret: revoking comes first, and nothing is deleted that is not captured.
5. What was not searched, and what is a piece only, is work as well: it is listed and never counts as clean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from holdfast.exposure.places import VISIBILITY_ORDER, Basis, Place, csv_line, first_of, spoken, where_still
from holdfast.exposure.report import Report
from holdfast.exposure.results import Visibility

Urgency = Literal["now", "next", "then"]
_URGENCIES: tuple[Urgency, ...] = get_args(Urgency)
READERS: dict[Visibility, str] = {
    "public": "Anybody could read it",
    "fork-network": "Anybody could read it through a fork",
    "unknown": "Nobody told who could read it: take it as public until somebody does",
    "internal": "Members could read it",
    "local": "Who has this machine or this copy could read it",
}
"""Who could read a place, by its exposure class."""
BASES: dict[Basis, str] = {
    "pushed": "the host's log of the push",
    "sent": "the message's own time",
    "published": "the artifact's own time",
    "committed": "the making of its commit: no log of the push, so begin not later than this",
    "unknown": "nothing",
}
_TOLD = (
    "Delete the {what}, with its edits and attachments",
    "Notifications and mail of it are copies of their own.",
)
_IMAGE = (
    "Withdraw the image, every tag of this digest, and build it anew",
    "Taking the secret out in a later layer leaves it in this one; who pulled it has it.",
)
_PACKAGE = ("Withdraw this version and publish a clean one", "Mirrors and caches keep what was once published.")
_CURES: dict[str, tuple[str, str]] = {
    "layer": _IMAGE,
    "image history": _IMAGE,
    "package": _PACKAGE,
    "artifact_registries": _PACKAGE,
    "chat": _TOLD,
    "ticket_systems": _TOLD,
    "paste_locations": ("Ask for the paste's removal", "Search engines and archives keep copies; treat it as read."),
    "ci_logs": (
        "Delete this log of the run",
        "Every attempt has a log of its own; a mask hides the exact value only, no other spelling of it.",
    ),
    "": ("Delete or replace it, where it is and where it was copied from", "What was searched may be a copy."),
}
"""What to do by kind of place or part of LS2, and why that."""
MANY = 24
"""Places from which on the list of cures goes by target; ``places.csv`` has each."""
CITED = 50
"""Hits that one line names; the others are counted."""
COLUMNS = ("step", "group", "urgency", "what", "where", "why", "exposure", "hits", "more_hits")


@dataclass(frozen=True, slots=True)
class Work:
    """One line of the list."""

    urgency: Urgency
    what: str
    """What to do, in the imperative."""
    where: str
    why: str
    hits: tuple[int, ...] = ()
    visibility: Visibility | None = None

    @property
    def cited(self) -> tuple[int, ...]:
        """The hits that are named."""
        return self.hits[:CITED]

    def as_json(self) -> dict[str, Any]:
        """The line as an object."""
        return {
            "urgency": self.urgency,
            "what": self.what,
            "where": self.where,
            "why": self.why,
            "visibility": self.visibility,
            "hits": list(self.cited),
            "more_hits": len(self.hits) - len(self.cited),
        }


@dataclass(frozen=True, slots=True)
class Window:
    """What LS4 has to check."""

    begins: str | None
    """RFC 3339; none when no instant is known."""
    basis: Basis
    sentence: str
    hit: int | None = None
    """The hit that proves its beginning."""
    undated: int = 0
    """Places of which no instant is known: any of them may be earlier."""

    def as_json(self) -> dict[str, Any]:
        """The window as an object."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that belong together."""

    key: Literal["revoke", "check", "access", "clean", "dependants", "look"]
    step: str
    """The runbook's step."""
    title: str
    note: str
    works: tuple[Work, ...]

    def as_json(self) -> dict[str, Any]:
        """The group as an object."""
        return {
            "key": self.key,
            "step": self.step,
            "title": self.title,
            "note": self.note,
            "works": [one.as_json() for one in self.works],
        }


@dataclass(frozen=True, slots=True)
class Worklist:
    """The whole list."""

    window: Window
    groups: tuple[Group, ...]

    def as_json(self) -> dict[str, Any]:
        """The list as an object."""
        return {"window": self.window.as_json(), "groups": [one.as_json() for one in self.groups]}


def worklist(report: Report, found: Sequence[Place]) -> Worklist:
    """The list.

    Args:
        report: the report.
        found: its places, as :func:`holdfast.exposure.places.places` gives them.
    """
    window = window_of(found)
    groups = (
        Group("revoke", "LS3", "Revoke or rotate", "This ends its use; cleaning does not.",
              tuple(_revoke(report, found))),
        Group("check", "LS4", "Check the logs of the window", "To the revocation, and until it is true everywhere.",
              tuple(_check(window, found))),
        Group("access", "LS4", "Who could read it", "By exposure class, the widest first.", tuple(_access(found))),
        Group("clean", "LS3", "Clean the places", "After revoking, and after each is captured: a place is proof too.",
              tuple(_clean(found))),
        Group("dependants", "LS5", "Bring what holds it onto the new one",
              "What is deployed from these still reads the old one.", tuple(_dependants(found))),
        Group("look", "LS2", "Look again", "None of this counts as clean.", tuple(_look(report, found))),
    )  # fmt: skip
    return Worklist(window, tuple(group for group in groups if group.works))


def window_of(found: Sequence[Place]) -> Window:
    """What LS4 has to check, as far as the places tell."""
    first = first_of(found)
    undated = sum(place.first is None and place.whole for place in found)
    if first is None:
        why = "no place tells when it got there" if found else "it was found nowhere"
        return Window(None, "unknown", f"Begin when the secret was made: {why}.", undated=undated)
    exact = first.basis != "committed"
    begins = f"Begin {'at' if exact else 'not later than'} {spoken(first.first)}, proven by {BASES[first.basis]}"
    proof = f"{first.target}: {first.name}"
    doubt = f" Of {undated:,} more no instant is known, and any may be earlier." if undated else ""
    return Window(first.first, first.basis, f"{begins} ({proof}).{doubt}", first.first_hit, undated)


def to_csv(found: Worklist) -> Iterator[str]:
    """The list as lines of CSV (RFC 4180, CRLF); no cell begins like a formula."""
    yield csv_line(COLUMNS)
    for group in found.groups:
        for one in group.works:
            hits, more = " ".join(map(str, one.cited)), len(one.hits) - len(one.cited)
            cells = (group.step, group.title, one.urgency, one.what, one.where, one.why, one.visibility, hits, more)
            yield csv_line(cells)


def _revoke(report: Report, found: Sequence[Place]) -> Iterator[Work]:
    for secret in report.secrets:
        held = [place for place in found if secret.number in place.secrets and place.whole]
        if not held:
            continue
        open_now = [place for place in held if place.visibility in ("public", "fork-network", "unknown")]
        name = f"{secret.label} (fp:{secret.fingerprint})" if secret.label else f"fp:{secret.fingerprint}"
        why = f"It is in {_count(held, 'place')}"
        why += (
            f", {len(open_now):,} of them open to anybody, or not told to whom."
            if open_now
            else ", none of them public."
        )
        yield Work("now", "Revoke or rotate the secret", name, why, _hits(held), held[0].visibility)


def _check(window: Window, found: Sequence[Place]) -> Iterator[Work]:
    if any(place.whole for place in found):
        hits = () if window.hit is None else (window.hit,)
        where = f"from {spoken(window.begins)}" if window.begins else "from when the secret was made"
        yield Work("now", "Check every use of it", where, window.sentence, hits)


def _access(found: Sequence[Place]) -> Iterator[Work]:
    for name in VISIBILITY_ORDER:
        held = [place for place in found if place.visibility == name and place.whole]
        if held:
            first = first_of(held)
            since = f", the first from {spoken(first.first)}" if first else ", since when is not known"
            urgency: Urgency = "now" if name in ("public", "fork-network") else "next"
            why = f"{_count(held, 'place')}{since}."
            yield Work(urgency, READERS[name], f"exposure class: {name}", why, _hits(held), name)


def _clean(found: Sequence[Place]) -> list[Work]:
    """A line for each place; where they are many, for each target and cure."""
    whole = [place for place in found if place.whole]
    groups: dict[tuple[object, ...], list[Place]] = {}
    for number, place in enumerate(whole):
        alike = (place.target, _cleaning(place)[0], _urgency(place)) if len(whole) > MANY else (number,)
        groups.setdefault(alike, []).append(place)
    works = []
    for held in groups.values():
        what, where, why = _cleaning(held[0])
        if len(held) > 1:
            named = ", ".join(place.name for place in held[:3]) + (", …" if len(held) > 3 else "")  # noqa: PLR2004 - as many as named
            where = f"{held[0].target}: {len(held):,} places ({named})"
        works.append(Work(_urgency(held[0]), what, where, why, _hits(held), held[0].visibility))
    return sorted(works, key=lambda one: _URGENCIES.index(one.urgency))


def _cleaning(place: Place) -> tuple[str, str, str]:
    """What to do with a place, which place, and why that."""
    what, why = _cure(place)
    return what, f"{place.target}: {place.name}", why


def _cure(place: Place) -> tuple[str, str]:
    if place.area == "source_control" or place.touch is not None:
        return _cure_git(place)
    key = place.what if place.what in _CURES else place.area or ("package" if place.artifact else "")
    what, why = _CURES.get(key, _CURES[""])
    return what.format(what=place.what), why


def _cure_git(place: Place) -> tuple[str, str]:
    if place.still == "head":
        where = where_still(place.heads)
        if where.startswith("in the tag"):
            return (
                "Take it out of the history, and make the tags anew or delete them",
                f"Branches lost it; it is still {where}, and whoever checks that out has it.",
            )
        return (
            "Replace it by a reference, then take it out of the history",
            f"It is still {where}: everybody who looks sees it.",
        )
    if place.still == "history":
        gone = f"after {spoken(place.gone)}" if place.gone else "some time ago"
        return (
            "Take it out of the history, or decide that revoking is enough",
            f"The newest versions lost it {gone}; every clone and fork has the older ones.",
        )
    if place.still == "there":
        return "Change this setting or ref", "It is in the repository's own files, which a clone does not carry."
    return (
        "Ask the host to delete unreachable objects, forks included",
        f"No ref leads to it, and a host serves it by its id{f' {place.object[:12]}…' if place.object else ''}.",
    )


def _dependants(found: Sequence[Place]) -> Iterator[Work]:
    """By repository or artifact, not by file: what is deployed from it is what has to be changed."""
    groups: dict[tuple[str, str], list[Place]] = {}
    for place in found:
        if not place.whole or place.still not in ("head", "there"):
            continue
        if place.artifact:
            groups.setdefault(("artifact", place.artifact), []).append(place)
        elif place.area == "source_control":
            groups.setdefault(("repository", place.target), []).append(place)
    for (kind, name), held in groups.items():
        what = "Find and update what runs it" if kind == "artifact" else "Find and update what is deployed from it"
        why = f"The old secret is in it at {_count(held, 'place')}."
        yield Work("next", what, f"{kind} {name}", why, _hits(held), held[0].visibility)


def _look(report: Report, found: Sequence[Place]) -> Iterator[Work]:
    for place in found:
        if not place.whole:
            where, why = (
                f"{place.target}: {place.name}",
                "A long piece of it is there, and what stands around is not the rest.",
            )
            yield Work("next", "Look at the piece by eye", where, why, place.hits, place.visibility)
    reasons: dict[tuple[str, str], list[str]] = {}
    for fault in report.faults:
        reasons.setdefault((fault.target, fault.reason), []).append(fault.where)
    for (target, reason), wheres in reasons.items():
        named = ", ".join(one for one in wheres[:3] if one)
        more = f" and {len(wheres) - 3:,} more" if len(wheres) > 3 else ""  # noqa: PLR2004 - as many as named
        yield Work(
            "next", "Search it again", f"{target}{': ' if named else ''}{named}{more}", f"Not looked into: {reason}."
        )
    told: dict[str, list[str]] = {}
    for searched in report.targets:
        for words in searched.not_searched:
            told.setdefault(words, []).append(searched.target)
    for words, targets in told.items():
        more = f" and {len(targets) - 3:,} more" if len(targets) > 3 else ""  # noqa: PLR2004 - as many as named
        where = ", ".join(targets[:3]) + more
        yield Work("next", "Search for it in another way", where, f"Not searched: {words}.")
    never = [words for words in report.not_searched if words not in told]
    if never:
        yield Work("then", "Keep in mind what no search finds", "everywhere", f"Not searched: {', '.join(never)}.")


def _urgency(place: Place) -> Urgency:
    if place.still not in ("head", "there"):
        return "then"
    return "now" if place.visibility in ("public", "fork-network") else "next"


def _hits(found: Iterable[Place]) -> tuple[int, ...]:
    return tuple(sorted(number for place in found for number in place.hits))


def _count(found: Sequence[Place], thing: str) -> str:
    return f"{len(found):,} {thing}{'' if len(found) == 1 else 's'}"
