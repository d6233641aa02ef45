"""``holdfast fsck``: record, installation log, texts, projections and vault, each fault named with its place.

1. every stored line is canonical, of its stream, in order, without gaps, and the record's positions have none;
2. every stream's tree hashes to every signed checkpoint that is kept of it, and to the frontier it grows from;
3. the installation log hashes to its checkpoint, and names every stream's opening and each of its checkpoints,
   and every stream it names exists: a dropped incident shows;
4. every sealed text opens and fits its commitment, or an erasure order says why not;
5. every projection row, its viewers too, equals the fold of its record, and none is there without a record;
6. every object that evidence names is in the vault and hashes to its name, and so is every pinned document.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from holdfast.app.application import Application
from holdfast.app.installation import STREAM
from holdfast.app.ports import IncidentRow, RowQuery, StreamProofs
from holdfast.app.rows import row_of
from holdfast.app.state import IncidentState
from holdfast.app.states import fold
from holdfast.evidence import manifests
from holdfast.kernel.canonical import canonical
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.events import Event, event_from
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import commitment, sealed_within
from holdfast.ledger import checkpoints
from holdfast.ledger.notes import VerifierKey, open_note
from holdfast.ledger.tree import EMPTY_FRONTIER, leaf_hash

Progress = Callable[[int, int], None]
MOST = 10_000_000


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
    log = _check_log(app, keys, set(streams), report)
    for done, stream in enumerate(streams):
        progress(done, len(streams))
        events = _check_stream(app, stream, keys, log, report)
        if stream != STREAM:
            report.incidents += 1
            _check_incident(app, stream, events, report)
    _check_positions(app, report)
    _check_strays(app, set(streams), report)
    progress(len(streams), len(streams))
    return report


@dataclass(frozen=True, slots=True)
class _Log:
    """What the installation log says of each stream."""

    leaves: list[bytes]
    openings: dict[str, int]
    newest: dict[str, int]


def _check_stream(app: Application, stream: str, keys: list[VerifierKey], log: _Log, report: Report) -> list[Event]:
    events: list[Event] = []
    frontier = EMPTY_FRONTIER
    proofs = app.record.stream_proofs(stream)
    roots = dict.fromkeys((size for size, _, _ in proofs.checkpoints), b"")
    first = b""
    for number, line in enumerate(app.record.lines(stream)):
        first = first or leaf_hash(line)
        frontier = frontier.append(leaf_hash(line))
        if frontier.size in roots:
            roots[frontier.size] = frontier.root()
        report.events += 1
        event = _event(line, stream, number, report)
        if event is not None:
            events.append(event)
    if (proofs.size, proofs.frontier) != (frontier.size, frontier.to_bytes()):
        report.faults.append(Fault(f"{stream} tree", "its size or frontier is not that of the stored events"))
    _check_checkpoints(app, stream, proofs, roots, keys, log, report)
    if not proofs.checkpoints or proofs.checkpoints[-1][0] != frontier.size:
        report.faults.append(Fault(f"{stream} checkpoint", f"there is none of its {frontier.size} events"))
    opening = log.openings.get(stream)
    if opening is None or log.leaves[opening] != checkpoints.opening_leaf(stream, first):
        report.faults.append(Fault(f"{stream} in the installation log", "its opening is missing or another"))
    return events


def _event(line: bytes, stream: str, number: int, report: Report) -> Event | None:
    place = f"{stream} #{number}"
    try:
        event = event_from(json.loads(line))
        if canonical(event.envelope()) != line:
            report.faults.append(Fault(place, "its stored bytes are not canonical"))
    except (ValueError, KeyError, TypeError, AttributeError, HoldfastError):
        report.faults.append(Fault(place, "its stored bytes are no event"))
        return None
    if event.seq != number or event.incident_id != stream:
        report.faults.append(Fault(place, "it is out of order or of another incident"))
    return event


def _check_checkpoints(  # noqa: PLR0913, PLR0917 - what one checkpoint is held against
    app: Application,
    stream: str,
    proofs: StreamProofs,
    roots: dict[int, bytes],
    keys: list[VerifierKey],
    log: _Log,
    report: Report,
) -> None:
    for size, leaf, note in proofs.checkpoints:
        place = f"{stream} checkpoint {size}"
        fault = _note_fault(note, keys, app.record.origin(stream), size, roots[size])
        if fault:
            report.faults.append(Fault(place, fault))
        said = checkpoints.checkpoint_leaf(stream, size, roots[size])
        if not 0 <= leaf < len(log.leaves) or log.leaves[leaf] != said:
            report.faults.append(Fault(place, f"the installation log says another thing at its place #{leaf}"))
    if proofs.checkpoints and log.newest.get(stream) != proofs.checkpoints[-1][1]:
        report.faults.append(Fault(f"{stream} in the installation log", "its newest checkpoint there is another"))


def _note_fault(note: bytes, keys: list[VerifierKey], origin: str, size: int, root: bytes) -> str:
    try:
        point = checkpoints.parse(open_note(note, keys)[0])
    except HoldfastError as error:
        return error.what
    if point.origin != origin:
        return "it is of another log"
    if (point.size, point.root) != (size, root):
        return f"it signs {point.size} entries with another root than the {size} stored ones have"
    return ""


def _check_log(app: Application, keys: list[VerifierKey], streams: set[str], report: Report) -> _Log:
    note, leaves = app.record.installation_log()
    log = _Log(leaves, {}, {})
    frontier = EMPTY_FRONTIER
    for number, leaf in enumerate(leaves):
        frontier = frontier.append(leaf_hash(leaf))
        try:
            said = json.loads(leaf)
            kind, stream = said["log"], said["stream"]
        except (ValueError, KeyError, TypeError):
            report.faults.append(Fault(f"installation log #{number}", "it is no entry of that log"))
            continue
        if kind == "opening":
            log.openings[stream] = number
            if stream not in streams:
                report.faults.append(Fault(f"installation log #{number}", f"{stream} was opened and is gone"))
        else:
            log.newest[stream] = number
    fault = _note_fault(note, keys, app.record.origin("").rstrip("/"), frontier.size, frontier.root())
    if fault:
        report.faults.append(Fault("installation log checkpoint", fault))
    return log


def _check_positions(app: Application, report: Report) -> None:
    expected = 0
    while found := app.record.changed(expected):
        for position, stream in found:
            if position != expected + 1:
                report.faults.append(Fault(f"position {expected + 1}", f"nothing is stored there, before {stream}"))
            expected = position
    if expected != app.record.position():
        report.faults.append(Fault(f"position {app.record.position()}", "the record ends before it"))


def _check_strays(app: Application, streams: set[str], report: Report) -> None:
    for row in app.record.rows(RowQuery("", format_instant(app.tools.clock()), limit=MOST, everything=True)):
        if row.incident_id not in streams:
            report.faults.append(Fault(f"{row.incident_id} projection", "it is of an incident that has no record"))


def _check_incident(app: Application, stream: str, events: list[Event], report: Report) -> None:
    _check_texts(app, stream, events, report)
    try:
        state = fold(IncidentState(stream), events)
    except (HoldfastError, LookupError, TypeError, ValueError, AttributeError):
        report.faults.append(Fault(stream, "its events do not add up to a state; see the faults named for it"))
        return
    _check_row(app, state, report)
    _check_objects(app, state, report)
    _check_documents(app, state, report)


def _check_documents(app: Application, state: IncidentState, report: Report) -> None:
    pins = state.incidents.pins
    digests = [*(pins[name] for name in pins if name != "plays"), *pins.get("plays", {}).values()]
    for digest in digests:
        body = app.record.document(digest)
        if body is None or hashlib.sha256(body).hexdigest() != digest:
            what = "it is missing" if body is None else "its bytes do not match its digest"
            report.faults.append(Fault(f"{state.id} pinned document {digest[:12]}…", what))


def _check_texts(app: Application, stream: str, events: list[Event], report: Report) -> None:
    erased = {event.data["text_id"] for event in events if event.type == "text.erased"}
    for event in events:
        for sealed in sealed_within(event.data):
            report.texts += 1
            place = f"{stream} #{event.seq} text {sealed.text_id}"
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


def _comparable(row: IncidentRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


def _check_objects(app: Application, state: IncidentState, report: Report) -> None:
    held: set[str] = set()
    for item in state.evidence.items.values():
        if item.standing != "kept":
            continue
        for digest in _digests(app, item.sha256, item.manifest, report, f"{state.id} {item.id}"):
            held.add(digest)
            report.objects += 1
            verdict = app.vault.verify(digest)
            if verdict != "ok":
                found = "is missing" if verdict == "missing" else "differs from its name"
                report.faults.append(Fault(f"{state.id} {item.id} object {digest[:12]}…", f"it {found}"))
    for item in state.evidence.items.values():
        if item.standing == "erased" and item.sha256 not in held and app.record.upload(state.id, item.sha256):
            place = f"{state.id} {item.id} object {item.sha256[:12]}…"
            report.faults.append(Fault(place, "it was erased by order, and is still here; restart Holdfast"))


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
