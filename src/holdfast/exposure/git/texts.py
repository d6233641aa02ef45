"""Git's own text files, as far as a search needs them: refs, reflogs, alternates, the form of ids, bundles.

Nothing is trusted: lines that do not fit are passed over, names stay bytes that are no UTF-8 by surrogates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHA256 = re.compile(r"^\s*objectformat\s*=\s*\"?sha256\"?\s*$", re.IGNORECASE | re.MULTILINE)
_REMOTE = re.compile(r"^\s*url\s*=\s*(\S+)\s*$", re.IGNORECASE | re.MULTILINE)
_LOG = re.compile(r"([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (.*) (-?[0-9]{1,15}) ([+-][0-9]{4})(?:\t(.*))?")
_BUNDLE = re.compile(rb"# v([23]) git bundle\n")
MAX_DEPTH = 5
"""Refs that name refs."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A line of a reflog: a ref came to name another object."""

    ref: str
    before: str
    after: str
    who: str
    seconds: int
    """Since 1970 UTC."""
    message: str = ""


def id_width(config: str) -> int:
    """Bytes of an object's id, by the repository's configuration."""
    return 32 if _SHA256.search(config) else 20


def remotes(config: str) -> tuple[str, ...]:
    """Addresses of remotes, without credentials."""
    return tuple(re.sub(r"(?<=//)[^/@]*@", "", one) for one in _REMOTE.findall(config))


def packed_refs(text: str) -> Iterator[tuple[str, str]]:
    """Names and ids of a ``packed-refs`` file; what a tag points at in the end is left out, the tag leads there."""
    for line in text.split("\n"):
        oid, _, name = line.partition(" ")
        if name and _ID.fullmatch(oid):
            yield name.rstrip("\r"), oid


def ref_content(text: str) -> tuple[str | None, str | None]:
    """The id in a ref's file, or the ref that it stands for."""
    word = text.strip()
    if word.startswith("ref:"):
        return None, word[4:].strip()
    return (word, None) if _ID.fullmatch(word) else (None, None)


def reflog(ref: str, text: str) -> Iterator[Moved]:
    """Lines of a reflog."""
    for line in text.split("\n"):
        if found := _LOG.fullmatch(line.rstrip("\r")):
            yield Moved(ref, found[1], found[2], found[3], int(found[4]), found[6] or "")


def ids_in(text: str) -> Iterator[str]:
    """Ids at the beginning of lines: ``FETCH_HEAD``, ``ORIG_HEAD``, ``shallow``."""
    for line in text.split("\n"):
        if found := _ID.match(line):
            yield found[0]


def bundle(head: bytes) -> tuple[int, int, list[tuple[str, str]], list[str]] | None:
    """A bundle's head: where its pack begins, bytes of an id, refs, and commits that it takes for known.

    None when the bytes are no bundle, or its head does not end in them.
    """
    start = _BUNDLE.match(head)
    if start is None:
        return None
    end = head.find(b"\n\n", start.end() - 1)
    if end < 0:
        return None
    width, refs, known = 20, [], []
    for raw in head[start.end() : end].split(b"\n"):
        line = raw.decode("utf-8", "surrogateescape")
        if line.startswith("@"):
            width = 32 if line == "@object-format=sha256" else width
        elif line.startswith("-"):
            known.append(line[1:].partition(" ")[0])
        else:
            oid, _, name = line.partition(" ")
            if name and _ID.fullmatch(oid):
                refs.append((name, oid))
    return end + 2, width, refs, known
