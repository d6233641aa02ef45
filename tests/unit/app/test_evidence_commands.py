from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from holdfast.app.authorisation import table
from holdfast.app.commanding import REGISTRY
from holdfast.app.commands import evidence
from holdfast.app.inputs import free_text_fields
from holdfast.app.state import IncidentState
from holdfast.evidence.manifests import CommandRun, FolderEntry, Member, Span, command_manifest, folder_manifest, parse
from holdfast.kernel.canonical import canonical
from holdfast.kernel.errors import BadInputError, HoldfastError, NotFoundError, RefusedError, TooLargeError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.ids import TextId
from holdfast.kernel.texts import Sealed, sealed_within
from tests.unit.evidence.folding import START, Record


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Desk:
    """A handler's context over an in-memory incident and vault."""

    def __init__(self) -> None:
        self.record = Record()
        self.me = "ines"
        self.objects: dict[str, bytes] = {}
        self.broken: set[str] = set()
        self.words: dict[str, str] = {}

    @property
    def state(self) -> IncidentState:
        return replace(IncidentState("INC-2026-0001"), evidence=self.record.state)

    @property
    def now(self) -> datetime:
        return self.record.now

    def upload(self, data: bytes) -> str:
        self.objects[sha(data)] = data
        return sha(data)

    def uploaded(self, sha256: str) -> int:
        if sha256 not in self.objects:
            raise NotFoundError("object-not-uploaded", "Not added.", why="Not here.", next_step="Capture it.")
        return len(self.objects[sha256])

    def verify_object(self, sha256: str) -> Literal["matches", "differs", "missing"]:
        if sha256 in self.broken:
            return "differs"
        return "matches" if sha256 in self.objects else "missing"

    def manifest(self, sha256: str) -> Mapping[str, Any]:
        return parse(self.objects[sha256])

    def sealed_text(self, text_id: str) -> Sealed:
        for event in self.record.events:
            for sealed in sealed_within(event.data):
                if sealed.text_id == text_id:
                    return sealed
        raise NotFoundError("text-unknown", "No such text.", why="Not in the record.", next_step="Look again.")

    def person(self, account: str) -> str:
        if account == "ghost":
            raise NotFoundError("account-unknown", "Nobody.", why="No such account.", next_step="Look.")
        return account

    def seal(self, text: str) -> Sealed:
        text_id = f"text-{len(self.words)}"
        self.words[text_id] = text
        return Sealed(TextId(text_id), sha(text.encode()))

    def seal_or_none(self, text: str | None) -> Sealed | None:
        return None if text is None else self.seal(text)

    def emit_all(self, events: Iterable[NewEvent]) -> None:
        self.record.add(events, by=self.me)

    def do(self, use: str, /, by: str = "ines", **fields: Any) -> Mapping[str, Any]:
        case = REGISTRY[use]
        self.me = by
        return case.handler(case.command.model_validate(fields), self) or {}

    def add(self, data: bytes = b"line", **fields: Any) -> Mapping[str, Any]:
        sent = {"sha256": self.upload(data), "size": len(data), "kind": "log", "name": "auth.log", **fields}
        return self.do("evidence-add", **sent)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_uploaded_object_becomes_an_item_with_its_name_sealed(desk: Desk) -> None:
    assert desk.add(name="../../Müller\u202e.log", origin="host7:/var/log") == {"evidence_id": "ev-1"}
    item = desk.record.state.items["ev-1"]
    assert desk.words[item.name.text_id] == "../../Müller\u202e.log"
    assert (item.sha256, item.size, item.custodian) == (sha(b"line"), 4, "ines")
    assert b"ller" not in canonical(desk.record.events[0].envelope())


