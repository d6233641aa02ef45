"""Building SVG as text: escaping, cutting, the page's colours, time axes, legends. Pure string building."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

WIDTH: Final = 1080
"""Width of every picture in its own units; it is drawn as wide as the page lets it."""
FONT: Final = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Liberation Sans', sans-serif"
SMALL: Final = 12.0
TEXT: Final = 13.0

INK = "var(--ink, #1b1d21)"
SOFT = "var(--soft, #51555c)"
LINE = "var(--line, #d8d5ce)"
EDGE = "var(--edge, #73777f)"
PANEL = "var(--panel, #ffffff)"
SUNK = "var(--sunk, #faf9f7)"
ACCENT = "var(--accent, #0a529b)"
ALARM = "var(--alarm, #ad0f1b)"
WARN = "var(--warn, #744800)"
GOOD = "var(--good, #17613d)"

_WIDE, _NARROW, _LATIN = frozenset("MWmw@%◆"), frozenset("iljtfr.,:;|!'/- "), "\u2e80"
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MINUTE = 60_000_000
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_STEPS = (
    *(_MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * n for n in (1, 2, 3, 6, 12)),
    *(_DAY * n for n in (1, 2, 7, 14, 28, 91, 182, 365)),
)
_STYLE = """<style>:root{color-scheme:light dark;--ink:#1b1d21;--soft:#51555c;--line:#d8d5ce;--edge:#73777f;
--panel:#fff;--sunk:#faf9f7;--accent:#0a529b;--alarm:#ad0f1b;--warn:#744800;--good:#17613d}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaee;--soft:#adb5c0;--line:#323a46;--edge:#7d8796;--panel:#191e26;
--sunk:#13171e;--accent:#93c3ff;--alarm:#ff9690;--warn:#f2c879;--good:#86d5aa}}</style>
<rect width="100%" height="100%" fill="var(--panel)"/>"""


def escape(text: object) -> str:
    """Text as XML content or attribute: markup is escaped, characters XML has no place for are replaced."""
    clean = _FORBIDDEN.sub("\ufffd", str(text))
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def tag(name: str, content: str | None = None, **attributes: object) -> str:
    """An element; ``_`` in attribute names is ``-``, attributes that are none are left out, content is XML already."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(number(value) if isinstance(value, float) else value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{told}/>" if content is None else f"<{name}{told}>{content}</{name}>"


def number(value: float) -> str:
    """A coordinate, short."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def label(x: float, y: float, words: object, **attributes: object) -> str:
    """A line of text with its baseline at ``y``."""
    full = {"font_size": SMALL, "fill": INK, **attributes}
    return tag("text", escape(words), x=x, y=y, **full)


def width_of(text: str, size: float = SMALL, *, bold: bool = False) -> float:
    """About how wide a text is, rather too much than too little: fonts differ, and the widest common one must fit."""
    units = sum(0.92 if char in _WIDE or char > _LATIN else 0.4 if char in _NARROW else 0.64 for char in text)
    return units * size * (1.1 if bold else 1.0)


def fit(text: object, room: float, size: float = SMALL, *, bold: bool = False) -> str:
    """A text cut in its middle so that it fits: both ends of an ARN or an address tell more than its middle."""
    words = " ".join(str(text).split())
    if width_of(words, size, bold=bold) <= room:
        return words
    keep = min(len(words), int(room / size * 3))
    while keep > 2 and width_of(_cut(words, keep), size, bold=bold) > room:  # noqa: PLR2004 - a letter at each end
        keep -= 1
    return _cut(words, keep)


def _cut(words: str, keep: int) -> str:
    return f"{words[: (keep + 1) // 2]}…{words[-(keep // 2) :]}"


def picture(name: str, title: str, desc: str, body: Iterable[str], height: float) -> str:
    """The whole SVG element, with what it shows in words."""
    head = tag("title", escape(title), id=f"{name}-title") + tag("desc", escape(desc), id=f"{name}-desc")
    return tag(
        "svg",
        head + "".join(body),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {number(height)}",
        width=WIDTH,
        height=number(height),
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        font_family=FONT,
        font_size=TEXT,
    )


def standalone(svg: str) -> str:
    """A file of its own: colours for light and dark come with it."""
    head, _, rest = svg.partition(">")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}>{_STYLE}{rest}\n'


def empty(name: str, title: str, words: str) -> str:
    """A picture of nothing, which says so."""
    body = [
        tag("rect", x=0.5, y=0.5, width=WIDTH - 1, height=63, rx=6, fill=SUNK, stroke=LINE),
        label(24, 38, words, font_size=15.0, fill=SOFT),
    ]
    return picture(name, title, words, body, 64)


@dataclass(frozen=True, slots=True)
class Axis:
    """Time from left to right."""

    from_us: int
    to_us: int
    left: float
    right: float

    def x(self, moment_us: int) -> float:
        """Where an instant is, kept within the axis."""
        share = (moment_us - self.from_us) / max(self.to_us - self.from_us, 1)
        return self.left + (self.right - self.left) * min(max(share, 0.0), 1.0)

    def draw(self, top: float, bottom: float) -> Iterable[str]:
        """Lines and their labels above ``top``; the day stands above the hour where it changes."""
        step = next((one for one in _STEPS if (self.to_us - self.from_us) / one <= 9), _STEPS[-1])  # noqa: PLR2004 - labels that fit
        first = -(-self.from_us // step) * step
        day, drawn = "", 0.0
        half = 46.0 if step >= _DAY else 40.0
        for moment in range(first, self.to_us + 1, step):
            x = self.x(moment)
            yield tag("line", x1=x, x2=x, y1=top, y2=bottom, stroke=LINE)
            inside = x < WIDTH - half
            if x - (half if inside else 2 * half) < drawn:
                continue  # no label over another
            drawn, anchor = (x + half, "middle") if inside else (x, "end")
            today, clock = day_text(moment), clock_text(moment)
            if step >= _DAY:
                yield label(x, top - 8, today, text_anchor=anchor, fill=SOFT)
                continue
            yield label(x, top - 8, clock, text_anchor=anchor, fill=SOFT)
            if today != day:
                yield label(x, top - 24, today, text_anchor=anchor, fill=INK, font_weight=600)
                day = today


def day_text(moment_us: int) -> str:
    """``2 Jan 2024``, in UTC."""
    moment = _moment(moment_us)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}" if moment else "beyond"


def clock_text(moment_us: int, *, seconds: bool = False) -> str:
    """``02:30``, in UTC."""
    moment = _moment(moment_us)
    return moment.strftime("%H:%M:%S" if seconds else "%H:%M") if moment else "—"


def _moment(moment_us: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(moment_us // 1_000_000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


@dataclass(frozen=True, slots=True)
class Key:
    """One sign of a legend: how it is drawn in a box of 16 by 12 at the origin, and what it means."""

    sign: str
    meaning: str


def legend(keys: Sequence[Key], x: float, y: float, right: float = WIDTH - 12) -> tuple[list[str], float]:
    """Signs with their meaning, wrapped; and the height they take."""
    body: list[str] = []
    at, row = x, 0
    for key in keys:
        wide = 26 + width_of(key.meaning) + 18
        if at + wide > right and at > x:
            at, row = x, row + 1
        top = y + row * 22
        body.append(tag("g", key.sign, transform=f"translate({number(at)} {number(top)})"))
        body.append(label(at + 24, top + 10, key.meaning, fill=SOFT))
        at += wide
    return body, (row + 1) * 22.0


def squares(marks: Iterable[tuple[float, float, float, float]]) -> str:
    """Path data of many boxes, each with left, top, width and height: one element instead of hundreds."""
    return "".join(f"M{number(x)} {number(y)}h{number(w)}v{number(h)}h{number(-w)}z" for x, y, w, h in marks)


def more(count: int, thing: str) -> str:
    """``and 37 more identities``."""
    return f"and {count:,} more {thing}"
