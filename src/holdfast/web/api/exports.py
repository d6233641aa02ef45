"""Packs over the API."""

import os
import tempfile
from collections.abc import Iterator
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Body
from fastapi.responses import StreamingResponse
from pydantic import StringConstraints

from holdfast.app.application import Application
from holdfast.app.authorisation import Viewer
from holdfast.app.commanding import Line, Prose
from holdfast.app.exporting import export
from holdfast.web.api.commands import API, PROBLEMS, IncidentPath
from holdfast.web.identity import ApplicationDep, ViewerDep

BLOCK = 1 << 20
Withheld = Annotated[str, StringConstraints(pattern=r"^(ev-[1-9][0-9]{0,8}|[0-9a-f-]{36})$")]


def router() -> APIRouter:
    """``POST /incidents/{id}/pack``."""
    routes = APIRouter(prefix=API, tags=["pack"], responses=PROBLEMS)

    @routes.post("/incidents/{incident_id}/pack", operation_id="pack", response_class=StreamingResponse)
    def pack(
        incident_id: IncidentPath,
        viewer: ViewerDep,
        app: ApplicationDep,
        recipient: Annotated[Line, Body()],
        purpose: Annotated[Prose, Body()],
        withheld: Annotated[list[Withheld], Body(max_length=10_000)] = [],  # noqa: B006 - the framework copies it
    ) -> StreamingResponse:
        """Export the incident as one verifiable file; the export is recorded first, and is in the pack."""
        return pack_response(app, incident_id, viewer, recipient, purpose, withheld)

    return routes


def pack_response(
    app: Application, incident_id: str, viewer: Viewer, recipient: str, purpose: str, withheld: list[str]
) -> StreamingResponse:
    """Write the pack to an unnamed file beside the vault, then stream it."""
    file = tempfile.TemporaryFile(dir=app.settings.data)  # noqa: SIM115 - closed when it has been streamed
    try:
        export(app, incident_id, viewer, file, recipient=recipient, purpose=purpose, withheld=withheld)
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return StreamingResponse(
        _blocks(file),
        media_type="application/x-tar",
        headers={
            "Content-Disposition": f'attachment; filename="{incident_id}.tar"',
            "Content-Length": str(size),
        },
    )


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while block := file.read(BLOCK):
            yield block
