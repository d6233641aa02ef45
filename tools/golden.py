"""One line per event type and version: the exact bytes an event of it has, for ever.

``python -m tools.golden`` adds the lines of new types and versions to ``tests/golden/events.jsonl``. It never changes
a line that is there: stored events were written like that. A type that must change gets a new version and an upcaster;
``--replace TYPE`` is only for a type that no released Holdfast has ever written.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from holdfast.app import installation
from holdfast.app.state import TYPES
from holdfast.kernel.events import Actor, Event, EventType

FILE = Path(__file__).resolve().parent.parent / "tests" / "golden" / "events.jsonl"
MOMENT = datetime(2026, 11, 23, 3, 7, 42, 123000, tzinfo=UTC)
ACTOR = Actor("person", "ana.reyes", "password+totp")
Name = tuple[str, int]


def types() -> Mapping[Name, EventType]:
    """Every declared type, of incidents and of the installation."""
    return {**TYPES, **{(kind.name, kind.version): kind for kind in installation.TYPES}}


def line(kind: EventType) -> bytes:
    """The canonical bytes of the type's example in a fixed envelope."""
    return Event(
        incident_id="INC-2026-0042",
        seq=17,
        event_id="0193571a-3c4b-7d5e-8f60-718293a4b5c6",
        type=kind.name,
        version=kind.version,
        occurred_at=MOMENT,
        recorded_at=MOMENT,
        basis="observed",
        actor=ACTOR,
        data=kind.example,
    ).canonical()


def kept() -> dict[Name, bytes]:
    """The lines in the file."""
    if not FILE.exists():
        return {}
    return {name_of(one): one for one in FILE.read_bytes().splitlines()}


def name_of(one: bytes) -> Name:
    """Type and version of a line."""
    envelope = json.loads(one)
    return envelope["type"], envelope["version"]


def main(words: list[str]) -> int:
    """Add what is new; replace what is named."""
    lines = {name: one for name, one in kept().items() if name[0] not in words}
    added = {name: line(kind) for name, kind in types().items() if name not in lines}
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_bytes(b"".join(one + b"\n" for _, one in sorted({**lines, **added}.items())))
    print(f"{len(added)} written, {len(lines)} kept")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
