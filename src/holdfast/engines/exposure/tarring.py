"""Tar and ar as they pass by: who a match belongs to, and the containers among the members.

The whole archive is matched as one stream by whoever feeds it; a member that is a container is searched by itself,
and its stretch of the archive is not told twice.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from typing import Protocol

from holdfast.engines.exposure.running import Place, Run, Sink, Where
from holdfast.exposure import containers
from holdfast.exposure.tar import Member, Part

_KEPT = 4 << 20
"""Bytes behind which ranges are forgotten: no match is told later than that."""
_MOST_RANGES = 4096
_PIECE = 1 << 20


class Walker(Protocol):
    """Tells the members of an archive as they pass."""

    at: int

    def feed(self, piece: bytes) -> list[Part]:
        """What the next piece holds."""
        ...

    def close(self) -> list[Part]:
        """What is missing."""
        ...


class Walked:
    """An archive whose members lie one after the other."""

    def __init__(self, run: Run, where: Where, kind: str, walker: Walker) -> None:
        """At the beginning of it."""
        self._run, self._where, self.kind, self._walker = run, where, kind, walker
        self._starts: list[int] = []
        self._members: list[tuple[Member, bytes, bool]] = []
        self._head: bytes | None = None
        self._child: Sink | None = None
        self._kept: bytearray | None = None
        self._digest: hashlib._Hash | None = None
        self._real = self._stored = 0

    def place(self, at: int, end: int) -> Place | None:
        """The member that a stretch is in, its header, or what lies between."""
        number = bisect_right(self._starts, at) - 1
        if number < 0:
            return Place(self._where.inner, 0, known=False)
        member, head, opened = self._members[number]
        inner = (*self._where.inner, member.name)
        if at < member.data:
            return Place((*self._where.inner, f"{member.name} (header)"), member.header, known=False)
        if at < member.data + member.size:
            if opened and end <= member.data + member.size:
                return None
            shift = member.place(at - member.data) - (at - member.data)
            return Place(inner, member.data - shift, containers.looks(head), self._where.about, known=not shift)
        after = member.data + member.size
        return Place((*self._where.inner, f"(after {member.name})"), after, known=False)

    def ends_member(self, end: int) -> bool:
        """Whether the member that a byte is in ends there."""
        number = bisect_right(self._starts, end - 1) - 1
        if number < 0:
            return False
        member = self._members[number][0]
        return member.data + member.size == end

    def feed(self, piece: bytes) -> None:
        """See :class:`~holdfast.engines.exposure.running.Sink`."""
        for part in self._walker.feed(piece):
            self._hear(part, piece)
        if len(self._starts) > _MOST_RANGES:
            before = bisect_right(self._starts, self._walker.at - _KEPT) - 1
            if before > 0:
                del self._starts[:before], self._members[:before]

    def close(self) -> None:
        """See :class:`~holdfast.engines.exposure.running.Sink`."""
        for part in self._walker.close():
            self._hear(part, b"")

    def _hear(self, part: Part, piece: bytes) -> None:
        member = part.member
        if member is None:
            self._run.fault(self._where.inner, part.reason)
        elif part.what == "member":
            self._begin(member)
        elif part.what == "data":
            self._content(member, piece, part.at, part.length)
        else:
            self._end(member)

    def _begin(self, member: Member) -> None:
        self._run.member()
        self._starts.append(member.header)
        self._members.append((member, b"", False))
        self._head, self._child = b"", None
        self._real = self._stored = 0
        if member.name.rpartition("/")[2].startswith(".wh."):
            self._run.found.removals.append((*self._where.inner, member.name))
        wishes, outermost = self._run.wishes, not self._where.inner
        wanted = (*self._where.inner, member.name) in wishes.documents
        wanted = wanted or (outermost and wishes.keep is not None and wishes.keep(member.name, member.size))
        self._kept = bytearray() if wanted and member.size <= self._run.limits.document else None
        digested = outermost and wishes.digest is not None and wishes.digest(member.name)
        self._digest = hashlib.sha256() if digested else None

    def _content(self, member: Member, piece: bytes, at: int, length: int) -> None:
        if self._head is not None:
            need = containers.HEAD - len(self._head)
            before = self._head
            self._head += piece[at : at + min(need, length)]
            if len(self._head) < min(containers.HEAD, member.size):
                self._tally(piece, at, length)
                return
            self._decide(member, self._head)
            self._head = None
            if self._child is not None and before:
                self._pass_on(member, before)
        self._tally(piece, at, length)
        if self._child is not None:
            self._pass_on(member, piece[at : at + length])

    def _tally(self, piece: bytes, at: int, length: int) -> None:
        if self._kept is not None:
            self._kept += piece[at : at + length]
        if self._digest is not None:
            self._digest.update(memoryview(piece)[at : at + length])

    def _decide(self, member: Member, head: bytes) -> None:
        opened = containers.container(head) is not None or containers.runs(head)
        self._members[-1] = (member, head[:128], opened)
        if opened:
            self._child = self._run.stream(self._where.within(member.name, self.kind))

    def _pass_on(self, member: Member, data: bytes) -> None:
        """Give a container its bytes; a sparse one with its holes."""
        child = self._child
        assert child is not None
        if member.pieces is None:
            child.feed(data)
            return
        while data:
            place, length = member.stretch(self._stored)
            self._fill(child, place - self._real)
            step = data[: max(1, length)]
            child.feed(step)
            self._stored += len(step)
            self._real = place + len(step)
            data = data[len(step) :]

    def _fill(self, child: Sink, length: int) -> None:
        while length > 0:
            step = min(length, _PIECE)
            child.feed(bytes(step))
            self._run.spend(step)
            length -= step

    def _end(self, member: Member) -> None:
        if self._head:
            self._decide(member, self._head)
            if self._child is not None:
                self._pass_on(member, self._head)
        if self._child is not None:
            if member.pieces is not None and not self._run.stopped:
                self._fill(self._child, member.real_size - self._real)
            self._child.close()
        inner = (*self._where.inner, member.name)
        if self._kept is not None:
            self._run.found.documents[inner] = bytes(self._kept)
        if self._digest is not None:
            self._run.found.digests[inner] = self._digest.hexdigest()
        self._head = self._child = self._kept = self._digest = None
