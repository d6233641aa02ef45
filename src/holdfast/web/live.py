"""The live stream: server-sent events that say which visible incident changed, never how.

One hub per process follows the record's gap-free commit position: woken by the bus for commits of this
process, looking twice a second for those of others while anybody watches. A watcher is told incident id
and version; what it may read it then fetches like anyone else. Restricted incidents reach only those who
may see them, and no global position is shown, so that nothing can be counted.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from holdfast.app.application import Application
from holdfast.app.authorisation import Viewer, is_permitted, permit
from holdfast.app.installation import STREAM
from holdfast.incidents.access import may_see
from holdfast.kernel.errors import UnauthenticatedError
from holdfast.web.identity import ApplicationDep, ViewerDep, signed_in

LOG = logging.getLogger("holdfast")
POLL_S = 0.5
HEARTBEAT_S = 15
QUEUED = 1000


@dataclass(slots=True, eq=False)
class Watcher:
    """One open stream."""

    viewer: Viewer
    incident_id: str | None
    queue: asyncio.Queue[tuple[str, int]] = field(default_factory=lambda: asyncio.Queue(QUEUED))
    overflowed: bool = False


class Hub:
    """Tells watchers of commits."""

    def __init__(self, application: Application) -> None:
        """Follow this application's record from now on."""
        self._app = application
        self._watchers: set[Watcher] = set()
        self._wake = asyncio.Event()
        self._position = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow while the server runs."""
        loop = asyncio.get_running_loop()
        self._position = await asyncio.to_thread(self._app.record.position)

        def wake(stream_id: str, seq: int) -> None:
            del stream_id, seq
            with suppress(RuntimeError):  # the loop may be closing while a last command commits
                loop.call_soon_threadsafe(self._wake.set)

        unsubscribe = self._app.bus.subscribe(wake)
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            unsubscribe()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @asynccontextmanager
    async def watching(self, viewer: Viewer, incident_id: str | None) -> AsyncIterator[Watcher]:
        """Be told of what the viewer may see, of one incident or of all."""
        watcher = Watcher(viewer, incident_id)
        self._watchers.add(watcher)
        # Who followed nobody's wishes until now has been asleep: let it look for what others commit from here on.
        self._wake.set()
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    async def _follow(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_S if self._watchers else None)
            self._wake.clear()
            try:
                await self._catch_up()
            except Exception as error:  # noqa: BLE001 - the rim of a background job: it goes on when the database does
                LOG.error("live-failed: %s", type(error).__name__)  # noqa: TRY400 - a trace could hold locals
                await asyncio.sleep(POLL_S)
                self._wake.set()

    async def _catch_up(self) -> None:
        while changed := await asyncio.to_thread(self._app.record.changed, self._position):
            for stream_id in dict.fromkeys(stream for _, stream in changed if stream != STREAM):
                await self._tell(stream_id)
            self._position = changed[-1][0]

    async def _tell(self, stream_id: str) -> None:
        if not self._watchers:
            return
        state = await asyncio.to_thread(self._app.states.incident, stream_id)
        now = self._app.tools.clock()
        for watcher in tuple(self._watchers):
            if watcher.incident_id not in (None, stream_id):
                continue
            if may_see(state.incidents, watcher.viewer.account, watcher.viewer.roles, now):
                try:
                    watcher.queue.put_nowait((stream_id, state.seq))
                except asyncio.QueueFull:
                    watcher.overflowed = True


def router() -> APIRouter:
    """``GET /live``."""
    routes = APIRouter(prefix="/api/v1", tags=["live"])

    @routes.get("/live", operation_id="live", response_class=StreamingResponse)
    async def live(
        request: Request,
        viewer: ViewerDep,
        app: ApplicationDep,
        incident: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9-]{3,40}$")] = None,
    ) -> StreamingResponse:
        """Server-sent events: ``changed`` with incident and version; ``hello`` once connected."""
        if incident is not None:
            await asyncio.to_thread(app.incident, incident, viewer)
        else:
            permit(viewer, "incident.read")
        hub: Hub = request.app.state.live
        return StreamingResponse(
            _lines(request, hub, viewer, incident),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return routes


async def _lines(request: Request, hub: Hub, viewer: Viewer, incident_id: str | None) -> AsyncIterator[str]:
    async with hub.watching(viewer, incident_id) as watcher:
        yield "retry: 1000\nevent: hello\ndata: {}\n\n"
        loop = asyncio.get_running_loop()
        look_again = loop.time() + HEARTBEAT_S
        while not watcher.overflowed:
            if loop.time() >= look_again:
                # Also while much happens: whoever was signed out, or lost a role, is not told on and on.
                if not await _still_signed_in(request, watcher):
                    yield "event: signed-out\ndata: {}\n\n"
                    return
                look_again = loop.time() + HEARTBEAT_S
                yield ": still here\n\n"
            try:
                changed, version = await asyncio.wait_for(watcher.queue.get(), max(look_again - loop.time(), 0.001))
            except TimeoutError:
                continue
            latest = {changed: version}
            while not watcher.queue.empty():
                stream, newer = watcher.queue.get_nowait()
                latest[stream] = newer
            for stream, newest in latest.items():
                yield f"event: changed\ndata: {json.dumps({'incident': stream, 'version': newest})}\n\n"


async def _still_signed_in(request: Request, watcher: Watcher) -> bool:
    try:
        watcher.viewer, _ = await asyncio.to_thread(signed_in, request)
    except UnauthenticatedError:
        return False
    return is_permitted(watcher.viewer, "incident.read")