def test_an_object_that_was_not_uploaded_here_is_refused(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        desk.do("evidence-add", sha256="a" * 64, size=1, kind="log", name="x")
    assert desk.record.events == []


def test_an_object_of_another_size_than_announced_is_refused(desk: Desk) -> None:
    with pytest.raises(BadInputError) as refusal:
        desk.add(size=5)
    assert refusal.value.code == "object-size-differs"


SPAN = Span(START, START, "holdfast-cli", "0.1.0")


def folder(desk: Desk, *, uploaded: bool = True, shortfall: Any = None) -> dict[str, Any]:
    data = b"inside"
    member = Member(desk.upload(data) if uploaded else sha(data), len(data))
    entries = [
        FolderEntry(b"in.log", 0o100644, 1, member=member),
        FolderEntry(b"out.log", 0o100644, 1, shortfall=shortfall, target=None if shortfall else b"/x"),
    ]
    raw = canonical(folder_manifest("logs", entries, SPAN))
    digest = desk.upload(raw)
    return {"sha256": digest, "size": len(raw), "manifest": digest, "kind": "folder_manifest", "name": "logs"}


def test_a_folder_counts_what_its_manifest_names(desk: Desk) -> None:
    desk.do("evidence-add", **folder(desk))
    item = desk.record.state.items["ev-1"]
    assert (item.contents, item.contents_size, item.complete) == (1, 6, True)


def test_a_manifests_shortfalls_cannot_be_left_unsaid(desk: Desk) -> None:
    desk.do("evidence-add", **folder(desk, shortfall="unreadable"))
    assert desk.record.state.items["ev-1"].shortfalls == ("unreadable",)


def test_a_folder_whose_files_were_not_uploaded_is_refused(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        desk.do("evidence-add", **folder(desk, uploaded=False))


def test_a_manifest_that_speaks_of_other_bytes_is_refused(desk: Desk) -> None:
    with pytest.raises(BadInputError) as refusal:
        desk.add(manifest=folder(desk)["manifest"])
    assert refusal.value.code == "manifest-of-another"


def test_an_oversized_manifest_is_refused_before_it_is_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "MAX_MANIFEST", 10)
    with pytest.raises(TooLargeError):
        desk.do("evidence-add", **folder(desk))


def command_capture(desk: Desk) -> dict[str, Any]:
    out, err = desk.upload(b"out"), desk.upload(b"error")
    run = CommandRun(("ls",), 0, "/", {}, 0, None, Member(out, 3), Member(err, 5), ())
    manifest = desk.upload(canonical(command_manifest(run, SPAN)))
    return {"sha256": out, "size": 3, "manifest": manifest, "kind": "command_history", "name": "ls"}


def test_a_commands_item_is_its_output_and_errors_hang_on_the_manifest(desk: Desk) -> None:
    desk.do("evidence-add", **command_capture(desk))
    item = desk.record.state.items["ev-1"]
    assert (item.sha256, item.contents, item.contents_size) == (sha(b"out"), 1, 5)


def test_reverifying_hashes_bytes_manifest_and_what_it_names(desk: Desk) -> None:
    desk.do("evidence-add", **command_capture(desk))
    assert desk.do("evidence-reverify", evidence_id="ev-1") == {"faults": 0, "objects": 3, "outcome": "matches"}
    desk.broken.add(sha(b"error"))
    assert desk.do("evidence-reverify", evidence_id="ev-1") == {"faults": 1, "objects": 3, "outcome": "differs"}
    desk.broken.add(str(desk.record.state.items["ev-1"].manifest))
    assert desk.do("evidence-reverify", evidence_id="ev-1") == {"faults": 1, "objects": 2, "outcome": "differs"}


def test_a_folders_manifest_is_hashed_once(desk: Desk) -> None:
    desk.do("evidence-add", **folder(desk))
    assert desk.do("evidence-reverify", evidence_id="ev-1")["objects"] == 2


def test_custody_moves_in_two_steps_and_only_to_somebody_who_exists(desk: Desk) -> None:
    desk.add()
    with pytest.raises(NotFoundError):
        desk.do("evidence-transfer", evidence_id="ev-1", to="ghost")
    with pytest.raises(ValidationError):
        desk.do("evidence-transfer", evidence_id="ev-1")
    desk.do("evidence-transfer", evidence_id="ev-1", to="omar")
    desk.do("evidence-refuse", by="omar", evidence_id="ev-1", reason="off shift")
    desk.do("evidence-transfer", evidence_id="ev-1", to="omar")
    desk.do("evidence-accept", by="omar", evidence_id="ev-1")
    assert desk.record.state.items["ev-1"].custodian == "omar"


def test_viewing_and_exporting_are_recorded(desk: Desk) -> None:
    desk.add()
    desk.do("evidence-view", evidence_id="ev-1", purpose="look for the key")
    desk.do("evidence-export", evidence=["ev-1"], recipient="counsel", purpose="advice")
    assert [event.type for event in desk.record.events[1:]] == ["evidence.viewed", "evidence.exported"]


def test_an_erasure_needs_two_people_and_no_hold(desk: Desk) -> None:
    desk.add()
    assert desk.do("hold-place", by="bea", reason="litigation") == {"hold_id": "hold-1"}
    with pytest.raises(RefusedError):
        desk.do("erasure-request", by="bea", target="ev-1", reason="personal", legal_basis="GDPR 17")
    desk.do("hold-release", by="bea", hold_id="hold-1", reason="settled")
    asked = desk.do("erasure-request", by="bea", target="ev-1", reason="personal", legal_basis="GDPR 17")
    with pytest.raises(RefusedError):
        desk.do("erasure-approve", by="bea", **asked)
    done = desk.do("erasure-approve", by="omar", **asked)
    assert (done["erased_evidence"], len(done["erased_texts"])) == (["ev-1"], 1)


def test_words_are_erased_by_their_id_and_an_unknown_id_is_refused(desk: Desk) -> None:
    desk.add()
    name = desk.record.state.items["ev-1"].name.text_id
    asked = desk.do("erasure-request", by="bea", target=name, reason="a name", legal_basis="GDPR 17")
    assert desk.do("erasure-approve", by="omar", **asked) == {"erased_evidence": [], "erased_texts": [name]}
    with pytest.raises(NotFoundError):
        desk.do("erasure-request", by="bea", target="text-999", reason="x", legal_basis="y")
    with pytest.raises(HoldfastError):
        desk.do("erasure-decline", by="omar", **asked, reason="too late")


def test_every_word_a_person_types_is_sealed_text() -> None:
    assert set(free_text_fields(evidence.AddEvidence)) == {"name", "origin"}
    assert set(free_text_fields(evidence.ExportEvidence)) == {"recipient", "purpose"}
    assert set(free_text_fields(evidence.RequestErasure)) == {"reason", "legal_basis"}


def test_holds_and_erasure_requests_are_the_business_owners() -> None:
    acts = table().acts
    for case in (found for found in REGISTRY.values() if found.module == evidence.__name__):
        wanted = {"business_owner"} if case.act in {"hold.place", "hold.release", "erasure.request"} else set()
        assert acts[case.act].incident == wanted, case.act
        assert "observer" not in acts[case.act].organisation
