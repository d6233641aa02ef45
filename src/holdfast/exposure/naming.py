"""Matches within a file as hits: what they are in, named as the export, mail or archive names it.

Rules:
1. A document is read a second time only because something was found in it.
2. Names are told as they stand, for whoever shows them to redact; what is no text in them is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from holdfast.exposure import exports
from holdfast.exposure.exports import Export, Named
from holdfast.exposure.results import Hit
from holdfast.exposure.unpacked import Found, Inner, Inward

_PEOPLE = "users.json"
_MOST_DOCUMENTS = 1_000
Documents = Callable[[frozenset[Inward]], Mapping[Inward, bytes]]
"""Gives the content of members by where they are; those that are not there are left out."""


def shown(name: str) -> str:
    """A name as text, whatever bytes it has."""
    return name.encode("utf-8", "backslashreplace").decode()


def where(path: str, inner: Inward) -> str:
    """A member within a file, for a fault."""
    return shown("!".join((path, *inner)))


def hits(base: Hit, path: str, found: Found, documents: Documents) -> list[Hit]:
    """Hits for the matches in one file.

    Args:
        base: what is the same for all of them.
        path: of the file, which names a document that is no member of anything.
        found: the matches.
        documents: for naming.
    """
    named = _named(path, found.matches, documents)
    return [_hit(base, one, named.get(number)) for number, one in enumerate(found.matches)]


def _hit(base: Hit, one: Inner, named: Named | None) -> Hit:
    match = one.match
    about = list(one.about)
    kind = base.kind
    if named is not None:
        kind, about = named.kind, list(named.about)
    elif one.looks == "mail" or one.about:
        kind = "mail"
    if one.kind_of_container:
        about.append(("container", one.kind_of_container))
    return replace(
        base,
        kind=kind,
        form=match.form,
        cls=match.cls,
        secret=match.secret,
        unknown=match.unknown,
        inner=tuple(shown(name) for name in one.inner),
        start=match.start,
        end=match.end,
        line=one.line,
        about=base.about + tuple((name, shown(value)) for name, value in about),
    )


def _named(path: str, matches: list[Inner], documents: Documents) -> dict[int, Named]:
    """What the export says of each match, by its number."""
    worth: dict[Inward, list[int]] = {}
    for number, one in enumerate(matches):
        name = one.inner[-1] if one.inner else path
        if exports.worth_parsing(one.looks, name) and not name.endswith(")"):
            worth.setdefault(one.inner, []).append(number)
    if not worth:
        return {}
    wanted = list(worth)[:_MOST_DOCUMENTS]
    people = {inner: _people_of(inner) for inner in wanted if inner}
    held = documents(frozenset(wanted) | frozenset(people.values()))
    found: dict[int, Named] = {}
    for inner in wanted:
        if (document := held.get(inner)) is None:
            continue
        names = exports.names_of_people(held.get(people.get(inner, (_PEOPLE,)), b""))
        places = [matches[number].match.start for number in worth[inner]]
        export = Export(document, inner[-1] if inner else path, names, places)
        for number in worth[inner]:
            if (named := export.named(matches[number].match.start)) is not None:
                found[number] = named
    return found


def _people_of(inner: Inward) -> Inward:
    """Where the names are for a day of a channel: beside the channel's folder."""
    folders = inner[-1].split("/")[:-2]
    return (*inner[:-1], "/".join((*folders, _PEOPLE)))


def without_duplicates(found: Iterable[Hit]) -> list[Hit]:
    """Each hit once."""
    return list(dict.fromkeys(found))
