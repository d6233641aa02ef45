"""What an exposure search says: a match in bytes, a place where a secret is, and what could not be looked into.

Nothing here holds a secret or a part of one. Names (paths, refs, authors) may, because whoever leaked it could put it
anywhere: they pass :meth:`holdfast.exposure.query.Query.redact` before they are shown or kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

Class = Literal["exact", "encoded", "split", "partial"]
"""``exact``: byte for byte. ``encoded``: in another spelling, whole. ``split``: whole, but cut by line ends, quotes or
concatenation. ``partial``: a long piece of it, and what stands around is not the rest."""
Visibility = Literal["public", "fork-network", "internal", "local", "unknown"]
"""Who could read the place: anybody, anybody through a fork, members, this machine only; or nobody told."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """What is told of a secret that nobody named, in place of its number."""

    rule: str
    """Key of the rule that knows what such a secret looks like."""
    fingerprint: str
    """Keyed: equal secrets look equal to whoever has the same key."""
    allowed: str | None = None
    """The reason that its line gives for it (``holdfast:allow REASON``)."""


@dataclass(frozen=True, slots=True)
class Match:
    """One secret found in a buffer."""

    secret: int | None
    """Number of the secret in the query, from 0; none for one that nobody named."""
    start: int
    """Bytes from the beginning of the buffer to the first byte that spells it."""
    end: int
    form: str
    """How it is spelled, outermost first: ``raw``, ``base64``, ``base64 > json``; see ``exposure/spelling.py``.
    Of a secret that nobody named ``rule:`` and the key of the rule."""
    cls: Class
    unknown: Unknown | None = None
    """Of a secret that nobody named."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that could not be looked into, so that the search is incomplete."""

    target: str
    where: str
    """Pack, object, file or member; empty for the whole target."""
    reason: str
    """A short sentence without a full stop: ``truncated``, ``the base 12ab… of a delta is missing``."""

    def as_json(self) -> dict[str, Any]:
        """A line of ``--json``."""
        return {"kind": "fault", "target": self.target, "where": self.where, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Touch:
    """A commit as provenance names it. Instants are RFC 3339 in UTC."""

    commit: str
    author: str
    """Name and address as the commit has them."""
    authored: str
    committer: str
    committed: str
    pushed: str | None = None
    """When a host's log says it was pushed; none when no log tells."""
    pushed_by: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The commit as an object."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a hit of a repository comes from and whether it is still there."""

    paths: tuple[str, ...] = ()
    """Every path the object ever had, shortest first, at most a limited number."""
    paths_total: int = 0
    first: Touch | None = None
    """The commit that introduced it, the earliest by the time of committing; none when no commit holds it."""
    introduced: int = 0
    """Commits that hold it while none of their parents does."""
    holding: int = 0
    """Commits whose tree holds it."""
    last: Touch | None = None
    """The latest commit that holds it."""
    heads: tuple[str, ...] = ()
    """Refs whose newest version still holds it, at most a limited number."""
    heads_total: int = 0
    refs: tuple[str, ...] = ()
    """Refs whose history holds it, at most a limited number."""
    refs_total: int = 0
    reach: Literal["reachable", "reflog", "unreachable"] = "unreachable"
    """From a ref, only from a reflog or another loose pointer, or from nothing."""
    at_head: bool = False
    """Whether the version HEAD names holds it."""

    def as_json(self) -> dict[str, Any]:
        """The provenance as an object."""
        return {
            "paths": list(self.paths),
            "paths_total": self.paths_total,
            "first": None if self.first is None else self.first.as_json(),
            "introduced": self.introduced,
            "holding": self.holding,
            "last": None if self.last is None else self.last.as_json(),
            "heads": list(self.heads),
            "heads_total": self.heads_total,
            "refs": list(self.refs),
            "refs_total": self.refs_total,
            "reach": self.reach,
            "at_head": self.at_head,
        }


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where a secret is."""

    target: str
    """The target as whoever asked named it."""
    kind: str
    """``blob``, ``commit``, ``tag``, ``tree`` (a name in it), ``git-file`` (a ref, reflog, configuration, hook),
    ``file``, or what an artifact is: ``layer``, ``image-config``, ``package``, ``message``, ``issue``, ``mail``."""
    form: str
    cls: Class
    secret: int | None = 0
    """Number of the secret; none for one that nobody named."""
    object: str | None = None
    """Id of the git object."""
    path: str | None = None
    """File, or path within the repository; every path of an object is in its provenance."""
    inner: tuple[str, ...] = ()
    """Names of members within archives, outermost first."""
    start: int = 0
    """Byte within the object, file or innermost member."""
    end: int = 0
    line: int | None = None
    """Line from 1, where the bytes before it are known."""
    visibility: Visibility = "unknown"
    artifact: str | None = None
    """Name of the package or image, with its version."""
    digest: str | None = None
    """SHA-256 of the artifact or layer, as ``sha256:…``."""
    about: tuple[tuple[str, str], ...] = ()
    """What else identifies the place: channel, author, sent, issue, build; names and values."""
    provenance: Provenance | None = None
    unknown: Unknown | None = None
    """Of a secret that nobody named: its rule and fingerprint."""
    copies: int | None = None
    """Objects that hold it, where several are told as one."""

    @property
    def rule(self) -> str | None:
        """Key of the rule that found it; none of a secret that was named."""
        return None if self.unknown is None else self.unknown.rule

    @property
    def fingerprint(self) -> str | None:
        """Of a secret that nobody named."""
        return None if self.unknown is None else self.unknown.fingerprint

    def as_json(self) -> dict[str, Any]:
        """A line of ``--json``."""
        found: dict[str, Any] = {
            "kind": "hit",
            "target": self.target,
            "what": self.kind,
            "object": self.object,
            "path": self.path,
            "inner": list(self.inner),
            "form": self.form,
            "class": self.cls,
            "secret": self.secret,
            "rule": self.rule,
            "fingerprint": self.fingerprint,
            "copies": self.copies,
            "start": self.start,
            "end": self.end,
            "line": self.line,
            "visibility": self.visibility,
            "artifact": self.artifact,
            "digest": self.digest,
            "about": dict(self.about),
            **({"allowed": self.unknown.allowed} if self.unknown and self.unknown.allowed else {}),
            "provenance": None if self.provenance is None else self.provenance.as_json(),
        }
        return found


@dataclass(frozen=True, slots=True)
class Totals:
    """How much was looked into."""

    objects: int = 0
    """Git objects."""
    files: int = 0
    """Files and members of archives."""
    bytes_read: int = 0
    """Bytes as stored: packs, files."""
    bytes_inflated: int = 0
    """Bytes they stand for, each object and member whole."""
    bytes_matched: int = 0
    """Bytes that were searched; fewer than inflated where history is stored as differences."""
    cached: int = 0
    """Units of work answered from an earlier search for the same secret."""
    not_searched: frozenset[str] = field(default_factory=frozenset)
    """Forms and places that this way of searching cannot find, in words."""

    def __add__(self, other: Totals) -> Totals:
        """Both together."""
        summed = {
            name: getattr(self, name) + getattr(other, name)
            for name in ("objects", "files", "bytes_read", "bytes_inflated", "bytes_matched", "cached")
        }
        return replace(self, **summed, not_searched=self.not_searched | other.not_searched)

    def as_json(self) -> dict[str, Any]:
        """The counts as an object."""
        found: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return {**found, "not_searched": sorted(self.not_searched)}
