"""The running application: every use case and query, whatever the surface."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO

from holdfast.app.authorisation import Viewer, permit
from holdfast.app.bus import Bus
from holdfast.app.commanding import Command
from holdfast.app.dispatching import Dispatcher, Outcome
from holdfast.app.erasing import ERASING, carry_out
from holdfast.app.exposures import Exposures
from holdfast.app.inquiries import Inquiries
from holdfast.app.installation import STREAM
from holdfast.app.installation_work import InstallationTools, make_bearer
from holdfast.app.ports import IncidentRow, Record, Texts
from holdfast.app.ports_vault import Vault
from holdfast.app.rows import row_of
from holdfast.app.settings import Settings
from holdfast.app.signing_in import SigningIn, Site
from holdfast.app.state import IncidentState
from holdfast.app.states import States
from holdfast.app.work import Tools
from holdfast.kernel.events import SYSTEM
from holdfast.ledger.notes import Signer

LOG = logging.getLogger("holdfast")
_FIRST_RUN = timedelta(hours=24)
SYSTEM_VIEWER = Viewer("holdfast", frozenset({"administrator", "responder"}), SYSTEM)


@dataclass(slots=True)
class Application:
    """What surfaces are given."""

    settings: Settings
    record: Record
    texts: Texts
    vault: Vault
    signer: Signer
    tools: Tools
    installation_tools: InstallationTools
    states: States
    bus: Bus
    dispatcher: Dispatcher
    signing_in: SigningIn
    secret_key: bytes
    verifier_keys: Callable[[], Sequence[str]]
    """Every verifier key this installation has signed with, oldest first."""
    replace_rows: Callable[[list[IncidentRow]], int]
    close: Callable[[], None]
    site: Site
    inquiries: Inquiries | None = None
    """Investigations of incidents; set by wiring, which knows what reads and what runs SQL."""
    exposures: Exposures | None = None
    """Exposure searches of incidents; set by wiring likewise."""

    def investigations(self) -> Inquiries:
        """Investigations of incidents.

        Raises:
            RuntimeError: this application was built without them.
        """
        if self.inquiries is None:
            raise RuntimeError("built without investigations")
        return self.inquiries

    def exposure_searches(self) -> Exposures:
        """Exposure searches of incidents.

        Raises:
            RuntimeError: this application was built without them.
        """
        if self.exposures is None:
            raise RuntimeError("built without exposure searches")
        return self.exposures

    def execute(
        self,
        name: str,
        fields: Mapping[str, Any] | Command,
        viewer: Viewer,
        *,
        incident_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Outcome:
        """Run a use case."""
        return self.dispatcher.execute(name, fields, viewer, incident_id=incident_id, idempotency_key=idempotency_key)

    def incident(self, incident_id: str, viewer: Viewer) -> IncidentState:
        """An incident's state, for someone who may see it."""
        return self.dispatcher.visible(incident_id, viewer)

    def upload(self, incident_id: str, viewer: Viewer, stream: BinaryIO) -> tuple[str, int]:
        """Stream an object into the vault and bind it to the incident: (SHA-256, size in bytes)."""
        state = self.incident(incident_id, viewer)
        permit(viewer, "evidence.add", state)
        stored = self.vault.put(stream, limit=self.settings.max_object_bytes)
        self.record.note_upload(incident_id, stored.sha256, stored.size, viewer.account, self.tools.clock())
        return stored.sha256, stored.size

    def first_run_link(self) -> str | None:
        """A one-time link for the first administrator, while there is no account at all."""
        if self.states.installation().accounts:
            return None
        now = self.tools.clock()
        value, bearer = make_bearer(
            self.installation_tools, "invite", "", now=now, expires_at=now.replace(microsecond=0) + _FIRST_RUN
        )
        self.installation_tools.credentials.add_bearer(bearer)
        return value

    def add_first_account(self, account: str) -> None:
        """Make the first administrator, qualified for everything; only while there is no account."""
        if not self.states.installation().accounts:
            self.execute(
                "account-add",
                {
                    "account": account,
                    "roles": ["administrator", "responder"],
                    "qualified": [
                        "commander",
                        "technical_lead",
                        "communications_lead",
                        "evidence_owner",
                        "business_owner",
                    ],
                },
                SYSTEM_VIEWER,
            )

    def rebuild_projections(self) -> int:
        """Drop every projection and fold them anew from the record; how many incidents."""
        self.states.forget()
        ids = [stream for stream in self.record.streams() if stream != STREAM]
        return self.replace_rows([row_of(self.states.incident(incident_id)) for incident_id in ids])

    def finish_erasures(self) -> None:
        """Carry out erasure orders that a crash interrupted between commit and destruction."""
        for stream in self.record.streams_with(ERASING):
            try:
                carry_out(self.record, self.texts, self.vault, self.states.incident(stream), self.record.load(stream))
            except Exception as error:  # noqa: BLE001 - a damaged incident must not keep fsck from saying so
                LOG.error("erasure-not-finished: %s: %s", stream, type(error).__name__)  # noqa: TRY400 - locals
