r"""Values that leaked before and must never come back: a rule file that tells nothing of them, and finding them by it.

The file (``.holdfast/leaked.toml``) lies in a repository that anybody may read. Of each value it holds the scrypt of
it under a salt of the file, its length, and 24 bits of a rolling hash, by which nearly every place of a text is
passed over without running scrypt.

Rules:
1. Only values that cannot be guessed get in: 24 bits may be tried out at full speed, the rest at scrypt's.
2. Every place of a text is tried, whatever stands around it; so are what base64 (wrapped, of either alphabet, twice),
   hexadecimal, UTF-16, percent signs and backslashes spell.
3. A value that is written on several lines is compared without white space, so that it is found however it is wrapped.
4. A find that lies within another one of the same value is told instead of it: it says more exactly where.
5. A hash that agrees by chance costs one run of scrypt, once in 16 million places.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
import re
import tomllib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Any, NamedTuple

import numpy as np

from holdfast.exposure.guessing import ENOUGH_BITS, SHORTEST, guessable
from holdfast.exposure.rules import wide_runs
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.secrets import SecretValue

COST, BLOCK, PARALLEL = 1 << 15, 8, 1
"""Of scrypt: some 32 MiB and 50 to 100 ms for each try (RFC 7914)."""
LONGEST = 1 << 16
"""Bytes of a value."""
SALT_BYTES = 16
_MEMORY = 64 << 20
_PIECE = 1 << 20
_DEPTH = 3
_SPACE = re.compile(rb"\\[nrt]|\s")
_BASE64 = re.compile(
    rb"[A-Za-z0-9+/_-]{16,}+(?:[\"'`+,\\ \t]{0,8}(?:\r?\n|\\r|\\n){1,2}[\"'`+,\s]{0,80}[A-Za-z0-9+/_-]{4,}+)*+"
)
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/_-]{16,}+")
_BREAK = re.compile(rb"\\[nr]|[\"'`][ \t]*[+,]?|[\s,\\]+")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){12,}+")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_ESCAPE = re.compile(rb"\\(?:u00([0-9A-Fa-f]{2})|x([0-9A-Fa-f]{2})|(.))")
_MARK = re.compile(rb"[%\\]")
_HEADER = """\
# Values that leaked and must never come back, as salted scrypt fingerprints: no character of them is in here.
# Checked by: holdfast exposure check --staged
"""
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True, slots=True)
class Leaked:
    """One value, as the file has it."""

    name: str
    """``leak-1``."""
    length: int
    """Bytes that are compared."""
    squeezed: bool
    """Whether white space is left out of both sides."""
    rolling: int
    """24 bits."""
    proof: bytes
    incident: str = ""
    added: str = ""


@dataclass(frozen=True, slots=True)
class LeakedRules:
    """A file."""

    salt: bytes
    entries: tuple[Leaked, ...]

    def text(self) -> str:
        """The file: TOML."""
        rows = [
            _HEADER,
            f'schema = 1\nsalt = "{self.salt.hex()}"\nscrypt = {{ n = {COST}, r = {BLOCK}, p = {PARALLEL} }}\n',
        ]
        rows += [
            f"[[leaked]]\nname = {json.dumps(one.name)}\nlength = {one.length}\n"
            f"squeezed = {'true' if one.squeezed else 'false'}\nrolling = {one.rolling}\n"
            f'proof = "{one.proof.hex()}"\nincident = {json.dumps(one.incident)}\nadded = {json.dumps(one.added)}\n'
            for one in self.entries
        ]
        return "\n".join(rows)

    def with_value(self, secret: SecretValue, *, incident: str, added: str) -> tuple[LeakedRules, Leaked]:
        """The rules with one more value, and its entry; a value that is in already is not added again.

        Raises:
            BadInputError: the value could be guessed (``secret-too-guessable``), or is far too long.
        """
        value = secret.reveal()
        squeezed = len(value.split()) > 1 or b"\\n" in value
        compared = _SPACE.sub(b"", value) if squeezed else value
        if len(compared) > LONGEST:
            raise BadInputError(
                "secret-too-long-for-a-rule",
                "No rule was written.",
                why=f"The value is longer than {LONGEST >> 10} KiB, so it is a file rather than a secret.",
                next_step="Give the secret within it: holdfast exposure guard install REPO --secret-stdin",
            )
        if guessable(compared):
            raise BadInputError(
                "secret-too-guessable",
                "No rule was written.",
                why=f"The value is shorter than {SHORTEST} bytes or has fewer than {ENOUGH_BITS} bits of chance in it: "
                "whoever reads the repository could find it out from its fingerprint.",
                next_step="Rotate it, and let a format rule watch: holdfast exposure check --staged --rules",
            )
        proof = _scrypt(compared, self.salt)
        for one in self.entries:
            if hmac.compare_digest(one.proof, proof):
                return self, one
        entry = Leaked(
            name=f"leak-{len(self.entries) + 1}",
            length=len(compared),
            squeezed=squeezed,
            rolling=_Rolling(self.salt).of(compared),
            proof=proof,
            incident=incident,
            added=added,
        )
        return LeakedRules(self.salt, (*self.entries, entry)), entry


@dataclass(frozen=True, slots=True)
class Return:
    """A leaked value that is there again."""

    entry: Leaked
    start: int
    end: int
    form: str


def parse(text: str) -> LeakedRules:
    """Read a file.

    Raises:
        BadInputError: it cannot be used (``leaked-rules-invalid``).
    """
    try:
        return _rules(tomllib.loads(text))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(
            "leaked-rules-invalid",
            "Nothing was checked.",
            why=f"The file of leaked values cannot be used: {type(error).__name__}: {str(error)[:80]}.",
            next_step="Take it back from the history, or write it anew: holdfast exposure guard install REPO "
            "--secret-stdin",
        ) from None


def joined(files: Iterable[LeakedRules]) -> tuple[LeakedRules, ...]:
    """Versions of a file as one: whatever any of them forbids; files of other salts stay by themselves."""
    entries: defaultdict[bytes, dict[bytes, Leaked]] = defaultdict(dict)
    for one in files:
        for entry in one.entries:
            entries[one.salt].setdefault(entry.proof, entry)
    return tuple(LeakedRules(salt, tuple(found.values())) for salt, found in entries.items())


class LeakedMatcher:
    """Finds the values of a file in bytes."""

    def __init__(self, rules: LeakedRules) -> None:
        """Prepare; takes no secret."""
        self.rules = rules
        self._rolling = _Rolling(rules.salt)
        self._tried: dict[bytes, bytes] = {}

    @property
    def window(self) -> int:
        """Bytes that pieces of a text have to overlap by, so that what is cut is whole in one of them."""
        return 4 * max((one.length for one in self.rules.entries), default=0) + 1024

    def find(self, data: bytes) -> list[Return]:
        """Every place where one of the values is, in order; each place once."""
        found: dict[tuple[str, int, int], Return] = {}
        if self.rules.entries:
            for one in self._in(data, "", _DEPTH):
                found.setdefault((one.entry.name, one.start, one.end), one)
        innermost: list[Return] = []
        last: dict[str, int] = {}
        # By start, backwards, the longer of equal starts last: whoever ends behind one that begins later contains it.
        for one in sorted(found.values(), key=lambda one: (-one.start, one.end)):
            if one.end < last.get(one.entry.name, one.end + 1):
                last[one.entry.name] = one.end
                innermost.append(one)
        return sorted(innermost, key=lambda one: (one.start, one.end, one.entry.name))

    def _in(self, data: bytes, form: str, depth: int) -> Iterator[Return]:
        yield from self._plain(data, form)
        yield from self._squeezed(data, form)
        if not depth:
            return
        for kind, spelled in self._spelled(data).items():
            # All that is spelled one way is looked through at once: there are thousands of short pieces.
            within = b"\xff".join(one.inner for one in spelled)
            starts = list(accumulate((len(one.inner) + 1 for one in spelled), initial=0))
            for one in self._in(within, _then(form, kind), depth - 1):
                piece = spelled[bisect_right(starts, one.start) - 1]
                yield Return(one.entry, piece.start, piece.end, one.form)

    def _spelled(self, data: bytes) -> dict[str, list[_Spelled]]:
        found: defaultdict[str, list[_Spelled]] = defaultdict(list)
        shortest = min(one.length for one in self.rules.entries)
        for one in chain(_base64(data), _hex(data), _lines(data), _wide(data)):
            if len(one.inner) >= shortest:
                found[one.kind].append(one)
        return found

    def _plain(self, data: bytes, form: str) -> Iterator[Return]:
        entries = [one for one in self.rules.entries if not one.squeezed]
        for entry, start in self._places(data, entries):
            yield Return(entry, start, start + entry.length, form or "raw")

    def _squeezed(self, data: bytes, form: str) -> Iterator[Return]:
        entries = [one for one in self.rules.entries if one.squeezed]
        if not entries:
            return
        kept = np.ones(len(data), bool)
        for match in _SPACE.finditer(data):
            kept[match.start() : match.end()] = False
        places = np.flatnonzero(kept)
        for entry, start in self._places(np.frombuffer(data, np.uint8)[kept].tobytes(), entries):
            yield Return(entry, int(places[start]), int(places[start + entry.length - 1]) + 1, form or "raw")

    def _places(self, data: bytes, entries: Iterable[Leaked]) -> Iterator[tuple[Leaked, int]]:
        for entry in entries:
            for start in self._rolling.places(data, entry.length, entry.rolling):
                if hmac.compare_digest(self._proof(data[start : start + entry.length]), entry.proof):
                    yield entry, start

    def _proof(self, value: bytes) -> bytes:
        """Of one value once: a text may hold it a thousand times."""
        mark = hashlib.blake2b(value, key=self.rules.salt).digest()
        if mark not in self._tried:
            self._tried[mark] = _scrypt(value, self.rules.salt)
        return self._tried[mark]


class _Rolling:
    """A hash of every stretch of a length at once, keyed with the salt."""

    def __init__(self, salt: bytes) -> None:
        stream = hashlib.shake_256(b"holdfast leaked values" + salt).digest(8 * 257)
        words = np.frombuffer(stream, "<u8").astype(np.uint64)
        self._table = words[:256]
        self._base = int(words[256]) | 1
        self._powers = np.ones(1, np.uint64)
        self._inverses = np.ones(1, np.uint64)

    def of(self, value: bytes) -> int:
        """24 bits of the hash of a whole value."""
        return int(self._hashes(np.frombuffer(value, np.uint8), len(value))[0])

    def places(self, data: bytes, length: int, wanted: int) -> Iterator[int]:
        """Starts of the stretches whose hash is the wanted one."""
        held = np.frombuffer(data, np.uint8)
        for first in range(0, max(len(held) - length + 1, 0), _PIECE):
            piece = held[first : first + _PIECE + length - 1]
            for place in np.flatnonzero(self._hashes(piece, length) == wanted).tolist():
                yield first + place

    def _hashes(self, data: np.ndarray, length: int) -> np.ndarray:
        size = len(data)
        self._grow(size)
        # Sums wrap around at 64 bits, which is what a hash wants.
        sums = np.zeros(size + 1, np.uint64)
        np.cumsum(self._table[data] * self._powers[:size], out=sums[1:])
        stretches = (sums[length:] - sums[: size - length + 1]) * self._inverses[: size - length + 1]
        return np.asarray(stretches >> np.uint64(40))

    def _grow(self, size: int) -> None:
        if len(self._powers) < size:
            for name, base in (("_powers", self._base), ("_inverses", pow(self._base, -1, 1 << 64))):
                factors = np.full(size, base, np.uint64)
                factors[0] = 1
                setattr(self, name, np.cumprod(factors, dtype=np.uint64))


class _Spelled(NamedTuple):
    """Bytes that are spelled by others."""

    start: int
    end: int
    kind: str
    inner: bytes


def _base64(data: bytes) -> Iterator[_Spelled]:
    for match in _BASE64.finditer(data):
        if b"\n" in match[0] or b"\\" in match[0]:
            yield from _decoded(match.start(), match.end(), _BREAK.sub(b"", match[0]))
            for line in _BASE64_LINE.finditer(data, match.start(), match.end()):
                yield from _decoded(line.start(), line.end(), line[0])
        else:
            yield from _decoded(match.start(), match.end(), match[0])


def _decoded(start: int, end: int, run: bytes) -> Iterator[_Spelled]:
    run = run.translate(_URL_SAFE)
    for skipped in range(4):
        cut = run[skipped:]
        cut = cut[: len(cut) - (len(cut) % 4 == 1)]
        # Letters that are left over after a cut do not spell whole bytes, which this decoder does not mind.
        yield _Spelled(start, end, "base64", binascii.a2b_base64(cut + b"=" * (-len(cut) % 4)))


def _hex(data: bytes) -> Iterator[_Spelled]:
    for match in _HEX.finditer(data):
        for skipped in (0, 1):
            cut = match[0][skipped:]
            yield _Spelled(match.start(), match.end(), "hex", bytes.fromhex(cut[: len(cut) // 2 * 2].decode()))


def _lines(data: bytes) -> Iterator[_Spelled]:
    place = 0
    while mark := _MARK.search(data, place):
        start = data.rfind(b"\n", place, mark.start()) + 1 or place
        place = data.find(b"\n", mark.start()) + 1 or len(data)
        line = data[start:place]
        if _PERCENT.search(line):
            for text in {line, line.replace(b"+", b" ")}:
                yield _Spelled(start, place, "url", _PERCENT.sub(_byte, text))
        if b"\\" in line:
            yield _Spelled(start, place, "escaped", _ESCAPE.sub(_unescaped, line))


def _wide(data: bytes) -> Iterator[_Spelled]:
    for start, end in wide_runs(data):
        yield _Spelled(start, end, "utf-16", data[start:end:2])


def _byte(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode())


def _unescaped(match: re.Match[bytes]) -> bytes:
    digits = match[1] or match[2]
    if digits:
        return bytes.fromhex(digits.decode())
    return {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(match[3], match[3])


def _then(form: str, kind: str) -> str:
    return f"{form} > {kind}" if form else kind


def _scrypt(value: bytes, salt: bytes) -> bytes:
    return hashlib.scrypt(value, salt=salt, n=COST, r=BLOCK, p=PARALLEL, maxmem=_MEMORY, dklen=32)


def _entry(row: Mapping[str, Any]) -> Leaked:
    length, rolling, proof = int(row["length"]), int(row["rolling"]), bytes.fromhex(row["proof"])
    if not (SHORTEST <= length <= LONGEST and 0 <= rolling < 1 << 24 and len(proof) == 32):  # noqa: PLR2004 - as written
        msg = "an entry is out of range"
        raise ValueError(msg)
    more = {name: str(row.get(name, "")) for name in ("incident", "added")}
    return Leaked(str(row["name"]), length, bool(row["squeezed"]), rolling, proof, **more)


def _rules(document: Mapping[str, Any]) -> LeakedRules:
    costs, salt = document["scrypt"], bytes.fromhex(document["salt"])
    if document["schema"] != 1 or (costs["n"], costs["r"], costs["p"]) != (COST, BLOCK, PARALLEL):
        msg = "another schema or cost of scrypt"
        raise ValueError(msg)
    if len(salt) != SALT_BYTES:
        msg = "a salt of another length"
        raise ValueError(msg)
    return LeakedRules(salt, tuple(_entry(row) for row in document.get("leaked", ())))
