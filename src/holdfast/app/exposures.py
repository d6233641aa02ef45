"""Exposure searches inside an incident: run over captured items and allowed folders, or handed in from elsewhere.

Rules:
1. The secret lives in the request and in the run: it reaches no event, file, table, log, error or answer. What is kept
   of it is a keyed fingerprint, the one its redactions in this incident have too.
2. A report is kept like a captured folder, in one transaction with its entry on the timeline; a pack carries it.
3. One from elsewhere is read strictly, and says who handed it in. Every name in any report is screened for secrets once
   more before it is kept: whoever leaked one may have leaked two.
4. One run at a time in an incident; others see how far it is. Reading an item is recorded in its custody.
5. A run that ends unforeseen says so: it never looks like one that found nothing.
"""

from __future__ import annotations

import json
import logging
import re
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from holdfast import __version__
from holdfast.app import exposing
from holdfast.app import exposure_results as results
from holdfast.app.authorisation import Viewer, permit
from holdfast.app.capturing import Capturer, Collector, Labels
from holdfast.app.commanding import REGISTRY
from holdfast.app.dispatching import Dispatcher, Outcome, validated
from holdfast.app.exposing import Means, Order, Step
from holdfast.app.exposure_results import SOURCE, Result
from holdfast.app.exposure_targets import allowed, area_of, lay_out, offered
from holdfast.app.inputs import screen, screen_text
from holdfast.app.ports import Texts
from holdfast.app.ports_capture import Collected
from holdfast.app.ports_exposure import Target
from holdfast.app.ports_vault import ByteSource, Stored, Vault
from holdfast.app.state import IncidentState
from holdfast.app.work import Tools, Work
from holdfast.evidence import custody
from holdfast.evidence.names import display_name
from holdfast.evidence.state import Item
from holdfast.exposure import report as reporting
from holdfast.exposure.places import Place
from holdfast.exposure.query import compile_query
from holdfast.exposure.report import Named, Report, Searched
from holdfast.exposure.results import Fault, Hit, Visibility
from holdfast.exposure.summary import Made, searched_event
from holdfast.kernel.errors import BadInputError, ConflictError, HoldfastError, RefusedError
from holdfast.kernel.secrets import SecretValue, fingerprint

LOG = logging.getLogger("holdfast")
ACT = "exposure.search"
_BLOCK = 1 << 20
_AT_HAND = 8
"""Incidents whose newest report is kept read."""


class Host(Protocol):
    """What a search needs of the application it runs in."""

    tools: Tools
    texts: Texts
    vault: Vault
    dispatcher: Dispatcher
    secret_key: bytes

    def execute(
        self, name: str, fields: Mapping[str, Any], viewer: Viewer, *, incident_id: str | None = None
    ) -> Outcome:
        """Run a use case."""
        ...

    def incident(self, incident_id: str, viewer: Viewer) -> IncidentState:
        """An incident's state, for someone who may see it."""
        ...

    def upload(self, incident_id: str, viewer: Viewer, stream: BinaryIO) -> tuple[str, int]:
        """Stream an object into the vault and bind it to the incident."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search in an incident asks."""

    secret: SecretValue
    items: tuple[str, ...] = ()
    """Captured items, by their ids."""
    paths: tuple[str, ...] = ()
    """Absolute paths below the allowed folders."""
    label: str | None = None
    """What to call the secret."""
    visibility: Mapping[str, Visibility] = field(default_factory=dict)
    """Item or path to who could read it, where somebody knows."""


@dataclass(slots=True)
class Running:
    """A search under way, or how the last one ended."""

    by: str
    since: datetime
    what: str = "starting"
    percent: int = 0
    hits: int = 0
    faults: int = 0
    error: HoldfastError | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class _Aim:
    """One target of a run, before it is laid out."""

    shown: str
    visibility: Visibility
    item: Item | None = None
    path: Path | None = None


