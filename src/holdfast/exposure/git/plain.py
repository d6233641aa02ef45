"""Packs without kernels: each object made from the root of its chain, in plain Python. It is slow, it is the oracle.

It shares no code with the kernels but the table of entries, and gives the same objects and faults.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from holdfast.exposure.git.layout import BAD_DELTA, CORRUPT, GAP, OFS_DELTA, REF_DELTA, SHORT, TOO_LARGE, Pack

LARGEST = 2 << 30
"""Bytes of one object that are held in memory; larger whole objects are streamed."""
_SEVEN = 127
_EMPTY_COPY = 65536
_PIECE = 1 << 20


class UnmadeError(Exception):
    """An object that cannot be made; ``code`` is one of ``layout.FAULTS``."""

    def __init__(self, code: int) -> None:
        """For one reason."""
        super().__init__(code)
        self.code = code


def inflate_entry(pack: Pack, entry: int) -> tuple[bytes, int]:
    """The inflated bytes of an entry, and 0 or ``GAP`` when bytes follow that nobody names.

    Raises:
        UnmadeError: the bytes are corrupt or of another length.
    """
    packed = pack.data.data[int(pack.start[entry]) : int(pack.stop[entry])]
    size = int(pack.size[entry])
    if size > LARGEST:
        raise UnmadeError(TOO_LARGE)
    machine = zlib.decompressobj()
    try:
        made = machine.decompress(packed, size + 1)
        if len(made) <= size and not machine.eof:
            made += machine.decompress(machine.unconsumed_tail, 1)
    except zlib.error:
        raise UnmadeError(CORRUPT) from None
    if len(made) != size:
        raise UnmadeError(SHORT)
    if not machine.eof:
        raise UnmadeError(CORRUPT)
    return made, GAP if machine.unused_data else 0


def apply_delta(base: bytes, delta: bytes) -> bytes:
    """The object that a delta makes of its base.

    Raises:
        UnmadeError: it does not fit.
    """
    said, at = _number(delta, 0)
    length, at = _number(delta, at)
    if said != len(base):
        raise UnmadeError(BAD_DELTA)
    parts: list[bytes] = []
    total = 0
    while at < len(delta):
        byte = delta[at]
        at += 1
        if byte & 128:
            part, at = _copied(base, delta, byte, at)
        elif byte and at + byte <= len(delta):
            part = delta[at : at + byte]
            at += byte
        else:
            raise UnmadeError(BAD_DELTA)
        parts.append(part)
        total += len(part)
        if total > length:
            raise UnmadeError(BAD_DELTA)
    if total != length:
        raise UnmadeError(BAD_DELTA)
    return b"".join(parts)


def walk(pack: Pack, roots: list[int], base: bytes | None = None) -> Iterator[tuple[int, bytes | None, int]]:
    """Every object of some delta trees: entry, bytes or none, and 0 or a code.

    What hangs on an object that cannot be made is not named: whoever asks knows it from the tree.

    Args:
        pack: the entries.
        roots: where to begin: whole objects, or deltas of ``base``.
        base: what the roots are deltas of, when they are.
    """
    for root in roots:
        waiting: list[tuple[int, bytes | None]] = [(root, base)]
        while waiting:
            entry, below = waiting.pop()
            try:
                made, code = inflate_entry(pack, entry)
                if below is not None:
                    made = apply_delta(below, made)
            except UnmadeError as fault:
                yield entry, None, fault.code
                continue
            yield entry, made, code
            children = pack.children[pack.first_child[entry] : pack.first_child[entry + 1]].tolist()
            waiting += [(child, made) for child in reversed(children)]


def entry_head(data: memoryview, at: int, width: int) -> tuple[int, int, int | bytes | None, int]:
    """Type, size, base (distance or id) and where the compressed bytes begin, for packs without an index.

    Raises:
        UnmadeError: it is no head of an entry.
    """
    try:
        byte = data[at]
        kind, size, shift = (byte >> 4) & 7, byte & 15, 4
        at += 1
        while byte & 128:
            byte = data[at]
            at += 1
            size |= (byte & _SEVEN) << shift
            shift += 7
        if kind == OFS_DELTA:
            byte = data[at]
            at += 1
            back = byte & _SEVEN
            while byte & 128:
                byte = data[at]
                at += 1
                back = ((back + 1) << 7) | (byte & _SEVEN)
            return kind, size, back, at
    except IndexError:
        raise UnmadeError(CORRUPT) from None
    if kind == REF_DELTA:
        return kind, size, bytes(data[at : at + width]), at + width
    if kind in {0, 5}:
        raise UnmadeError(CORRUPT)
    return kind, size, None, at


def _number(data: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while at < len(data) and shift < 56:  # noqa: PLR2004 - bits that git itself takes
        byte = data[at]
        at += 1
        value |= (byte & _SEVEN) << shift
        shift += 7
        if not byte & 128:
            return value, at
    raise UnmadeError(BAD_DELTA)


def _copied(base: bytes, delta: bytes, byte: int, at: int) -> tuple[bytes, int]:
    offset = length = 0
    try:
        for place in range(4):
            if byte & (1 << place):
                offset |= delta[at] << (8 * place)
                at += 1
        for place in range(3):
            if byte & (16 << place):
                length |= delta[at] << (8 * place)
                at += 1
    except IndexError:
        raise UnmadeError(BAD_DELTA) from None
    length = length or _EMPTY_COPY
    if offset + length > len(base):
        raise UnmadeError(BAD_DELTA)
    return base[offset : offset + length], at


def entry_pieces(pack: Pack, entry: int) -> Iterator[bytes]:
    """A whole object in pieces, without ever being in memory whole.

    Raises:
        UnmadeError: while reading on, where the bytes are corrupt or of another length.
    """
    packed = pack.data.data[int(pack.start[entry]) : int(pack.stop[entry])]
    machine = zlib.decompressobj()
    done, at = 0, 0
    try:
        while not machine.eof:
            fed = machine.unconsumed_tail or bytes(packed[at : at + _PIECE])
            if fed is not machine.unconsumed_tail:
                at += len(fed)
            if not fed:
                raise UnmadeError(CORRUPT)
            piece = machine.decompress(fed, _PIECE)
            done += len(piece)
            yield piece
    except zlib.error:
        raise UnmadeError(CORRUPT) from None
    if done != int(pack.size[entry]):
        raise UnmadeError(SHORT)
    if machine.unused_data or at < len(packed):
        raise UnmadeError(GAP)
