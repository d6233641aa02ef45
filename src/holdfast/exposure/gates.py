r"""What may be said of a pattern before it is tried: a gate that an automaton evaluates, and how a match begins.

A pattern of the library is read into pieces, and three texts are made from them:

- the *gate*, in the dialect that Hyperscan and RE2 share: look-arounds left out, possessive runs made ordinary ones,
  everything optional at the end cut off. Wherever the pattern matches, the gate matches at the same start, and ends
  no later.
- the *head*, in Python's dialect: what every match begins with, look-arounds included.
- the *pattern* itself over bytes, with white space spelled out, since the dialects disagree about it.

Rules:
1. Only constructs that every dialect has, or that can be left out safely, are understood; another one is refused.
2. A gate and a head let too much through, never too little: what they let through, the pattern decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_SPACE = r"\t\n\x0b\x0c\r "
_QUANTIFIER = re.compile(r"(?:\{(\d+)(,)?(\d*)\}|([*+?]))([+?]?)")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_GROUP = re.compile(r"\((?:\?P<[a-z]+>|\?:|(\?i:))")
_LOOK = re.compile(r"\(\?(<?)([=!])")
_ESCAPES = frozenset(r"sntrxZ.\-[](){}*+?|/^$")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a pattern, with how often it may come."""

    source: str
    """As Python writes it, without the quantifier."""
    quantifier: str = ""
    low: int = 1
    high: int | None = 1
    """None for no limit."""
    inner: tuple[tuple[Piece, ...], ...] = ()
    """Of a group: its alternatives."""
    caseless: bool = False
    nothing: bool = False
    """Whether it consumes nothing (a look-around, the end)."""
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Gated:
    """A pattern, ready for scanning bytes."""

    pattern: re.Pattern[bytes]
    head: re.Pattern[bytes]
    gate: bytes
    reach: int | None
    """Bytes from the start of a match to the end of its gate at most; none for no limit."""
    ahead: int | None
    """Bytes from the start of a match that its head looks at, at most; none for no limit."""
    behind: int
    """Bytes before the start of a match that it depends on, at most."""


def gated(pattern: str) -> Gated:
    """Read a pattern.

    Raises:
        ValueError: it uses a construct that is not understood, or is not ASCII.
    """
    alternatives, end = _alternatives(pattern, 0)
    if end != len(pattern) or not pattern.isascii():
        msg = f"{pattern!r} cannot be read beyond character {end}"
        raise ValueError(msg)
    trimmed = _trimmed(alternatives)
    heads = [_head(one) for one in alternatives]
    return Gated(
        pattern=re.compile(_written(alternatives).encode()),
        head=re.compile("|".join("".join(piece.source for piece in one) for one in heads).encode()),
        gate=_gate(trimmed).encode(),
        reach=_width(trimmed),
        ahead=_ahead(heads),
        behind=_behind(alternatives),
    )


def _alternatives(text: str, place: int) -> tuple[tuple[tuple[Piece, ...], ...], int]:
    found: list[tuple[Piece, ...]] = []
    sequence: list[Piece] = []
    while place < len(text) and text[place] != ")":
        if text[place] == "|":
            found.append(tuple(sequence))
            sequence = []
            place += 1
        else:
            piece, place = _piece(text, place)
            sequence.append(piece)
    return (*found, tuple(sequence)), place


def _piece(text: str, place: int) -> tuple[Piece, int]:
    if text[place] == "(":
        piece, place = _grouped(text, place)
    elif text[place] == "[":
        match = _CLASS.match(text, place)
        if match is None:
            msg = f"a class of {text!r} does not end"
            raise ValueError(msg)
        piece, place = Piece(match[0].replace(r"\s", _SPACE)), match.end()
    elif text[place] == "\\":
        piece, place = _escaped(text, place)
    elif text[place] in "^$.{}*+?":
        msg = f"{text[place]!r} of {text!r} is not understood where it stands"
        raise ValueError(msg)
    else:
        piece, place = Piece(text[place]), place + 1
    return _quantified(piece, text, place)


def _escaped(text: str, place: int) -> tuple[Piece, int]:
    letter = text[place + 1 : place + 2]
    if letter not in _ESCAPES or not letter:
        msg = f"\\{letter} of {text!r} is not understood"
        raise ValueError(msg)
    if letter == "s":
        return Piece(f"[{_SPACE}]"), place + 2
    end = place + (4 if letter == "x" else 2)
    return Piece(text[place:end], nothing=letter == "Z"), end


