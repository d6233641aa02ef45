"""An incident as the fold of its record: each domain package's state, side by side, and the facets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from holdfast import communications, evidence, exposure, incidents, investigation, plays, recovery
from holdfast.kernel.events import Event, EventType


def _types() -> Mapping[tuple[str, int], EventType]:
    packages = (incidents, evidence, investigation, exposure, plays, communications, recovery)
    declared = [kind for package in packages for kind in package.TYPES]
    table = {(kind.name, kind.version): kind for kind in declared}
    if len(table) != len(declared):
        msg = "two packages declare the same event type"
        raise ValueError(msg)
    return MappingProxyType(table)


TYPES: Mapping[tuple[str, int], EventType] = _types()
"""Every event type this version knows, by name and version."""


@dataclass(frozen=True, slots=True)
class IncidentState:
    """What the record says now. Frozen: readers may keep one while writers go on."""

    id: str
    seq: int = -1
    """Sequence number of the newest event folded in; -1 before the first."""
    facets: Mapping[str, int] = field(default_factory=dict)
    """Facet name to the sequence number of the event that last changed it."""
    incidents: incidents.State = incidents.EMPTY
    evidence: evidence.State = evidence.EMPTY
    investigation: investigation.State = investigation.EMPTY
    exposure: exposure.State = exposure.EMPTY
    plays: plays.State = plays.EMPTY
    communications: communications.State = communications.EMPTY
    recovery: recovery.State = recovery.EMPTY


def apply(state: IncidentState, event: Event) -> IncidentState:
    """The state after one more event. Types this version does not know change only ``seq``."""
    kind = TYPES.get((event.type, event.version))
    if kind is None:
        return replace(state, seq=event.seq)
    facets = state.facets
    if kind.facet is not None:
        facets = {**facets, kind.facet.format(**event.data): event.seq}
    return replace(
        state,
        seq=event.seq,
        facets=facets,
        incidents=incidents.apply(state.incidents, event),
        evidence=evidence.apply(state.evidence, event),
        investigation=investigation.apply(state.investigation, event),
        exposure=exposure.apply(state.exposure, event),
        plays=plays.apply(state.plays, event),
        communications=communications.apply(state.communications, event),
        recovery=recovery.apply(state.recovery, event),
    )
