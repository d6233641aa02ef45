"""Bytes made to be slow to confirm, and how long a usual place takes."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable
from urllib.parse import quote

import pytest

from holdfast.exposure.matching import matcher
from holdfast.exposure.results import Match
from tests.unit.exposure.spelled import AFTER, BEFORE, ENCODERS, SECRETS, chance, key_file, query_for

AWS = SECRETS["aws"]
KEY = key_file("confirming").rstrip()


class TestHostileInput:
    """A megabyte made to be slow. (Seconds of this process; about a tenth of the limits on an idle machine.)"""

    @staticmethod
    def _fill(unit: bytes, size: int = 1 << 18) -> bytes:
        return unit * (size // len(unit))

    def _search(self, data: bytes, secret: bytes = AWS) -> list[Match]:
        found = matcher(query_for(secret).anchors).find(data)
        start = time.process_time()
        matches = query_for(secret).confirm(data, found)
        assert time.process_time() - start < 12
        return matches

    @pytest.mark.parametrize(
        "form", ["raw", "base64", "base64 > base64", "hex", "hex list", "utf-16", "decimal list", "html", "octal"]
    )
    def test_anchors_in_a_row(self, form: str) -> None:
        query = query_for(AWS)
        one = next(anchor for number, anchor in enumerate(query.anchors) if (0, form) in query.origins(number))
        for joint in (b"", b" "):
            assert all(match.cls == "partial" for match in self._search(self._fill(one + joint)))

    @pytest.mark.parametrize(
        "between", [b"\\" * 40, b'" + "' * 20, b" " * 300, b"%25" * 60, b"&amp;" * 40, b"<a x" * 30]
    )
    def test_an_anchor_among_what_joins_and_escapes(self, between: bytes) -> None:
        anchor = next(one for one in query_for(AWS).anchors if one in AWS)
        assert {match.cls for match in self._search(self._fill(anchor + between))} == {"partial"}

    @pytest.mark.parametrize(
        ("secret", "unit"),
        [
            (b"ab" * 20 + b"c1", b"ab"),
            (b"%2" * 20 + b"x9", b"%2"),
            (b'\\"' * 20 + b"x9", b'\\\\\\"'),
            (b' +" ' * 10 + b"x9", b' +" '),
        ],
    )
    def test_secrets_that_repeat_and_are_made_of_signs(self, secret: bytes, unit: bytes) -> None:
        assert {match.cls for match in self._search(self._fill(unit, 1 << 17), secret)} <= {"partial"}
        assert [match.cls for match in self._search(BEFORE + secret + AFTER, secret)] == ["exact"]

    def test_keys_that_lack_their_end(self) -> None:
        for data in (KEY[:-40], KEY[:-40].replace(b"\n", b"\r\n"), base64.b64encode(KEY[:1500])):
            assert {match.cls for match in self._search(self._fill(data), KEY)} == {"partial"}

    def test_base64_around_and_within(self) -> None:
        noise = base64.b64encode(chance("noise").randbytes(1 << 19))
        (match,) = self._search(noise + base64.b64encode(AWS) + noise)
        assert (match.cls, match.form) == ("encoded", "base64")
        nested = AWS
        for _ in range(9):
            nested = base64.b64encode(nested)
        assert self._search(self._fill(nested)) == []

    @pytest.mark.parametrize("form", ["raw", "base64", "hex list", "utf-32", "decimal list"])
    def test_what_comes_after_more_than_can_be_weighed_is_still_told(self, form: str) -> None:
        query = query_for(AWS)
        anchors = [one for number, one in enumerate(query.anchors) if (0, form) in query.origins(number)]
        spelled = next(
            encode(AWS) for encode, _ in ENCODERS.values() if all(one in encode(AWS) for one in anchors[-1:])
        )
        data = self._fill(anchors[0] + b"|") + b"\n" * 200 + spelled
        matches = self._search(data)
        assert any(match.end > len(data) - len(spelled) for match in matches)

    def test_all_that_is_really_there_is_told_however_often(self) -> None:
        for spelled in (AWS, quote(AWS, safe="").encode(), base64.b64encode(AWS)):
            matches = self._search(self._fill(spelled + b"\n", 1 << 18))
            assert len(matches) == (1 << 18) // (len(spelled) + 1)
            assert {match.cls for match in matches} <= {"exact", "encoded"}


def test_confirming_a_usual_place_takes_little_time() -> None:
    query = query_for(AWS)
    for spelled in _usual():
        data = b"some code = foo(bar, 12)\n" * 200 + spelled + b'\nother code("x")\n' * 200
        found = matcher(query.anchors).find(data)
        start = time.process_time()
        for _ in range(100):
            assert query.confirm(data, found)
        assert (time.process_time() - start) / 100 < 0.001  # 0.0001 on an idle machine


def _usual() -> Iterable[bytes]:
    yield from (AWS, base64.b64encode(b"u:" + AWS), AWS.hex().encode(), quote(AWS, safe="").encode())
    yield json.dumps(AWS.decode()).replace("/", "\\/").encode()
