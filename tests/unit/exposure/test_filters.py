"""A filter finds what it stands for, and tells nobody less than a whole guess of a secret."""

from __future__ import annotations

import random
import secrets

import pytest

from holdfast.exposure import filters
from holdfast.exposure.filters import ALPHABETS, Filter, Group, build, candidates, gates, mark
from holdfast.exposure.guessing import ENOUGH_BITS, bits
from holdfast.exposure.matching import RULE
from holdfast.exposure.query import Query, compile_query
from holdfast.exposure.sieving import Sieve
from holdfast.exposure.spelling import rot13
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.secrets import SecretValue
from tests.planting import made_up, spelled


def _query(*values: bytes) -> Query:
    return compile_query([SecretValue(value) for value in values])


def _made(*values: bytes) -> Filter:
    return build(_query(*values), secrets.token_bytes(32)).filter


def _hexadecimal(seed: int) -> bytes:
    return random.Random(seed).randbytes(20).hex().encode()


SECRETS = [made_up(1), made_up(2, 20), made_up(3, 64), _hexadecimal(4), b"p$ss " + made_up(5, 24)[2:] + b"!(x;"]
IDS = ["usual", "short", "long", "hexadecimal", "signs"]


@pytest.mark.parametrize("secret", SECRETS, ids=IDS)
def test_the_kernel_finds_what_the_reference_finds(secret: bytes) -> None:
    made = _made(secret)
    sieve = Sieve(made)
    chance = random.Random(1)
    texts = [data[-2000:] for data, _, inner in spelled(secret, chance).values() if not inner]
    texts += [chance.randbytes(3000), b"", b"a" * 5, b"A" * 3000, bytes(3000), *(secret[:cut] for cut in range(40))]
    found = 0
    for text in texts:
        by_reference = candidates(made, text)
        assert [one for one in sieve.find(text) if one[0] != RULE] == by_reference
        found += len(by_reference)
    assert found >= 10


def test_windows_over_the_borders_of_blocks_are_found() -> None:
    secret = made_up(6)
    made = _made(secret)
    sieve = Sieve(made)
    for before in (b"x", b"\0", b" "):
        for length in range(980, 1030):
            text = before * length + secret
            windows = [one for one in sieve.find(text) if one[0] != RULE]
            assert len(windows) >= 2
            after = candidates(made, text[length - 50 :])
            assert windows == [(number, end + length - 50) for number, end in after], (before, length)


@pytest.mark.parametrize("seed", range(12))
def test_every_spelling_is_let_through(seed: int) -> None:
    """What a search with the secret finds, a search with the filter points at."""
    secret = made_up(("spelled", seed))
    sieve = Sieve(_made(secret))
    query = _query(secret)
    matcher = query.matcher(plain=False)
    for name, (data, cls, inner) in spelled(secret, random.Random(seed)).items():
        if not inner and cls != "partial" and query.confirm(data, matcher.find(data)):
            assert sieve.find(data), name


def test_nothing_else_is_let_through() -> None:
    secret, other = made_up(7), made_up(8)
    sieve = Sieve(_made(secret))
    for name, (data, _, inner) in spelled(other, random.Random(2)).items():
        if not inner and not gates(data):
            assert sieve.find(data) == [], name


@pytest.mark.parametrize("secret", SECRETS, ids=IDS)
def test_no_mark_stands_for_less_than_a_whole_guess(secret: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every window of which there is a mark decodes to as much of the secret as nobody tries out."""
    windows: list[bytes] = []

    def heard(key: bytes, window: bytes) -> bytes:
        windows.append(window)
        return mark(key, window)

    monkeypatch.setattr(filters, "mark", heard)
    _made(secret)
    assert windows
    for window in windows:
        for piece in (window, window[::-1], rot13(window)):
            assert piece not in secret or bits(piece) >= ENOUGH_BITS
        assert len(window) >= 11
        # Two hexadecimal digits, or a character and a zero, stand for one byte.
        if b"\0" in window or window.lower() in secret.hex().encode():
            assert len(window) >= 21


def test_no_spelling_byte_by_byte_has_a_mark() -> None:
    """Four escaped characters are quickly guessed: they are found by a pattern that is the same for all."""
    secret = made_up(9)
    made = _made(secret)
    for name in ("hex_spaced", "escaped_x", "escaped_u", "octal", "decimal_list", "c_array", "percent_all"):
        data = spelled(secret, random.Random(3))[name][0]
        assert candidates(made, data) == [], name
        assert gates(data), name


def test_a_guess_can_be_tried_by_whoever_has_the_filter() -> None:
    """It is said in the handbook: this is why what can be guessed is refused."""
    secret = made_up(10)
    made = _made(secret)
    assert candidates(made, secret)
    assert not candidates(made, made_up(11))


@pytest.mark.parametrize("secret", [b"correct-horse-battery", b"Summer2024!Winter2025", b"aK3$x9Qz"])
def test_what_can_be_guessed_is_refused(secret: bytes) -> None:
    with pytest.raises(BadInputError) as caught:
        build(_query(made_up(12), secret), b"k" * 32)
    assert caught.value.code == "secret-guessable"
    assert secret.decode() not in str(caught.value)


def test_two_searches_have_nothing_in_common() -> None:
    query = _query(made_up(13))
    one, other = (build(query, key * 32).filter for key in (b"a", b"b"))
    assert one.bitmap != other.bitmap
    marks = [{mark for group in made.groups for mark in group.marks} for made in (one, other)]
    assert not marks[0] & marks[1]
    assert "key" not in repr(one)
    assert b"a".hex() * 3 not in repr(one)


def test_what_a_filter_cannot_find_is_told() -> None:
    told = build(_query(_hexadecimal(14)), b"k" * 32).not_searched
    assert any("short pieces of a secret" in one and "hex" in one for one in told)


def test_kinds_of_windows_are_what_they_say() -> None:
    for group in _made(*SECRETS[:3]).groups:
        assert isinstance(group, Group)
        assert group.length >= 11
        assert group.kind == "wide" or group.kind in ALPHABETS
