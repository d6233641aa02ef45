"""Exposure: where a secret got to, and what every text input needs: secrets are found before anything is stored.

Rules:
1. A secret never leaves :func:`~holdfast.exposure.inputs.scan`: a hit carries a rule, a place and a keyed fingerprint.
2. A redaction shows no character of the secret, not even its first or last ones.
3. What is not a secret stays word for word: responders must be able to name a key by its id.
4. Formats are data (``library/secret_formats.toml``), each with cases it must find and cases it must leave alone.
"""

from __future__ import annotations

from holdfast.exposure.cases import failing_cases
from holdfast.exposure.events import TYPES
from holdfast.exposure.formats import Rule, Rules, load, shipped
from holdfast.exposure.inputs import Hit, Scan, scan
from holdfast.exposure.state import EMPTY, State, apply

__all__ = [
    "EMPTY",
    "TYPES",
    "Hit",
    "Rule",
    "Rules",
    "Scan",
    "State",
    "apply",
    "failing_cases",
    "load",
    "scan",
    "shipped",
]
