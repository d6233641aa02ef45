"""One stream of bytes: matched as it is, and opened when it begins as a container does.

Rules:
1. The first 512 bytes tell what opens it. A zip may also hide behind other bytes; its end is looked for.
2. A match is told by the innermost member that it is in, once.
"""

from __future__ import annotations

from holdfast.engines.exposure.opening import Encoded, Inflated, Mail, Program
from holdfast.engines.exposure.running import Opener, Place, Run, Where
from holdfast.engines.exposure.streams import PIECE, Recent, Window
from holdfast.engines.exposure.tarring import Walked
from holdfast.engines.exposure.zipping import Zip
from holdfast.exposure import containers, encoded, tar
from holdfast.exposure.ar import ArWalker
from holdfast.exposure.results import Match
from holdfast.exposure.zips import Reader

ZIP_END = b"PK\x05\x06"
GATES = (*encoded.LITERALS, ZIP_END)
"""What is looked for beside the secrets: where something begins, or ends, that has to be decoded."""
_ZIP_END_SIZE = 22
_COMPRESSED = frozenset({"gzip", "zstd", "xz", "bzip2", "lzma"})


class Stream:
    """See :class:`~holdfast.engines.exposure.running.Sink` and :class:`~holdfast.engines.exposure.streams.Ear`."""

    def __init__(self, run: Run, where: Where, matched: bool, reader: Reader | None = None) -> None:  # noqa: FBT001 - one maker calls it
        """At its beginning.

        Args:
            run: what it belongs to.
            where: where it stands.
            matched: whether its own bytes are matched, or only what they hold.
            reader: the same bytes, where they can be read at any place.
        """
        self._run, self._where, self._reader = run, where, reader
        self._window = Window(run.query, run.anchors, run.gates, self) if matched else None
        self._head: bytes | None = b""
        self._first = b""
        self._opener: Opener | None = None
        self._late: list[Match] = []
        self._encoded: Encoded | None = None
        self._document = bytearray() if where.inner in run.wishes.documents else None
        self._size = 0
        self._zip_end = -1
        if matched:
            run.windows.append(self)

    def feed(self, piece: bytes) -> None:
        """The next piece."""
        self._size += len(piece)
        if self._opener is not None:
            self._opener.feed(piece)
        elif self._head is not None:
            self._head += piece
            if len(self._head) >= containers.HEAD:
                self._decide()
        if self._window is not None:
            self._window.feed(piece)
        if self._document is not None:
            self._keep(piece)

    def skip(self, length: int) -> None:
        """Pass over a hole of the outermost file."""
        if self._opener is not None or self._head is not None or self._document is not None:
            for at in range(0, length, PIECE):
                self.feed(bytes(min(PIECE, length - at)))
            return
        self._size += length
        if self._window is not None:
            self._window.skip(length)

    def close(self) -> None:
        """No more comes."""
        if self._head:
            self._decide()
        if self._opener is not None:
            self._opener.close()
        self.flush()
        if self._zip_end == self._size and self._opener is None:
            self._zip_after_other_bytes()
        if self._encoded is not None:
            self._encoded.close()
        if self._document is not None and self._opener is None:
            self._run.found.documents[self._where.inner] = bytes(self._document)

    def flush(self) -> None:
        """Match and tell what has come so far."""
        window = self._window
        if window is None:
            return
        self._run.windows.remove(self)
        window.close()
        self._run.found.matched += window.matched
        late, self._late = self._late, []
        for match in late:
            if not (isinstance(self._opener, Inflated) and self._opener.told(match)):
                self._tell(match, window.recent)
        self._window = None

    def _keep(self, piece: bytes) -> None:
        assert self._document is not None
        if len(self._document) + len(piece) > self._run.limits.document:
            self._document = None
        else:
            self._document += piece

    # -- what it is

    def _decide(self) -> None:
        head, self._head = self._head or b"", None
        self._first = head[:128]
        kind = containers.container(head)
        if kind is None:
            if containers.runs(head) and self._may_be_kept():
                self._opener = Program(self._run, self._where)
        elif kind == containers.SEARCHED_RAW:
            self._run.found.not_searched.add(containers.PDF_STREAMS)
        elif kind not in containers.OPENED:
            article = "an" if kind[0] in "aeiou" else "a"
            self._run.fault(self._where.inner, f"{article} {kind} archive is not opened")
        elif self._where.depth >= self._run.limits.depth:
            reason = f"more than {self._run.limits.depth} containers within one another: the rest is not opened"
            self._run.fault(self._where.inner, reason)
        else:
            self._opener = self._open(kind)
        if self._opener is not None:
            if self._window is not None:
                self._window.gated = isinstance(self._opener, Walked | Mail)
            self._opener.feed(head)

    def _open(self, kind: str) -> Opener:
        if kind in _COMPRESSED:
            return Inflated(self._run, self._where, kind)
        if kind == "zip":
            return Zip(self._run, self._where, self._reader)
        if kind == "mail":
            return Mail(self._run, self._where)
        return Walked(self._run, self._where, kind, ArWalker() if kind == "ar" else tar.Walker())

    def _may_be_kept(self) -> bool:
        return self._reader is None or self._reader.size <= self._run.limits.program

    # -- what the window finds

    def tap(self, piece: bytes) -> None:
        """The next piece, before it is matched."""
        if self._encoded is not None:
            self._encoded.feed(piece)
            if self._encoded.over:
                self._encoded = None

    def gate(self, number: int, end: int) -> None:
        """A literal at which something may begin or end."""
        if self._run.stopped or self._window is None:
            return
        literal = GATES[number]
        start = end - len(literal)
        place = self._place(start, end)
        if place is None:
            return
        if literal == ZIP_END:
            self._zip_ends(start, place)
        elif self._encoded is None and self._where.depth < self._run.limits.depth:
            name = f"(base64 at {start - place.start})"
            where = Where((*place.inner, name), "base64", self._where.depth + 1, place.about)
            one = Encoded(self._run, where)
            one.feed(self._window.recent.between(start, self._window.recent.end)[1])
            self._encoded = None if one.over else one

    def hear(self, match: Match) -> None:
        """A match."""
        if isinstance(self._opener, Zip | Inflated):
            if len(self._late) <= self._run.limits.places:
                self._late.append(match)
        elif self._window is not None:
            self._tell(match, self._window.recent)

    def _tell(self, match: Match, recent: Recent) -> None:
        place = self._place(match.start, match.end)
        if place is None:
            return
        before = recent.lines(place.start, match.start) if place.known else None
        kind = self._where.kind
        if isinstance(self._opener, Walked) and place.inner != self._where.inner:
            kind = self._opener.kind
        elif isinstance(self._opener, Zip) and place.inner != self._where.inner:
            kind = "zip"
        self._run.tell(place, match, None if before is None else before + 1, kind)

    def _place(self, start: int, end: int) -> Place | None:
        if self._opener is not None:
            return self._opener.place(start, end)
        return Place(self._where.inner, 0, containers.looks(self._first or self._head or b""), self._where.about)

    # -- a zip behind other bytes

    def _zip_ends(self, at: int, place: Place) -> None:
        assert self._window is not None
        record = self._window.recent.between(at, at + _ZIP_END_SIZE)[1]
        members, offset = int.from_bytes(record[10:12], "little"), int.from_bytes(record[16:20], "little")
        if len(record) < _ZIP_END_SIZE or not members or offset > at - place.start:
            return
        end = at + _ZIP_END_SIZE + int.from_bytes(record[20:22], "little")
        if isinstance(self._opener, Walked):
            if self._opener.ends_member(end):
                self._run.fault(place.inner, "a zip archive after other bytes is not opened")
        else:
            self._zip_end = end

    def _zip_after_other_bytes(self) -> None:
        if self._reader is None:
            self._run.fault(self._where.inner, "a zip archive after other bytes is not opened")
        else:
            Zip(self._run, self._where, self._reader).close()


def make(run: Run, where: Where, matched: bool, reader: Reader | None) -> Stream:  # noqa: FBT001 - a maker, called by the run
    """A stream, for :attr:`Run.make`."""
    return Stream(run, where, matched, reader)
