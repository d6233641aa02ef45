"""The cases inside the library of secret formats, and whether the rules satisfy them.

Cases are templates, so that no file holds anything that looks like a secret: ``{alnum:36}`` stands for 36 letters and
digits made up when the case is run, ``{}`` for nothing (it keeps a prefix in two halves).
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Iterator

from holdfast.exposure.formats import Rules
from holdfast.exposure.inputs import scan

ALPHABETS = {
    "alnum": string.ascii_letters + string.digits,
    "b64": string.ascii_letters + string.digits + "+/",
    "digits": string.digits,
    "hex": string.digits + "abcdef",
    "lower": string.ascii_lowercase + string.digits,
    "upper": string.ascii_uppercase + string.digits,
    "url": string.ascii_letters + string.digits + "-_",
}
_HOLE = re.compile(r"\{(?:([a-z0-9]+):([0-9]+))?\}")
_ANY_KEY = b"cases"


def expand(template: str) -> str:
    """The text of a case: every hole filled, always alike, with characters nobody ever used as a secret."""
    parts: list[str] = []
    place = 0
    for hole in _HOLE.finditer(template):
        parts.append(template[place : hole.start()])
        if hole[1]:
            parts.append(_made_up(ALPHABETS[hole[1]], int(hole[2]), f"{template}|{hole.start()}"))
        place = hole.end()
    return "".join(parts) + template[place:]


def failing_cases(rules: Rules) -> Iterator[str]:
    """Every case the rules do not satisfy, as a sentence that names its template."""
    from holdfast.exposure.rules import RuleMatcher  # noqa: PLC0415 - slow to load, and no start needs it

    matcher = RuleMatcher(rules, _ANY_KEY, plain=True)

    def typed(text: str) -> list[str]:
        return [hit.rule for hit in scan(text, rules, _ANY_KEY).hits]

    def scanned(text: str) -> list[str]:
        return [one.rule for one in matcher.find(text.encode())]

    for rule in rules.scanning:
        finders = (scanned,) if rule.scan_only else (typed, scanned)
        for template in rule.found:
            got = next((hits for find in finders if (hits := find(expand(template))) != [rule.key]), None)
            if got is not None:
                yield f"{rule.key} should be the one hit in {template!r}, got {got}"
        for template in rule.passed:
            got = next((hits for find in finders if (hits := find(expand(template)))), None)
            if got is not None:
                yield f"{rule.key}: nothing should be found in {template!r}, got {got}"


def _made_up(alphabet: str, length: int, seed: str) -> str:
    blocks = range(length // 32 + 1)
    stream = b"".join(hashlib.sha256(f"{seed}|{block}".encode()).digest() for block in blocks)
    made = "".join(alphabet[byte % len(alphabet)] for byte in stream[:length])
    both = [next((c for c in alphabet if test(c)), "") for test in (str.isalpha, str.isdigit)]
    # A real value nearly always holds a letter and a digit; a short made-up one must not fail to by chance.
    return "".join(both) + made[2:] if all(both) and length > len(both) else made
