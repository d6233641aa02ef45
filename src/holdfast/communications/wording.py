"""The review of wording: what a text may not say (block), and what it had better not say (warn).

The rules are data, in ``library/wording.toml``, each with its own cases. A blocking finding refuses approval.
A text without findings is not thereby true, complete or free of secrets: people still read it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from holdfast.communications.rendering import CONTENTS, LABELS, contents_of, fields_of, one_line
from holdfast.communications.state import Audience

Severity = Literal["block", "warn"]
_SHORTEST_UNCONFIRMED = 12
"""A claim shorter than this many letters would be found by chance."""
_FEWEST_SENTENCES = 3
"""Below this many sentences a reading grade says nothing."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9'\u2019-]*")
_VOWELS = re.compile(r"[aeiouy]+")
_ACRONYM = re.compile(r"\b[A-Z]{3,6}\b")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found."""

    severity: Severity
    rule: str
    span: tuple[int, int]
    """Start and end in the text, in characters; (0, 0) for something that is missing."""
    why: str
    suggestion: str

    def as_json(self) -> dict[str, object]:
        """For surfaces; the found words are not repeated, because they may be a secret."""
        return {
            "severity": self.severity,
            "rule": self.rule,
            "start": self.span[0],
            "end": self.span[1],
            "why": self.why,
            "suggestion": self.suggestion,
        }


@dataclass(frozen=True, slots=True)
class Subject:
    """A text to review, with what the record says around it."""

    text: str
    audience: Audience
    withheld: tuple[str, ...] = ()
    """Names that must not occur."""
    unconfirmed: tuple[str, ...] = ()
    """Words of claims that are not facts."""
    known_impact: str | None = None
    """What the *Known impact* field must say; not compared when ``None``."""
    promise: str | None = None
    """The recorded promise as text shows it, such as ``2026-11-23 04:00 UTC``; not compared when ``None``."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the library."""

    id: str
    severity: Severity
    audiences: tuple[str, ...]
    why: str
    suggestion: str
    pattern: re.Pattern[str] | None
    check: str | None
    parameters: Mapping[str, Any]
    hits: tuple[str, ...]
    passes: tuple[str, ...]


@cache
def rules() -> tuple[Rule, ...]:
    """The shipped rules, in order."""
    document = tomllib.loads(
        files("holdfast.communications").joinpath("library/wording.toml").read_text(encoding="utf-8")
    )
    return tuple(
        Rule(
            id=row["id"],
            severity=row["severity"],
            audiences=tuple(row["audiences"]),
            why=row["why"],
            suggestion=row["suggestion"],
            pattern=re.compile(row["pattern"], 0 if row.get("case") else re.IGNORECASE) if "pattern" in row else None,
            check=row.get("check"),
            parameters={key: row[key] for key in ("limit", "known") if key in row},
            hits=tuple(row.get("hits", ())),
            passes=tuple(row.get("passes", ())),
        )
        for row in document["rule"]
    )


def review(subject: Subject) -> list[Finding]:
    """Every finding, blocking ones first, then in the order of the text."""
    found = [
        Finding(rule.severity, rule.id, span, why, rule.suggestion)
        for rule in rules()
        if subject.audience in rule.audiences
        for span, why in _apply(rule, subject)
    ]
    return sorted(found, key=lambda finding: (finding.severity != "block", finding.span, finding.rule))


