"""The people of the demo, their accounts, and how each of them speaks to the server.

The first administrator opens the link that the server prints at its first start, everybody else the invitation that
she sends; each chooses a password, types the code of their authenticator, and issues an API token. All over HTTP.
"""

from __future__ import annotations

import re
import secrets
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pyotp

from holdfast import __version__
from holdfast.app.capturing import Captured, Capturer, Collector, Labels
from holdfast.app.ports_capture import CommandOrder
from holdfast.cli.capturing import ServerSink
from holdfast.cli.connection import Remote
from holdfast.demo.server import Place
from holdfast.kernel.errors import DamagedError, HoldfastError, UnavailableError
from holdfast.wiring import command_runner

COMMANDER = "commander"
ADMINISTRATOR = "ana"
PIPELINE = "deploy-payments"
_CSRF = re.compile(r'name="csrf"[^>]*? value="([^"]+)"')
_SEED = re.compile(r">([A-Z2-7]{4}(?: [A-Z2-7]{4}){7})<")
"""A seed of 160 bits in base32, in groups of four, as the page shows it to be typed."""


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

    def does(self, path: str, /, **fields: object) -> Done:
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

    def is_refused(self, path: str, code: str, /, **fields: object) -> HoldfastError:
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

    def investigates(self, asked: Mapping[str, object]) -> Mapping[str, Any]:
        """Have the captured items read, and the seven questions answered."""
        return self.remote.request("POST", f"/incidents/{self.incident}/investigation", body=asked)

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


def gather(place: Place, first_link: str) -> Cast:
    """Open the server's first-run link, invite everybody, and let each redeem the invitation and issue a token.

    Args:
        place: where the server runs.
        first_link: what it printed at its first start.

    Raises:
        HoldfastError: what was refused.
    """
    url = place.settings.url
    tokens = {ADMINISTRATOR: _enrol(url, ADMINISTRATOR, first_link)}
    ana = Person(ADMINISTRATOR, Remote(url, tokens[ADMINISTRATOR]))
    for part in PARTS[1:]:
        added = {"account": part.account, "qualified": list(part.qualified), "roles": list(part.roles)}
        invitation = str(ana.sends("/account/add", added).result["invitation"])
        tokens[part.account] = _enrol(url, part.account, f"{url}/welcome#{invitation}")
    ana.sends("/account/add", {"account": PIPELINE, "kind": "service", "roles": ["observer"]})
    gate = {"account": PIPELINE, "label": "gate", "scopes": ["gate"]}
    tokens[PIPELINE] = str(ana.sends("/token/issue-service", gate).result["token"])
    ana.remote.close()
    people = {name: Person(name, Remote(url, token)) for name, token in tokens.items()}
    return Cast(place, people, tokens)


def _enrol(url: str, account: str, link: str) -> str:
    """Do what a person does in a browser: open the link, choose a password, type the code, issue a token."""
    password = secrets.token_urlsafe(24)
    try:
        with httpx.Client(base_url=url, timeout=60, follow_redirects=True) as browser:
            shown = browser.post("/welcome/link", data={"link": link}).text
            csrf, seed = _CSRF.search(shown), _SEED.search(shown)
            if csrf is None or seed is None:
                raise _not_enrolled(account, "the page after the one-time link shows no form")
            code = pyotp.TOTP(seed[1].replace(" ", "")).now()
            typed = {"account": account, "again": password, "code": code, "csrf": csrf[1], "password": password}
            browser.post("/welcome", data=typed, follow_redirects=False)
            issued = browser.post("/api/v1/token/issue", json={"label": "demo", "days": 1})
            if not issued.is_success:
                raise _not_enrolled(account, issued.json().get("detail", "no token was issued"))
            return str(issued.json()["result"]["token"])
    except httpx.HTTPError as error:
        raise _not_enrolled(account, type(error).__name__) from None


def _not_enrolled(account: str, why: str) -> UnavailableError:
    return UnavailableError(
        "demo-enrolment-failed",
        f"{account} could not sign in, so the demo stops.",
        why=f"With the one-time link: {why}.",
        next_step="Look at demo-data/server.log, then run the demo again.",
    )
