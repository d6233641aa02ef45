"""Secrets made up when a test runs, and the many ways in which other programs would write them."""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import json
import quopri
import random
import string
import textwrap
from collections.abc import Callable
from functools import cache
from urllib.parse import quote, quote_plus

from holdfast.exposure.matching import matcher
from holdfast.exposure.query import Query, compile_query
from holdfast.exposure.results import Match
from holdfast.kernel.secrets import SecretValue

ALNUM = string.ascii_letters + string.digits
BEFORE = b"the line before\nkey: "
AFTER = b"\nthe line after\n"


def chance(seed: str) -> random.Random:
    return random.Random(seed)


def made_up(alphabet: str, size: int, seed: str) -> str:
    dice = chance(seed)
    return "".join(dice.choice(alphabet) for _ in range(size))


def key_file(seed: str, kind: str = "RSA PRIVATE KEY", size: int = 1190) -> bytes:
    """A block like that of a key of 2,048 bits."""
    body = base64.b64encode(chance(seed).randbytes(size)).decode()
    return "\n".join([f"-----BEGIN {kind}-----", *textwrap.wrap(body, 64), f"-----END {kind}-----", ""]).encode()


def service_account(seed: str) -> bytes:
    document = {
        "type": "service_account",
        "project_id": "made-up-project",
        "private_key_id": made_up("0123456789abcdef", 40, seed + "id"),
        "private_key": key_file(seed, "PRIVATE KEY", 1217).decode(),
        "client_email": "robot@made-up-project.example",
    }
    return json.dumps(document, indent=2).encode()


SECRETS: dict[str, bytes] = {
    "alnum": made_up(ALNUM, 20, "alnum").encode(),
    "aws": ("q/" + made_up(ALNUM + "+/", 36, "aws") + "+R").encode(),
    "quotes": (
        made_up(ALNUM, 5, "q") + "\"'" + made_up(ALNUM, 6, "r") + "\\=&" + made_up(ALNUM, 7, "s") + "<%"
    ).encode(),
    "password": (made_up(ALNUM, 4, "p") + "#/" + made_up(ALNUM, 2, "w")).encode(),
    "accents": ("pä" + made_up(ALNUM, 3, "a") + "wörtß€" + made_up(ALNUM, 3, "b") + "é").encode(),
}
"""One line each. (The 8-byte password has two characters that most tools escape.)"""


@cache
def query_for(*secrets: bytes) -> Query:
    return compile_query([SecretValue(secret) for secret in secrets])


@cache
def _engine(query: Query, plain: bool) -> object:
    return matcher(query.anchors, plain=plain)


def search(data: bytes, *secrets: bytes, plain: bool = False) -> list[Match]:
    query = query_for(*secrets)
    engine = _engine(query, plain)
    return query.confirm(data, engine.find(data))  # type: ignore[attr-defined]


def told(data: bytes, *secrets: bytes) -> list[tuple[str, str]]:
    """Class and form of every match; both engines must say the same."""
    fast = search(data, *secrets)
    assert fast == search(data, *secrets, plain=True)
    for match in fast:
        assert 0 <= match.start < match.end <= len(data)
    return [(match.cls, match.form) for match in fast]


def _utf8(secret: bytes) -> str:
    return secret.decode()


def _unicode_escaped(secret: bytes) -> bytes:
    wide = secret.decode().encode("utf-16-be")
    return "".join(f"\\u{wide[at : at + 2].hex()}" for at in range(0, len(wide), 2)).encode()


def _uuencoded(secret: bytes) -> bytes:
    lines = [binascii.b2a_uu(secret[at : at + 45]) for at in range(0, len(secret), 45)]
    return b"begin 644 key\n" + b"".join(lines) + b" \nend"


