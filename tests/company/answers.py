"""What is known of the company's logs, because they were made: the answers an investigation has to reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.company.feed import Place
from tests.company.tale import Act


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity the attacker used (I2), counting only acts from the attacker's addresses."""

    acts: int
    refused: int
    first_us: int
    last_us: int
    """By the source's own clock, whole seconds."""
    ips: frozenset[str]


@dataclass(frozen=True, slots=True)
class Hole:
    """Hours of which the logs do not tell (I6): from the first hour to the last, inclusive, since 1970."""

    source: str
    account: str
    region: str
    event_class: str
    grade: str
    from_hour: int
    to_hour: int
    why: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the reading has to count."""

    records: int
    rows: int
    duplicates: int
    quarantined: int
    by_source: Mapping[str, int]
    """Rows of each source."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything known."""

    acts: Mapping[str, Act]
    """Every act of the story, by label."""
    places: Mapping[Place, str]
    """Where each record of the story lies, copies of it too, and its event id."""
    reach: frozenset[str]
    """What the named key leads to (I3): identities, policies, secrets."""
    path: tuple[tuple[str, str], ...]
    """Each step from the job to the named key (I3)."""
    could: frozenset[tuple[str, str, str]]
    """Identity, action, resource: what the named key allows with data (I4)."""
    holes: tuple[Hole, ...]
    inputs: Inputs
    responders: tuple[Mapping[str, Any], ...]
    """Rows of the responders table."""
    subject: str
    """The key that the alarm named."""
    addresses: tuple[str, ...]
    """Where the attacker came from."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """File to why it, or one record of it, cannot be read."""

    def identities(self) -> dict[str, Identity]:
        """Every identity the attacker acted under from an address of theirs, by its lasting name."""
        found: dict[str, list[Act]] = {}
        for act in self.by("attacker").values():
            if act.ip in self.addresses:
                found.setdefault(act.actor, []).append(act)
        return {
            actor: Identity(
                len(acts),
                sum(act.failed for act in acts),
                min(act.clock for act in acts),
                max(act.clock for act in acts),
                frozenset(act.ip for act in acts),
            )
            for actor, acts in found.items()
        }

    def by(self, side: str) -> dict[str, Act]:
        """Acts of one side."""
        return {label: act for label, act in self.acts.items() if act.side == side}

    def uids(self, labels: Iterable[str]) -> set[str]:
        """Event ids of acts."""
        return {self.acts[label].uid for label in labels}

    def changes(self, part: str) -> set[str]:
        """Event ids of the attacker's changes of one part (I1)."""
        return {act.uid for act in self.by("attacker").values() if act.means.change == part}

    def staying(self, part: str) -> set[str]:
        """Event ids of persistence, lateral_movement, repeated_access or undo (I5)."""
        return {act.uid for act in self.by("attacker").values() if act.means.stay == part}

    def data(self, part: str, *, failed: bool = False) -> set[str]:
        """Event ids of what was read, modified, deleted or exported, or tried (I4)."""
        found = self.by("attacker").values()
        return {act.uid for act in found if act.means.data == part and act.failed == failed}

    def denied(self) -> set[str]:
        """Event ids of the attacker's calls that were refused (I4)."""
        return {act.uid for act in self.by("attacker").values() if act.failed}

    def open_items(self) -> set[tuple[str, str]]:
        """Kind and name of what the attacker made and nobody removed (I7)."""
        return {item for item, last in self._items().items() if last}

    def closed_items(self) -> set[tuple[str, str]]:
        """Kind and name of what was made and removed again."""
        return {item for item, last in self._items().items() if not last}

    def _items(self) -> dict[tuple[str, str], bool]:
        found: dict[tuple[str, str], bool] = {}
        for act in sorted(self.acts.values(), key=lambda act: (act.at, act.label)):
            if act.side == "attacker" and act.means.made is not None:
                found[act.means.made] = True
            if act.means.removed is not None and act.means.removed in found:
                found[act.means.removed] = False
        return found
