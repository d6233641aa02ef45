"""One attempt at a command on the installation itself: accounts, credentials, tokens, keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from holdfast.app.authorisation import Viewer
from holdfast.app.commanding import Command
from holdfast.app.encoding import encode_segment
from holdfast.app.installation import STREAM, TYPES, Account, InstallationState, apply
from holdfast.app.ports import Clock, Randomness
from holdfast.app.ports_identity import Bearer, Credentials, Guard
from holdfast.kernel.errors import NotFoundError
from holdfast.kernel.events import Event, NewEvent
from holdfast.kernel.ids import RANDOM_BYTES, uuid7

_KNOWN = {(kind.name, kind.version) for kind in TYPES}
_BEARER_BYTES = 32


class InstallationCommand(Command):
    """A command on the installation."""


@dataclass(slots=True)
class InstallationTools:
    """What these commands need of the outside."""

    credentials: Credentials
    guard: Guard
    clock: Clock
    randomness: Randomness
    rotate_signer: Callable[[], tuple[str, str]]
    """Makes a new signing key; returns (previous vkey, new vkey)."""


class InstallationWork:
    """What an installation command's handler sees."""

    def __init__(self, tools: InstallationTools, viewer: Viewer, state: InstallationState, now: datetime) -> None:
        """Start from a state."""
        self.tools = tools
        self.viewer = viewer
        self.state = state
        self.now = now
        self.events: list[Event] = []
        self._effects: list[Callable[[], object]] = []

    @property
    def me(self) -> str:
        """Who acts."""
        return self.viewer.account

    def account(self, name: str) -> Account:
        """An account.

        Raises:
            NotFoundError: there is none of that name.
        """
        found = self.state.accounts.get(name)
        if found is None:
            raise NotFoundError(
                "account-unknown",
                f"There is no account {name!r}.",
                why="Nobody has added it.",
                next_step="See who there is: holdfast account list",
            )
        return found

    def emit(self, new: NewEvent) -> None:
        """Place an event and fold it in."""
        if (new.type, new.version) not in _KNOWN:
            msg = f"undeclared event type {new.type!r}"
            raise ValueError(msg)
        event = Event(
            incident_id=STREAM,
            seq=self.state.seq + 1,
            event_id=self.new_id(),
            type=new.type,
            version=new.version,
            occurred_at=self.now,
            recorded_at=self.now,
            basis="observed",
            actor=self.viewer.actor,
            data=new.data,
        )
        self.events.append(event)
        self.state = apply(self.state, event)

    def after(self, effect: Callable[[], object]) -> None:
        """Do this once the events are durable."""
        self._effects.append(effect)

    def perform(self) -> None:
        """Do what was put off."""
        for effect in self._effects:
            effect()

    def new_id(self) -> str:
        """A fresh UUIDv7."""
        return uuid7(self.tools.clock(), self.tools.randomness(RANDOM_BYTES))

    def new_bearer(
        self, kind: str, account: str, expires_at: datetime, scopes: tuple[str, ...], label: str
    ) -> tuple[str, Bearer]:
        """A random value to hand out once, and the bearer to keep."""
        return make_bearer(
            self.tools,
            kind,
            account,
            now=self.now,
            expires_at=expires_at,
            scopes=scopes,
            label=label,
            authenticated=kind,
        )


def make_bearer(  # noqa: PLR0913 - a bearer has this many facts
    tools: InstallationTools,
    kind: str,
    account: str,
    *,
    now: datetime,
    expires_at: datetime,
    scopes: tuple[str, ...] = ("all",),
    label: str = "",
    authenticated: str = "",
) -> tuple[str, Bearer]:
    """A random 256-bit value and the bearer that holds only its digest."""
    value = f"hf_{kind}_{encode_segment(tools.randomness(_BEARER_BYTES))}"
    bearer_id = uuid7(now, tools.randomness(RANDOM_BYTES))
    digest = bearer_digest(value)
    return value, Bearer(digest, kind, bearer_id, account, scopes, label, now, expires_at, authenticated)


def bearer_digest(value: str) -> str:
    """What is kept of a bearer's value; it has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(value.encode()).hexdigest()
