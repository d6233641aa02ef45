"""Reference page of the exposure search: spellings that are searched, what is not, rules for unknown secrets."""

from __future__ import annotations

from tools.markdown import bullets, code, page, table

from holdfast.exposure.formats import shipped
from holdfast.exposure.git.layout import FAULTS
from holdfast.exposure.query import KNOWN_NOT_SEARCHED, LONGEST_ANCHOR, compile_query
from holdfast.kernel.secrets import SecretValue

_LIKE_A_KEY = b"q/" + bytes(range(65, 91)) + b"+" + bytes(range(48, 58)) + b"="
"""Shaped like a provider's secret, and nobody's."""
_CLASSES = (
    ("exact", "byte for byte"),
    ("encoded", "whole, in another spelling; the form says which, outermost first"),
    ("split", "whole, cut by line ends, quotes, concatenation or continuation"),
    ("partial", "a long piece of it, and what stands around is not the rest: look at it"),
)


def spellings_page() -> str:
    """What is searched for, and what is not."""
    query = compile_query([SecretValue(_LIKE_A_KEY)])
    typed = shipped().rules
    rules = [(code(rule.key), rule.name, "" if rule in typed else "scans only") for rule in shipped().scanning]
    return page(
        "Spellings and rules",
        "What `holdfast exposure search` finds of a given secret. It looks for short literals (at most "
        f"{LONGEST_ANCHOR} bytes) that occur in these spellings, and then reads the bytes around each.",
        "## Classes",
        table(("class", "means"), [(code(name), words) for name, words in _CLASSES]),
        "## Spellings that are searched",
        "Of a secret shaped like a cloud provider's; one that is a private key, or holds no letters, has others. Forms "
        "combine: `base64 > json` is JSON within base64.",
        bullets([code(form) for form in query.forms()]),
        "## What is not searched",
        "Told with every answer, too.",
        bullets(sorted(KNOWN_NOT_SEARCHED)),
        "## Why an entry of a pack may be unreadable",
        bullets(sorted(FAULTS.values())),
        "## Rules for secrets that nobody named",
        "`--rules`, `exposure check` and the redaction of typed texts find secrets by their form. Each rule has its "
        "cases beside it in `exposure/library/secret_formats.toml`.",
        table(("rule", "what", "where"), rules),
    )