@dataclass(slots=True)
class Exposures:
    """Runs exposure searches for an application."""

    app: Host
    means: Callable[[], Means]
    shield: Callable[[Sequence[SecretValue], Iterable[bytes]], object]
    """What keeps a secret in this process: see the rim."""
    folder: Path
    """Below the data folder: what a run writes meanwhile lies in its ``scratch`` and is removed in the end."""
    roots: tuple[Path, ...] = ()
    """Folders on this machine that a search may look into."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _running: dict[str, Running] = field(default_factory=dict)
    _newest: dict[str, Result] = field(default_factory=dict)
    """Newest report by incident, read once: a large one takes seconds. It goes with its item."""

    def check(self, incident_id: str, viewer: Viewer) -> IncidentState:
        """The incident, for somebody who may search in it.

        Raises:
            NotFoundError: absent, or not for this viewer.
            ForbiddenError: they may not.
        """
        state = self.app.incident(incident_id, viewer)
        permit(viewer, ACT, state)
        return state

    def start(self, incident_id: str, viewer: Viewer, wanted: Wanted) -> Running:
        """Search in the background; how far it is.

        Raises:
            BadInputError: the secret is too short, or nothing is named to search in.
            RefusedError: an item is not there any more, or a path is not allowed.
            ConflictError: a search is under way in this incident.
        """
        state = self.check(incident_id, viewer)
        compile_query([wanted.secret])  # refuses what cannot be searched for, before anything begins
        aims = self._aims(state, wanted)
        running = self._claim(incident_id, viewer)

        def work() -> None:
            try:
                self._run(state, viewer, wanted, aims, running)
            except HoldfastError as error:
                running.error = error
            except Exception as error:  # noqa: BLE001 - the rim of a background job: its end must never look like a clean one
                LOG.error("exposure-search-broke: %s", type(error).__name__)  # noqa: TRY400 - a trace could hold the secret
                running.error = _broke(error)
            finally:
                running.done = True

        threading.Thread(target=work, name=f"exposure-{incident_id}", daemon=True).start()
        return running

    def take(self, incident_id: str, viewer: Viewer, lines: Iterable[bytes]) -> Result:
        """Keep a report that was made elsewhere.

        Raises:
            BadInputError: it is no report.
        """
        state = self.check(incident_id, viewer)
        report = reporting.read(lines)
        origin = f"holdfast exposure search, made elsewhere and handed in by {viewer.account}"
        return self._keep(state.id, viewer, report, origin, "elsewhere", lambda text: text)

    def running(self, incident_id: str) -> Running | None:
        """The search under way, or the last one when it failed."""
        found = self._running.get(incident_id)
        return None if found is None or (found.done and found.error is None) else found

    def latest(self, state: IncidentState) -> Result | None:
        """The newest report of an incident that can be read."""
        known = self._newest.get(state.id)
        kept = results.items(state)
        if known is not None and kept and kept[-1].sha256 == known.item.sha256:
            return known
        found = next(results.readable(self.app.vault, state), None)
        with self._lock:
            self._newest.pop(state.id, None)
            while len(self._newest) >= _AT_HAND:
                self._newest.pop(next(iter(self._newest)))
            if found is not None:
                self._newest[state.id] = found
        return found

    def offered(self, viewer: Viewer, state: IncidentState) -> tuple[str, ...]:
        """Paths that a form offers, to whoever may search there."""
        permit(viewer, ACT, state)
        return offered(self.roots)

    def _aims(self, state: IncidentState, wanted: Wanted) -> tuple[_Aim, ...]:
        aims = []
        for name in dict.fromkeys(wanted.items):
            item = custody.kept(state.evidence, name)
            shown = display_name(self.app.texts.read([item.name.text_id]).get(item.name.text_id, item.id))
            aims.append(_Aim(f"{item.id} {shown}", wanted.visibility.get(name, "unknown"), item=item))
        for number, text in enumerate(dict.fromkeys(wanted.paths), 1):
            real = allowed(self.roots, text, number)
            aims.append(_Aim(str(real), wanted.visibility.get(text, "unknown"), path=real))
        if not aims:
            raise BadInputError(
                "nothing-to-search",
                "Nothing was searched.",
                why="No target was named.",
                next_step="Name captured items or allowed folders: holdfast evidence list INC",
            )
        return tuple(aims)

    def _claim(self, incident_id: str, viewer: Viewer) -> Running:
        with self._lock:
            found = self._running.get(incident_id)
            if found is not None and not found.done:
                raise ConflictError(
                    "exposure-search-running",
                    "The search was not started.",
                    why=f"{found.by} started one that is at {found.percent} % ({found.what}).",
                    next_step=f"Wait for it: holdfast exposure list {incident_id}",
                )
            self._running[incident_id] = Running(viewer.account, self.app.tools.clock())
            return self._running[incident_id]

    def _run(
        self, state: IncidentState, viewer: Viewer, wanted: Wanted, aims: tuple[_Aim, ...], running: Running
    ) -> None:
        secrets = (wanted.secret,)
        query = compile_query(secrets)
        self.shield(secrets, query.anchors)
        mark = fingerprint(wanted.secret.reveal(), self.app.secret_key)
        aims = tuple(replace(aim, shown=query.redact(aim.shown)) for aim in aims)
        with self._scratch() as scratch:
            targets, faults = self._targets(state, viewer, aims, Path(scratch), running)
            order = Order(targets, query, (Named(0, mark, wanted.label),))
            hidden = re.compile(re.escape(scratch) + r"(/items/[0-9]+/?)?")
            found = exposing.search(order, self.means(), _Telling(running, hidden))
            report = _told(found, aims, faults, hidden)
        origin = "holdfast exposure search over " + ", ".join(aim.shown for aim in aims)
        self._keep(state.id, viewer, report, query.redact(origin), "here", query.redact)

    def _targets(
        self, state: IncidentState, viewer: Viewer, aims: Sequence[_Aim], scratch: Path, running: Running
    ) -> tuple[tuple[Target, ...], list[Fault]]:
        """Where each target is, and what of it could not be laid out."""
        targets, faults = [], []
        for number, aim in enumerate(aims):
            running.what = f"laying out {aim.shown}"
            if aim.item is None:
                targets.append(Target(str(aim.path), aim.shown, aim.visibility))
                continue
            fields = {"evidence_id": aim.item.id, "purpose": "searched for an exposed secret"}
            self.app.execute("evidence-view", fields, viewer, incident_id=state.id)
            folder = scratch / "items" / str(number)
            folder.mkdir(parents=True, mode=0o700)
            name = aim.shown.partition(" ")[2]
            place, left_out = lay_out(self.app.vault, aim.item, name, folder)
            targets.append(Target(str(place), aim.shown, aim.visibility))
            faults += [Fault(aim.shown, where, reason) for where, reason in left_out]
        return tuple(targets), faults

    def _keep(
        self,
        incident_id: str,
        viewer: Viewer,
        report: Report,
        origin: str,
        made: Made,
        redact: Callable[[str], str],
    ) -> Result:
        key = self.app.secret_key
        clean = reporting.screened(report, lambda text: screen_text(redact(text), key))
        with self._scratch() as scratch:
            folder = Path(scratch) / "exposure"
            folder.mkdir(mode=0o700)
            found = results.write(clean, folder, self.app.tools.clock())
            sink = _Sink(self.app, incident_id, viewer, _Kept(clean, found, made))
            capturer = Capturer(sink, self.app.tools.clock, Collector("holdfast-exposure", __version__))
            labels = Labels(name="exposure", origin=origin[:2_000], source=SOURCE)
            taken = capturer.folder(folder, labels)
        return results.read(self.app.vault, self.app.incident(incident_id, viewer), taken.evidence_id)

    def _scratch(self) -> tempfile.TemporaryDirectory[str]:
        place = self.folder / "scratch"
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        return tempfile.TemporaryDirectory(dir=place)


@dataclass(frozen=True, slots=True)
class _Telling:
    """Progress kept where pages look; hits are in the report."""

    running: Running
    hidden: re.Pattern[str]

    def hint(self, where: str, *, among_targets: bool) -> None:
        """A guess changes no answer."""

    def hit(self, hit: Hit) -> None:
        """Count it."""
        del hit
        self.running.hits += 1

    def fault(self, fault: Fault) -> None:
        """Count it."""
        del fault
        self.running.faults += 1

    def progress(self, step: Step) -> None:
        """How far all targets are."""
        share = step.done / step.total if step.total else 0.0
        self.running.percent = min(int((step.number - 1 + share) * 100 / max(step.targets, 1)), 99)
        self.running.what = f"{step.target}: {self.hidden.sub('', step.what)}"


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is recorded of a report that is being kept."""

    report: Report
    places: tuple[Place, ...]
    made: Made


