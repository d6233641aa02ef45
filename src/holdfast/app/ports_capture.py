"""What capturing needs of the outside: a place for the evidence, and something that runs commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from holdfast.app.ports_vault import ByteSource, Stored
from holdfast.evidence.events import Kind, Shortfall

Progress = Callable[[int, int], None]
"""Called with (bytes, items) done so far."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What is registered of one capture: the fields of the command ``evidence add``."""

    sha256: str
    size: int
    kind: Kind
    name: str
    origin: str
    media_type: str
    source: str | None
    started: str
    """RFC 3339."""
    ended: str
    collector: str
    collector_version: str
    clock_offset_ms: int | None
    manifest: str | None
    shortfalls: tuple[Shortfall, ...]

    def as_json(self) -> dict[str, Any]:
        """The body of the command."""
        return {**asdict(self), "shortfalls": list(self.shortfalls)}


class Sink(Protocol):
    """Where captured evidence goes. Methods may be called from two threads at once."""

    def put(self, stream: ByteSource, size_hint: int | None, /) -> Stored:
        """Upload a stream to its end; exceptions that reading it raises pass through."""
        ...

    def register(self, found: Collected, /) -> str:
        """Record the item; its id, such as ``ev-3``."""
        ...


@dataclass(frozen=True, slots=True)
class CommandOrder:
    """A command to run."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    working_folder: str
    timeout_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    exit_status: int | None
    signal: str | None
    shortfalls: tuple[Shortfall, ...]


class Runner(Protocol):
    """Runs a command without a shell."""

    def run(
        self, order: CommandOrder, stdout: Callable[[ByteSource], None], stderr: Callable[[ByteSource], None], /
    ) -> Ran:
        """Run it to its end; each consumer reads its stream to the end, in a thread of its own.

        Raises:
            NotFoundError: it cannot be started.
        """
        ...
