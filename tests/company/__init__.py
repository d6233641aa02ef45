"""A synthetic company: six months of its logs with one attack told across all of them, and the answers known.

``Company(seed).write(folder)`` writes the captured files and gives :class:`~tests.company.answers.Answers`.
Everything is made here: names, addresses (documentation and private ranges), identifiers and events.
"""

from __future__ import annotations

from tests.company.answers import Answers
from tests.company.company import Company

__all__ = ["Answers", "Company"]
