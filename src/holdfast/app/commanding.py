"""How a use case is declared: one frozen command, one handler; every surface finds it here.

The API route, the CLI command, the web form and the reference page are all made from the declaration.
A command's string fields are either free text (:data:`Line`, :data:`Prose`: scanned for secrets, then
sealed) or held to a pattern or a closed set, so that no free text can slip into an event unsealed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol, get_type_hints

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from holdfast.app.state import IncidentState
from holdfast.kernel.citations import PATTERN as CITATION_PATTERN
from holdfast.kernel.citations import Citation
from holdfast.kernel.events import NewEvent
from holdfast.kernel.texts import Sealed


@dataclass(frozen=True, slots=True)
class FreeText:
    """Marks a string field as a person's words: scanned, sealed, shown escaped."""

    multiline: bool


Line = Annotated[str, FreeText(multiline=False), StringConstraints(min_length=1, max_length=300)]
"""One line of free text, sealed."""
Prose = Annotated[str, FreeText(multiline=True), StringConstraints(min_length=1, max_length=50_000)]
"""Free text of any number of lines, sealed."""
AccountName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{1,39}$")]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""A name from library data (a part, a cause, a gate's field)."""
Cite = Annotated[str, StringConstraints(pattern=CITATION_PATTERN)]
"""``ev-3`` or ``#17``."""
Cites = Annotated[list[Cite], Field(max_length=200)]
Scope = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*$", max_length=200)]
"""A slash path such as ``prod/payments``."""
Instant = AwareDatetime
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def numbered(prefix: str) -> StringConstraints:
    """What holds a field to ids such as ``claim-3``; used inside ``Annotated[str, …]``."""
    return StringConstraints(pattern=rf"^{prefix}-[1-9][0-9]{{0,8}}$")


class Command(BaseModel):
    """Base of every command: frozen, and unknown fields are refused (no mass assignment)."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class IncidentCommand(Command):
    """A command on one incident."""

    saw: int | None = Field(
        default=None, ge=0, description="Version of the facet you saw; if it has changed since, nothing is done."
    )


@dataclass(frozen=True, slots=True)
class Pins:
    """Digests of the library documents an incident is bound to for its whole life."""

    severity_table: str
    calendar: str
    runbook: str
    plays: Mapping[str, str]
    """Play key to digest."""

    def as_json(self) -> dict[str, Any]:
        """As the declaration records them."""
        return {
            "calendar": self.calendar,
            "plays": dict(self.plays),
            "runbook": self.runbook,
            "severity_table": self.severity_table,
        }


class Documents(Protocol):
    """Pinned library documents, by digest."""

    def get(self, digest: str) -> Mapping[str, Any]:
        """The parsed document; raises ``DamagedError`` when it is missing."""
        ...


class Context(Protocol):
    """What a handler sees. It decides; it performs nothing."""

    @property
    def state(self) -> IncidentState:
        """The incident as folded to its newest event."""
        ...

    @property
    def now(self) -> datetime:
        """The instant of this command, UTC."""
        ...

    @property
    def me(self) -> str:
        """Account name of who acts."""
        ...

    @property
    def documents(self) -> Documents:
        """Library documents pinned in this incident."""
        ...

    def seal(self, text: str) -> Sealed:
        """Seal a person's words; stored only if the command succeeds."""
        ...

    def seal_or_none(self, text: str | None) -> Sealed | None:
        """Seal when there is something to seal."""
        ...

    def read(self, sealed: Sealed | None) -> str:
        """The words behind a reference; an erased text reads as its tombstone, none as ''."""
        ...

    def cite(self, references: Iterable[str]) -> tuple[Citation, ...]:
        """Resolve ``ev-3`` and ``#17``; refuses one that does not exist in this incident."""
        ...

    def person(self, account: str) -> str:
        """The account's name if it exists, is active and may see this incident; refuses otherwise."""
        ...

    def is_qualified(self, account: str, role: str) -> bool:
        """Whether an administrator has qualified the account for an incident role."""
        ...

    @property
    def default_calendar(self) -> str:
        """Name of the response calendar for declarations that name none."""
        ...

    def pins(self, calendar: str) -> Pins:
        """Store today's library documents and name them by digest, for a declaration."""
        ...

    def sign_pass(self, payload: Mapping[str, Any]) -> str:
        """The signed token of a containment pass; goes to the asker, never into an event."""
        ...

    def uploaded(self, sha256: str) -> int:
        """Size in bytes of an object uploaded to this incident; refuses one that was not."""
        ...

    def verify_object(self, sha256: str) -> Literal["matches", "differs", "missing"]:
        """Hash the stored object again."""
        ...

    def emit(self, *events: NewEvent) -> None:
        """Add events to what this command records; later ``state`` reads include them."""
        ...

    def emit_all(self, events: Iterable[NewEvent]) -> None:
        """Like :meth:`emit`, for what a decider returned."""
        ...


Handler = Callable[[Any, Any], "Mapping[str, Any] | None"]


@dataclass(frozen=True, slots=True)
class UseCase:
    """One declared use case."""

    path: str
    """Words of the CLI command, also the API path with slashes: ``severity raise``."""
    command: type[Command]
    handler: Handler
    act: str
    """The row of the authorisation table that permits it."""
    facet: str | None
    """The facet ``saw`` refers to, a template over the command's fields, or none (never a conflict)."""
    runbook: tuple[str, ...]
    positional: tuple[str, ...]
    """Fields the CLI takes without an option name."""
    module: str

    @property
    def name(self) -> str:
        """``severity-raise``: the form's and the operation's name."""
        return self.path.replace(" ", "-")

    @property
    def summary(self) -> str:
        """First line of the command's docstring."""
        return (self.command.__doc__ or "").strip().splitlines()[0]


REGISTRY: dict[str, UseCase] = {}


def use_case(
    path: str,
    *,
    act: str,
    facet: str | None = None,
    runbook: tuple[str, ...] = (),
    positional: tuple[str, ...] = (),
) -> Callable[[Handler], Handler]:
    """Declare the decorated function as handler of its first parameter's command type."""

    def declare(handler: Handler) -> Handler:
        command = get_type_hints(handler)["command"]
        found = UseCase(path, command, handler, act, facet, runbook, positional, handler.__module__)
        if found.name in REGISTRY:
            msg = f"two use cases are named {path!r}"
            raise ValueError(msg)
        REGISTRY[found.name] = found
        return handler

    return declare
