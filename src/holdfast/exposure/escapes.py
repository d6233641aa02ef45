r"""What an escape in a text stands for: backslashes, percent signs, entities and their like.

One escape may be read in several ways (``\\x41`` is a backslash and ``x41``, or a letter that was escaped twice): all
are given, and whoever looks for a secret goes on with those that spell it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html.entities import html5

# What was seen on the way, as bits; a reading with less of it is preferred.
URL, URL_TWICE, JSON, JSON_TWICE, C_ESCAPES, OCTAL, HTML, HTML_TWICE, PRINTABLE, SHELL, DOUBLED, LEGACY = (
    1 << bit for bit in range(12)
)
WRAPPED, CUT = 1 << 12, 1 << 13
NAMES = (
    (URL_TWICE, "url > url"),
    (URL, "url"),
    (JSON_TWICE, "json > json"),
    (JSON, "json"),
    (C_ESCAPES, "c escapes"),
    (OCTAL, "octal"),
    (HTML_TWICE, "html > html"),
    (HTML, "html"),
    (PRINTABLE, "quoted-printable"),
    (SHELL, "shell"),
    (DOUBLED, "doubled quotes"),
    (LEGACY, "latin-1"),
)

_ASCII = 0x80
_BACKSLASH, _SPACE = 0x5C, 0x20
_BACKSLASHES = re.compile(rb"\\{1,8}")
_POINT = re.compile(rb"u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|U([0-9a-fA-F]{8})")
_LOW_HALF = re.compile(rb"\\{1,8}u([dD][c-fC-F][0-9a-fA-F]{2})")
_HIGH_HALVES = range(0xD800, 0xDC00)
_BYTE = re.compile(rb"x([0-9a-fA-F]{2})|([0-3]?[0-7]{1,2})")
_PERCENT = re.compile(rb"%(?:([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))")
_DIGITS = re.compile(rb"[0-9a-fA-F]{2}")
_TIMES = 3
"""How often a percent sign may have been escaped again."""
_ENTITY = re.compile(rb"&((?:amp;){0,3})(?:#([0-9]{1,7});?|#[xX]([0-9a-fA-F]{1,6});?|([A-Za-z][A-Za-z0-9]{1,30});)")
_EQUALS = re.compile(rb"=([0-9a-fA-F]{2})")
_CONTROLS = {
    ord("n"): 10,
    ord("r"): 13,
    ord("t"): 9,
    ord("b"): 8,
    ord("f"): 12,
    ord("a"): 7,
    ord("v"): 11,
    ord("e"): 27,
    ord("0"): 0,
}
_TWINS = frozenset(b"'\"$%{}")
_LETTERS = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

Reading = tuple[int, int, int, int]
"""Where it ends, the byte it stands for or -1, the code point it stands for or -1, and bits."""


def readings(data: bytes, at: int) -> list[Reading]:
    """Everything that the escape at a place can stand for; nothing where none of :data:`TRIGGERS` is."""
    here = data[at]
    read = _READERS.get(here)
    found = read(data, at) if read else []
    if here in _TWINS and data[at + 1 : at + 2] == data[at : at + 1]:
        found.append((at + 2, here, here, DOUBLED))
    return found


def _value(end: int, value: int, bits: int) -> Reading:
    """Of a code point: it is a byte as well where UTF-8 has one byte for it."""
    return end, value if value < _ASCII else -1, value, bits


def _backslashed(data: bytes, at: int) -> list[Reading]:
    run = _BACKSLASHES.match(data, at)
    assert run is not None  # the caller saw one
    count, after = len(run[0]), run.end()
    widths = ((2, JSON), (4, JSON_TWICE), (8, JSON_TWICE))
    found = [(at + width, _BACKSLASH, _BACKSLASH, bits) for width, bits in widths if count >= width]
    if after >= len(data):
        return found
    here = data[after]
    json = JSON if count == 1 else JSON_TWICE
    if match := _POINT.match(data, after):
        found.append(_code_point(data, match, json))
    elif match := _BYTE.match(data, after):
        value = int(match[1], 16) if match[1] else int(match[2], 8)
        found.append((match.end(), value, value, C_ESCAPES if match[1] else OCTAL))
    if here in _CONTROLS:
        found.append((after + 1, _CONTROLS[here], _CONTROLS[here], json))
    elif here not in _LETTERS:
        found.append((after + 1, here, here if here < _ASCII else -1, json if here in b"\"/'" else SHELL))
    return found


def _code_point(data: bytes, match: re.Match[bytes], bits: int) -> Reading:
    value = int(match[1] or match[2] or match[3], 16)
    end = match.end()
    if value in _HIGH_HALVES and (low := _LOW_HALF.match(data, end)):
        value = 0x10000 + ((value - _HIGH_HALVES.start) << 10) + int(low[1], 16) - _HIGH_HALVES.stop
        end = low.end()
    return _value(end, value, bits)


def _percent(data: bytes, at: int) -> list[Reading]:
    found: list[Reading] = []
    if match := _PERCENT.match(data, at):
        # JavaScript's ``escape`` writes code points, everybody else bytes.
        value = int(match[1] or match[2], 16)
        found.append((match.end(), value, value, URL) if match[1] else _value(match.end(), value, URL))
    place = at + 1
    for _ in range(_TIMES):
        if data[place : place + 2] != b"25":
            break
        place += 2
        if match := _DIGITS.match(data, place):
            found.append((match.end(), int(match[0], 16), -1, URL_TWICE))
    return found


def _entity(data: bytes, at: int) -> list[Reading]:
    match = _ENTITY.match(data, at)
    if match is None:
        return []
    bits = HTML_TWICE if match[1] else HTML
    if not match[4]:
        return [_value(match.end(), int(match[2]) if match[2] else int(match[3], 16), bits)]
    named = html5.get(match[4].decode() + ";", "")
    found = [_value(match.end(), ord(named), bits)] if len(named) == 1 else []
    if match[1]:
        found.append((at + len("&amp;"), ord("&"), ord("&"), HTML))
    return found


def _equals(data: bytes, at: int) -> list[Reading]:
    match = _EQUALS.match(data, at)
    return [(match.end(), int(match[1], 16), -1, PRINTABLE)] if match else []


def _plus(_: bytes, at: int) -> list[Reading]:
    return [(at + 1, _SPACE, _SPACE, URL)]


def _marked(data: bytes, at: int) -> list[Reading]:
    """What a sign of Windows' shells takes its meaning from."""
    following = data[at + 1] if at + 1 < len(data) else 0
    fits = _SPACE <= following < _ASCII and following not in _LETTERS
    return [(at + 2, following, following, SHELL)] if fits else []


_READERS: dict[int, Callable[[bytes, int], list[Reading]]] = {
    ord("\\"): _backslashed,
    ord("%"): _percent,
    ord("&"): _entity,
    ord("="): _equals,
    ord("+"): _plus,
    ord("^"): _marked,
    ord("`"): _marked,
}
TRIGGERS = frozenset(_READERS) | _TWINS
"""Bytes that an escape can begin with."""