def _grouped(text: str, place: int) -> tuple[Piece, int]:
    look, group = _LOOK.match(text, place), _GROUP.match(text, place)
    opening = look or group
    if opening is None:
        msg = f"a group of {text!r} is of no known kind"
        raise ValueError(msg)
    inner, end = _alternatives(text, opening.end())
    if text[end : end + 1] != ")":
        msg = f"a group of {text!r} does not end"
        raise ValueError(msg)
    source = f"{opening[0]}{_written(inner)})"
    if look is not None:
        return Piece(source, inner=inner, nothing=True, backwards=bool(look[1])), end + 1
    return Piece(source, inner=inner, caseless=bool(group and group[1])), end + 1


def _quantified(piece: Piece, text: str, place: int) -> tuple[Piece, int]:
    match = _QUANTIFIER.match(text, place)
    if match is None:
        return piece, place
    if match[4]:
        low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}[match[4]]
    else:
        low = int(match[1])
        high = (int(match[3]) if match[3] else None) if match[2] else low
    return replace(piece, quantifier=match[0], low=low, high=high), match.end()


def _written(alternatives: tuple[tuple[Piece, ...], ...]) -> str:
    return "|".join("".join(piece.source + piece.quantifier for piece in one) for one in alternatives)


def _trimmed(alternatives: tuple[tuple[Piece, ...], ...]) -> tuple[tuple[Piece, ...], ...]:
    """Without what a match need not have at its end."""
    return tuple(_trimmed_sequence(one) for one in alternatives)


def _trimmed_sequence(sequence: tuple[Piece, ...]) -> tuple[Piece, ...]:
    kept = [piece for piece in sequence if not piece.nothing]
    while kept and kept[-1].low == 0:
        kept.pop()
    if kept:
        last = kept[-1]
        inner = _trimmed(last.inner) if last.low == 1 else last.inner
        kept[-1] = replace(last, inner=inner, high=last.low)
    return tuple(kept)


def _gate(alternatives: tuple[tuple[Piece, ...], ...]) -> str:
    return "|".join("".join(map(_gate_piece, one)) for one in alternatives)


def _gate_piece(piece: Piece) -> str:
    if piece.nothing:
        return ""
    source = piece.source
    if piece.inner:
        source = f"(?{'i' if piece.caseless else ''}:{_gate(piece.inner)})"
    if (piece.low, piece.high) == (1, 1):
        return source
    return f"{source}{{{piece.low},{'' if piece.high is None else piece.high}}}"


def _head(sequence: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """What every match of a sequence begins with, up to the first thing that varies; each piece once."""
    pieces: list[Piece] = []
    for piece in sequence:
        if piece.nothing:
            pieces.append(piece)
        elif len(piece.inner) == 1 and (piece.low, piece.high) == (1, 1) and not piece.caseless:
            return (*pieces, *_head(piece.inner[0]))
        elif piece.low == 0:
            break
        else:
            pieces.append(piece)
            if (piece.low, piece.high) != (1, 1) or piece.inner:
                break
    return tuple(pieces)


def _ahead(heads: list[tuple[Piece, ...]]) -> int | None:
    """At most, as if what is looked at stood behind what is taken."""
    pieces = [piece for one in heads for piece in one if not piece.backwards]
    widths = [_width(piece.inner) if piece.inner else int(not piece.nothing) for piece in pieces]
    known = [width for width in widths if width is not None]
    return sum(known) if len(known) == len(widths) else None


def _width(alternatives: tuple[tuple[Piece, ...], ...]) -> int | None:
    widest = 0
    for sequence in alternatives:
        width = 0
        for piece in sequence:
            one = 0 if piece.nothing else _width(piece.inner) if piece.inner else 1
            if one is None or piece.high is None:
                return None
            width += one * piece.high
        widest = max(widest, width)
    return widest


def _behind(alternatives: tuple[tuple[Piece, ...], ...]) -> int:
    """As if every look-behind stood at the start: more than enough for those that stand later."""
    pieces = [piece for sequence in alternatives for piece in sequence]
    return max(((_width(one.inner) or 0) if one.backwards else _behind(one.inner) for one in pieces), default=0)
