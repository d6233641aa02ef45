"""One attempt at a command: what its handler sees, and the events it has emitted so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from holdfast.app import exposure_results
from holdfast.app import investigation_results as results
from holdfast.app.authorisation import Viewer
from holdfast.app.commanding import Pins
from holdfast.app.installation import InstallationState
from holdfast.app.pins import PinnedDocuments
from holdfast.app.ports import Clock, Randomness, Record, SealedWords, Texts
from holdfast.app.ports_vault import Vault
from holdfast.app.state import TYPES, IncidentState, apply
from holdfast.evidence import manifests
from holdfast.incidents import passes
from holdfast.incidents.access import may_see
from holdfast.kernel.canonical import canonical
from holdfast.kernel.citations import Citation
from holdfast.kernel.errors import BadInputError, NotFoundError, TooLargeError
from holdfast.kernel.events import Event, NewEvent
from holdfast.kernel.ids import RANDOM_BYTES, uuid7
from holdfast.kernel.texts import Sealed, sealed_within
from holdfast.ledger.notes import Signer

MAX_MANIFEST = 64 << 20
"""Bytes of a capture manifest that are read at once."""

ERASED = "[erased by order]"
"""What an erased text reads as."""


@dataclass(slots=True)
class Tools:
    """What every attempt needs of the outside, wired once."""

    record: Record
    texts: Texts
    documents: PinnedDocuments
    vault: Vault
    signer: Signer
    clock: Clock
    randomness: Randomness
    people: Callable[[], InstallationState]
    default_calendar: str
    own_results: set[str] = field(default_factory=set)
    """Digests of results that are being kept just now: only those may call themselves so."""

    def new_id(self) -> str:
        """A fresh UUIDv7."""
        return uuid7(self.clock(), self.randomness(RANDOM_BYTES))


@dataclass(slots=True)
class Drafts:
    """Words sealed for one command; kept across attempts, so that a retry makes no orphans."""

    words: dict[str, SealedWords] = field(default_factory=dict)
    plain: dict[str, str] = field(default_factory=dict)


class Work:
    """The :class:`~holdfast.app.commanding.Context` of one attempt."""

    def __init__(self, tools: Tools, viewer: Viewer, state: IncidentState, now: datetime, drafts: Drafts) -> None:
        """Start from a state; ``drafts`` outlives the attempt."""
        self._tools = tools
        self._viewer = viewer
        self._state = state
        self._now = now
        self._drafts = drafts
        self.events: list[Event] = []

    @property
    def state(self) -> IncidentState:
        """The state with this command's own events folded in."""
        return self._state

    @property
    def now(self) -> datetime:
        """One instant for the whole command."""
        return self._now

    @property
    def me(self) -> str:
        """Who acts."""
        return self._viewer.account

    @property
    def viewer(self) -> Viewer:
        """Who acts, with roles."""
        return self._viewer

    @property
    def drafts(self) -> Drafts:
        """Words sealed so far."""
        return self._drafts

    @property
    def documents(self) -> PinnedDocuments:
        """Pinned documents."""
        return self._tools.documents

    def seal(self, text: str) -> Sealed:
        """Seal words, once per command for equal words."""
        if text not in self._drafts.words:
            sealed = self._tools.texts.seal(text, self._tools.new_id(), self._tools.randomness)
            self._drafts.words[text] = sealed
            self._drafts.plain[sealed.reference.text_id] = text
        return self._drafts.words[text].reference

    def seal_or_none(self, text: str | None) -> Sealed | None:
        """Seal unless there is nothing."""
        return None if text is None else self.seal(text)

    def read(self, sealed: Sealed | None) -> str:
        """Words behind a reference."""
        if sealed is None:
            return ""
        if sealed.text_id in self._drafts.plain:
            return self._drafts.plain[sealed.text_id]
        return self._tools.texts.read([sealed.text_id]).get(sealed.text_id, ERASED)

    def cite(self, references: Iterable[str]) -> tuple[Citation, ...]:
        """Resolve citations against this incident.

        Raises:
            BadInputError: one of them points at nothing.
        """
        return tuple(self._cited(reference) for reference in references)

    def _cited(self, reference: str) -> Citation:
        if reference.startswith("#"):
            number = int(reference[1:])
            if number <= self._state.seq:
                return Citation(event=number)
        else:
            item = self._state.evidence.items.get(reference)
            if item is not None:
                return Citation(evidence=reference, sha256=item.sha256)
        raise BadInputError(
            "citation-unknown",
            f"{reference} is not in this incident.",
            why="A citation must point at an evidence item or an entry of this incident's record.",
            next_step=f"Look it up: holdfast evidence list {self._state.id}, or holdfast timeline {self._state.id}",
        )

    def person(self, account: str) -> str:
        """The account's name, if it is active and may see this incident.

        Raises:
            NotFoundError: no such account for this incident.
        """
        found = self._tools.people().accounts.get(account)
        if found is None or not found.active or not may_see(self._state.incidents, account, found.roles, self._now):
            raise NotFoundError(
                "account-unknown",
                f"There is nobody named {account!r} for this incident.",
                why="The account does not exist, is not active, or may not see this incident.",
                next_step="See who there is: holdfast account list",
            )
        return account

    def is_qualified(self, account: str, role: str) -> bool:
        """Whether an administrator qualified the account for an incident role."""
        found = self._tools.people().accounts.get(account)
        return found is not None and role in found.qualified

    @property
    def default_calendar(self) -> str:
        """From the settings."""
        return self._tools.default_calendar

    def pins(self, calendar: str) -> Pins:
        """Pin today's library."""
        return self._tools.documents.pin(calendar, self._now)

    def sign_pass(self, payload: Mapping[str, Any]) -> str:
        """The token of a containment pass: its body and the installation's signature over it."""
        return passes.pass_token(payload, self._tools.signer.sign(canonical(payload)))

    def uploaded(self, sha256: str) -> int:
        """Size of an object uploaded to this incident.

        Raises:
            NotFoundError: nothing with that digest was uploaded here.
        """
        size = self._tools.record.upload(self._state.id, sha256)
        if size is None:
            raise NotFoundError(
                "object-not-uploaded",
                "The evidence was not added.",
                why=f"No object with SHA-256 {sha256[:12]}… was uploaded to this incident.",
                next_step=f"Capture it again: holdfast capture {self._state.id} PATH",
            )
        return size

    def manifest(self, sha256: str) -> Mapping[str, Any]:
        """A capture manifest uploaded to this incident, strictly read.

        Raises:
            NotFoundError: it was not uploaded here.
            TooLargeError, BadInputError: it is over the limit, or no manifest.
        """
        if self.uploaded(sha256) > MAX_MANIFEST:
            raise TooLargeError(
                "manifest-too-large",
                "The evidence was not added.",
                why=f"Its capture manifest is over {MAX_MANIFEST:,} bytes.",
                next_step="Capture the folder in parts.",
            )
        with self._tools.vault.open(sha256) as stream:
            return manifests.parse(stream.read())

    def is_own_result(self, sha256: str) -> bool:
        """Whether these bytes are the result of a run of our own that is being kept just now."""
        return sha256 in self._tools.own_results

    def investigation_result(self, evidence_id: str) -> Mapping[str, Any]:
        """The answers kept in an item of this incident.

        Raises:
            NotFoundError: there is no such item, or it is no result of an investigation.
        """
        return results.read(self._tools.vault, self._state, evidence_id)

    def exposure_result(self, evidence_id: str) -> exposure_results.Result:
        """The exposure report kept in an item of this incident.

        Raises:
            NotFoundError: there is no such item, or it is no report of an exposure search.
        """
        return exposure_results.read(self._tools.vault, self._state, evidence_id)

    def sealed_text(self, text_id: str) -> Sealed:
        """The reference to a sealed text that this incident's record holds.

        Raises:
            NotFoundError: the record holds no such text.
        """
        for event in self._tools.record.load(self._state.id):
            for sealed in sealed_within(event.data):
                if sealed.text_id == text_id:
                    return sealed
        raise NotFoundError(
            "text-unknown",
            f"There is no text {text_id[:40]} in this incident.",
            why="Its record holds no such reference.",
            next_step=f"Look it up: holdfast state {self._state.id}",
        )

    def verify_object(self, sha256: str) -> Literal["matches", "differs", "missing"]:
        """Hash the stored object again."""
        return _VERDICTS[self._tools.vault.verify(sha256)]

    def emit(self, *events: NewEvent) -> None:
        """Place events after what the state holds and fold them in."""
        for new in events:
            if (new.type, new.version) not in TYPES:
                msg = f"undeclared event type {new.type!r} version {new.version}"
                raise ValueError(msg)
            event = Event(
                incident_id=self._state.id,
                seq=self._state.seq + 1,
                event_id=self._tools.new_id(),
                type=new.type,
                version=new.version,
                occurred_at=new.occurred_at or self._now,
                recorded_at=self._now,
                basis=new.basis,
                actor=self._viewer.actor,
                data=new.data,
            )
            self.events.append(event)
            self._state = apply(self._state, event)

    def emit_all(self, events: Iterable[NewEvent]) -> None:
        """Emit each in order."""
        self.emit(*events)


_VERDICTS: dict[str, Literal["matches", "differs", "missing"]] = {
    "ok": "matches",
    "matches": "matches",
    "differs": "differs",
    "missing": "missing",
}
