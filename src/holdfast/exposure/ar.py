"""The archives of ar, which Debian packages and static libraries are, as arithmetic over buffers."""

from __future__ import annotations

from holdfast.exposure.tar import Member, Part

MAGIC = b"!<arch>\n"
_HEADER = 60


class ArWalker:
    """Tells of every stretch what it is, in order; see :class:`holdfast.exposure.tar.Walker`."""

    def __init__(self) -> None:
        """At the beginning of an archive."""
        self.at = 0
        self._held = b""
        self._wanted = len(MAGIC)
        self._left = self._pad = 0
        self._member: Member | None = None
        self._broken = False

    def feed(self, piece: bytes) -> list[Part]:
        """What the stretches of the next piece are."""
        parts: list[Part] = []
        place, size = 0, len(piece)
        while place < size and not self._broken:
            if self._left:
                step = min(self._left, size - place)
                parts.append(Part("data", self._member, place, step))
                self._left -= step
                if not self._left:
                    self._finish(parts)
            elif self._pad:
                step, self._pad = 1, 0
            else:
                step = min(self._wanted - len(self._held), size - place)
                self._held += piece[place : place + step]
                if len(self._held) == self._wanted:
                    self.at += step
                    place += step
                    self._header(parts)
                    continue
            place += step
            self.at += step
        return parts

    def close(self) -> list[Part]:
        """What is missing at the end."""
        if self._member is not None:
            name = self._member.name
            return [Part("end", self._member, 0, 0), Part("fault", None, 0, 0, f"truncated within {name}")]
        if self._held:
            return [Part("fault", None, 0, 0, "truncated: the end of the archive is missing")]
        return []

    def _header(self, parts: list[Part]) -> None:
        head, self._held = self._held, b""
        if self._wanted == len(MAGIC):
            self._wanted = _HEADER
            return
        told = head[48:58].strip()
        if head[58:60] != b"`\n" or not told.isdigit():
            self._broken = True
            parts.append(Part("fault", None, 0, 0, f"a damaged header at byte {self.at - _HEADER}"))
            return
        name = head[:16].decode("utf-8", "surrogateescape").rstrip().removesuffix("/") or "/"
        size = int(told)
        self._member = Member(name, self.at - _HEADER, self.at, size, 0)
        self._left, self._pad = size, size & 1
        parts.append(Part("member", self._member, 0, 0))
        if not size:
            self._finish(parts)

    def _finish(self, parts: list[Part]) -> None:
        parts.append(Part("end", self._member, 0, 0))
        self._member = None
