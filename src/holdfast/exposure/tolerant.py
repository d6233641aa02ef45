r"""Whether bytes spell a secret: each of its bytes raw or escaped, and whatever joins literals between them.

The secret leads: at each of its bytes only readings that give this very byte go on, so that a secret which itself
holds ``%41`` or a backslash is read right. All readings are followed side by side (a set of places for each byte of
the secret), never one inside another: time is linear in the length, whatever the input.

Rules:
1. Nothing stands for a byte of the secret but the byte or a spelling of it: an altered character never passes.
2. What may stand between two bytes (:data:`GLUE`) is bounded by :data:`LONGEST_GLUE` bytes.
3. Work is counted in a :class:`Budget`; when it is used up, the answer is "not whole", which is told as a piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from holdfast.exposure.escapes import CUT, HTML, JSON, LEGACY, NAMES, PRINTABLE, TRIGGERS, URL, WRAPPED, readings
from holdfast.exposure.results import Class

LONGEST_GLUE = 200
_WALK_COST = 4
_SPACE = 0x20
_LONGEST_ESCAPE = 9
_FRAME = b"-----BEGIN"
_LETTERS = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_WIDEST = 24
"""Places that are followed side by side."""
GLUE = re.compile(
    rb"""(?:
      \r?\n[ \t]*+[0-9]{1,6}(?:[:|.)\t]|[ ][ ])[ \t]*+   # a line number
    | \s++ | \xc2[\xa0\xad] | \xe2\x80[\x8b-\x8d\xa8\xa9] | \xef\xbb\xbf
    | \\{1,8}+(?:r\\{1,8}+n|[nrt])                          # a line end written out
    | =\r?\n
    | %(?:25){0,3}+(?:0[aAdD9]|20)
    | &(?:amp;){0,3}+(?:\#0{0,4}+(?:9|10|13|32|160)|\#[xX]0{0,4}+(?:[9aAdD]|20|[aA]0)|nbsp|shy|NewLine|Tab);
    | \x1b\[[0-9;]{0,16}+[A-Za-z]                          # a colour
    | </?[A-Za-z][^<>]{0,120}+> | <!--[^<>]{0,80}+> | \]\]><!\[CDATA\[
    | \.(?:concat|append)\(
    | (?<=[\s"'`+&.,;])(?:\#|//|--)[^\r\n]{0,100}+(?=\r?\n) | /\*[^*]{0,100}+\*/   # a remark
    | (?<=[\s+.,&(|])[fFrRbBuUL@$]{1,2}+(?=["'`])           # what stands before a literal
    | ["'`+.,&|~;\\^_\#*/>()$-]
    )++""",
    re.VERBOSE,
)
_GLUE_STARTS = frozenset(b" \t\r\n\v\f\"'`+.,&|~;\\^_#*/>()$-=%<]\x1b\xc2\xe2\xef")
_WRITTEN = re.compile(rb"(?:\s|\\+[nrt])++")
_PRINTABLE_END = re.compile(rb"(?:=\r?\n)++")
_URL_END = re.compile(rb"(?:\s|%(?:25)*(?:0[aAdD9]|20))++")
_HTML_END = re.compile(rb"(?:\s|&[^;]{1,16};)++")


class Budget:
    """How much may still be done for one buffer."""

    __slots__ = ("failures", "steps")

    def __init__(self, size: int) -> None:
        """For a buffer of ``size`` bytes."""
        self.steps = 50_000 + size
        self.failures = 2_000 + size // 256

    @property
    def spent(self) -> bool:
        """Whether it is used up."""
        return self.steps < 0 or self.failures < 0


class Walk(NamedTuple):
    """How far a secret is spelled from a place."""

    reached: int
    """Bytes of the secret from its beginning; all of them when it is whole."""
    end: int
    """Where the spelling ends in the buffer."""
    bits: int


class Pattern:
    """What has to be spelled."""

    __slots__ = ("_points", "_run_ends", "starts", "text")

    def __init__(self, text: bytes) -> None:
        """Prepare for text of at least two bytes."""
        self.text = text
        self._run_ends = _run_ends(text)
        self._points = _points(text)
        self.starts = _starts(text, self._points)

    def walk(self, data: bytes, at: int, budget: Budget, first: int = 0) -> Walk:
        """Follow the spelling of the text from its byte ``first``, which has to begin at a place."""
        budget.steps -= _WALK_COST
        waiting: dict[int, dict[int, int]] = {first: {at: 0}}
        reached, end, bits = first, at, 0
        size = len(self.text)
        place = first
        while waiting and place <= size:
            states = waiting.pop(place, None)
            if not states:
                place += 1
                continue
            reached = place
            end, bits = min(states.items(), key=lambda state: (state[1], -state[0]))
            if place == size or budget.steps < 0:
                break
            for start, seen in states.items():
                budget.steps -= self._step(data, start, seen, (place, place == first), waiting)
        return Walk(reached, end, bits)

    def _step(
        self, data: bytes, at: int, seen: int, where: tuple[int, bool], waiting: dict[int, dict[int, int]]
    ) -> int:
        """Go on from one place, and say how much work that was."""
        place, first = where
        until = self._run_ends[place]
        if until > place and data.startswith(self.text[place:until], at):
            _keep(waiting, until, at + until - place, seen)
            return 1
        for end, width, bits in self._spelled(data, at, place):
            _keep(waiting, place + width, end, seen | bits)
        glue = None
        if not first and at < len(data) and data[at] in _GLUE_STARTS:
            glue = GLUE.match(data, at, at + LONGEST_GLUE)
        if glue is None:
            return 1
        until = glue.end()
        wanted = self.text[place]
        for spot in range(at + 1, until + 1):
            # Within the glue itself only what can begin a spelling is worth a look.
            if spot == until or data[spot] == wanted or data[spot] in TRIGGERS:
                for end, width, bits in self._spelled(data, spot, place):
                    _keep(waiting, place + width, end, seen | bits | _glue_bits(data[at:spot]))
        return until - at

    def _spelled(self, data: bytes, at: int, place: int) -> Iterator[tuple[int, int, int]]:
        """Spellings of the byte (or of the character that begins with it): end, bytes of the text, bits."""
        if at >= len(data):
            return
        here, wanted = data[at], self.text[place]
        if here == wanted:
            yield at + 1, 1, 0
        elif wanted == _SPACE and here in b"\t\r\n":
            yield at + 1, 1, WRAPPED
        point, width, legacy = self._points.get(place, (-2, 1, -1))
        if here == legacy:
            yield at + 1, width, LEGACY
        if here in TRIGGERS:
            for end, byte, code, bits in readings(data, at):
                if byte == wanted:
                    yield end, 1, bits
                if code == point:
                    yield end, width, bits


def cuts_escape(data: bytes, place: tuple[int, int], bits: int) -> bool:
    """Whether a spelling begins or ends within an escape of the kind that it holds itself: then it is another's.

    Args:
        data: the buffer.
        place: where the spelling begins and ends.
        bits: what was seen in it.
    """
    start, end = place
    for at in range(max(0, start - _LONGEST_ESCAPE), start):
        if data[at] in TRIGGERS and any(until > start and seen & bits for until, _, _, seen in readings(data, at)):
            return True
    # A backslash at the end is left alone: it may be the second of a pair.
    last = data[end - 1] in b"%&=" and end - 1 > start
    return last and any(until > end and seen & bits for until, _, _, seen in readings(data, end - 1))


def form_of(bits: int, *, loose: bool) -> tuple[str, Class]:
    """Name and class of a whole spelling; ``raw`` when there is nothing to tell.

    Args:
        bits: what was seen on the way.
        loose: whether white space within the secret was left out of what had to be spelled.
    """
    names = [name for bit, name in NAMES if bits & bit]
    if bits & CUT or (bits & WRAPPED and not loose):
        return ", ".join([*names, "split"]), "split"
    if not names and not loose:
        return "raw", "exact"
    return ", ".join(names or ["rewrapped"]), "encoded"


def _glue_bits(glue: bytes) -> int:
    if glue.isspace():
        return WRAPPED
    if _PRINTABLE_END.fullmatch(glue):
        return PRINTABLE
    for pattern, bits in ((_WRITTEN, JSON), (_URL_END, URL), (_HTML_END, HTML)):
        if pattern.fullmatch(glue):
            return WRAPPED | bits
    return CUT


def _keep(waiting: dict[int, dict[int, int]], place: int, at: int, bits: int) -> None:
    states = waiting.setdefault(place, {})
    known = states.get(at)
    if known is None:
        if len(states) < _WIDEST:
            states[at] = bits
    elif bits < known:
        states[at] = bits


def _run_ends(text: bytes) -> list[int]:
    """For each place the end of the run of letters and digits that goes on there; the place itself if none does."""
    ends = list(range(len(text) + 1))
    for place in range(len(text) - 1, -1, -1):
        if text[place] in _LETTERS:
            ends[place] = max(ends[place + 1], place + 1)
    return ends


def _points(text: bytes) -> dict[int, tuple[int, int, int]]:
    """Where characters of several bytes begin: code point, bytes, and their byte in the Western code page or -1."""
    found: dict[int, tuple[int, int, int]] = {}
    try:
        characters = text.decode()
    except UnicodeDecodeError:
        return found
    place = 0
    for character in characters:
        width = len(character.encode())
        if width > 1:
            legacy = character.encode("cp1252", "ignore")
            found[place] = (ord(character), width, legacy[0] if legacy else -1)
        place += width
    return found


def _starts(text: bytes, points: dict[int, tuple[int, int, int]]) -> re.Pattern[bytes]:
    """Where the text may begin: its first byte before something that can follow, or an escape."""
    legacy = {place: bytes([byte]) for place, (_, _, byte) in points.items() if byte >= 0}
    follows = bytes(sorted({text[1]} | _GLUE_STARTS | TRIGGERS)) + legacy.get(1, b"")
    first = re.escape(text[:1]) + b"(?=[" + re.escape(follows) + b"])"
    if text.startswith(_FRAME):
        first = _FRAME  # dashes before it would each look like its beginning
    escapes = b"\\%&=" if text[:1].isalnum() else bytes(sorted(TRIGGERS))
    return re.compile(first + b"|[" + re.escape(escapes + legacy.get(0, b"")) + b"]", re.DOTALL)
