"""One night for page tests: a real application in a folder, five people, and the incident of the payments key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from holdfast.app.application import SYSTEM_VIEWER, Application
from holdfast.app.authorisation import Viewer
from holdfast.app.settings import load
from holdfast.kernel.events import Actor
from holdfast.web.app import create_app
from holdfast.wiring import build

START = datetime(2026, 11, 23, 3, 7, 12, tzinfo=UTC)
QUALIFIED = {
    "mara.lind": ["commander"],
    "idris.okoro": ["technical_lead", "commander"],
    "noor.haddad": ["communications_lead"],
    "tomas.vega": ["business_owner", "evidence_owner"],
}


@dataclass
class Night:
    """The application with a clock that is set by hand."""

    folder: Path
    now: datetime = START
    moves: bool = True
    """Whether each command takes seven seconds."""
    app: Application = field(init=False)
    incident: str = ""

    def __post_init__(self) -> None:
        """Build it, with its people; over a copied folder, with what is there."""
        self.app = build(
            load({"HOLDFAST_DATA": str(self.folder / "data"), "HOLDFAST_KEYS": str(self.folder / "keys")}),
            clock=lambda: self.now,
        )
        if self.app.states.installation().accounts:
            return
        for name, qualified in QUALIFIED.items():
            self.app.execute(
                "account-add", {"account": name, "roles": ["responder"], "qualified": qualified}, SYSTEM_VIEWER
            )
        self.app.execute("account-add", {"account": "ada.ops", "roles": ["observer"]}, SYSTEM_VIEWER)

    def who(self, name: str) -> Viewer:
        """A person as they are when signed in."""
        role = "observer" if name == "ada.ops" else "responder"
        return Viewer(name, frozenset({role}), Actor("person", name, "password+totp"))

    def do(self, by: str, use_case: str, /, **fields: Any) -> dict[str, Any]:
        """A command on the incident."""
        if self.moves:
            self.now += timedelta(seconds=7)
        given = fields.pop("fields", fields)
        outcome = self.app.execute(use_case, given, self.who(by), incident_id=self.incident or None)
        return dict(outcome.result)

    def later(self, **more: float) -> None:
        """Time passes."""
        self.now += timedelta(**more)

    def collect(self, by: str, name: str, content: bytes, **fields: Any) -> str:
        """Evidence: the bytes, then the item."""
        sha256, size = self.app.upload(self.incident, self.who(by), BytesIO(content))
        kind = fields.pop("kind", "log")
        return str(self.do(by, "evidence-add", sha256=sha256, size=size, kind=kind, name=name, **fields)["evidence_id"])

    def declare(self, name: str = "AWS key of payments is public", **fields: Any) -> str:
        """The declaration of mara.lind at 03:07."""
        given = {
            "name": name,
            "reported_by": "Code host alert: secret scanning found an AWS key in the public repository payments-infra.",
            "affected_systems": "Payments service, AWS account prod-payments",
            "answers": ["production_secret=confirmed"],
            "play": "leaked-secret",
            **fields,
        }
        outcome = self.app.execute("declare", given, self.who("mara.lind"))
        self.incident = outcome.incident_id
        return self.incident

    def client(self, name: str) -> Browser:
        """A browser of one person, without scripts."""
        site = create_app(self.app)
        site.state.local_viewer = self.who(name)
        return Browser(site, self.app.settings.url)

    def page(self, name: str, path: str = "") -> str:
        """A page of the incident as one person gets it."""
        found = self.client(name).get(f"/incidents/{self.incident}{path}")
        assert found.status_code == 200, found.text
        return found.text


@dataclass
class Browser:
    """Sends requests straight into the application; follows no redirect."""

    site: FastAPI
    url: str

    def get(self, path: str, **more: Any) -> httpx.Response:
        """A read."""
        return asyncio.run(self._send("GET", path, more))

    def post(self, path: str, **more: Any) -> httpx.Response:
        """A write."""
        return asyncio.run(self._send("POST", path, more))

    async def _send(self, method: str, path: str, more: Mapping[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.site)
        async with httpx.AsyncClient(transport=transport, base_url=self.url) as client:
            return await client.request(method, path, headers={"accept": "text/html"}, **more)


def begun(folder: Path) -> Night:
    """The night up to 03:31: command taken, frozen, captured in part, claims, a task, a handover of evidence."""
    night = Night(folder)
    night.declare()
    do = night.do
    do("mara.lind", "command-take")
    do("mara.lind", "role-assign", role="technical_lead", account="idris.okoro")
    do("mara.lind", "role-assign", role="business_owner", account="tomas.vega")
    do("mara.lind", "role-assign", role="evidence_owner", account="tomas.vega")
    do("mara.lind", "message-post", text="@idris.okoro please find out who used the key. I write the first update.")
    expires = night.now + timedelta(hours=4)
    do("mara.lind", "freeze-order", scopes=["prod"], expires_at=expires, reason="Contain first", ask="mara.lind")
    trail = night.collect(
        "idris.okoro", "cloudtrail-0200-0310.json", b'{"Records": []}' * 50, source="cloud_audit_events"
    )
    log = night.collect("idris.okoro", "ci-run-8841.log", b"step 4: printed AKIA\n" * 20, source="ci_logs")
    do("idris.okoro", "board-settle", line="F5", part="cloud_audit_events", cites=[trail])
    do("idris.okoro", "board-settle", line="F5", part="ci_logs", cites=[log])
    do(
        "idris.okoro", "board-settle", line="F5", part="host_metadata", standing="not_applicable",
        reason="The service runs on a managed platform; there is no host of ours to read.",
    )  # fmt: skip
    do(
        "idris.okoro",
        "message-post",
        text="The key was used from an address we have never seen, 02:51 to 03:05. See ev-1.",
    )
    do(
        "idris.okoro", "timeline-add", text="First use of the key from 203.0.113.77", basis="evidenced",
        occurred_at=START - timedelta(minutes=16), source="CloudTrail", cites=[trail],
    )  # fmt: skip
    do("idris.okoro", "severity-answer", answers=["attacker_in_production=confirmed"])
    fact = do(
        "idris.okoro",
        "claim-state",
        kind="scope",
        text="The key read 312 objects of one bucket between 02:51 and 03:05 UTC.",
    )
    do("idris.okoro", "claim-confirm", claim=fact["claim"], cites=[trail])
    do("idris.okoro", "claim-state", kind="actor", text="The attacker made a key for the user backup to stay.")
    told = {"reason": "Reads of objects before 02:30 cannot be told: data events were off."}
    do("idris.okoro", "question-settle", question="I6", standing="unknown", **told)
    step = {"play_id": "play-1", "step": "LS2"}
    unread = {"reason": "The registry needs a login nobody has tonight."}
    do("idris.okoro", "step-settle", part="artifact_registries", standing="unreachable", **step, **unread)
    do(
        "mara.lind",
        "task-assign",
        owner="idris.okoro",
        action="Ask payments who may rotate at night",
        due=START + timedelta(minutes=40),
    )
    do(
        "mara.lind",
        "task-assign",
        owner="mara.lind",
        action="Tell the duty executive",
        due=START + timedelta(minutes=20),
    )
    return night
