r"""Secrets in what a person or a program sends: found and redacted before anything is stored.

Key *ids* stay (``AKIA…``, a Twilio SID, a service account's ``private_key_id``): they open nothing by themselves, and
"key AKIA… leaked" is what a responder has to be able to write. Secret keys, tokens, passwords and private keys go.

Not handled here: secrets that are encoded (base64 of a file), cut over several lines (other than private keys), made
of letters only, or told without any sign of being one ("the password is the dog's name").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from holdfast.exposure.formats import Rule, Rules
from holdfast.kernel.secrets import fingerprint

_BETWEEN = re.compile(r"\\[nrt]|\s")


@dataclass(frozen=True, slots=True)
class Hit:
    """One secret that was found. It tells nothing of the secret but its fingerprint."""

    rule: str
    fingerprint: str
    """16 hexadecimal digits: equal secrets under one installation key look equal."""
    start: int
    end: int
    """The place in the text as it was sent, in characters; what was redacted is ``text[start:end]``."""

    @property
    def redaction(self) -> str:
        """What stands in the place of the secret."""
        return f"[redacted {self.rule} fp:{self.fingerprint}]"


@dataclass(frozen=True, slots=True)
class Scan:
    """A text without its secrets."""

    text: str
    """Each hit replaced by its redaction, everything else word for word."""
    hits: tuple[Hit, ...]
    """In the order of the text, never overlapping."""


class _Span(NamedTuple):
    start: int
    end: int
    priority: int
    rule: Rule
    secret: str


def scan(text: str, rules: Rules, key: bytes) -> Scan:
    """Find the secrets in a text and take them out.

    Where two rules find overlapping places, both places are redacted as one, under the rule that comes first in the
    library (the more telling one). Scanning a result again finds nothing new. Time is linear in the length.

    Args:
        text: what was sent, any length.
        rules: from :func:`holdfast.exposure.formats.load`.
        key: the installation's fingerprint key.
    """
    lowered = text.lower()
    hits = tuple(_hits(text, lowered, rules, key))
    parts: list[str] = []
    place = 0
    for hit in hits:
        parts += (text[place : hit.start], hit.redaction)
        place = hit.end
    return Scan("".join(parts) + text[place:], hits)


def _hits(text: str, lowered: str, rules: Rules, key: bytes) -> Iterator[Hit]:
    group: list[_Span] = []
    end = -1
    for span in sorted(_spans(text, lowered, rules), key=lambda span: span[:3]):
        if group and span.start >= end:
            yield _merged(group, end, key)
            group = []
        group.append(span)
        end = max(end, span.end)
    if group:
        yield _merged(group, end, key)


def _spans(text: str, lowered: str, rules: Rules) -> Iterator[_Span]:
    # Most texts end here: looking for a keyword is far cheaper than trying a pattern.
    for priority in sorted({place for word, place in rules.words if word in lowered}):
        rule = rules.rules[priority]
        for match in rule.matches(text, lowered):
            secret = match["secret"]
            if rule.accepts(secret):
                yield _Span(match.start("secret"), match.end("secret"), priority, rule, secret)


def _merged(group: list[_Span], end: int, key: bytes) -> Hit:
    told = min(group, key=lambda span: span.priority)
    secret = _BETWEEN.sub("", told.secret) if told.rule.squeeze else told.secret
    # A lone surrogate is not text, but it must not stop the search for secrets.
    mark = fingerprint(secret.encode("utf-8", "surrogatepass"), key)
    return Hit(told.rule.key, mark, group[0].start, end)
