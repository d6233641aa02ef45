r"""What secrets look like: the rules of ``library/secret_formats.toml``, compiled.

A rule's patterns name the secret by the group ``secret``. To stay linear in the length of hostile input they follow
three habits, and a test throws hostile input at them: a token starts only after a character that is no part of it
(so that a run is tried once), runs are possessive (``{20,}+``), and everything between a name and its value is
bounded.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from holdfast.kernel.canonical import digest
from holdfast.kernel.errors import BadInputError

_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LETTER = re.compile("[A-Za-z]")
_DIGIT = re.compile("[0-9]")


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret."""

    key: str
    """Shown in the redaction and recorded with the hit."""
    name: str
    keywords: tuple[str, ...]
    """Lower-case literals, one of which is in every text the rule can match."""
    patterns: tuple[re.Pattern[str], ...]
    """Each has the group ``secret``."""
    anchored: bool
    """Whether every pattern begins at a keyword: then it is tried only there, which is many times faster."""
    entropy: int
    """Least Shannon entropy of the secret in hundredths of a bit per character; 0 asks for none."""
    mixed: bool
    """Whether the secret must hold both a letter and a digit, as made-up values do and words do not."""
    ignore: tuple[re.Pattern[str], ...]
    """Whole values that are no secret: placeholders, references, identifiers."""
    squeeze: bool
    """Whether white space and written line ends are left out of the fingerprint (keys are wrapped in many ways)."""
    scan_only: bool
    """Whether the rule is for scanning repositories and too noisy, or of no use, for what people type."""
    scan_entropy: int
    """Least entropy when scanning: source code holds far more values that only look made up."""
    scan_ignore: tuple[re.Pattern[str], ...]
    """Whole values that are code rather than secrets: when scanning, on top of ``ignore``."""
    cut: tuple[str, ...]
    r"""Patterns, ending in ``\Z``, of a match that goes on behind the bytes a scan looks at."""
    found: tuple[str, ...]
    """Templates of texts in which the rule must find something."""
    passed: tuple[str, ...]
    """Templates of texts in which no rule may find anything."""

    def matches(self, text: str, lowered: str) -> Iterator[re.Match[str]]:
        """Where the patterns match; nothing is accepted yet.

        Args:
            text: what is searched.
            lowered: the same in lower case.
        """
        # Lower case can be longer than the text it came from; then places in it say nothing about the text.
        if self.anchored and len(lowered) == len(text):
            starts = sorted({start for word in self.keywords for start in _places(lowered, word)})
            for pattern in self.patterns:
                place = 0
                for start in starts:
                    if start >= place and (match := pattern.match(text, start)):
                        place = match.end()
                        yield match
        else:
            for pattern in self.patterns:
                yield from pattern.finditer(text)

    def accepts(self, secret: str) -> bool:
        """Whether what a pattern found is a secret rather than a word, a placeholder or a reference."""
        if self.mixed and not (_LETTER.search(secret) and _DIGIT.search(secret)):
            return False
        if self.entropy and entropy(secret) < self.entropy:
            return False
        return not any(pattern.fullmatch(secret) for pattern in self.ignore)

    def accepts_scanned(self, secret: str) -> bool:
        """Whether what a pattern found in a file is one."""
        if not self.accepts(secret) or any(pattern.fullmatch(secret) for pattern in self.scan_ignore):
            return False
        return self.scan_entropy <= self.entropy or entropy(secret) >= self.scan_entropy


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules, the more telling ones first."""

    rules: tuple[Rule, ...]
    """For what people type."""
    version: int
    digest: str
    scanning: tuple[Rule, ...] = ()
    """For files and histories: the same, and those that are for scanning only."""
    placeholders: tuple[re.Pattern[str], ...] = ()
    """Values that no scan reports, whatever the rule."""
    words: tuple[tuple[str, int], ...] = ()
    """Keyword and place in ``rules`` of each: one loop over all of them is most of what an ordinary text costs."""


def entropy(text: str) -> int:
    """Shannon entropy in hundredths of a bit per character; of the first 4,096 characters."""
    text = text[:4096]
    size = len(text)
    counts = Counter(text).values()
    return round(100 * sum(count / size * math.log2(size / count) for count in counts)) if size else 0


def load(document: Mapping[str, Any]) -> Rules:
    """The rules of a parsed ``secret_formats.toml``.

    Raises:
        BadInputError: a field is missing, a key is used twice, a pattern does not compile or names no secret
            (``secret-formats-invalid``).
    """
    try:
        rules = _rules(document["rule"])
        typed = tuple(rule for rule in rules if not rule.scan_only)
        return Rules(
            rules=typed,
            version=document["version"],
            digest=digest(document),
            scanning=rules,
            placeholders=tuple(re.compile(pattern) for pattern in document.get("placeholders", [])),
            words=tuple((word, place) for place, rule in enumerate(typed) for word in rule.keywords),
        )
    except (KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        raise BadInputError(
            "secret-formats-invalid",
            "The secret formats cannot be used.",
            why=f"{type(error).__name__}: {error}.",
            next_step="Correct the document; library/secret_formats.toml shows the form.",
        ) from error


@lru_cache(maxsize=1)
def shipped() -> Rules:
    """The rules that come with Holdfast."""
    file = resources.files("holdfast.exposure").joinpath("library/secret_formats.toml")
    return load(tomllib.loads(file.read_text(encoding="utf-8")))


def _places(lowered: str, word: str) -> Iterator[int]:
    place = lowered.find(word)
    while place >= 0:
        yield place
        place = lowered.find(word, place + 1)


def _rules(rows: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    rules = tuple(_rule(row) for row in rows)
    keys = [rule.key for rule in rules]
    if len(set(keys)) != len(keys):
        msg = "a key is used twice"
        raise ValueError(msg)
    return rules


def _rule(row: Mapping[str, Any]) -> Rule:
    patterns = tuple(re.compile(pattern) for pattern in row["patterns"])
    keywords = tuple(row["keywords"])
    if not _KEY.fullmatch(row["key"]) or not patterns or not all(keywords):
        msg = f"{row['key']!r} has an unfit key, no pattern or an empty keyword"
        raise ValueError(msg)
    if any("secret" not in pattern.groupindex for pattern in patterns):
        msg = f"a pattern of {row['key']} does not name its secret"
        raise ValueError(msg)
    if any(word != word.lower() for word in keywords) or not keywords:
        msg = f"{row['key']} needs keywords in lower case"
        raise ValueError(msg)
    return Rule(
        key=row["key"],
        name=row["name"],
        keywords=keywords,
        patterns=patterns,
        anchored=row.get("anchored", True),
        entropy=row.get("entropy", 0),
        mixed=row.get("mixed", False),
        ignore=tuple(re.compile(pattern) for pattern in row.get("ignore", [])),
        squeeze=row.get("squeeze", False),
        scan_only=row.get("scan_only", False),
        scan_entropy=row.get("scan_entropy", 0),
        scan_ignore=tuple(re.compile(pattern) for pattern in row.get("scan_ignore", [])),
        cut=_cut(row),
        found=tuple(row["true"]),
        passed=tuple(row["false"]),
    )


def _cut(row: Mapping[str, Any]) -> tuple[str, ...]:
    patterns = tuple(row.get("cut", []))
    if not all("(?P<secret>" in pattern and pattern.endswith(r"\Z") for pattern in patterns):
        msg = f"a cut pattern of {row['key']} does not name its secret, or does not end in \\Z"
        raise ValueError(msg)
    return patterns
