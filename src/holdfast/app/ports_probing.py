"""What probing asks of the rim: something that looks at a provider, a repository or an address, and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from holdfast.investigation.probing import ProbeQuestion, ProbeResult


class Probe(Protocol):
    """Answers some checks by looking."""

    permissions: Mapping[str, tuple[str, ...]]
    """Each check it can make, with the permissions it needs for it, as the provider names them."""

    def check(self, question: ProbeQuestion) -> ProbeResult:
        """Look once. What stands in the way of looking is a result (``cannot_tell``), never an error."""
        ...
