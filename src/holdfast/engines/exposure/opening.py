"""Openers of what passes by: compressions, mail, programs that carry an archive, and base64 within a text.

Rules:
1. A compression that ends is followed by another member of it, by padding, or by something else, which is opened, too.
2. One compression that inflates out of all proportion is broken off; what else its container holds is still read.
"""

from __future__ import annotations

from holdfast.engines.exposure.inflating import MAKERS, DamagedError, Inflater, Zstd
from holdfast.engines.exposure.running import About, Place, Run, Sink, Where
from holdfast.engines.exposure.zipping import Zip
from holdfast.exposure import containers, encoded, zips
from holdfast.exposure.mail import MailEvent, MailWalker
from holdfast.exposure.results import Match
from holdfast.exposure.zips import Held

AFTER = "(after the end)"
_TELLING = 6
_PARTS = 4096
_FOREVER = 1 << 62


class Inflated:
    """A compressed stream, of any number of members."""

    def __init__(self, run: Run, where: Where, kind: str) -> None:
        """Of the kind that its first bytes tell."""
        self._run, self._where, self._kind = run, where, kind
        self._child: Sink = run.stream(where.inflated(kind))
        self._inflater: Inflater | None = MAKERS[kind]()
        self._spare = self._inflater
        self._between = b""
        self._after: Sink | None = None
        self._before = len(run.found.matches)
        self._member_at = 0
        self._asides: list[tuple[int, int]] = []
        self._over = False
        self._read = self._given = 0

    def place(self, _at: int, _end: int) -> Place:
        """Of the compressed bytes: the same member."""
        return Place(self._where.inner, 0, known=False)

    def told(self, match: Match) -> bool:
        """Whether a match of the compressed bytes was told as one of what they hold: little is stored as it is."""
        if any(start <= match.start and match.end <= end for start, end in self._asides):
            return False
        depth = len(self._where.inner)
        return any(
            (one.match.secret, one.match.form, one.match.unknown) == (match.secret, match.form, match.unknown)
            and one.inner[:depth] == self._where.inner
            for one in self._run.found.matches[self._before :]
        )

    def feed(self, piece: bytes) -> None:
        """See :class:`~holdfast.engines.exposure.running.Sink`."""
        if not self._read and self._kind == "gzip":
            self._asides.append((0, containers.gzip_header(piece)))
        self._read += len(piece)
        if self._after is not None:
            self._after.feed(piece)
            return
        data = piece
        while data and not self._over:
            if self._inflater is None:
                data = self._next(self._between + data)
                if self._inflater is None:
                    return
            data = self._inflate(self._inflater, data)

    def close(self) -> None:
        """See :class:`~holdfast.engines.exposure.running.Sink`."""
        self._child.close()
        if self._after is not None:
            self._after.close()
        elif not self._over and self._inflater is not None:
            self._run.fault(self._where.inner, f"truncated {self._kind}")

    def _inflate(self, inflater: Inflater, data: bytes) -> bytes:
        limits = self._run.limits
        try:
            for out in inflater.feed(data):
                if not out:
                    continue
                self._given += len(out)
                self._child.feed(out)
                self._run.spend(len(out))
                if self._given > limits.ratio_from and self._given > self._read * limits.ratio:
                    self._broken_off(f"inflates to more than {limits.ratio} times its size: broken off")
                    return b""
        except DamagedError as damage:
            self._broken_off(str(damage))
            return b""
        if not inflater.ended:
            return b""
        rest = inflater.rest
        end = self._read - len(rest)
        if isinstance(inflater, Zstd) and inflater.skipped and len(self._asides) < _PARTS:
            self._asides.append((self._member_at, end))
        self._member_at = end
        self._inflater, self._spare, self._between = None, inflater, b""
        return rest

    def _broken_off(self, reason: str) -> None:
        self._run.fault(self._where.inner, f"{self._kind}: {reason}")
        self._over = True

    def _next(self, data: bytes) -> bytes:
        """What follows a member: another one, padding, or something else."""
        bare = data.lstrip(b"\x00")
        if len(bare) < _TELLING:
            self._between = bare
            return b""
        self._between = b""
        if containers.container(bare[: containers.HEAD]) == self._kind:
            self._inflater = self._again()
            return bare
        self._after = self._run.stream(self._where.beside(AFTER), matched=False)
        self._after.feed(bare)
        return b""

    def _again(self) -> Inflater:
        if isinstance(self._spare, Zstd):
            self._spare.again()
            return self._spare
        return MAKERS[self._kind]()


