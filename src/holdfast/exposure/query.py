"""What is searched for: the secrets, compiled into anchors that a matcher finds and confirmed around each of them.

An anchor is a short literal (at most 24 bytes) that stands in some spelling of a secret. Finding an anchor proves
nothing: :meth:`Query.confirm` looks at the bytes around it and says which spelling it is, or that it is a piece only.

Rules:
1. A query never shows itself: neither its secrets nor its anchors are printed, pickled or put into an error.
2. What it cannot find is told in words: :data:`KNOWN_NOT_SEARCHED`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NoReturn

from holdfast.exposure.confirming import CONTEXT, Confirmer, Origin
from holdfast.exposure.escapes import NAMES
from holdfast.exposure.matching import Matcher, matcher
from holdfast.exposure.needles import Needle, needles_of
from holdfast.exposure.results import Match
from holdfast.exposure.spelling import LONGEST_ANCHOR, SHORTEST_ANCHOR, Anchor, anchors_of
from holdfast.exposure.tolerant import Pattern
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.secrets import SecretValue

__all__ = ["CONTEXT", "KNOWN_NOT_SEARCHED", "LONGEST_ANCHOR", "Query", "compile_query"]

LONGEST_SECRET = 64 << 10
"""Bytes."""
KNOWN_NOT_SEARCHED = frozenset(
    {
        "another case of letters",
        "base58, base85 and other bases than 10, 16, 32 and 64",
        "compressed streams inside PDF and other documents",
        "decimal bytes separated by spaces or line ends",
        "EBCDIC and UTF-7",
        "encodings of what was escaped character by character, and three encodings on top of each other",
        "encrypted or hashed data",
        "hexadecimal dumps in words of machine order",
        "hexadecimal, UTF-16 and other encodings of base64",
        "other Unicode normal forms",
        "pictures and sound",
        "pieces of fewer than 12 bytes",
        "secrets of fewer than 16 bytes that are cut in two, and longer ones cut every few characters",
        "what a secret stands for when it is itself encoded, private keys apart",
    }
)
"""Spellings that no anchor is made for."""
_TOKEN = re.compile(rb"\S*")
_LISTS = ("hex list", "hex dump", "decimal list")
_ROUNDS = 3


class Query:
    """Secrets, compiled."""

    __slots__ = ("_confirmer", "_forms", "_numbers", "_origins", "anchors", "secrets")

    def __init__(self, secrets: Iterable[SecretValue]) -> None:
        """Compile secrets that were checked; see :func:`compile_query`."""
        self.secrets: tuple[SecretValue, ...] = tuple(secrets)
        table: dict[bytes, list[Origin]] = {}
        for number, secret in enumerate(self.secrets):
            for needle in needles_of(number, secret.reveal()):
                _add(table, needle)
        self.anchors: tuple[bytes, ...] = tuple(table)
        """Distinct literals; a matcher's numbers are places in here."""
        self._origins = tuple(tuple(origins) for origins in table.values())
        self._numbers: dict[bytes, list[int]] = {}
        for number, literal in enumerate(self.anchors):
            self._numbers.setdefault(literal[:SHORTEST_ANCHOR], []).append(number)
        self._confirmer = Confirmer(self.anchors, self._origins, self._find)

    @property
    def width(self) -> int:
        """Bytes of the longest anchor."""
        return max(map(len, self.anchors), default=0)

    @property
    def digest(self) -> str:
        """What else than the secrets the answer depends on; empty for nothing."""
        return ""

    def matcher(self, *, plain: bool, more: Iterable[bytes] = ()) -> Matcher:
        """A matcher of the anchors, and of more literals after them."""
        return matcher(tuple(dict.fromkeys([*self.anchors, *more])), plain=plain)

    def confirm(self, data: bytes | bytearray | memoryview, found: Sequence[tuple[int, int]]) -> list[Match]:
        """What the anchors in a buffer mean.

        Args:
            data: the buffer.
            found: number of the anchor and end of it, as a matcher gives them.

        Returns:
            Matches in the order of the buffer; one place is told once, by its best class.
        """
        if not found:
            return []
        return self._confirmer.matches(data if isinstance(data, bytes) else memoryview(data), found)

    def redact(self, text: str) -> str:
        """The text without the secrets, in whatever spelling.

        A piece of a secret goes with everything around it up to white space, so that nothing of use is left.
        """
        for _ in range(_ROUNDS):
            data, errors = as_bytes(text)
            places = self._places(data)
            if not places:
                return text
            parts: list[bytes] = []
            place = 0
            for start, end, secret in places:
                parts += (data[place:start], b"[redacted secret %d]" % secret)
                place = end
            text = b"".join([*parts, data[place:]]).decode("utf-8", errors)
        return text if not self._places(as_bytes(text)[0]) else "[redacted]"

    def pieces(self) -> Iterator[tuple[Needle, Anchor]]:
        """Every anchor, with what it is a piece of; an anchor of several comes for each."""
        return ((one.needle, one.anchor) for origins in self._origins for one in origins)

    def origins(self, anchor: int) -> tuple[tuple[int, str], ...]:
        """Number of the secret and name of the form, of everything that an anchor is a piece of."""
        return tuple(dict.fromkeys((one.needle.secret, one.anchor.form) for one in self._origins[anchor]))

    def forms(self) -> tuple[str, ...]:
        """Every form that is searched, by name."""
        named = {one.anchor.form for origins in self._origins for one in origins}
        return tuple(sorted(named | {"split"} | {name for _, name in NAMES})) if named else ()

    def __repr__(self) -> str:
        """How much, never what."""
        return f"Query({len(self.secrets)} secrets, {len(self.anchors)} anchors)"

    def __reduce__(self) -> NoReturn:
        """Refuse pickling."""
        msg = "a Query is not pickled"
        raise TypeError(msg)

    def _find(self, data: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """Anchors that lie within a part of a small buffer, as a matcher gives them."""
        found: list[tuple[int, int]] = []
        for place in range(start, end - SHORTEST_ANCHOR + 1):
            for number in self._numbers.get(data[place : place + SHORTEST_ANCHOR], ()):
                until = place + len(self.anchors[number])
                if until <= end and data.startswith(self.anchors[number], place):
                    found.append((until, number))
        return [(number, until) for until, number in sorted(found)]

    def _places(self, data: bytes) -> list[tuple[int, int, int]]:
        """What has to be redacted: beginning, end and secret, in order, never overlapping."""
        found = self._find(data, 0, len(data))
        places = [_place(data, match) for match in self.confirm(data, found)]
        told = list(places)
        for number, end in found:
            start = end - len(self.anchors[number])
            secret = self._origins[number][0].needle.secret
            if any(low < end and start < high for low, high, _ in told):
                places.append((start, end, secret))  # with what leads a list, which is no part of the secret
            else:
                places.append(_place(data, Match(secret, start, end, self.origins(number)[0][1], "partial")))
        apart: list[tuple[int, int, int]] = []
        for start, end, secret in sorted(places):
            if apart and start < apart[-1][1]:
                apart[-1] = (apart[-1][0], max(end, apart[-1][1]), apart[-1][2])
            else:
                apart.append((start, end, secret))
        return apart


def compile_query(secrets: Iterable[SecretValue]) -> Query:
    """Compile secrets.

    Raises:
        BadInputError: a secret is too short to be told from chance (``secret-too-short``), one byte again and again
            (``secret-too-plain``), or too long (``secret-too-long``).
    """
    held = tuple(secrets)
    for secret in held:
        _check(secret.reveal())
    return Query(held)


def _check(secret: bytes) -> None:
    if len(secret) < SHORTEST_ANCHOR:
        raise BadInputError(
            "secret-too-short",
            "The secret is too short to be searched for.",
            why=f"It has {len(secret)} bytes; fewer than {SHORTEST_ANCHOR} stand everywhere by chance.",
            next_step="Search for the longest string that holds it, such as the whole line or connection string.",
        )
    if len(set(secret)) == 1:
        raise BadInputError(
            "secret-too-plain",
            "The secret is one character again and again.",
            why="It stands everywhere by chance, and is probably what hides a secret rather than the secret.",
            next_step="Give the secret itself, not a masked copy of it.",
        )
    if len(secret) > LONGEST_SECRET:
        raise BadInputError(
            "secret-too-long",
            "The secret is too long to be searched for.",
            why=f"It has {len(secret):,} bytes; at most {LONGEST_SECRET:,} are searched for.",
            next_step="Give the key or token alone, not the file that holds it.",
        )


def _add(table: dict[bytes, list[Origin]], needle: Needle) -> None:
    pattern = Pattern(needle.text)
    for anchor in anchors_of(needle):
        origins = table.setdefault(anchor.literal, [])
        known = {(one.needle is needle, one.anchor.layer, one.anchor.phase) for one in origins}
        if (True, anchor.layer, anchor.phase) not in known:
            origins.append(Origin(needle, pattern, anchor))


def as_bytes(text: str) -> tuple[bytes, str]:
    """The text's bytes, and what has to be told to get them back: names of files may hold bytes that are no text."""
    try:
        return text.encode("utf-8", "surrogateescape"), "surrogateescape"
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass"), "surrogatepass"


def _place(data: bytes, match: Match) -> tuple[int, int, int]:
    start, end = match.start, match.end
    if match.cls == "partial":
        if match.form.startswith(_LISTS):
            start = data.rfind(b"\n", 0, start) + 1
            line = data.find(b"\n", end)
            end = len(data) if line < 0 else line
        else:
            while start > 0 and not data[start - 1 : start].isspace():
                start -= 1
            token = _TOKEN.match(data, end)
            end = token.end() if token else end
    assert match.secret is not None  # what a query finds, somebody named
    return start, end, match.secret