@dataclass(frozen=True, slots=True)
class _Sink:
    """Where a report goes: the incident's own vault and record."""

    app: Host
    incident_id: str
    viewer: Viewer
    kept: _Kept

    def put(self, stream: ByteSource, size_hint: int | None, /) -> Stored:
        del size_hint
        data = bytearray()
        while block := stream.read(_BLOCK):
            data += block
        return Stored(*self.app.upload(self.incident_id, self.viewer, BytesIO(bytes(data))))

    def register(self, found: Collected, /) -> str:
        """Record the item and what was found, both or neither."""
        case = REGISTRY["evidence-add"]
        command, _ = screen(validated(case, found.as_json()), self.app.secret_key)
        permit(self.viewer, ACT, self.app.incident(self.incident_id, self.viewer))
        evidence: dict[str, str] = {}

        def decide(work: Work) -> None:
            told = case.handler(command, work) or {}
            evidence.update(evidence_id=str(told["evidence_id"]), sha256=found.sha256)
            work.emit_all(searched_event(self.kept.report, self.kept.places, evidence, self.kept.made))

        own = self.app.tools.own_results
        own.add(found.sha256)
        try:
            self.app.dispatcher.internal(self.incident_id, self.viewer, decide)
        finally:
            own.discard(found.sha256)
        return evidence["evidence_id"]


def _told(found: exposing.Report, aims: Sequence[_Aim], faults: Sequence[Fault], hidden: re.Pattern[str]) -> Report:
    """The run as a report, read as strictly as one from elsewhere; it says nothing of where items were laid out."""
    report = reporting.read(json.dumps(line) for line in found.lines())
    report = reporting.screened(report, lambda text: hidden.sub("", text))
    areas = {aim.shown: area_of(aim.item) for aim in aims if aim.item is not None}
    failed = {fault.target for fault in faults}

    def searched(one: Searched) -> Searched:
        return replace(one, area=areas.get(one.target) or one.area, complete=one.complete and one.target not in failed)

    return replace(
        report,
        faults=(*report.faults, *faults),
        targets=tuple(map(searched, report.targets)),
        complete=report.complete and not faults,
    )


def _broke(error: Exception) -> RefusedError:
    return RefusedError(
        "exposure-search-broke",
        "The search ended before its end, and nothing is known of what it did not reach.",
        why=f"It met a case that it was not made for ({type(error).__name__}).",
        next_step="Start it again, or search on the machine where the target is: holdfast exposure search TARGET",
    )
