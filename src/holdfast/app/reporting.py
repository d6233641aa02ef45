"""The report for people: one self-contained HTML page and one PDF of the same contents, in a pack and on its own.

Rules:
1. A report is rendered from :class:`Report` alone; the same report gives the same bytes, today and tomorrow.
2. Nobody's words are markup: HTML is escaped by Jinja, the PDF gets its data as JSON beside the document, and
   characters that move or hide text (controls, direction overrides) are shown by their code points.
3. The report is for reading; the record proves. It says so on its first page.
4. Who fills the report leaves withheld words out; the renderer knows nothing of withholding.
"""

from __future__ import annotations

import json
import re
import tempfile
import unicodedata
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

import typst
from jinja2 import Environment, StrictUndefined

_UNSHOWN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
"""Unicode categories shown by code point: controls, formats (direction overrides), private, unassigned, separators."""
_KEPT = frozenset("\n\u200c\u200d")
"""Line ends, and the two joiners that some scripts and emoji need."""


@dataclass(frozen=True, slots=True)
class Field:
    """A label and what stands beside it."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One event."""

    seq: int
    at: str
    """When it happened, RFC 3339 text; with how that is known where it was not observed."""
    actor: str
    kind: str
    sentence: str


@dataclass(frozen=True, slots=True)
class CustodyRow:
    """One entry of an item's custody."""

    at: str
    actor: str
    sentence: str


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One item of evidence."""

    id: str
    name: str
    kind: str
    sha256: str
    size: int
    standing: str
    """``in this pack``, ``withheld`` or ``erased``; with ``incomplete capture`` where that is so."""
    custodian: str
    custody: tuple[CustodyRow, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim."""

    id: str
    standing: str
    """Fact, hypothesis, disproved or retracted."""
    words: str
    support: str
    """Who confirmed it and what it cites."""


@dataclass(frozen=True, slots=True)
class GateRow:
    """One closure gate."""

    id: str
    name: str
    standing: str
    detail: str
    """What shows it, what is missing, or who waived it and why."""


@dataclass(frozen=True, slots=True)
class Section:
    """Further contents: roles, communications, plays, the review."""

    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a report shows, as text that is ready to read."""

    incident_id: str
    title: str
    through: str
    """Recording time of the newest event it covers, RFC 3339 text."""
    header: tuple[Field, ...] = ()
    sections: tuple[Section, ...] = ()
    timeline: tuple[TimelineRow, ...] = ()
    evidence: tuple[EvidenceRow, ...] = ()
    claims: tuple[ClaimRow, ...] = ()
    gates: tuple[GateRow, ...] = ()
    review: tuple[Field, ...] = ()


def visible(text: str) -> str:
    """The text with every character that would hide or move others replaced by its code point in brackets."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char in _KEPT or unicodedata.category(char) not in _UNSHOWN else f"⟨U+{ord(char):04X}⟩" for char in text
    )


def render_html(report: Report) -> bytes:
    """The report as one UTF-8 page without scripts or outside resources."""
    template = _HTML.from_string(_library("report.html"))
    return template.render(report=_plain(report)).encode()


def render_pdf(report: Report) -> bytes:
    """The report as a PDF with tagged structure, set with the compiler's own fonts only.

    Scripts that those fonts lack (such as Chinese) show as empty boxes here; the HTML page has them.
    """
    with tempfile.TemporaryDirectory(prefix="holdfast-report-") as folder:
        source = Path(folder) / "report.typ"
        source.write_text(_library("report.typ"), encoding="utf-8")
        made = typst.compile(
            str(source),
            root=folder,
            format="pdf",
            sys_inputs={"report": json.dumps(_mapped(_plain(report), _breakable))},
            ignore_system_fonts=True,
            timestamp=0,
        )
    assert isinstance(made, bytes)
    return made


def _plain(report: Report) -> dict[str, object]:
    """The report as JSON values, every text made visible."""
    plain = _mapped(asdict(report), visible)
    assert isinstance(plain, dict)
    return plain


def _mapped(value: object, change: Callable[[str], str]) -> object:
    """JSON values with every text changed, digests excepted: they are copied from the page and compared."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: item if _DIGEST.fullmatch(str(item)) else _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(item, change) for item in value]
    return value


def _breakable(text: str) -> str:
    """Words of more than 24 letters may break in the PDF's narrow columns (a zero-width space; HTML has a style)."""
    return _LONG.sub("\\1\u200b", text)


def _library(name: str) -> str:
    return files("holdfast.app").joinpath("library", name).read_text(encoding="utf-8")


_LONG = re.compile(r"(\S{24})(?=\S)")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HTML = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
