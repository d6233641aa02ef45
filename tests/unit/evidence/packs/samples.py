"""A small incident in memory, and its pack: what the pack tests share."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from holdfast.app.packing import PackedObject, write_pack
from holdfast.app.ports import InstallationProof
from holdfast.app.reporting import Field, Report, TimelineRow
from holdfast.evidence.packs import verify as library
from holdfast.kernel.canonical import canonical
from holdfast.kernel.events import Actor, Event
from holdfast.kernel.ids import TextId, uuid7
from holdfast.kernel.texts import Sealed, commitment
from holdfast.ledger.checkpoints import Checkpoint, checkpoint_leaf, opening_leaf, stream_origin
from holdfast.ledger.tree import leaf_hash, root_of
from tests.unit.ledger.keys import SeedSigner

INCIDENT = "INC-2026-0042"
LOG = "holdfast/3f0c"
START = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)
LOG_BYTES = b'{"eventName": "GetObject"}\n' * 30
NOTES = "the key was in git: \u202e<script>alert(1)</script> #panic()".encode()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


FOLDER = canonical(
    {
        "manifest": "holdfast-folder-1",
        "entries": [
            {"path": "a.log", "type": "file", "sha256": sha(b"alpha"), "size": 5},
            {"path": "../b.log", "type": "file", "sha256": sha(b"beta"), "size": 4},
        ],
    }
)
COMMAND = canonical(
    {
        "manifest": "holdfast-command-1",
        "stdout": {"sha256": sha(b"out"), "size": 3},
        "stderr": {"sha256": sha(b"err"), "size": 3},
    }
)
OBJECTS = {sha(content): content for content in (LOG_BYTES, NOTES, FOLDER, b"alpha", b"beta", COMMAND, b"out", b"err")}


@dataclass
class Incident:
    """A ``PackSource`` over lists; every part may be changed before packing."""

    signer: SeedSigner = field(default_factory=lambda: SeedSigner(7, LOG))
    withheld: frozenset[str] = frozenset()
    incident_id: str = INCIDENT
    texts: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    events: list[bytes] = field(default_factory=list)
    packed: list[PackedObject] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=lambda: dict(OBJECTS))
    old_signer: SeedSigner | None = None

    @property
    def verifier_keys(self) -> list[Any]:
        return [signer.key for signer in (self.old_signer, self.signer) if signer is not None]

    def say(self, words: str) -> dict[str, str]:
        salt = hashlib.sha256(words.encode()).digest()
        text_id = f"019ab000-0000-7000-8000-{len(self.texts):012d}"
        self.texts[text_id] = (salt, words)
        return Sealed(TextId(text_id), commitment(salt, words)).as_json()

    def add(self, kind: str, **data: Any) -> None:
        seq = len(self.events)
        at = START + timedelta(seconds=seq)
        event_id = uuid7(at, seq.to_bytes(10))
        actor = Actor("person", "ines", "passkey")
        self.events.append(Event(self.incident_id, seq, event_id, kind, 1, at, at, "observed", actor, data).canonical())

    def collect(self, name: str, sha256: str, manifest: str | None = None) -> None:
        number = sum(b'"evidence.collected"' in line for line in self.events) + 1
        self.add(
            "evidence.collected",
            evidence_id=f"ev-{number}",
            name=self.say(name),
            sha256=sha256,
            size=len(self.stored[sha256]),
            manifest=manifest,
        )

    def point(self, size: int) -> Checkpoint:
        root = root_of([leaf_hash(line) for line in self.events[:size]])
        return Checkpoint(stream_origin(LOG, self.incident_id), size, root)

    def installation(self) -> InstallationProof:
        point = self.point(len(self.events))
        leaves = [checkpoint_leaf("other", n, bytes([n]) * 32) for n in range(5)]
        leaves.insert(2, opening_leaf(self.incident_id, leaf_hash(self.events[0])))
        leaves.insert(4, checkpoint_leaf(self.incident_id, point.size, point.root))
        log = Checkpoint(LOG, len(leaves), root_of([leaf_hash(leaf) for leaf in leaves]))
        return InstallationProof(log.signed(self.old_signer or self.signer), tuple(leaves), 2, 4)

    def checkpoint(self, size: int) -> bytes | None:
        return self.point(size).signed(self.old_signer or self.signer)

    def lines(self) -> Iterator[bytes]:
        return iter(self.events)

    def material(self, text_id: str) -> tuple[bytes, str] | None:
        return self.texts.get(text_id)

    def objects(self) -> Iterable[PackedObject]:
        return [item for item in self.packed if item.evidence_id not in self.withheld]

    def open(self, sha256: str) -> BinaryIO:
        return io.BytesIO(self.stored[sha256])

    def report(self, seq: int) -> Report:
        return Report(
            self.incident_id,
            "Leaked deploy key",
            f"event {seq}",
            header=(Field("Severity", "SEV-1"),),
            timeline=(TimelineRow(0, "03:07", "ines", "decision", "declared"),),
        )


def incident(**changes: Any) -> Incident:
    """Eight events, four items (a log, a note, a folder, a command), words of which one text is erased."""
    made = Incident(**changes)
    made.add(
        "incident.declared", summary=made.say("A deploy key is public \U0001f511"), **{"\ufb33": 1, "\U0001f600": 2}
    )
    made.collect("C:\\logs\\cloud trail.jsonl", sha(LOG_BYTES))
    made.collect("../../etc/passwd", sha(NOTES))
    made.collect("folder", sha(FOLDER), sha(FOLDER))
    made.collect("ps -ef", sha(b"out"), sha(COMMAND))
    made.add("unknown.happened", anything=[1, None, "é"])
    made.add("note.written", words=[made.say("erase me"), made.say("keep me")])
    erased = list(made.texts)[-2]
    made.add("text.erased", erasure_id="erasure-1", text_id=erased, commitment="x")
    del made.texts[erased]
    made.packed = [
        PackedObject("ev-1", "item", "C:\\logs\\cloud trail.jsonl", sha(LOG_BYTES), len(LOG_BYTES)),
        PackedObject("ev-2", "item", "../../etc/passwd", sha(NOTES), len(NOTES)),
        PackedObject("ev-3", "manifest", "folder", sha(FOLDER), len(FOLDER)),
        PackedObject("ev-3", "content", "a.log", sha(b"alpha"), 5),
        PackedObject("ev-3", "content", "../b.log", sha(b"beta"), 4),
        PackedObject("ev-4", "item", "ps -ef", sha(b"out"), 3),
        PackedObject("ev-4", "manifest", "", sha(COMMAND), len(COMMAND)),
        PackedObject("ev-4", "content", "stderr", sha(b"err"), 3),
    ]
    return made


def pack(source: Incident) -> bytes:
    out = io.BytesIO()
    write_pack(source, out)
    return out.getvalue()


def standalone() -> ModuleType:
    """``verify_pack.py``, loaded as the file it is, outside the package."""
    path = Path(library.__file__).with_name("verify_pack.py")
    spec = importlib.util.spec_from_file_location("standalone_verify_pack", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
