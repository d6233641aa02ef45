"""A stand-in context over the real state: fixed clock, words kept beside, an incident with its five roles."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

from holdfast.app.commanding import REGISTRY
from holdfast.app.commands import declare_all
from holdfast.app.state import TYPES, IncidentState, apply
from holdfast.incidents import calendars
from holdfast.kernel.citations import Citation
from holdfast.kernel.events import Actor, Event, NewEvent
from holdfast.kernel.texts import Sealed

declare_all()
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ROLES = {
    "technical_lead": "tess",
    "communications_lead": "lin",
    "evidence_owner": "eve",
    "business_owner": "bo",
}


class Documents:
    def get(self, digest: str) -> Mapping[str, Any]:
        text = files("holdfast.incidents").joinpath("library/calendars.toml").read_text(encoding="utf-8")
        return calendars.freeze_named(tomllib.loads(text), "utc-weekdays", 2026)


class Desk:
    def __init__(self, level: str = "SEV-2", roles: Mapping[str, str] | None = None) -> None:
        self.state = IncidentState("INC-2026-0042")
        self.documents = Documents()
        self.me = "cem"
        self.now = START
        self.words: dict[str, str] = {}
        declared = dict(TYPES["incident.declared", 1].example) | {"name": self.seal("payments key is public").as_json()}
        self.emit(NewEvent("incident.declared", declared))
        self.emit(NewEvent("command.assumed", {"account": "cem", "previous": None, "dual_hat_reason": None}))
        self.emit(NewEvent("severity.set", {"level": level, "rule": "production_secret"}))
        for role, account in (ROLES if roles is None else roles).items():
            data = {"role": role, "account": account, "previous": None, "dual_hat_reason": None}
            self.emit(NewEvent("role.assigned", data))

    def seal(self, text: str) -> Sealed:
        number = len(self.words)
        self.words[f"text-{number}"] = text
        return Sealed(f"text-{number}", hashlib.sha256(f"{number} {text}".encode()).hexdigest())  # type: ignore[arg-type]

    def seal_or_none(self, text: str | None) -> Sealed | None:
        return None if text is None else self.seal(text)

    def read(self, sealed: Sealed | None) -> str:
        return "" if sealed is None else self.words.get(sealed.text_id, "[erased by order]")

    def person(self, account: str) -> str:
        return account

    def cite(self, references: Iterable[str]) -> tuple[Citation, ...]:
        return tuple(
            Citation(event=int(text[1:])) if text.startswith("#") else Citation(text, "ab" * 32) for text in references
        )

    def emit(self, *events: NewEvent) -> None:
        for new in events:
            assert (new.type, new.version) in TYPES
            assert set(new.data) == set(TYPES[new.type, new.version].fields), new.type
            event = Event(
                self.state.id,
                self.state.seq + 1,
                f"event-{self.state.seq + 1}",
                new.type,
                new.version,
                new.occurred_at or self.now,
                self.now,
                new.basis,
                Actor("person", self.me, "password+totp"),
                new.data,
            )
            self.state = apply(self.state, event)

    def emit_all(self, events: Iterable[NewEvent]) -> None:
        self.emit(*events)

    def run(self, name: str, /, by: str = "cem", **fields: object) -> Mapping[str, Any]:
        case = REGISTRY[name]
        self.me = by
        return case.handler(case.command.model_validate(fields), self) or {}

    def later(self, **time: int) -> None:
        self.now += timedelta(**time)

    def supply(self) -> None:
        """Everything that X1 to X7 need."""
        cites = ["ev-1"]
        self.run("cause-identify", statement="a key in a public repository", cites=cites)
        self.run("path-close", statement="key disabled", cites=cites)
        self.run("path-verify", statement="the old key was refused", cites=cites)
        self.run("credential-list", name="payments deploy key")
        self.run("credential-settle", credential="credential-1", outcome="rotated", cites=cites)
        for part in ("artifacts", "images", "deployments"):
            self.run("revalidate-settle", part=part, cites=cites)
        self.run("monitor-add", indicator="use of the old key", where="cloud alarms to on-call", cites=cites)
        for escalation in ("customer", "legal", "contractual"):
            self.run("escalation-decide", by="bo", escalation=escalation, decision="no", reason="not concerned")
        due = self.now + timedelta(hours=72)
        self.run("escalation-decide", by="bo", escalation="regulatory", decision="yes", to="the authority", due_at=due)
        self.run("escalation-receipt", by="bo", notification="notification-1", receipt="no. 7")
        self.run("action-assign", text="scan every push", owner="tess", due="2026-12-11")

    def review(self) -> None:
        self.run("review-start")
        for prompt in ("V1", "V2", "V3", "V4", "V5", "V6"):
            self.run("review-answer", prompt=prompt, text="as recorded", cites=["#0"])
        self.run("review-complete")

    def prove(self, *gates: str) -> None:
        for gate in gates:
            self.run("closure-prove", gate=gate, statement="see there", cites=["ev-1"])

    def recover(self) -> None:
        self.run("status-set", status="contained", reason="key off")
        self.run("status-set", status="recovering", reason="rebuilding")
        self.run("recovery-verify")
