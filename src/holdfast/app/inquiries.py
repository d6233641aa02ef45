"""Investigations inside an incident: they read its captured items, and their result is an item itself.

Rules:
1. Only kept items are read, and reading is recorded in each item's custody. What is left out is named with its reason.
2. The result (answers, timeline, pictures) is captured like a folder, so that a pack carries it and a fact can cite it.
3. One run at a time in an incident; others see how far it is.
4. What a run writes meanwhile lies in a private folder below the data folder and is removed in the end.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from holdfast import __version__
from holdfast.app import investigation_results as results
from holdfast.app.authorisation import Viewer, permit
from holdfast.app.capturing import Capturer, Collector, Labels
from holdfast.app.dispatching import Outcome
from holdfast.app.exposure_results import SOURCE as EXPOSURE
from holdfast.app.inputs import screen_text
from holdfast.app.investigating import TABLES, Investigation, Means, Order, investigate
from holdfast.app.investigation_files import entries_json, write_files
from holdfast.app.investigation_report import as_json
from holdfast.app.investigation_results import ENTRIES, PICTURES, RESULT, SOURCE
from holdfast.app.ports import Texts
from holdfast.app.ports_capture import Collected
from holdfast.app.ports_investigation import Ask, Progress, Reply, Source
from holdfast.app.ports_vault import ByteSource, Stored, Vault
from holdfast.app.state import IncidentState
from holdfast.app.work import Tools
from holdfast.evidence.names import display_name
from holdfast.evidence.state import Item
from holdfast.investigation.comparing import changes
from holdfast.kernel.errors import ConflictError, HoldfastError, RefusedError
from holdfast.kernel.instants import parse_instant

_SECOND = 1_000_000


class Host(Protocol):
    """What a run needs of the application it runs in."""

    tools: Tools
    texts: Texts
    vault: Vault
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
    """What a run in an incident asks."""

    subjects: tuple[str, ...] = ()
    from_us: int | None = None
    to_us: int | None = None
    responders: tuple[str, ...] = ()
    clock_offsets_ms: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AskedSql:
    """A question in SQL."""

    sql: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    limit: int = 1000
    timeout_s: float = 30.0


@dataclass(slots=True)
class Running:
    """A run under way, or how the last one ended."""

    by: str
    since: datetime
    what: str = "starting"
    percent: int = 0
    error: HoldfastError | None = None
    done: bool = False


@dataclass(slots=True)
class Inquiries:
    """Runs investigations for an application."""

    app: Host
    means: Callable[[Progress | None], Means]
    asker: Callable[[Path], Ask]
    """Opens a kept folder for questions in SQL."""
    folder: Path
    """Below the data folder: ``scratch`` for runs under way, ``tables`` for each incident's newest activity table."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _running: dict[str, Running] = field(default_factory=dict)

    def run(self, incident_id: str, viewer: Viewer, wanted: Wanted) -> dict[str, Any]:
        """Investigate the captured items; the result with its evidence id.

        Raises:
            ConflictError: a run is under way in this incident.
            RefusedError: there is nothing to read.
        """
        state = self.app.incident(incident_id, viewer)
        permit(viewer, "evidence.add", state)
        running = self._claim(incident_id, viewer)
        try:
            return self._run(state, viewer, wanted, running)
        except HoldfastError as error:
            running.error = error
            raise
        finally:
            running.done = True

    def start(self, incident_id: str, viewer: Viewer, wanted: Wanted) -> None:
        """The same in the background, for a page that shows how far it is."""
        state = self.app.incident(incident_id, viewer)
        permit(viewer, "evidence.add", state)
        running = self._claim(incident_id, viewer)

        def work() -> None:
            try:
                self._run(state, viewer, wanted, running)
            except HoldfastError as error:
                running.error = error
            finally:
                running.done = True

        threading.Thread(target=work, name=f"investigation-{incident_id}", daemon=True).start()

    def running(self, incident_id: str) -> Running | None:
        """The run under way, or the last one when it failed."""
        found = self._running.get(incident_id)
        return None if found is None or (found.done and found.error is None) else found

    def latest(self, state: IncidentState) -> tuple[Item, Mapping[str, Any]] | None:
        """The newest result of an incident that can be read, with the item it is."""
        return next(results.readable(self.app.vault, state), None)

    def _claim(self, incident_id: str, viewer: Viewer) -> Running:
        with self._lock:
            found = self._running.get(incident_id)
            if found is not None and not found.done:
                raise ConflictError(
                    "investigation-running",
                    "The investigation was not started.",
                    why=f"{found.by} started one that is at {found.percent} % ({found.what}).",
                    next_step=f"Wait for it: holdfast question list {incident_id}",
                )
            self._running[incident_id] = Running(viewer.account, self.app.tools.clock())
            return self._running[incident_id]

    def _run(self, state: IncidentState, viewer: Viewer, wanted: Wanted, running: Running) -> dict[str, Any]:
        scratch = self.folder / "scratch"
        scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=scratch) as place:
            folder = Path(place)
            sources, left_out = self._sources(state, viewer, folder / "items")
            order = Order(
                sources=sources,
                subjects=wanted.subjects,
                from_us=wanted.from_us,
                to_us=wanted.to_us,
                clock_offsets_ms=wanted.clock_offsets_ms,
                captured_us={item.id: _us(item.collected_at) for item in state.evidence.items.values()},
                responders=(*({"value": value} for value in wanted.responders), *self._own_probes(state)),
            )
            (folder / "table").mkdir(mode=0o700)
            found = investigate(order, self.means(_Telling(running)), folder / "table")
            try:
                told = _screened({**as_json(found), "left_out": left_out}, self.app.secret_key)
                earlier = self.latest(state)
                if earlier is not None:
                    told["changes"] = {"since": earlier[0].id, **changes(earlier[1], told)}
                shutil.rmtree(folder / "items", ignore_errors=True)
                evidence_id = self._keep(found, told, state, viewer, folder / "investigation")
                found.keep(folder / "table")
            finally:
                found.close()
            self._keep_table(state.id, folder / "table")
        return {**told, "evidence_id": evidence_id}

    def _keep(
        self, found: Investigation, told: Mapping[str, Any], state: IncidentState, viewer: Viewer, folder: Path
    ) -> str:
        folder.mkdir(mode=0o700)
        key = self.app.secret_key
        for name, value in (
            (RESULT, told),
            (PICTURES, _screened(found.pictures, key)),
            (ENTRIES, _screened(entries_json(found.timeline), key)),
        ):
            (folder / name).write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
        write_files(found, folder)
        sink = _AppSink(self.app, state.id, viewer)
        capturer = Capturer(sink, self.app.tools.clock, Collector("holdfast-investigate", __version__))
        origin = "holdfast investigate over " + ", ".join(sorted({one.item or "" for one in found.order.sources}))
        return capturer.folder(folder, Labels(name="investigation", origin=origin[:2_000], source=SOURCE)).evidence_id

    def ask(self, incident_id: str, viewer: Viewer, question: AskedSql) -> Reply:
        """Ask the newest activity table of an incident in SQL.

        Raises:
            RefusedError: nothing was investigated yet, or evidence was erased since.
            BadInputError: it is not one SELECT over known tables.
        """
        state = self.app.incident(incident_id, viewer)
        permit(viewer, "evidence.view", state)
        table = self.table(incident_id)
        if table is None:
            raise RefusedError(
                "no-activity-table",
                "The question was not asked.",
                why="There is no activity table: nothing was investigated yet, or evidence was erased since.",
                next_step=f"Make one: holdfast investigate --incident {incident_id}",
            )
        return self.asker(table)(question.sql, question.parameters, limit=question.limit, timeout_s=question.timeout_s)

    def tables(self, incident_id: str, viewer: Viewer) -> list[str]:
        """Names of the tables that questions in SQL may read; none before the first run."""
        permit(viewer, "evidence.view", self.app.incident(incident_id, viewer))
        table = self.table(incident_id)
        return [] if table is None else table_names(table)

    def _own_probes(self, state: IncidentState) -> list[dict[str, Any]]:
        """Where an earlier run acted as the suspect, on an order: those seconds are ours."""
        found = []
        for _, result in results.readable(self.app.vault, state):
            for one in result.get("probes", ()):
                if one.get("acted_as") and one.get("probed"):
                    at = _us(parse_instant(one["probed"]))
                    found.append({"value": one["acted_as"], "from_us": at - _SECOND, "to_us": at + 2 * _SECOND})
        return found

    def table(self, incident_id: str) -> Path | None:
        """Folder of the newest activity table of an incident, for questions in SQL; none before the first run."""
        found = self.folder / "tables" / incident_id
        return found if found.is_dir() else None

    def _keep_table(self, incident_id: str, table: Path) -> None:
        kept = self.folder / "tables" / incident_id
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.rmtree(kept, ignore_errors=True)
        table.replace(kept)

    def _sources(
        self, state: IncidentState, viewer: Viewer, folder: Path
    ) -> tuple[tuple[Source, ...], list[dict[str, str]]]:
        sources: list[Source] = []
        left_out: list[dict[str, str]] = []
        for item in state.evidence.items.values():
            reason = _left_out(item)
            if reason is not None:
                left_out.append({"item": item.id, "why": reason})
                continue
            fields = {"evidence_id": item.id, "purpose": "read by an investigation"}
            self.app.execute("evidence-view", fields, viewer, incident_id=state.id)
            sources += self._files(item, folder / item.id)
        if not sources:
            raise RefusedError(
                "nothing-captured",
                "There is nothing to investigate.",
                why="No captured item of this incident can be read.",
                next_step=f"Capture first: holdfast capture {state.id} PATH",
            )
        return tuple(sources), left_out

    def _files(self, item: Item, folder: Path) -> list[Source]:
        """The files of an item where a reader can open them, under the names they had."""
        folder.mkdir(parents=True, mode=0o700)
        name = display_name(self.app.texts.read([item.name.text_id]).get(item.name.text_id, item.id))
        if item.kind != "folder_manifest" or item.manifest is None:
            return [self._file(item.sha256, folder / "0", name, item.id)]
        found = []
        for number, member in enumerate(results.members(self.app.vault, item.manifest)):
            shown = f"{name}/{member['path']}"
            found.append(self._file(member["sha256"], folder / str(number), shown, item.id))
        return found

    def _file(self, digest: str, path: Path, shown: str, item: str) -> Source:
        with self.app.vault.open(digest) as stream, path.open("xb") as copy:
            shutil.copyfileobj(stream, copy, 1 << 20)
        return Source(path, shown, item)