class Mail:
    """A mailbox or a message: encoded parts are searched decoded."""

    def __init__(self, run: Run, where: Where) -> None:
        """At the beginning of it."""
        self._run, self._where = run, where
        self._walker = MailWalker()
        self._part: Sink | None = None
        self._messages: list[tuple[int, About]] = []
        self._decoded: list[tuple[int, int]] = []

    def place(self, at: int, end: int) -> Place | None:
        """The message that a byte is in; none within a part, which is searched decoded."""
        if any(start <= at and end <= stop for start, stop in self._decoded[-_PARTS:]):
            return None
        about = next((about for start, about in reversed(self._messages) if start <= at), self._where.about)
        return Place(self._where.inner, 0, "mail", about)

    def feed(self, piece: bytes) -> None:
        """See :class:`~holdfast.engines.exposure.running.Sink`."""
        self._hear(self._walker.feed(piece))

    def close(self) -> None:
        """See :class:`~holdfast.engines.exposure.running.Sink`."""
        self._hear(self._walker.close())

    def _hear(self, events: list[MailEvent]) -> None:
        for event in events:
            if event.what == "message":
                self._messages.append((event.at, event.about))
                # A message is known by its headers, which end here and began before: the last but one is enough.
                self._messages = self._messages[-_PARTS:]
            elif event.what == "part" and event.part is not None:
                self._run.member()
                self._decoded = [*self._decoded[-_PARTS:], (event.at, _FOREVER)]
                self._part = self._run.stream(self._where.within(event.part.name, "mail", event.part.about))
            elif self._part is not None:
                if event.data:
                    self._part.feed(event.data)
                    self._run.spend(len(event.data))
                if event.what == "end":
                    self._part.close()
                    self._part = None
                    self._decoded[-1] = (self._decoded[-1][0], event.at)


class Program:
    """Kept, as far as it is not too large, to see whether it ends with an archive."""

    def __init__(self, run: Run, where: Where) -> None:
        """At the beginning of it."""
        self._run, self._where = run, where
        self._pieces: list[bytes] = []
        self._size = 0
        self._script = False
        self._kept = True

    def place(self, _at: int, _end: int) -> Place:
        """The program."""
        return Place(self._where.inner, 0)

    def feed(self, piece: bytes) -> None:
        """See :class:`~holdfast.engines.exposure.running.Sink`."""
        if not self._size:
            self._script = piece.startswith(b"#!")
        if not self._kept:
            return
        if self._size + len(piece) > self._run.limits.program or not self._run.hold(len(piece)):
            self._let_go()
            self._kept = False
        else:
            self._pieces.append(piece)
            self._size += len(piece)

    def close(self) -> None:
        """See :class:`~holdfast.engines.exposure.running.Sink`."""
        if not self._kept:
            return
        if zips.may_end(self._tail()):
            reader = Held(b"".join(self._pieces))
            if zips.has_end(reader):
                Zip(self._run, self._where.inflated("program"), reader).close()
        elif self._script:
            self._packed_script(b"".join(self._pieces))
        self._let_go()

    def _tail(self) -> bytes:
        """Enough of the end to hold the end of a zip."""
        tail = b""
        for piece in reversed(self._pieces):
            tail = piece + tail
            if len(tail) >= zips.TAIL:
                break
        return tail[-zips.TAIL :]

    def _packed_script(self, data: bytes) -> None:
        """A script in front of a compressed archive."""
        found = (data.find(b"\n" + magic) for magic in (b"\x1f\x8b\x08", b"\xfd7zXZ\x00", b"BZh"))
        starts = [at for at in found if at > 0]
        if starts:
            sink = self._run.stream(self._where.beside("(after a script)"), matched=False)
            sink.feed(data[min(starts) + 1 :])
            sink.close()

    def _let_go(self) -> None:
        self._run.held -= self._size
        self._pieces, self._size = [], 0


class Encoded:
    """An archive in base64 within a text."""

    def __init__(self, run: Run, where: Where) -> None:
        """Where the first of its characters is; ``where`` is the text."""
        self._run, self._where = run, where
        self._characters = encoded.Run()
        self._head: bytes | None = b""
        self._child: Sink | None = None
        self.over = False
        self.took = 0
        """Characters of an archive, as far as it is one."""

    def feed(self, piece: bytes) -> None:
        """See :class:`~holdfast.engines.exposure.running.Sink`."""
        self._take(self._characters.feed(piece), len(piece))
        if self._characters.ended:
            self.close()

    def close(self) -> None:
        """See :class:`~holdfast.engines.exposure.running.Sink`."""
        if not self.over:
            self._take(self._characters.close(), 0)
        self.over = True
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def _take(self, data: bytes, length: int) -> None:
        if self._head is not None:
            self._head += data
            if len(self._head) < encoded.ENOUGH and not self._characters.ended:
                return
            data, self._head = self._head, None
            if not encoded.plausible(data):
                self.over = True
                return
            self._run.member()
            self._child = self._run.stream(self._where)
        if self._child is not None:
            self.took += length
            if data:
                self._child.feed(data)
                self._run.spend(len(data))
