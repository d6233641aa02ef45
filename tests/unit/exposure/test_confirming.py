from __future__ import annotations

import base64
import binascii
import codecs
import html
import json
import quopri
import re
import shlex
import time
from urllib.parse import quote

import pytest

from holdfast.exposure.confirming import CONTEXT, merged
from holdfast.exposure.matching import matcher
from holdfast.exposure.results import Match
from tests.unit.exposure.spelled import (
    AFTER,
    ALNUM,
    BEFORE,
    ENCODERS,
    ESCAPES,
    SECRETS,
    key_file,
    made_up,
    query_for,
    search,
    service_account,
    told,
)

AWS, QUOTES, PASSWORD, ALNUM20, ACCENTS = (SECRETS[name] for name in ("aws", "quotes", "password", "alnum", "accents"))
KEY = key_file("confirming").rstrip()
LINES = KEY.split(b"\n")
BODY = b"".join(LINES[1:-1])
DER = base64.b64decode(BODY)
ACCOUNT = service_account("confirming")


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def dumped(data: bytes, *, canonical: bool) -> bytes:
    """As ``xxd`` or ``hexdump -C`` print it."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        shown = "".join(chr(c) if 32 <= c < 127 else "." for c in row)
        if canonical:
            digits = f"{row[:8].hex(' ')}  {row[8:].hex(' ')}"
            lines.append(f"{at:08x}  {digits:<49} |{shown}|")
        else:
            digits = " ".join(row[place : place + 2].hex() for place in range(0, len(row), 2))
            lines.append(f"{at:08x}: {digits:<40} {shown}")
    return "\n".join(lines).encode()


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("which", SECRETS)
def test_every_encoding_of_every_secret_is_found_whole_under_its_name(name: str, which: str) -> None:
    encode, form = ENCODERS[name]
    data = BEFORE + encode(SECRETS[which]) + AFTER
    ((cls, found),) = told(data, SECRETS[which])
    assert cls == ("exact" if form == "raw" else "encoded")
    assert found.removesuffix(", wrapped") == form


@pytest.mark.parametrize("name", ESCAPES)
@pytest.mark.parametrize("which", SECRETS)
def test_every_escaping_of_every_secret_is_found_whole(name: str, which: str) -> None:
    spelled = ESCAPES[name](SECRETS[which])
    ((cls, _),) = told(BEFORE + spelled + AFTER, SECRETS[which])
    assert cls == ("exact" if SECRETS[which] in spelled else "encoded")


@pytest.mark.parametrize("name", ["raw", *ENCODERS, *ESCAPES])
@pytest.mark.parametrize("which", SECRETS)
def test_a_spelling_that_fills_the_buffer_is_found(name: str, which: str) -> None:
    spelled = (ENCODERS[name][0] if name in ENCODERS else ESCAPES[name])(SECRETS[which])
    ((cls, _),) = told(spelled, SECRETS[which])
    assert cls in ("exact", "encoded")


def wrapped(text: bytes, width: int, joint: bytes = b"\n", first: bytes = b"") -> bytes:
    return joint.join(first + line for line in pieces(text, width))


LONG = base64.b64encode(b"a" * 13 + AWS + b"b" * 80)
POSITIVE: dict[str, tuple[bytes, bytes, str, str]] = {
    "kubernetes secret": (AWS, b"kind: Secret\ndata:\n  token: " + base64.b64encode(AWS), "encoded", "base64"),
    "helm release": (
        AWS,
        base64.b64encode(base64.b64encode(b'{"token":"' + AWS + b'"}')),
        "encoded",
        "base64 > base64",
    ),
    "basic authorization": (AWS, b"Authorization: Basic " + base64.b64encode(b"u:" + AWS), "encoded", "base64"),
    "registry login": (PASSWORD, b'{"auth":"' + base64.b64encode(b"ab:" + PASSWORD) + b'"}', "encoded", "base64"),
    "base64 of json": (
        QUOTES,
        base64.b64encode(json.dumps({"a": 1, "t": QUOTES.decode()}).encode()),
        "encoded",
        "base64 > json",
    ),
    "base64 of a url": (
        AWS,
        base64.b64encode(b"https://x/?k=" + quote(AWS, safe="").encode()),
        "encoded",
        "base64 > url",
    ),
    "powershell": (
        AWS,
        b"powershell -EncodedCommand " + base64.b64encode(f'$x="{AWS.decode()}"'.encode("utf-16-le")),
        "encoded",
        "base64 > utf-16",
    ),
    "base64 wrapped by mail": (AWS, base64.encodebytes(b"a" * 50 + AWS + b"b" * 80), "encoded", "base64, wrapped"),
    "base64 wrapped narrowly": (AWS, wrapped(LONG, 32), "encoded", "base64, wrapped"),
    "base64 wrapped in quotes": (AWS, wrapped(LONG, 40, b'" +\n  "'), "encoded", "base64, wrapped"),
    "base64 with written line ends": (AWS, wrapped(LONG, 40, b"\\n"), "encoded", "base64, wrapped"),
    "base64 in a yaml block": (AWS, b"k: |\n" + wrapped(LONG, 40, first=b"    "), "encoded", "base64, wrapped"),
    "base64 in a difference": (AWS, wrapped(LONG, 40, first=b"+"), "encoded", "base64, wrapped"),
    "base64 in a quoted mail": (AWS, wrapped(LONG, 40, first=b"> "), "encoded", "base64, wrapped"),
    "base64 with escaped slashes": (
        AWS,
        base64.b64encode(b"\xff\xff\xfe" + AWS + b"??>").replace(b"/", b"\\/"),
        "encoded",
        "base64",
    ),
    "base64 escaped for a url": (AWS, quote(base64.b64encode(AWS + b"?"), safe="").encode(), "encoded", "base64"),
    "xxd": (AWS, dumped(b"some text before " + AWS + b" and after", canonical=False), "encoded", "hex dump"),
    "xxd, other parity": (AWS, dumped(b"some text before. " + AWS + b" after", canonical=False), "encoded", "hex dump"),
    "hexdump -C": (AWS, dumped(b"some text before " + AWS + b" and after", canonical=True), "encoded", "hex dump"),
    "hexdump -C, short": (ALNUM20, dumped(b"12345" + ALNUM20, canonical=True), "encoded", "hex dump"),
    "xxd -i": (
        AWS,
        b"char k[] = {\n" + b",\n".join(b", ".join(b"0x%02x" % c for c in row) for row in pieces(AWS, 12)) + b"};",
        "encoded",
        "hex",
    ),
    "wrapped hexadecimal": (AWS, wrapped(AWS.hex().encode(), 32), "encoded", "hex"),
    "quoted-printable": (QUOTES, quopri.encodestring(b"x" * 60 + QUOTES + b"yy"), "encoded", "quoted-printable"),
    "javascript, two literals": (AWS, b'k = "' + AWS[:15] + b'" +\n    "' + AWS[15:] + b'";', "split", "split"),
    "javascript, three literals": (
        AWS,
        b"k = '" + AWS[:13] + b"'\n  + '" + AWS[13:26] + b"'\n  + '" + AWS[26:] + b"';",
        "split",
        "split",
    ),
    "javascript, a method": (AWS, b'"' + AWS[:18] + b'".concat("' + AWS[18:] + b'")', "split", "split"),
    "c": (AWS, b'char *k = "' + AWS[:20] + b'"\n          "' + AWS[20:] + b'";', "split", "split"),
    "python": (AWS, b'k = (\n  "' + AWS[:18] + b'"  # one half\n  f"' + AWS[18:] + b'"\n)', "split", "split"),
    "php": (AWS, b"$k = '" + AWS[:18] + b"' . '" + AWS[18:] + b"';", "split", "split"),
    "sql concatenation": (AWS, b"'" + AWS[:18] + b"' || '" + AWS[18:] + b"'", "split", "split"),
    "visual basic": (AWS, b'k = "' + AWS[:18] + b'" & _\n  "' + AWS[18:] + b'"', "split", "split"),
    "shell continuation": (AWS, b"export K=" + AWS[:18] + b"\\\n" + AWS[18:], "split", "split"),
    "a remark over two lines": (AWS, b"# token " + AWS[:20] + b"\n# " + AWS[20:], "split", "split"),
    "a block remark": (AWS, b"/* " + AWS[:20] + b"\n * " + AWS[20:] + b" */", "split", "split"),
    "a quoted mail": (AWS, b"> the key is " + AWS[:20] + b"\n> " + AWS[20:], "split", "split"),
    "line numbers": (AWS, b"  1\t" + AWS[:20] + b"\n  2\t" + AWS[20:], "split", "split"),
    "a line break of html": (AWS, AWS[:20] + b"<br>\n" + AWS[20:], "split", "split"),
    "marked up": (AWS, AWS[:20] + b'</b><span class="x">' + AWS[20:], "split", "split"),
    "coloured": (AWS, b"\x1b[31m" + AWS[:20] + b"\x1b[0m" + AWS[20:], "split", "split"),
    "a space of no width": (AWS, AWS[:20] + "\u200b".encode() + AWS[20:], "split", "split"),
    "dotenv in json in json": (
        QUOTES,
        json.dumps({"log": json.dumps({"env": "K=" + QUOTES.decode()})}).encode(),
        "encoded",
        "json > json",
    ),
    "java properties": (QUOTES, b"k=" + re.sub(rb"([:=#!\\])", rb"\\\1", QUOTES), "encoded", "shell"),
    "java properties, accents": (
        ACCENTS,
        b"k=" + ACCENTS.decode().encode("ascii", "backslashreplace"),
        "encoded",
        "json, c escapes",
    ),
    "url, twice": (AWS, quote(quote(AWS, safe=""), safe="").encode(), "encoded", "url > url"),
    "javascript escape": (
        ACCENTS,
        "".join(
            c if c.isalnum() and c.isascii() else f"%{ord(c):02X}" if c < "\u0100" else f"%u{ord(c):04X}"
            for c in ACCENTS.decode()
        ).encode(),
        "encoded",
        "url",
    ),
    "cdata": (QUOTES, b"<p><![CDATA[" + QUOTES + b"]]></p>", "exact", "raw"),
    "html, named and numbered": (
        AWS,
        AWS.replace(b"/", b"&sol;").replace(b"+", b"&#43;"),
        "encoded",
        "html",
    ),
    "html, twice": (
        QUOTES + AWS,
        html.escape(html.escape(QUOTES.decode())).encode() + AWS,
        "encoded",
        "html > html",
    ),
    "python bytes": (b"\x01\xff" + AWS, repr(b"\x01\xff" + AWS).encode(), "encoded", "c escapes"),
    "windows shell": (QUOTES, re.sub(rb'([&<>|^%"])', rb"^\1", QUOTES), "encoded", "shell"),
    "shell quotes": (QUOTES, shlex.quote(QUOTES.decode()).encode(), "split", "split"),
    "csv": (QUOTES, b'a,"' + QUOTES.replace(b'"', b'""') + b'",b', "encoded", "doubled quotes"),
    "compose file": (b"pa$$" + ALNUM20, b"pa$$$$" + ALNUM20, "encoded", "doubled quotes"),
    "format string": (b"p{x}" + ALNUM20, b"p{{x}}" + ALNUM20, "encoded", "doubled quotes"),
    "registry export": (AWS, ('"k"="' + AWS.decode() + '"\r\n').encode("utf-16"), "encoded", "utf-16"),
    "utf-16 of json": (QUOTES, json.dumps(QUOTES.decode()).encode("utf-16-le"), "encoded", "utf-16 > json"),
    "western code page": (ACCENTS, ACCENTS.decode().encode("cp1252"), "encoded", "latin-1"),
    "buffer of node": (
        AWS,
        b'{"type":"Buffer","data":[' + b",".join(b"%d" % c for c in AWS) + b"]}",
        "encoded",
        "decimal list",
    ),
    "uuencode over lines": (
        AWS,
        b"begin 644 k\n" + b"".join(binascii.b2a_uu(row) for row in pieces(b"a" * 37 + AWS + b"x" * 60, 45)),
        "encoded",
        "uuencode",
    ),
    "rot13 of usenet": (AWS, codecs.encode(AWS.decode(), "rot13").encode(), "encoded", "rot13"),
    "between zeros": (AWS, b"\0" + AWS + b"\0", "exact", "raw"),
}


@pytest.mark.parametrize("name", POSITIVE)
def test_what_other_programs_write_is_found_whole(name: str) -> None:
    secret, data, cls, form = POSITIVE[name]
    (found,) = told(b"a line before\n" + data + b"\na line after", secret)
    assert found == (cls, form)
    assert told(data, secret) == [found]


KEYS: dict[str, tuple[bytes, str, str]] = {
    "as it is": (KEY, "exact", "raw"),
    "windows line ends": (KEY.replace(b"\n", b"\r\n"), "encoded", "rewrapped"),
    "indented": (KEY.replace(b"\n", b"\n      "), "encoded", "rewrapped"),
    "wider lines": (b"\n".join([LINES[0], *pieces(BODY, 76), LINES[-1]]), "encoded", "rewrapped"),
    "narrow lines": (b"\n".join([LINES[0], *pieces(BODY, 32), LINES[-1]]), "encoded", "rewrapped"),
    "one line": (KEY.replace(b"\n", b""), "encoded", "rewrapped"),
    "spaces": (KEY.replace(b"\n", b" "), "encoded", "rewrapped"),
    "written line ends": (b'K="' + KEY.replace(b"\n", b"\\n") + b'"', "encoded", "json"),
    "json": (json.dumps({"k": KEY.decode()}).encode(), "encoded", "json"),
    "json in json": (json.dumps(json.dumps({"k": KEY.decode()})).encode(), "encoded", "json"),
    "url": (quote(KEY, safe="").encode(), "encoded", "url"),
    "quoted-printable": (quopri.encodestring(KEY), "encoded", "quoted-printable"),
    "quoted line by line": (b" +\n".join(b'  "' + line + b'\\n"' for line in LINES), "split", "split"),
    "literals side by side": (b"\n".join(b'  "' + line + b'\\n"' for line in LINES), "split", "split"),
    "a quoted mail": (b"\n".join(b"> " + line for line in LINES), "split", "split"),
    "a difference": (b"\n".join(b"+" + line for line in LINES), "split", "split"),
    "a yaml list": (b"\n".join(b"- " + line for line in LINES), "split", "split"),
    "numbered lines": (b"\n".join(b"%6d\t%s" % line for line in enumerate(LINES)), "split", "split"),
    "base64": (base64.b64encode(b"x" + KEY), "encoded", "base64"),
    "base64 over lines": (base64.encodebytes(KEY), "encoded", "base64, wrapped"),
    "hexadecimal": (KEY.hex().encode(), "encoded", "hex"),
    "utf-16": (KEY.decode().encode("utf-16"), "encoded", "utf-16"),
    "its body": (b'key="' + BODY + b'"', "encoded", "pem body"),
    "its body over lines": (b"\n".join(LINES[1:-1]), "encoded", "pem body"),
    "its body for urls": (BODY.translate(bytes.maketrans(b"+/", b"-_")).rstrip(b"="), "encoded", "base64 > der"),
    "its bytes": (b"\x00" + DER + b"\xff", "encoded", "der"),
    "its bytes in hexadecimal": (DER.hex().encode(), "encoded", "hex > der"),
    "its bytes as openssl prints": (
        b"\n".join(b"    " + row.hex(":").encode() + b":" for row in pieces(DER, 15)),
        "encoded",
        "hex > der",
    ),
    "its bytes in base64 of more": (base64.b64encode(b"xy" + DER), "encoded", "base64 > der"),
    "its first half": (KEY[:900], "partial", "raw"),
    "its second half": (KEY[800:], "partial", "raw"),
    "one character altered": (KEY[:1000] + (b"A" if KEY[1000:1001] != b"A" else b"B") + KEY[1001:], "partial", "raw"),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_is_found_in_all_wrappings(name: str) -> None:
    data, cls, form = KEYS[name]
    assert told(b"a line before\n" + data + b"\na line after\n", KEY) == [(cls, form)]
    assert told(data, KEY) == [(cls, form)]


ACCOUNTS: dict[str, tuple[bytes, str, str]] = {
    "as it is": (ACCOUNT, "exact", "raw"),
    "without line ends": (json.dumps(json.loads(ACCOUNT)).encode(), "encoded", "rewrapped"),
    "without white space": (json.dumps(json.loads(ACCOUNT), separators=(",", ":")).encode(), "encoded", "rewrapped"),
    "indented more": (json.dumps(json.loads(ACCOUNT), indent=8).encode(), "encoded", "rewrapped"),
    "in json": (json.dumps({"credentials": ACCOUNT.decode()}).encode(), "encoded", "json"),
    "base64": (base64.b64encode(ACCOUNT), "encoded", "base64"),
    "base64, twice": (base64.b64encode(base64.b64encode(ACCOUNT)), "encoded", "base64 > base64"),
    "its key": (json.loads(ACCOUNT)["private_key"].encode(), "encoded", "pem body"),
    "its key in json": (json.dumps(json.loads(ACCOUNT)["private_key"]).encode(), "encoded", "pem body, json"),
    "in another order": (json.dumps(json.loads(ACCOUNT), sort_keys=True).encode(), "encoded", "pem body, json"),
}


@pytest.mark.parametrize("name", ACCOUNTS)
def test_a_service_account_is_found_whole_and_by_its_key(name: str) -> None:
    data, cls, form = ACCOUNTS[name]
    assert told(BEFORE + data + AFTER, ACCOUNT) == [(cls, form)]


def altered(secret: bytes, at: int) -> bytes:
    return secret[:at] + (b"0" if secret[at : at + 1] != b"0" else b"1") + secret[at + 1 :]


NEAR: dict[str, tuple[bytes, bytes, list[str]]] = {
    "a character altered": (AWS, altered(AWS, 20), ["partial"]),
    "the last one altered": (AWS, altered(AWS, 39), ["partial"]),
    "the first one altered": (AWS, altered(AWS, 0), ["partial"]),
    "two altered": (AWS, altered(altered(AWS, 4), 35), ["partial"]),
    "altered within base64": (AWS, base64.b64encode(b"u:" + altered(AWS, 39)), ["partial"]),
    "altered within hexadecimal": (AWS, altered(AWS, 2).hex().encode(), ["partial"]),
    "altered within a url": (AWS, quote(altered(AWS, 39), safe="").encode(), ["partial"]),
    "altered within utf-16": (AWS, altered(AWS, 39).decode().encode("utf-16-le"), ["partial"]),
    "altered within double base64": (AWS, base64.b64encode(base64.b64encode(altered(AWS, 39))), ["partial"]),
    "altered across literals": (AWS, b'"' + AWS[:15] + b'" + "' + altered(AWS, 39)[15:] + b'"', ["partial"]),
    "an escape before it": (b"E" + AWS, b"%7E" + quote(AWS, safe="").encode(), ["partial"]),
    "an escape after it": (AWS + b"%", quote(AWS, safe="").encode() + b"%3A", ["partial"]),
    "a sign altered": (AWS, AWS.replace(b"/", b"_"), ["partial"]),
    "cut at its end": (AWS, AWS[:-1], ["partial"]),
    "cut at its beginning": (AWS, AWS[1:], ["partial"]),
    "its first half": (AWS, AWS[:20] + b" or so", ["partial"]),
    "its second half": (AWS, b"..." + AWS[20:], ["partial"]),
    "twenty characters, one altered": (ALNUM20, altered(ALNUM20, 10), ["partial"]),
    "a few characters": (AWS, AWS[:7] + b" " + AWS[-7:], []),
    "another of the same kind": (b"ghp_" + ALNUM20 * 2, b"ghp_" + made_up(ALNUM, 40, "other").encode(), []),
    "the same prefix": (
        b"xoxb-123456789012-" + ALNUM20,
        b"xoxb-123456789012-" + made_up(ALNUM, 20, "other").encode(),
        ["partial"],
    ),
    "a password, altered": (PASSWORD, altered(PASSWORD, 3), []),
    "a password in another case": (PASSWORD, PASSWORD.swapcase(), []),
    "words between its halves": (AWS, AWS[:20] + b" and then " + AWS[20:], ["partial"]),
    "halves in the wrong order": (AWS, AWS[20:] + AWS[:20], ["partial"]),
    "the whole and a near miss": (AWS, AWS + b"\n" * 200 + altered(AWS, 30), ["exact", "partial"]),
    "a near miss beside the whole": (AWS, altered(AWS, 30) + b"," + AWS, ["partial", "exact"]),
    "twice": (AWS, AWS + AWS, ["exact", "exact"]),
}


@pytest.mark.parametrize("name", NEAR)
def test_near_misses_are_pieces_or_nothing(name: str) -> None:
    secret, data, classes = NEAR[name]
    assert [cls for cls, _ in told(BEFORE + data + AFTER, secret)] == classes


def test_another_key_with_the_same_frame_is_not_found() -> None:
    assert told(key_file("another"), KEY) == []
    assert told(b"\n".join([LINES[0], LINES[-1]]), KEY) == []


@pytest.mark.parametrize("at", range(40))
def test_wherever_a_character_is_altered_nothing_is_told_as_whole(at: int) -> None:
    for spell in (lambda s: s, base64.b64encode, lambda s: s.hex().encode(), lambda s: s.decode().encode("utf-16-be")):
        assert {cls for cls, _ in told(BEFORE + spell(altered(AWS, at)) + AFTER, AWS)} <= {"partial"}


@pytest.mark.parametrize("at", range(1, 40))
def test_wherever_a_secret_is_cut_in_two_literals_it_is_found(at: int) -> None:
    assert told(b'k = "' + AWS[:at] + b'"\n  + "' + AWS[at:] + b'"', AWS) == [("split", "split")]


@pytest.mark.parametrize("width", [32, 40, 64, 76])
@pytest.mark.parametrize("shift", range(0, 64, 3))
def test_wherever_a_line_of_base64_ends_it_is_found(width: int, shift: int) -> None:
    ((cls, form),) = told(wrapped(base64.b64encode(b"x" * shift + AWS + b"y" * 30), width), AWS)
    assert (cls, form.split(",")[0]) == ("encoded", "base64")


@pytest.mark.parametrize("shift", range(32))
@pytest.mark.parametrize("canonical", [True, False])
def test_wherever_a_line_of_a_dump_ends_it_is_found(shift: int, canonical: bool) -> None:
    data = dumped(b"." * shift + AWS + b"." * 20, canonical=canonical)
    assert told(data, AWS) == [("encoded", "hex dump")]


def test_places_are_those_of_the_spelling() -> None:
    for spelled in (AWS, AWS.hex().encode(), base64.b64encode(AWS), AWS[::-1], quote(AWS, safe="").encode()):
        (match,) = search(BEFORE + spelled + AFTER, AWS)
        assert (BEFORE + spelled + AFTER)[match.start : match.end] == spelled.rstrip(b"=")
    (match,) = search(BEFORE + base64.b64encode(b"user:" + AWS + b"@") + AFTER, AWS)
    assert base64.b64decode((BEFORE + base64.b64encode(b"user:" + AWS + b"@"))[match.start - 2 :][:60]).count(AWS) == 1
    wide = f"pw={AWS.decode()};".encode("utf-16-le")
    (match,) = search(wide, AWS)
    assert wide[match.start : match.end].decode("utf-16-le") == AWS.decode()


def test_any_kind_of_buffer_gives_the_same_and_is_not_copied_whole() -> None:
    numpy = pytest.importorskip("numpy")
    query = query_for(AWS)
    data = b"x" * 3_000_000 + quote(AWS, safe="").encode() + b"y" * 3_000_000
    found = matcher(query.anchors).find(data)
    told_of = query.confirm(data, found)
    assert [match.cls for match in told_of] == ["encoded"]
    for held in (bytearray(data), memoryview(data), memoryview(numpy.frombuffer(data, numpy.uint8))):
        assert query.confirm(held, found) == told_of
    start = time.process_time()
    for _ in range(100):
        query.confirm(memoryview(data), found)
    assert time.process_time() - start < 0.5  # 600 MB would not have been copied in that time


def test_several_secrets_in_one_place_are_each_told() -> None:
    data = base64.b64encode(AWS + b":" + ALNUM20) + b" " + QUOTES
    assert [(match.secret, match.form) for match in search(data, AWS, ALNUM20, QUOTES)] == [
        (0, "base64"),
        (1, "base64"),
        (2, "raw"),
    ]


def test_one_place_is_told_once_by_its_best_class() -> None:
    told_of = [Match(0, 5, 20, "base64", "partial"), Match(0, 0, 30, "split", "split"), Match(0, 2, 32, "raw", "exact")]
    assert merged(told_of, {0: 10}) == [told_of[2]]
    apart = [Match(0, 0, 10, "raw", "partial"), Match(0, 15, 40, "base64", "partial"), Match(1, 5, 9, "raw", "partial")]
    assert merged(apart, {0: 10, 1: 10}) == [Match(0, 0, 40, "base64", "partial"), apart[2]]
    assert len(merged(apart, {0: 2, 1: 2})) == 3


def test_no_more_than_the_context_is_needed_on_either_side() -> None:
    for spelled in (base64.b64encode(AWS), "".join(f"&#{c};" for c in AWS).encode(), AWS[:10] + b"\\\n" + AWS[10:]):
        data = b"=" * 50_000 + spelled + b"=" * 50_000
        ((number, end), *_) = matcher(query_for(AWS).anchors).find(data)
        cut = max(0, end - CONTEXT)
        (match,) = query_for(AWS).confirm(data[cut : end + CONTEXT], [(number, end - cut)])
        assert match.cls in ("encoded", "split")
