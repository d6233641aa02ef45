"""Whatever the secret and whatever stands around it: every spelling is found whole, and nothing where nothing is."""

from __future__ import annotations

import base64

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from holdfast.exposure.matching import Matcher, matcher
from holdfast.exposure.query import Query, compile_query
from holdfast.exposure.results import Match
from holdfast.kernel.secrets import SecretValue
from tests.unit.exposure.spelled import ALNUM, ENCODERS, ESCAPES, made_up

TOKENS = st.builds(made_up, st.just(ALNUM + "+/_-=."), st.integers(16, 60), st.text(max_size=9))
"""Made up by chance: the simplest ones that Hypothesis would look for are all zeros, and stand everywhere."""
PASSWORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=8, max_size=30)
SURROUNDINGS = st.binary(max_size=60)
TEXTS = st.text(st.characters(codec="ascii"), max_size=60).map(str.encode)
TIDY = ("uuencode", "utf-16", "utf-32", "decimal list")
"""Encodings made of lines, units or numbers, which cannot begin and end anywhere."""


def compiled(secret: bytes) -> tuple[Query, Matcher, Matcher]:
    assume(len(secret) >= 8 and len(set(secret)) > 3)
    query = compile_query([SecretValue(secret)])
    return query, matcher(query.anchors), matcher(query.anchors, plain=True)


def found(held: tuple[Query, Matcher, Matcher], data: bytes) -> list[Match]:
    query, fast, plain = held
    hits = fast.find(data)
    assert hits == plain.find(data)
    return query.confirm(data, hits)


def whole(matches: list[Match]) -> bool:
    return any(match.cls != "partial" for match in matches)


@settings(deadline=None, max_examples=60)
@given(TOKENS, SURROUNDINGS, SURROUNDINGS)
def test_every_encoding_of_a_token_is_found_whole_between_any_bytes(token: str, before: bytes, after: bytes) -> None:
    secret = token.encode()
    held = compiled(secret)
    for name, (encode, form) in ENCODERS.items():
        # A line of its own for what is made of lines; even places for what is made of units.
        lead = b"\n" if form in TIDY else b""
        if form == "rot13" and not any(c.isalpha() for c in token):
            continue
        assert whole(found(held, before + lead + encode(secret) + lead + after)), name


@settings(deadline=None, max_examples=80)
@given(PASSWORDS, TEXTS, TEXTS)
def test_every_escaping_of_a_password_is_found_whole_between_any_text(
    password: str, before: bytes, after: bytes
) -> None:
    secret = password.encode()
    held = compiled(secret)
    for name, escape in ESCAPES.items():
        assert whole(found(held, before + b" " + escape(secret) + b" " + after)), name


@settings(deadline=None, max_examples=80)
@given(st.binary(min_size=8, max_size=60), SURROUNDINGS, SURROUNDINGS)
def test_a_secret_of_any_bytes_is_found_as_it_is_and_encoded(secret: bytes, before: bytes, after: bytes) -> None:
    held = compiled(secret)
    assert "exact" in {match.cls for match in found(held, before + secret + after)}
    for shift in range(3):
        assert whole(found(held, before + b"\n" + base64.b64encode(b"x" * shift + secret) + b"\n" + after))
    assert whole(found(held, before + b"\n" + secret.hex().encode() + after))


@settings(deadline=None, max_examples=80)
@given(TOKENS, st.integers(1, 59), st.sampled_from([b'" + "', b"'\n  . '", b"\\\n", b'"\n"', b"\n# ", b"<br>\n"]))
def test_a_token_that_is_cut_once_is_found_whole(token: str, at: int, joint: bytes) -> None:
    secret = token.encode()
    assume(at < len(secret))
    assert whole(found(compiled(secret), b"k = " + secret[:at] + joint + secret[at:] + b"\n"))


@settings(deadline=None, max_examples=80)
@given(
    TOKENS, st.integers(32, 80), st.binary(max_size=90), st.sampled_from([b"\n", b"\r\n", b"\n    ", b"\\n", b'"\n"'])
)
def test_base64_that_is_wrapped_anywhere_is_found_whole(token: str, width: int, lead: bytes, joint: bytes) -> None:
    secret = token.encode()
    text = base64.b64encode(lead + secret + b"tail")
    data = joint.join(text[at : at + width] for at in range(0, len(text), width))
    assert whole(found(compiled(secret), b"k: " + data))


@settings(deadline=None, max_examples=150)
@given(
    TOKENS, st.one_of(st.binary(max_size=400), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
)
def test_nothing_is_found_where_nothing_is(token: str, data: bytes) -> None:
    assert found(compiled(token.encode()), data) == []


@settings(deadline=None, max_examples=80)
@given(TOKENS, st.integers(0, 59), st.sampled_from(sorted(ENCODERS)), SURROUNDINGS)
def test_a_token_with_one_character_altered_is_never_told_as_whole(
    token: str, at: int, name: str, before: bytes
) -> None:
    secret = token.encode()
    assume(at < len(secret))
    altered = secret[:at] + (b"~" if ENCODERS[name][1] != "rot13" else b"#") + secret[at + 1 :]
    assert not whole(found(compiled(secret), before + ENCODERS[name][0](altered)))


@settings(deadline=None, max_examples=80)
@given(TOKENS, st.sampled_from(sorted(ENCODERS)), TEXTS)
def test_nothing_of_the_secret_is_left_in_a_redacted_text(token: str, name: str, before: bytes) -> None:
    secret = token.encode()
    query = compiled(secret)[0]
    text = (before + b" " + ENCODERS[name][0](secret) + b" ").decode("utf-8", "surrogateescape")
    clean = query.redact(text)
    assert "[redacted secret 0]" in clean
    assert token not in clean
    assert query.redact(clean) == clean
    assert not any(anchor.decode("latin-1") in clean for anchor in query.anchors)


@settings(deadline=None, max_examples=60)
@given(TOKENS, st.lists(st.tuples(st.integers(0, 200), st.integers(0, 600)), max_size=40))
def test_anchors_that_are_not_there_are_no_trouble(token: str, hits: list[tuple[int, int]]) -> None:
    query = compiled(token.encode())[0]
    data = base64.b64encode(token.encode() * 9)[:400]
    sound = [(number % len(query.anchors), end) for number, end in hits if end <= len(data)]
    sound = [(number, end) for number, end in sound if end >= len(query.anchors[number])]
    for match in query.confirm(data, sound):
        assert 0 <= match.start < match.end <= len(data)
