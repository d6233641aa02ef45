from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.evidence.names import display_name, pack_name


@pytest.mark.parametrize(
    ("raw", "shown", "packed"),
    [
        ("auth.log", "auth.log", "ev-3-auth.log"),
        ("../../etc/passwd", "passwd", "ev-3-passwd"),
        ("..\\..\\windows\\system.ini", "system.ini", "ev-3-system.ini"),
        ("/", "unnamed", "ev-3"),
        ("", "unnamed", "ev-3"),
        ("..", "unnamed", "ev-3"),
        ("invoice\u202egnp.exe", "invoicegnp.exe", "ev-3-invoicegnp.exe"),
        ("a\x00b\x1b[31m.log", "ab[31m.log", "ev-3-ab_31m.log"),
        ("two\nlines.txt", "two lines.txt", "ev-3-two_lines.txt"),
        (".bashrc", ".bashrc", "ev-3-bashrc"),
        ("-rf", "-rf", "ev-3-rf"),
        ("archive.tar.gz", "archive.tar.gz", "ev-3-archive_tar.gz"),
        ("Übersicht Zürich.csv", "Übersicht Zürich.csv", "ev-3-Ubersicht_Zurich.csv"),
        ("日本.log", "日本.log", "ev-3.log"),
        ("CON", "CON", "ev-3-CON"),
    ],
)
def test_names_are_shown_and_packed_tamed(raw: str, shown: str, packed: str) -> None:
    assert (display_name(raw), pack_name("ev-3", raw)) == (shown, packed)


def test_a_name_of_ten_thousand_characters_keeps_its_extension() -> None:
    shown = display_name("x" * 10_000 + ".log")
    assert len(shown) == 120
    assert shown.endswith("….log")


@given(st.text(max_size=300))
@example("\ud800.log")
@example("a/\u202e/b\u2028")
def test_no_name_escapes_its_line_or_its_folder(raw: str) -> None:
    shown = display_name(raw)
    assert 0 < len(shown) <= 120
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in shown)
    assert "/" not in shown
    assert "\\" not in shown


@given(st.text(max_size=300))
def test_every_packed_name_is_plain_short_and_begins_with_its_id(raw: str) -> None:
    packed = pack_name("ev-12", raw)
    assert re.fullmatch(r"ev-12(-[A-Za-z0-9_-]{1,60})?(\.[A-Za-z0-9]{1,10})?", packed)
