from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.web import assets
from holdfast.web.rendering import clock_state, clock_text, duration, environment, in_zone, linked

NOW = "2026-11-23T03:07:00Z"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-4, "0 s"), (59.9, "59 s"), (187, "3 min 07 s"), (7500, "2 h 05 min"), (2 * 86400 + 4 * 3600, "2 d 04 h")],
)
def test_a_duration_is_said_in_words(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_across_the_room_the_seconds_rest() -> None:
    assert duration(23 * 60 + 12, short=True) == "23 min"
    assert duration(9 * 60 + 12, short=True) == "9 min 12 s"


@pytest.mark.parametrize(
    ("clock", "state", "said"),
    [
        ({"state": "running", "until": "2026-11-23T03:20:00Z"}, "running", "13 min 00 s left"),
        ({"state": "running", "until": "2026-11-23T03:08:00Z"}, "soon", "1 min 00 s left"),
        ({"state": "running", "until": "2026-11-23T03:05:00Z"}, "overdue", "overdue by 2 min 00 s"),
        ({"state": "not_started"}, "not_started", "not started"),
        ({"state": "missing", "until": "2026-11-23T03:05:00Z"}, "missing", "missing"),
        ({"state": "running", "since": "2026-11-23T03:06:00Z"}, "running", "1 min 00 s"),
    ],
)
def test_a_clock_reads_without_scripts(clock: dict[str, str], state: str, said: str) -> None:
    assert (clock_state(clock, NOW), clock_text(clock, NOW)) == (state, said)


def test_an_instant_shows_in_the_zone_with_utc_beside_it() -> None:
    assert in_zone(NOW, "Europe/Berlin") == "04:07"
    assert in_zone(NOW, "Europe/Berlin", "hover") == "2026-11-23 04:07:00 CET · 2026-11-23 03:07:00 UTC"


def test_words_are_escaped_and_citations_become_links() -> None:
    text = "<img src=x onerror=alert(1)> ev-3, #17 and a/ev-9 by @mara.lind &#39;"
    html = str(linked(text, "/incidents/INC-1"))
    assert "<img" not in html
    assert '<a class="cite" href="/incidents/INC-1/evidence/ev-3">ev-3</a>' in html
    assert '<a class="cite" href="/incidents/INC-1/timeline#e-17">#17</a>' in html
    assert "a/ev-9" in html
    assert "&amp;#39;" in html
    assert html.count("<a ") == 2


def test_one_address_covers_all_static_files_and_changes_with_any(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    before = assets.digest(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.js").write_text("2")
    assert assets.digest(tmp_path) != before
    assert assets.missing(tmp_path) == assets.REQUIRED
    static = environment().globals["static"]
    assert callable(static)
    assert static("js/live.js") == f"/static/{assets.digest()}/js/live.js"


def test_pages_hold_no_inline_script_or_style() -> None:
    for page in Path(environment().loader.searchpath[0]).glob("*.html"):  # type: ignore[union-attr]  # ours has one
        text = page.read_text()
        assert " style=" not in text, page
        assert "<style" not in text, page
        assert " onclick=" not in text, page
        assert text.count("<script") == text.count("<script src=") + text.count('<script type="module" src='), page
