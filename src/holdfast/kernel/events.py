"""Events: the envelope that is recorded, what deciders yield, and how an event type is declared.

An event is a fact about the past. Its data never holds secrets, bulk data or free text: it cites
evidence by digest and words by :class:`~holdfast.kernel.texts.Sealed` references.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from holdfast.kernel.canonical import canonical
from holdfast.kernel.instants import format_instant, parse_instant

ActorKind = Literal["person", "service", "system"]
Basis = Literal["observed", "estimated", "evidenced"]
"""How the occurrence time is known: seen as it happened, guessed, or proven by evidence."""

ENVELOPE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, and how we know."""

    kind: ActorKind
    id: str
    authenticated: str
    """``password+totp``, ``passkey``, ``token``, ``local`` (enrolled on this machine) or ``system``."""
    on_behalf_of: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """The envelope's actor object."""
        return {
            "authenticated": self.authenticated,
            "id": self.id,
            "kind": self.kind,
            "on_behalf_of": self.on_behalf_of,
        }


SYSTEM = Actor("system", "holdfast", "system")


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What a decider yields: a type and data, not yet placed in the record."""

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None
    """When it happened; ``None`` means the instant it is recorded."""
    basis: Basis = "observed"
    version: int = 1


@dataclass(frozen=True, slots=True)
class Event:
    """One leaf of an incident's record."""

    incident_id: str
    seq: int
    """0 for the first event of the incident, without gaps."""
    event_id: str
    type: str
    version: int
    occurred_at: datetime
    recorded_at: datetime
    basis: Basis
    actor: Actor
    data: Mapping[str, Any]

    def envelope(self) -> dict[str, Any]:
        """The JSON object whose canonical bytes are the leaf."""
        return {
            "actor": self.actor.as_json(),
            "basis": self.basis,
            "data": self.data,
            "envelope": ENVELOPE_VERSION,
            "event_id": self.event_id,
            "incident": self.incident_id,
            "occurred_at": format_instant(self.occurred_at),
            "recorded_at": format_instant(self.recorded_at),
            "seq": self.seq,
            "type": self.type,
            "version": self.version,
        }

    def canonical(self) -> bytes:
        """RFC 8785 bytes of the envelope: what is hashed, stored and exported, never changed after."""
        return canonical(self.envelope())


def event_from(envelope: Mapping[str, Any]) -> Event:
    """The event from a parsed envelope. Unknown types are kept as they are."""
    actor = envelope["actor"]
    return Event(
        incident_id=envelope["incident"],
        seq=envelope["seq"],
        event_id=envelope["event_id"],
        type=envelope["type"],
        version=envelope["version"],
        occurred_at=parse_instant(envelope["occurred_at"]),
        recorded_at=parse_instant(envelope["recorded_at"]),
        basis=envelope["basis"],
        actor=Actor(actor["kind"], actor["id"], actor["authenticated"], actor["on_behalf_of"]),
        data=envelope["data"],
    )


@dataclass(frozen=True, slots=True)
class EventType:
    """The declaration of an event type: reference docs, timeline sentence and facet come from it."""

    name: str
    """``package-noun.past-tense``, for example ``severity.raised``."""
    sentence: str
    """Timeline sentence, a ``str.format`` template over ``actor`` and the data's fields."""
    fields: Mapping[str, str]
    """Field name to what it holds, one line each."""
    facet: str | None = None
    """The facet it changes, a ``str.format`` template over the data (``claim:{claim_id}``), or none."""
    runbook: tuple[str, ...] = ()
    """Ids of the runbook items it records."""
    kind: str = "action"
    """Timeline filter: action, decision, message, evidence, finding, clock, communication, system."""
    version: int = 1
    example: Mapping[str, Any] = field(default_factory=dict)
    """Data of one realistic event: the golden line is made from it."""