def blocking(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that refuse approval."""
    return tuple(finding for finding in findings if finding.severity == "block")


_Found = Iterator[tuple[tuple[int, int], str]]


def _apply(rule: Rule, subject: Subject) -> _Found:
    if rule.pattern is not None:
        for match in rule.pattern.finditer(subject.text):
            yield match.span(), rule.why
    if rule.check is not None:
        yield from _CHECKS[rule.check](rule, subject)


def _names(rule: Rule, subject: Subject) -> _Found:
    for name in subject.withheld:
        if name.strip():
            words = r"\s+".join(re.escape(word) for word in name.split())
            for match in re.finditer(rf"(?<!\w){words}(?!\w)", subject.text, re.IGNORECASE):
                yield match.span(), rule.why


def _unconfirmed(rule: Rule, subject: Subject) -> _Found:
    for claim in subject.unconfirmed:
        bare = one_line(claim).rstrip(".!?")
        if len(bare) >= _SHORTEST_UNCONFIRMED:
            words = r"\s+".join(re.escape(word) for word in bare.split(" "))
            for match in re.finditer(words, subject.text, re.IGNORECASE):
                yield match.span(), rule.why


def _fields(rule: Rule, subject: Subject) -> _Found:
    labels = [line.partition(":")[0].strip() for line in subject.text.splitlines() if ":" in line]
    present = [label for label in labels if label in LABELS]
    values = fields_of(subject.text)
    missing = [label for label in LABELS if not values.get(label)]
    if missing:
        yield (0, 0), f"{rule.why} Missing or empty: {', '.join(missing)}."
    elif present != list(LABELS):
        yield (0, 0), rule.why


def _known_impact(rule: Rule, subject: Subject) -> _Found:
    said = fields_of(subject.text).get("Known impact")
    if subject.known_impact is not None and said is not None and one_line(said) != one_line(subject.known_impact):
        start = subject.text.find("Known impact")
        yield (start, start + len("Known impact")), rule.why


def _promise(rule: Rule, subject: Subject) -> _Found:
    said = (contents_of if subject.audience == "customers" else fields_of)(subject.text).get("Next update")
    if subject.promise is not None and said and subject.promise not in one_line(said):
        start = subject.text.find("Next update")
        yield (start, start + len("Next update")), rule.why


def _contents(rule: Rule, subject: Subject) -> _Found:
    found = contents_of(subject.text)
    missing = [content for content in CONTENTS if not found.get(content)]
    if missing:
        yield (0, 0), f"{rule.why} Missing or empty: {', '.join(missing)}."


def _sentences(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for match in _SENTENCE_END.finditer(text):
        yield start, text[start : match.start()]
        start = match.end()
    yield start, text[start:]


def _sentence_length(rule: Rule, subject: Subject) -> _Found:
    for start, sentence in _sentences(subject.text):
        if len(_WORD.findall(sentence)) > rule.parameters["limit"]:
            yield (start, start + len(sentence)), rule.why


def _grade(rule: Rule, subject: Subject) -> _Found:
    grade = reading_grade(subject.text)
    if grade is not None and grade > rule.parameters["limit"]:
        yield (0, len(subject.text)), rule.why


def reading_grade(text: str) -> int | None:
    """The Flesch-Kincaid school grade, rounded; ``None`` for fewer than three sentences.

    Syllables are counted as groups of vowels less a silent final e, which is right to about a tenth: enough
    for a warning. 0.39 words per sentence + 11.8 syllables per word - 15.59 (Kincaid et al., 1975).
    """
    sentences = [words for _, sentence in _sentences(text) if len(words := _WORD.findall(sentence)) > 1]
    if len(sentences) < _FEWEST_SENTENCES:
        return None
    words = [word for sentence in sentences for word in sentence]
    syllables = sum(_syllables(word) for word in words)
    return round(0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59)


def _syllables(word: str) -> int:
    lower = word.lower()
    if lower.endswith("e") and not lower.endswith("le"):
        lower = lower[:-1]
    return max(1, len(_VOWELS.findall(lower)))


def _acronyms(rule: Rule, subject: Subject) -> _Found:
    seen: set[str] = set(rule.parameters["known"])
    for match in _ACRONYM.finditer(subject.text):
        word = match.group()
        if word not in seen and f"({word})" not in subject.text and f"{word} (" not in subject.text:
            yield match.span(), f"{rule.why} It is {word}."
        seen.add(word)


_CHECKS: Mapping[str, Callable[[Rule, Subject], _Found]] = {
    "acronyms": _acronyms,
    "contents": _contents,
    "fields": _fields,
    "grade": _grade,
    "known_impact": _known_impact,
    "names": _names,
    "promise": _promise,
    "sentence_length": _sentence_length,
    "unconfirmed": _unconfirmed,
}


def describe(findings: Sequence[Finding]) -> list[dict[str, object]]:
    """The findings as surfaces show them."""
    return [finding.as_json() for finding in findings]
