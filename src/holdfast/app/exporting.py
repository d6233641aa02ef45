"""A pack of an incident: what goes in, gathered from the record, and the export recorded first."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from holdfast.app.application import Application
from holdfast.app.authorisation import Viewer, permit
from holdfast.app.inputs import screen_text
from holdfast.app.packing import Packed, PackedObject, write_pack
from holdfast.app.ports import InstallationProof
from holdfast.app.queries import reports
from holdfast.app.reporting import Report
from holdfast.app.state import IncidentState
from holdfast.app.work import Work
from holdfast.evidence import custody, manifests
from holdfast.evidence.state import Item
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.texts import sealed_within
from holdfast.ledger.notes import Signer, VerifierKey


class IncidentPack:
    """The :class:`~holdfast.app.packing.PackSource` of one incident as it stands now."""

    def __init__(self, app: Application, state: IncidentState, withheld: Collection[str]) -> None:
        """Pack this state; ``withheld`` names items (``ev-3``) and text ids whose contents stay here.

        What a withheld item is called and where it came from stays here with it.
        """
        self._app = app
        self._state = state
        self._withheld = frozenset(withheld) | reports.withheld_texts(state, withheld)

    @property
    def incident_id(self) -> str:
        """The incident."""
        return self._state.id

    @property
    def signer(self) -> Signer:
        """The installation's signer."""
        return self._app.signer

    @property
    def verifier_keys(self) -> Sequence[VerifierKey]:
        """Every key this installation has signed with."""
        return [VerifierKey.from_vkey(vkey) for vkey in self._app.verifier_keys()]

    @property
    def withheld(self) -> Collection[str]:
        """What stays out."""
        return self._withheld

    def installation(self) -> InstallationProof:
        """The installation log's proof of this incident."""
        return self._app.record.installation_proof(self._state.id)

    def checkpoint(self, size: int) -> bytes | None:
        """A signed checkpoint of the incident."""
        return self._app.record.checkpoint(self._state.id, size)

    def lines(self) -> Iterator[bytes]:
        """The record's lines."""
        return self._app.record.lines(self._state.id)

    def material(self, text_id: str) -> tuple[bytes, str] | None:
        """Salt and words of a text."""
        return self._app.texts.material(text_id)

    def objects(self) -> Iterable[PackedObject]:
        """Every stored object of every kept item that is not withheld."""
        for item in self._state.evidence.items.values():
            if item.standing == "kept" and item.id not in self._withheld:
                yield from self._of(item)

    def open(self, sha256: str) -> BinaryIO:
        """Bytes of an object."""
        return self._app.vault.open(sha256)

    def report(self, seq: int) -> Report:
        """The report through event ``seq``."""
        return reports.report(self._app, self._state, seq, self._withheld)

    def _of(self, item: Item) -> Iterator[PackedObject]:
        words = self._app.texts.read([item.name.text_id])
        name = "" if item.name.text_id in self._withheld else words.get(item.name.text_id, "")
        if item.manifest is None:
            yield PackedObject(item.id, "item", name, item.sha256, item.size)
            return
        with self._app.vault.open(item.manifest) as stream:
            raw = stream.read()
        if item.manifest != item.sha256:
            # Of a command: its output is the item, and the manifest says how it was run.
            yield PackedObject(item.id, "item", name, item.sha256, item.size)
        yield PackedObject(item.id, "manifest", "", item.manifest, len(raw))
        document: Mapping[str, Any] = json.loads(raw)
        seen = {item.sha256, item.manifest}
        names = _names(document)
        for member in manifests.members(document):
            if member.sha256 not in seen:
                seen.add(member.sha256)
                yield PackedObject(item.id, "content", names.get(member.sha256, ""), member.sha256, member.size)


def export(  # noqa: PLR0913 - an export is these things
    app: Application,
    incident_id: str,
    viewer: Viewer,
    out: BinaryIO,
    *,
    recipient: str,
    purpose: str,
    withheld: Collection[str] = (),
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> Packed:
    """Record who gets the evidence and why, then write the pack, which holds that record too.

    Raises:
        BadInputError: something to withhold is not in this incident; a slip of the pen must not hand it out.
    """
    state = app.incident(incident_id, viewer)
    permit(viewer, "pack.export", state)
    _refuse_unknown(app, state, withheld)
    leaving = [
        item.id
        for item in state.evidence.items.values()
        if item.standing == "kept" and item.id not in frozenset(withheld)
    ]
    if leaving:
        fields = {"evidence": leaving, "recipient": recipient, "purpose": purpose}
        app.execute("evidence-export", fields, viewer, incident_id=incident_id)
    else:
        _record_alone(app, incident_id, viewer, recipient, purpose)
    state = app.incident(incident_id, viewer)
    return write_pack(IncidentPack(app, state, withheld), out, tell)


def _refuse_unknown(app: Application, state: IncidentState, withheld: Collection[str]) -> None:
    unknown = set(withheld) - state.evidence.items.keys()
    if unknown:
        events = app.record.load(state.id)
        unknown -= {sealed.text_id for event in events for sealed in sealed_within(event.data)}
    if unknown:
        named = sorted(one[:40] for one in unknown)
        raise BadInputError(
            "withheld-unknown",
            "The pack was not made.",
            why=f"What is to be withheld is not in this incident: {', '.join(named[:5])}.",
            next_step=f"Look the ids up: holdfast evidence list {state.id}",
            details={"unknown": named[:100]},
        )


def _record_alone(app: Application, incident_id: str, viewer: Viewer, recipient: str, purpose: str) -> None:
    """Record an export that no item leaves with: people's words leave all the same."""
    said = [screen_text(text, app.secret_key) for text in (recipient, purpose)]

    def decide(work: Work) -> None:
        work.emit_all(custody.export_record(*(work.seal(text) for text in said)))

    app.dispatcher.internal(incident_id, viewer, decide)


def _names(document: Mapping[str, Any]) -> dict[str, str]:
    entries = {entry["sha256"]: entry["path"] for entry in document.get("entries", ()) if "sha256" in entry}
    for stream in ("stdout", "stderr"):
        member = document.get(stream)
        if isinstance(member, Mapping):
            entries[member["sha256"]] = stream
    return entries
