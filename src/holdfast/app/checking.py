"""``holdfast fsck``: record, installation log, texts, projections and vault, each fault named with its place.

1. every stored line is canonical, of its stream, in order, without gaps;
2. every stream's tree hashes to each of its signed checkpoints that is kept, newest first;
3. the installation log hashes to its checkpoint and names every stream's opening and newest checkpoint,
   and every stream it names exists: a dropped incident shows;
4. every sealed text opens and fits its commitment, or an erasure order says why not;
5. every projection row equals the fold of its record;
6. every object that evidence names is in the vault and hashes to its name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from holdfast.app.application import Application
from holdfast.app.installation import STREAM
from holdfast.app.rows import row_of
from holdfast.app.state import IncidentState
from holdfast.app.states import fold
from holdfast.evidence import manifests
from holdfast.kernel.canonical import canonical
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.events import Event, event_from
from holdfast.kernel.texts import commitment, sealed_within
from holdfast.ledger import checkpoints
from holdfast.ledger.notes import VerifierKey, open_note
from holdfast.ledger.tree import EMPTY_FRONTIER, Frontier, leaf_hash

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    place: str
    what: str


@dataclass(slots=True)
class Report:
    """What was checked, and what is wrong."""

    incidents: int = 0
    events: int = 0
    texts: int = 0
    objects: int = 0
    faults: list[Fault] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "events": self.events,
            "faults": [{"place": fault.place, "what": fault.what} for fault in self.faults],
            "incidents": self.incidents,
            "objects": self.objects,
            "texts": self.texts,
        }


def check(app: Application, progress: Progress = lambda _done, _all: None) -> Report:
    """Check everything; reads only."""
    report = Report()
    keys = [VerifierKey.from_vkey(vkey) for vkey in app.verifier_keys()]
    streams = sorted(app.record.streams())
    for done, stream in enumerate(streams):
        progress(done, len(streams))
        events, frontier = _check_stream(app, stream, keys, report)
        if stream != STREAM:
            report.incidents += 1
            state = fold(IncidentState(stream), events)
            _check_texts(app, state, events, report)
            _check_row(app, state, report)
            _check_objects(app, state, report)
        _check_log(app, stream, frontier, keys, report)
    _check_dropped(app, streams, report)
    progress(len(streams), len(streams))
    return report


def _check_stream(
    app: Application, stream: str, keys: list[VerifierKey], report: Report
) -> tuple[list[Event], Frontier]:
    events: list[Event] = []
    frontier = EMPTY_FRONTIER
    for number, line in enumerate(app.record.lines(stream)):
        frontier = frontier.append(leaf_hash(line))
        place = f"{stream} #{number}"
        report.events += 1
        try:
            event = event_from(json.loads(line))
        except (ValueError, KeyError, TypeError, HoldfastError):
            report.faults.append(Fault(place, "its stored bytes are no event"))
            continue
        if canonical(event.envelope()) != line:
            report.faults.append(Fault(place, "its stored bytes are not canonical"))
        if event.seq != number or event.incident_id != stream:
            report.faults.append(Fault(place, "it is out of order or of another incident"))
        events.append(event)
    note = app.record.checkpoint(stream)
    fault = _note_fault(note, keys, app.record.origin(stream), frontier)
    if fault:
        report.faults.append(Fault(f"{stream} checkpoint", fault))
    return events, frontier


def _note_fault(note: bytes | None, keys: list[VerifierKey], origin: str, frontier: Frontier) -> str:
    if note is None:
        return "there is none"
    try:
        point = checkpoints.parse(open_note(note, keys)[0])
    except HoldfastError as error:
        return error.what
    if point.origin != origin:
        return "it is of another log"
    if (point.size, point.root) != (frontier.size, frontier.root()):
        return f"it signs {point.size} events with another root than the {frontier.size} stored ones have"
    return ""


def _check_texts(app: Application, state: IncidentState, events: list[Event], report: Report) -> None:
    erased = {event.data["text_id"] for event in events if event.type == "text.erased"}
    for event in events:
        for sealed in sealed_within(event.data):
            report.texts += 1
            place = f"{state.id} #{event.seq} text {sealed.text_id}"
            try:
                material = app.texts.material(sealed.text_id)
            except HoldfastError as error:
                report.faults.append(Fault(place, error.what))
                continue
            if material is None and sealed.text_id not in erased:
                report.faults.append(Fault(place, "its words or key are missing, and no order erased them"))
            elif material is not None and sealed.text_id in erased and event.type != "text.erased":
                report.faults.append(Fault(place, "it was erased by order, and its words are still there"))
            elif material is not None and commitment(*material) != sealed.commitment:
                report.faults.append(Fault(place, "its words do not fit the commitment"))


def _check_row(app: Application, state: IncidentState, report: Report) -> None:
    stored = app.record.row(state.id)
    expected = row_of(state)
    if stored is None:
        report.faults.append(Fault(f"{state.id} projection", "it is missing; mend it with: holdfast rebuild"))
    elif _comparable(stored) != _comparable(expected):
        report.faults.append(
            Fault(f"{state.id} projection", "it differs from the record; mend it with: holdfast rebuild")
        )


def _comparable(row: Any) -> dict[str, Any]:  # noqa: ANN401 - an IncidentRow
    return {name: getattr(row, name) for name in row.__slots__ if name != "viewers"}


def _check_objects(app: Application, state: IncidentState, report: Report) -> None:
    for item in state.evidence.items.values():
        if item.standing != "kept":
            continue
        for digest in _digests(app, item.sha256, item.manifest, report, f"{state.id} {item.id}"):
            report.objects += 1
            verdict = app.vault.verify(digest)
            if verdict != "ok":
                report.faults.append(Fault(f"{state.id} {item.id} object {digest[:12]}…", f"it is {verdict}"))


def _digests(app: Application, sha256: str, manifest: str | None, report: Report, place: str) -> Iterator[str]:
    yield sha256
    if manifest is None:
        return
    if manifest != sha256:
        yield manifest
    try:
        with app.vault.open(manifest) as stream:
            document = manifests.parse(stream.read())
        yield from (member.sha256 for member in manifests.members(document))
    except HoldfastError as error:
        report.faults.append(Fault(f"{place} manifest", error.what))


def _check_log(app: Application, stream: str, frontier: Frontier, keys: list[VerifierKey], report: Report) -> None:
    proof = app.record.installation_proof(stream)
    tree = EMPTY_FRONTIER
    for leaf in proof.leaves:
        tree = tree.append(leaf_hash(leaf))
    fault = _note_fault(proof.note, keys, app.record.origin(stream).rsplit("/", 1)[0], tree)
    if fault:
        report.faults.append(Fault("installation log checkpoint", fault))
    newest = checkpoints.checkpoint_leaf(stream, frontier.size, frontier.root())
    if proof.leaves[proof.newest] != newest:
        report.faults.append(Fault(f"{stream} in the installation log", "its newest checkpoint there is another"))


def _check_dropped(app: Application, streams: list[str], report: Report) -> None:
    if not streams:
        return
    known = set(streams)
    for number, leaf in enumerate(app.record.installation_proof(streams[0]).leaves):
        said = json.loads(leaf)
        if said["log"] == "opening" and said["stream"] not in known:
            report.faults.append(Fault(f"installation log #{number}", f"{said['stream']} was opened and is gone"))
