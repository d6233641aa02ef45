"""One sentence for each question that a commander can read aloud, from the rows of its queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from holdfast.investigation.sentences import i1, i2, i3, i4, i5, i6, i7

COMPOSERS: Mapping[str, Callable[[Mapping[str, Sequence[Mapping[str, Any]]], Mapping[str, Any]], str]] = {
    "I1": i1.sentence,
    "I2": i2.sentence,
    "I3": i3.sentence,
    "I4": i4.sentence,
    "I5": i5.sentence,
    "I6": i6.sentence,
    "I7": i7.sentence,
}
"""Question to what composes its sentence: from the rows of each query, and the facts of the run."""
