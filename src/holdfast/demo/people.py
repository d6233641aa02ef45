"""The people of the demo, their accounts, and how each of them speaks to the server.

The first administrator is made as ``holdfast init`` makes it. Each person is then enrolled on this machine for a
moment and issues their own API token, as they would with ``holdfast token issue``; only then does the server start,
and from there on everything goes over HTTP. (A real team opens its one-time links in browsers instead.)
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from holdfast import __version__
from holdfast.app.capturing import Captured, Capturer, Collector, Labels
from holdfast.app.ports_capture import CommandOrder
from holdfast.cli.capturing import ServerSink
from holdfast.cli.connection import Local, Remote, enrol
from holdfast.demo.server import Place
from holdfast.kernel.errors import DamagedError, HoldfastError, UnavailableError
from holdfast.wiring import command_runner

COMMANDER = "commander"
ADMINISTRATOR = "ana"
PIPELINE = "deploy-payments"


@dataclass(frozen=True, slots=True)
class Part:
    """Somebody who plays a part."""

    account: str
    what: str
    roles: tuple[str, ...] = ("responder",)
    qualified: tuple[str, ...] = ()


PARTS: tuple[Part, ...] = (
    Part(ADMINISTRATOR, "commands tonight, and runs this installation"),
    Part("ben", "leads the technical work; on call for payments", qualified=("technical_lead",)),
    Part("chen", "writes what others are told", qualified=("communications_lead",)),
    Part("dora", "keeps the evidence", qualified=("evidence_owner",)),
    Part("eli", "decides for the business", qualified=("business_owner",)),
    Part("fay", "commands from seven in the morning", qualified=(COMMANDER,)),
    Part("olga", "watches, and can change nothing", roles=("observer",)),
)


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did."""

    first: int
    """Number of its first event."""
    result: Mapping[str, Any]
    notices: tuple[Mapping[str, str], ...]

    @property
    def cite(self) -> str:
        """How to cite it: ``#17``."""
        return f"#{self.first}"


@dataclass(slots=True)
class Person:
    """One person at their own connection."""

    account: str
    remote: Remote
    incident: str = ""
    kept: dict[str, str] = field(default_factory=dict)
    """What only they hold, such as a pass; never written down."""

    def does(self, path: str, **fields: object) -> Done:
        """A command on the incident: ``severity raise``.

        Raises:
            HoldfastError: what the server refused with.
        """
        return self.sends(f"/incidents/{self.incident}/{path.replace(' ', '/')}", fields)

    def sends(self, path: str, fields: Mapping[str, object]) -> Done:
        """A command anywhere."""
        answer = self.remote.request("POST", path, body=fields, key=str(uuid.uuid4()))
        numbers = [event["seq"] for event in answer["events"]]
        return Done(numbers[0] if numbers else -1, answer["result"], tuple(answer["notices"]))

    def is_refused(self, path: str, code: str, **fields: object) -> HoldfastError:
        """Try what must be refused with this code.

        Raises:
            DamagedError: it was not refused, or for another reason.
        """
        try:
            self.does(path, **fields)
        except HoldfastError as error:
            if error.code == code:
                return error
            raise
        raise DamagedError(
            "demo-not-refused",
            "The demo stops: a rule of the runbook did not hold.",
            why=f"{path} by {self.account} should have been refused with {code}, and was accepted.",
            next_step="This is a defect of Holdfast; keep demo-data for whoever looks into it.",
        )

    def reads(self, what: str = "") -> Mapping[str, Any]:
        """The incident, or a part of it such as ``/post``."""
        return self.remote.request("GET", f"/incidents/{self.incident}{what}")

    def captures(self, path: Path, labels: Labels | None = None) -> Captured:
        """A file or folder as evidence."""
        return self._capturer().path(path, labels or Labels())

    def captures_text(self, text: str, labels: Labels) -> Captured:
        """Text as evidence, as if from standard input."""
        return self._capturer().stream(BytesIO(text.encode()), labels)

    def captures_command(self, order: CommandOrder, labels: Labels) -> Captured:
        """A command's output as evidence; its arguments hold nothing to redact."""
        return self._capturer().command(order, labels, command_runner(), lambda argument: argument)

    def _capturer(self) -> Capturer:
        return Capturer(
            ServerSink(self.remote, self.incident), lambda: datetime.now(UTC), Collector("demo", __version__)
        )


@dataclass(slots=True)
class Cast:
    """Everybody, once they have their tokens."""

    place: Place
    people: dict[str, Person]
    tokens: dict[str, str]

    def __getattr__(self, account: str) -> Person:
        """``cast.ana``."""
        try:
            return self.people[account]
        except KeyError:
            raise AttributeError(account) from None

    def on(self, incident: str) -> None:
        """From now on everybody works on this incident."""
        for person in self.people.values():
            person.incident = incident

    def types(self, account: str, *arguments: str, said: str | None = None) -> subprocess.CompletedProcess[str]:
        """A ``holdfast`` command as somebody types it, spoken to the running server.

        The token goes in the environment of that one process, never in its arguments.
        """
        theirs = {
            **self.place.environment,
            "HOLDFAST_KEYS": str(self.place.folder / "nobody"),
            "HOLDFAST_SERVER": self.place.settings.url,
            "HOLDFAST_TOKEN": self.tokens[account],
            "NO_COLOR": "1",
        }
        return run(self.place.cli(*arguments), theirs, self.place.folder, said)

    def close(self) -> None:
        """Let every connection go."""
        for person in self.people.values():
            person.remote.close()


def run(
    command: list[str], environment: Mapping[str, str], folder: Path, said: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, keeping what it prints."""
    return subprocess.run(  # noqa: S603 - our own commands, arguments of our own
        command, cwd=folder, env=dict(environment), input=said or "", capture_output=True, text=True, check=False
    )


def gather(place: Place) -> Cast:
    """Make the installation and the accounts, and give everybody their token; before the server starts.

    Raises:
        HoldfastError: what was refused.
    """
    made = run(place.cli("init", ADMINISTRATOR), place.environment, place.folder)
    if made.returncode != 0:
        raise UnavailableError(
            "demo-init-failed",
            "The demo did not start.",
            why=f"holdfast init ended with {made.returncode}: {made.stderr.strip()[:300]}",
            next_step="Run it by hand to see more: holdfast init ana",
        )
    tokens: dict[str, str] = {}
    with Local(place.settings) as machine:
        for part in PARTS[1:]:
            added = {"account": part.account, "qualified": list(part.qualified), "roles": list(part.roles)}
            machine.request("POST", "/account/add", body=added)
        machine.request("POST", "/account/add", body={"account": PIPELINE, "kind": "service", "roles": ["observer"]})
        gate = {"account": PIPELINE, "label": "gate", "scopes": ["gate"]}
        tokens[PIPELINE] = _token(machine.request("POST", "/token/issue-service", body=gate))
    for part in PARTS:
        enrol(place.settings, part.account)
        with Local(place.settings) as machine:
            tokens[part.account] = _token(machine.request("POST", "/token/issue", body={"label": "demo", "days": 1}))
    enrol(place.settings, ADMINISTRATOR)
    people = {name: Person(name, Remote(place.settings.url, token)) for name, token in tokens.items()}
    return Cast(place, people, tokens)


def _token(answer: Mapping[str, Any]) -> str:
    return str(answer["result"]["token"])


def interpreter() -> str:
    """The Python the pack's own verifier is run with."""
    return sys.executable