@dataclass(frozen=True, slots=True)
class _Telling:
    """Progress kept where pages look."""

    running: Running

    def __call__(self, done: int, total: int, what: str) -> None:
        self.running.percent = done * 100 // total if total else 0
        self.running.what = what


@dataclass(frozen=True, slots=True)
class _AppSink:
    """Where a run's result goes: the incident's own vault and record."""

    app: Host
    incident_id: str
    viewer: Viewer

    def put(self, stream: ByteSource, size_hint: int | None, /) -> Stored:
        del size_hint
        data = bytearray()
        while block := stream.read(1 << 20):
            data += block
        return Stored(*self.app.upload(self.incident_id, self.viewer, BytesIO(bytes(data))))

    def register(self, found: Collected, /) -> str:
        own = self.app.tools.own_results
        own.add(found.sha256)
        try:
            outcome = self.app.execute("evidence-add", found.as_json(), self.viewer, incident_id=self.incident_id)
        finally:
            own.discard(found.sha256)
        return str(outcome.result["evidence_id"])


def table_names(folder: Path) -> list[str]:
    """Names of the tables in a kept folder."""
    return sorted({"activity", *(one.stem for one in (folder / TABLES).glob("*.parquet"))})


def _us(moment: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _left_out(item: Item) -> str | None:
    """Why an item is not read; none when it is."""
    if item.standing != "kept":
        return "it was erased by order"
    if item.source == SOURCE:
        return "it is the result of an earlier investigation"
    if item.source == EXPOSURE:
        return "it is the report of an exposure search"
    if item.media_type.startswith("image/"):
        return "it is a picture"
    return None


def _screened(value: Any, key: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The result without secrets: names in logs are chosen by whoever wrote them."""
    if isinstance(value, str):
        return screen_text(value, key)
    if isinstance(value, dict):
        return {name: _screened(item, key) for name, item in value.items()}
    return [_screened(item, key) for item in value] if isinstance(value, list) else value
