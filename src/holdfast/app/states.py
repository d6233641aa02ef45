"""Folded states, cached by stream and caught up from the record on every read."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from holdfast.app import installation
from holdfast.app.installation import InstallationState
from holdfast.app.ports import Record
from holdfast.app.state import IncidentState, apply
from holdfast.kernel.events import Event

Upcaster = Callable[[Mapping[str, Any]], Mapping[str, Any]]

UPCASTERS: dict[tuple[str, int], Upcaster] = {}
"""(type, version) to a pure function giving the data of version + 1. Stored bytes never change."""

KEPT = 512


def upcast(event: Event, upcasters: Mapping[tuple[str, int], Upcaster] | None = None) -> Event:
    """The event as its newest version; one without an upcaster stays as it is."""
    table = UPCASTERS if upcasters is None else upcasters
    while (step := table.get((event.type, event.version))) is not None:
        event = replace(event, version=event.version + 1, data=step(event.data))
    return event


class _HasSeq(Protocol):
    @property
    def seq(self) -> int: ...


class States:
    """Reads the newest state; never stale, because every read asks the record what came after."""

    def __init__(self, record: Record, kept: int = KEPT) -> None:
        """Fold from this record, keeping the most recently used states."""
        self._record = record
        self._kept = kept
        self._lock = threading.Lock()
        self._cache: OrderedDict[str, _HasSeq] = OrderedDict()

    def incident(self, incident_id: str) -> IncidentState:
        """The incident's state; ``seq`` is -1 when there is no such incident."""
        cached = self._cached(incident_id)
        state = cached if isinstance(cached, IncidentState) else IncidentState(incident_id)
        fresh = fold(state, self._record.load(incident_id, after=state.seq))
        self._keep(incident_id, fresh)
        return fresh

    def installation(self) -> InstallationState:
        """Accounts, tokens and keys."""
        cached = self._cached(installation.STREAM)
        state = cached if isinstance(cached, InstallationState) else InstallationState()
        for event in self._record.load(installation.STREAM, after=state.seq):
            state = installation.apply(state, upcast(event))
        self._keep(installation.STREAM, state)
        return state

    def forget(self) -> None:
        """Drop the cache; the next reads fold from the beginning."""
        with self._lock:
            self._cache.clear()

    def _cached(self, stream_id: str) -> _HasSeq | None:
        with self._lock:
            found = self._cache.get(stream_id)
            if found is not None:
                self._cache.move_to_end(stream_id)
            return found

    def _keep(self, stream_id: str, state: _HasSeq) -> None:
        if state.seq < 0:
            return
        with self._lock:
            held = self._cache.get(stream_id)
            if held is None or held.seq < state.seq:
                self._cache[stream_id] = state
                self._cache.move_to_end(stream_id)
            while len(self._cache) > self._kept:
                self._cache.popitem(last=False)


def fold(state: IncidentState, events: Iterable[Event]) -> IncidentState:
    """The state after all of these events."""
    for event in events:
        state = apply(state, upcast(event))
    return state