Encoder = Callable[[bytes], bytes]
ENCODERS: dict[str, tuple[Encoder, str]] = {
    "raw": (lambda s: s, "raw"),
    "base64": (base64.b64encode, "base64"),
    "base64 after one": (lambda s: base64.b64encode(b"u" + s), "base64"),
    "base64 after two": (lambda s: base64.b64encode(b"u:" + s), "base64"),
    "base64 between": (lambda s: base64.b64encode(b"user:" + s + b"@host"), "base64"),
    "base64 url": (lambda s: base64.urlsafe_b64encode(b"u:" + s).rstrip(b"="), "base64"),
    "double base64": (lambda s: base64.b64encode(b"v:" + base64.b64encode(b"p=" + s)), "base64 > base64"),
    "double base64 of a line": (lambda s: base64.b64encode(base64.b64encode(s) + b"\n"), "base64 > base64"),
    "powershell": (lambda s: base64.b64encode(f"$p='{_utf8(s)}'".encode("utf-16-le")), "base64 > utf-16"),
    "hex": (lambda s: s.hex().encode(), "hex"),
    "HEX": (lambda s: s.hex().upper().encode(), "hex"),
    "hex spaces": (lambda s: s.hex(" ").encode(), "hex"),
    "hex colons": (lambda s: s.hex(":").upper().encode(), "hex"),
    "hex list": (lambda s: ", ".join(f"0x{c:02x}" for c in s).encode(), "hex"),
    "HEX list": (lambda s: ",".join(f"0x{c:02X}" for c in s).encode(), "hex"),
    "c escapes": (lambda s: "".join(f"\\x{c:02x}" for c in s).encode(), "c escapes"),
    "C ESCAPES": (lambda s: "".join(f"\\x{c:02X}" for c in s).encode(), "c escapes"),
    "octal": (lambda s: "".join(f"\\{c:03o}" for c in s).encode(), "octal"),
    "percent": (lambda s: "".join(f"%{c:02X}" for c in s).encode(), "url"),
    "percent lower": (lambda s: "".join(f"%{c:02x}" for c in s).encode(), "url"),
    "unicode escapes": (_unicode_escaped, "json"),
    "html decimal": (lambda s: "".join(f"&#{ord(c)};" for c in _utf8(s)).encode(), "html"),
    "html hexadecimal": (lambda s: "".join(f"&#x{ord(c):X};" for c in _utf8(s)).encode(), "html"),
    "decimal list": (lambda s: ", ".join(map(str, s)).encode(), "decimal list"),
    "decimal list, tight": (lambda s: ",".join(map(str, s)).encode(), "decimal list"),
    "base32": (base64.b32encode, "base32"),
    "base32 after three": (lambda s: base64.b32encode(b"abc" + s), "base32"),
    "uuencode": (_uuencoded, "uuencode"),
    "utf-16-le": (lambda s: b"\xff\xfe" + f"pw={_utf8(s)}\r\n".encode("utf-16-le"), "utf-16"),
    "utf-16-be": (lambda s: b"\xfe\xff" + f"pw={_utf8(s)}\r\n".encode("utf-16-be"), "utf-16"),
    "utf-32-le": (lambda s: f"pw={_utf8(s)}\r\n".encode("utf-32-le"), "utf-32"),
    "utf-32-be": (lambda s: f"pw={_utf8(s)}\r\n".encode("utf-32-be"), "utf-32"),
    "reversed": (lambda s: s[::-1], "reversed"),
    "rot13": (lambda s: codecs.encode(s.decode("latin-1"), "rot13").encode("latin-1"), "rot13"),
}
"""Spellings in which every secret is written otherwise, with the name that they are found under."""
ESCAPES: dict[str, Encoder] = {
    "json": lambda s: json.dumps(_utf8(s)).encode(),
    "json utf-8": lambda s: json.dumps(_utf8(s), ensure_ascii=False).encode(),
    "json slashes": lambda s: json.dumps(_utf8(s)).replace("/", "\\/").encode(),
    "json twice": lambda s: json.dumps(json.dumps({"k": _utf8(s)})).encode(),
    "html": lambda s: html.escape(_utf8(s)).encode(),
    "html other apostrophe": lambda s: html.escape(_utf8(s)).replace("&#x27;", "&#39;").encode(),
    "html non-letters": lambda s: "".join(
        c if c.isalnum() and c.isascii() else f"&#x{ord(c):X};" for c in _utf8(s)
    ).encode(),
    "url": lambda s: quote(s, safe="").encode(),
    "url path": lambda s: quote(s).encode(),
    "url form": lambda s: quote_plus(s).encode(),
    "url twice": lambda s: quote(quote(s, safe=""), safe="").encode(),
    "shell": lambda s: "".join(c if c.isalnum() else f"\\{c}" for c in _utf8(s)).encode(),
    "python bytes": lambda s: repr(s).encode(),
    "python text": lambda s: ascii(_utf8(s)).encode(),
    "quoted-printable": lambda s: quopri.encodestring(s, quotetabs=True),
    "sql": lambda s: s.replace(b"'", b"''"),
    "csv": lambda s: s.replace(b'"', b'""'),
}
"""Spellings that alter some characters only: a secret without any of them is found as it is."""
