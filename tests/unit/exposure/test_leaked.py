from __future__ import annotations

import base64
import html
import json
import secrets
import textwrap
import urllib.parse
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.exposure import leaked
from holdfast.exposure.leaked import LeakedMatcher, LeakedRules, joined, parse
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.secrets import SecretValue

VALUE = secrets.token_urlsafe(30)
ODD = 'k"' + secrets.token_urlsafe(20) + "/+%\\&" + secrets.token_hex(6)
KEY = (
    f"-----BEGIN {'PRIVATE'} KEY-----\n"
    + "\n".join(textwrap.wrap(base64.b64encode(secrets.token_bytes(200)).decode(), 64))
    + f"\n-----END {'PRIVATE'} KEY-----"
)


def _rules(*values: str) -> LeakedRules:
    rules = LeakedRules(secrets.token_bytes(16), ())
    for value in values:
        rules, _ = rules.with_value(SecretValue(value), incident="INC-2026-0001", added="2026-11-29T12:00:00.000Z")
    return rules


RULES = _rules(VALUE, ODD, KEY)
MATCHER = LeakedMatcher(RULES)


def names(data: str | bytes) -> set[str]:
    return {one.entry.name for one in MATCHER.find(data.encode() if isinstance(data, str) else data)}


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


class TestFile:
    def test_it_comes_back_as_it_was_written_and_holds_no_piece_of_a_value(self) -> None:
        text = RULES.text()
        assert parse(text) == RULES
        for value in (VALUE, ODD, KEY):
            assert not any(value[start : start + 5] in text for start in range(28, len(value) - 32))

    def test_a_value_is_in_it_once(self) -> None:
        again, entry = RULES.with_value(SecretValue(VALUE), incident="", added="")
        assert again is RULES
        assert entry.name == "leak-1"

    def test_two_files_of_one_value_have_nothing_in_common(self) -> None:
        one, other = _rules(VALUE).entries[0], _rules(VALUE).entries[0]
        assert one.proof != other.proof
        assert one.rolling != other.rolling

    @pytest.mark.parametrize("value", ["hunter2", "correct horse battery staple", "Summer2026!Summer2026!", "a" * 64])
    def test_what_can_be_guessed_is_refused_and_not_repeated(self, value: str) -> None:
        with pytest.raises(BadInputError) as refused:
            _rules(value)
        assert refused.value.code == "secret-too-guessable"
        assert value not in str(refused.value) + refused.value.next_step

    def test_a_whole_file_is_no_secret(self) -> None:
        with pytest.raises(BadInputError, match="64 KiB"):
            _rules(secrets.token_hex(40_000))

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("schema = 1", "schema = 2"),
            ("n = 32768", "n = 1024"),
            ("salt", "salz"),
            ("rolling = ", "rolling = -"),
            ("length = ", "length = 9999"),
            ('proof = "', 'proof = "zz'),
            ("[[leaked]]", "[[leaked"),
        ],
    )  # fmt: skip
    def test_one_that_was_tampered_with_is_refused(self, old: str, new: str) -> None:
        with pytest.raises(BadInputError) as refused:
            parse(RULES.text().replace(old, new))
        assert refused.value.code == "leaked-rules-invalid"

    def test_versions_of_a_file_forbid_together_what_any_of_them_does(self) -> None:
        fewer = replace(RULES, entries=RULES.entries[:1])
        other = _rules(VALUE)
        together = joined([fewer, RULES, other])
        assert [len(one.entries) for one in together] == [3, 1]


class TestFinding:
    @pytest.mark.parametrize(
        "spell",
        [
            lambda text: text,
            lambda text: f"https://ana:{text}@db.example/x",
            lambda text: f"A{text}Z",
            b64,
            lambda text: b64(f"u:{text}"),
            lambda text: b64(f"us:{text}").rstrip("="),
            lambda text: base64.urlsafe_b64encode(f"use:{text}".encode()).decode(),
            lambda text: b64(b64(f"x{text}")),
            lambda text: base64.encodebytes(f"{'padding ' * 20}{text}{' more' * 20}".encode()).decode(),
            lambda text: json.dumps({"data": base64.encodebytes(f"{text}{' more' * 20}".encode()).decode()}),
            lambda text: " +\n  ".join(f'"{line}"' for line in textwrap.wrap(b64(f"{text}{' more' * 20}"), 60)),
            lambda text: f"x{text.encode().hex()}",
            lambda text: text.encode().hex().upper(),
            lambda text: urllib.parse.quote(text, safe=""),
            lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
            lambda text: json.dumps({"a": text}),
            lambda text: json.dumps(json.dumps({"a": text})),
            lambda text: "".join(f"\\u{ord(one):04x}" for one in text),
            lambda text: "".join(f"\\x{ord(one):02x}" for one in text),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize(
        ("name", "value"), [("leak-1", VALUE), ("leak-2", ODD), ("leak-3", KEY)], ids=["plain", "odd", "key"]
    )
    def test_it_is_found_however_it_is_spelled(self, name: str, value: str, spell: object) -> None:
        text = f"a line before\nit = {spell(value)}\nand one after\n"  # type: ignore[operator]
        assert names(text) == {name}
        assert names(text.encode("utf-16-le")) >= {name}

    def test_a_key_is_found_however_it_is_wrapped(self) -> None:
        body = KEY.split("\n")
        for text in (
            KEY.replace("\n", "\r\n"),
            "\n".join(f"    {line}" for line in body),
            KEY.replace("\n", "\\n"),
            "\n".join([body[0], *textwrap.wrap("".join(body[1:-1]), 40), body[-1]]),
        ):
            assert names(text) == {"leak-3"}

    def test_a_place_is_where_it_is(self) -> None:
        data = b"a\nb = " + VALUE.encode() + b"\n" + b64(VALUE).encode()
        raw, coded = MATCHER.find(data)
        assert (data[raw.start : raw.end], raw.form) == (VALUE.encode(), "raw")
        assert (data[coded.start : coded.end], coded.form) == (b64(VALUE).rstrip("=").encode(), "base64")

    @pytest.mark.parametrize(
        "value",
        [VALUE[:-1], VALUE[1:], VALUE.swapcase(), VALUE[::-1], html.escape(ODD[:20])],
        ids=["its head", "its tail", "its other case", "reversed", "a piece, escaped"],
    )
    def test_what_is_nearly_it_is_not_it(self, value: str) -> None:
        assert names(value + "!" + b64(value)) == set()

    @given(st.binary(max_size=200), st.binary(max_size=200))
    @settings(max_examples=40, deadline=None)
    def test_it_is_found_among_any_bytes(self, before: bytes, after: bytes) -> None:
        assert "leak-1" in names(before + VALUE.encode() + after)

    def test_scrypt_runs_on_the_value_and_hardly_ever_else(self, monkeypatch: pytest.MonkeyPatch) -> None:
        runs: list[int] = []
        slow = leaked._scrypt

        def counted(value: bytes, salt: bytes) -> bytes:
            runs.append(len(value))
            return slow(value, salt)

        monkeypatch.setattr(leaked, "_scrypt", counted)
        LeakedMatcher(RULES).find(secrets.token_bytes(200_000) + (VALUE.encode() + b"\n") * 500)
        assert len(runs) <= 3

    def test_a_long_line_without_end_does_not_stall(self) -> None:
        for seed in (b"%41", b"\\u0041", b"A", b"a\0", b"AAAA\n", b"ab", b"% "):
            assert MATCHER.find((seed * 300_000)[:300_000]) == []
