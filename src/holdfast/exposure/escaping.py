r"""Ways in which programs escape a text, one character at a time: what anchors are made from.

These write; :mod:`holdfast.exposure.escapes` reads, and reads more than these write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
_JSON = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}


@dataclass(frozen=True, slots=True)
class Escaper:
    """One way."""

    form: str
    spell: Callable[[str], str]
    """Of one character; escapers of bytes are given one character for each byte."""
    bytewise: bool = False
    width: int = 0
    """Characters that one takes up, at most, where every character is escaped; 0 where only some are."""
    codec: str = "utf-8"
    prefix: str = ""
    """What stands before hexadecimal digits, whose case does not matter."""

    def units(self, text: bytes) -> list[bytes]:
        """The spelling of each byte; a character of several bytes is spelled at its first one."""
        characters = None if self.bytewise else _characters(text)
        if characters is None:
            spelled = {byte: self.spell(chr(byte)).encode("latin-1") for byte in set(text)}
            return [spelled[byte] for byte in text]
        units = {
            character: [self.spell(character).encode(self.codec, "ignore")] + [b""] * (len(character.encode()) - 1)
            for character in set(characters)
        }
        return list(chain.from_iterable(map(units.__getitem__, characters)))

    def cases(self, literal: bytes) -> set[bytes]:
        """A literal with its hexadecimal digits in either case."""
        if not self.prefix:
            return {literal}
        prefix = self.prefix.encode()
        return {
            literal.lower().replace(prefix.lower(), prefix),
            literal.upper().replace(prefix.upper(), prefix),
        }


def _characters(text: bytes) -> str | None:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return None


def _utf16(character: str) -> str:
    wide = character.encode("utf-16-be")
    return "".join(f"\\u{wide[place : place + 2].hex()}" for place in range(0, len(wide), 2))


def _json(character: str) -> str:
    if character in _JSON:
        return _JSON[character]
    return character if " " <= character <= "~" else _utf16(character)


def _url(character: str) -> str:
    return character if character in _UNRESERVED else f"%{ord(character):02X}"


def _url_path(character: str) -> str:
    return character if character in "/:@!$&'()*+,;=" else _url(character)


def _url_script(character: str) -> str:
    """As ``escape`` of JavaScript."""
    if (character in _UNRESERVED and character != "~") or character in "@*+/":
        return character
    return f"%{ord(character):02X}" if character <= "\xff" else _utf16(character).replace("\\", "%")


def _html(character: str) -> str:
    return _HTML.get(character, character)


def _html_all(character: str) -> str:
    return character if character.isalnum() and character.isascii() else f"&#{ord(character)};"


def _html_hexadecimal(character: str) -> str:
    return character if character.isalnum() and character.isascii() else f"&#x{ord(character):X};"


def _shell(character: str) -> str:
    return (
        character if character in _UNRESERVED or character in "/+:@%=," or not character.isascii() else f"\\{character}"
    )


def _shell_all(character: str) -> str:
    return character if character.isalnum() else f"\\{character}"


def _python_text(character: str) -> str:
    if character in "\\'" or character <= "~":
        return _python(character)
    if character > "\uffff":
        return f"\\U{ord(character):08x}"
    return f"\\x{ord(character):02x}" if character <= "\xff" else _utf16(character)


def _python(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    return (
        _JSON.get(character, character)
        if character in "\n\r\t" or " " <= character <= "~"
        else f"\\x{ord(character):02x}"
    )


def _printable(character: str) -> str:
    return character if " " <= character <= "~" and character != "=" else f"={ord(character):02X}"


ESCAPERS = (
    Escaper("url", lambda c: f"%{ord(c):02x}", bytewise=True, width=3, prefix="%"),
    Escaper("c escapes", lambda c: f"\\x{ord(c):02x}", bytewise=True, width=4, prefix="\\x"),
    Escaper("octal", lambda c: f"\\{ord(c):03o}", bytewise=True, width=4),
    Escaper("json", _utf16, width=6, prefix="\\u"),
    Escaper("html", lambda c: f"&#{ord(c)};", width=6),
    Escaper("html", lambda c: f"&#x{ord(c):x};", width=6, prefix="&#x"),
    Escaper("json", _json),
    Escaper("json", lambda c: "\\/" if c == "/" else _json(c)),
    Escaper("json", lambda c: _JSON.get(c, c)),
    Escaper("json > json", lambda c: "".join(map(_json, _json(c)))),
    Escaper("url", _url, bytewise=True),
    Escaper("url", lambda c: _url(c).lower() if len(_url(c)) > 1 else c, bytewise=True),
    Escaper("url", lambda c: "+" if c == " " else _url(c), bytewise=True),
    Escaper("url > url", lambda c: _url(c).replace("%", "%25"), bytewise=True),
    Escaper("url", _url_path, bytewise=True),
    Escaper("url", lambda c: c if c in "!'()*" else _url(c), bytewise=True),
    Escaper("url", _url_script),
    Escaper("html", _html),
    Escaper("html", lambda c: "&#x27;" if c == "'" else _html(c)),
    Escaper("html", _html_all),
    Escaper("html", _html_hexadecimal),
    Escaper("shell", _shell),
    Escaper("shell", _shell_all),
    Escaper("shell", lambda c: f"^{c}" if c in '&<>|^%"()' else c),
    Escaper("c escapes", _python_text),
    Escaper("c escapes", _python, bytewise=True),
    Escaper("quoted-printable", _printable, bytewise=True),
    Escaper("quoted-printable", lambda c: "=20" if c == " " else _printable(c), bytewise=True),
    Escaper("doubled quotes", lambda c: c * 2 if c in "'\"" else c),
    Escaper("latin-1", lambda c: c, codec="cp1252"),
)
"""Escapers of every character first."""
