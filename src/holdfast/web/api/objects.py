"""Evidence bytes: uploaded as a stream, read back as an attachment."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Any, BinaryIO, cast

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, StreamingResponse

from holdfast.app.application import Application
from holdfast.app.authorisation import Viewer, permit
from holdfast.evidence.names import display_name
from holdfast.kernel.errors import NotFoundError
from holdfast.web.api.commands import API, PROBLEMS, IncidentPath
from holdfast.web.identity import ApplicationDep, ViewerDep

EvidencePath = Annotated[str, Path(pattern=r"^ev-[1-9][0-9]{0,8}$")]
BLOCK = 1 << 20
WAIT_S = 0.2
"""How long a full feed waits before it looks whether the writer has ended."""


class _Feed:
    """Hands the body's chunks from the event loop to the thread that writes, a few at a time."""

    def __init__(self) -> None:
        self._chunks: queue.Queue[bytes | BaseException] = queue.Queue(8)
        self._rest = b""
        self.ended = False

    def push(self, chunk: bytes | BaseException) -> None:
        """Hand over, waiting for room; once the writer has ended, nobody waits."""
        while not self.ended:
            with suppress(queue.Full):
                self._chunks.put(chunk, timeout=WAIT_S)
                return

    def read(self, size: int, /) -> bytes:
        if not self._rest:
            got = self._chunks.get()
            if isinstance(got, BaseException):
                raise got
            self._rest = got
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def router() -> APIRouter:
    """Uploads and downloads."""
    routes = APIRouter(prefix=API, tags=["evidence"])

    @routes.post("/incidents/{incident_id}/objects", operation_id="upload-object", responses=PROBLEMS)
    async def upload(
        incident_id: IncidentPath, request: Request, viewer: ViewerDep, app: ApplicationDep
    ) -> JSONResponse:
        """Upload one object as the request's raw body; then record it with ``evidence/add``."""
        await asyncio.to_thread(_may_add, app, incident_id, viewer)
        feed = _Feed()

        def write() -> tuple[str, int]:
            try:
                return app.upload(incident_id, viewer, cast("Any", feed))
            finally:
                feed.ended = True

        writing = asyncio.create_task(asyncio.to_thread(write))
        try:
            async for chunk in request.stream():
                if writing.done():
                    break
                if chunk:
                    await asyncio.to_thread(feed.push, chunk)
            if not writing.done():
                await asyncio.to_thread(feed.push, b"")
        except BaseException:
            await asyncio.to_thread(feed.push, ConnectionAbortedError())
            await asyncio.gather(writing, return_exceptions=True)
            raise  # the rim of an upload: its writer must end, whatever happened
        sha256, size = await writing
        return JSONResponse({"sha256": sha256, "size": size})

    @routes.get(
        "/incidents/{incident_id}/evidence/{evidence_id}/content",
        operation_id="read-evidence",
        responses=PROBLEMS,
        response_class=StreamingResponse,
    )
    def download(
        incident_id: IncidentPath, evidence_id: EvidencePath, viewer: ViewerDep, app: ApplicationDep
    ) -> StreamingResponse:
        """The bytes of an item, as an attachment; the viewing is recorded."""
        return evidence_response(app, viewer, incident_id, evidence_id)

    return routes


def evidence_response(
    app: Application, viewer: Viewer, incident_id: str, evidence_id: str, *, inline: bool = False
) -> StreamingResponse:
    """Stream an item after recording that it was viewed. Only harmless images are ever inline."""
    state = app.incident(incident_id, viewer)
    item = state.evidence.items.get(evidence_id)
    if item is None or item.standing != "kept":
        raise NotFoundError(
            "evidence-unknown",
            f"There is no {evidence_id} to read.",
            why="The incident has no such item, or it was erased by order; the record still says what it was.",
            next_step=f"See what there is: holdfast evidence list {incident_id}",
        )
    app.execute("evidence-view", {"evidence_id": evidence_id}, viewer, incident_id=incident_id)
    name = display_name(app.texts.read([item.name.text_id]).get(item.name.text_id, evidence_id))
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    shown = inline and item.media_type in ("image/png", "image/jpeg", "image/webp")
    # Opened before the first byte of the answer: a missing object is an error with a reason, not a torn stream.
    return StreamingResponse(
        _blocks(app.vault.open(item.sha256)),
        media_type=item.media_type if shown else "application/octet-stream",
        headers={
            "Content-Disposition": f'{"inline" if shown else "attachment"}; filename="{plain[:120] or evidence_id}"',
            "Content-Length": str(item.size),
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


def _may_add(app: Application, incident_id: str, viewer: Viewer) -> None:
    permit(viewer, "evidence.add", app.incident(incident_id, viewer))


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while block := stream.read(BLOCK):
            yield block
