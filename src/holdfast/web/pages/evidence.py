"""Evidence: what there is and who holds it, adding a file or a screenshot, an item's custody, and the pack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from holdfast.app.application import Application
from holdfast.app.authorisation import Viewer, is_permitted
from holdfast.app.commanding import REGISTRY
from holdfast.app.dispatching import Outcome
from holdfast.app.queries import custody
from holdfast.evidence.events import KINDS
from holdfast.evidence.media import HEAD, picture_type, sniff
from holdfast.evidence.names import display_name
from holdfast.evidence.state import Item
from holdfast.incidents.board import CAPTURE_LINE, shipped_board
from holdfast.kernel.errors import BadInputError, HoldfastError, NotFoundError, TooLargeError
from holdfast.kernel.instants import format_instant
from holdfast.web.api.commands import IncidentPath
from holdfast.web.api.exports import pack_response
from holdfast.web.api.objects import EvidencePath, evidence_response
from holdfast.web.forms import FormView
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import Desk, desk
from holdfast.web.pages.errors import wants_json
from holdfast.web.pages.posting import PostedDep, check_csrf, field
from holdfast.web.problems import problem_response

PICTURES = ("image/png", "image/jpeg", "image/webp")
AROUND = 1 << 20
"""Bytes a multipart form may hold besides the file itself."""
TYPED = ("kind", "name", "origin", "source")


def router() -> APIRouter:
    """Evidence list, adding, item pages, contents and packs."""
    routes = APIRouter()
    _lists(routes)
    _items(routes)
    return routes


def _lists(routes: APIRouter) -> None:
    @routes.get("/incidents/{incident_id}/evidence", response_class=HTMLResponse)
    def evidence(request: Request, incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> HTMLResponse:
        return _list(desk(request, app, viewer, incident_id))

    @routes.post("/incidents/{incident_id}/evidence")
    async def add(request: Request, incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> Response:
        here = await asyncio.to_thread(desk, request, app, viewer, incident_id)
        typed: dict[str, str] = {}
        try:
            file = await _received(request, app, typed)
            with file.file:
                outcome = await asyncio.to_thread(_added, app, viewer, here.state.id, file, typed)
        except HoldfastError as error:
            if wants_json(request):
                return problem_response(error)
            return await asyncio.to_thread(_list, here, error=error, typed=typed)
        onward = f"{here.frame.base}/evidence/{outcome.result['evidence_id']}"
        if not wants_json(request):
            return RedirectResponse(onward, status_code=303)
        said = {**outcome.as_json(), "next": here.frame.base + "/evidence"}
        return JSONResponse({**said, "recorded_at": format_instant(app.tools.clock())})

    @routes.post("/incidents/{incident_id}/pack", response_class=StreamingResponse)
    def pack(
        request: Request, incident_id: IncidentPath, pairs: PostedDep, viewer: ViewerDep, app: ApplicationDep
    ) -> Response:
        check_csrf(request, pairs)
        here = desk(request, app, viewer, incident_id)
        asked = {"recipient": field(pairs, "recipient").strip(), "purpose": field(pairs, "purpose").strip()}
        withheld = [value for name, value in pairs if name == "withheld"]
        try:
            _need(asked)
            return pack_response(app, incident_id, viewer, asked["recipient"], asked["purpose"], withheld)
        except HoldfastError as error:
            return _list(here, pack_error=error, asked=asked, withheld=withheld)


def _items(routes: APIRouter) -> None:
    @routes.get("/incidents/{incident_id}/evidence/{evidence_id}", response_class=HTMLResponse)
    def item(
        request: Request,
        incident_id: IncidentPath,
        evidence_id: EvidencePath,
        viewer: ViewerDep,
        app: ApplicationDep,
        show: str = "",
    ) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        found = here.state.evidence.items.get(evidence_id)
        if found is None:
            raise _unknown(incident_id, evidence_id)
        return here.render(
            "evidence_item.html",
            title=f"{evidence_id} of {incident_id}",
            item=_row(here, found, _names(here)),
            origin=here.shown(found.origin),
            trail=here.shown(custody.trail(evidence_id, here.events(), app.texts)),
            forms=_forms_of(here, found),
            pictured=found.media_type in PICTURES and found.standing == "kept",
            show=show == "yes",
            may_view=is_permitted(viewer, "evidence.view", here.state) and found.standing == "kept",
        )

    @routes.get("/incidents/{incident_id}/evidence/{evidence_id}/content", response_class=StreamingResponse)
    def content(
        incident_id: IncidentPath, evidence_id: EvidencePath, viewer: ViewerDep, app: ApplicationDep
    ) -> StreamingResponse:
        return evidence_response(app, viewer, incident_id, evidence_id)

    @routes.get("/incidents/{incident_id}/evidence/{evidence_id}/picture", response_class=StreamingResponse)
    def picture(
        incident_id: IncidentPath, evidence_id: EvidencePath, viewer: ViewerDep, app: ApplicationDep
    ) -> StreamingResponse:
        found = app.incident(incident_id, viewer).evidence.items.get(evidence_id)
        if found is None or found.standing != "kept" or not _is_picture(app, found):
            raise _unknown(incident_id, evidence_id)
        return evidence_response(app, viewer, incident_id, evidence_id, inline=True)


def _is_picture(app: Application, item: Item) -> bool:
    """Whether its bytes are those of the picture it says it is."""
    with app.vault.open(item.sha256) as stream:
        return picture_type(stream.read(HEAD)) == item.media_type in PICTURES


def _unknown(incident_id: str, evidence_id: str) -> NotFoundError:
    return NotFoundError(
        "evidence-unknown",
        f"There is no {evidence_id} to show here.",
        why="The incident has no such item, it was erased by order, or it is no picture.",
        next_step=f"See what there is: holdfast evidence list {incident_id}",
    )


def _need(asked: dict[str, str]) -> None:
    for name, text in asked.items():
        if not text:
            raise BadInputError(
                "pack-needs-recipient",
                "The pack was not made.",
                why=f"It needs a {name}: an export is recorded with who receives it, and why.",
                next_step="Say both, then export again.",
            )


async def _received(request: Request, app: Application, typed: dict[str, str]) -> UploadFile:
    """The file (on disk, never whole in memory); the texts of the form go to ``typed``, whatever becomes of it.

    Raises:
        TooLargeError: over the limit for one object; reading stops there.
        BadInputError: no form, or no file in it.
        ForbiddenError: not our own form.
    """
    limit = app.settings.max_object_bytes + AROUND

    async def counted() -> AsyncGenerator[bytes, None]:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise _too_large(app)
            yield chunk

    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise _no_file("The form was not sent with a file.")
    try:
        form = await MultiPartParser(request.headers, counted(), max_files=1, max_fields=20).parse()
    except MultiPartException as error:
        raise _no_file(f"The form cannot be read: {error.message}") from None
    texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    typed.update(texts)
    file = form.get("file")
    try:
        check_csrf(request, texts)
        if not isinstance(file, UploadFile) or not (file.filename or file.size):
            raise _no_file("No file came with the form.")
    except HoldfastError:
        await form.close()
        raise
    return file


def _too_large(app: Application) -> TooLargeError:
    return TooLargeError(
        "object-too-large",
        "The file was not stored.",
        why=f"It is over {app.settings.max_object_bytes >> 20} MiB.",
        next_step="Capture it in parts: holdfast capture INC PATH",
    )


def _no_file(why: str) -> BadInputError:
    return BadInputError(
        "evidence-no-file",
        "Nothing was stored.",
        why=why,
        next_step="Choose, paste or drop a file, then send the form again.",
    )


def _added(app: Application, viewer: Viewer, incident_id: str, file: UploadFile, typed: dict[str, str]) -> Outcome:
    """Store the bytes, then record the item with what its first bytes say it is."""
    stream = file.file
    head = stream.read(HEAD)
    stream.seek(0)
    sha256, size = app.upload(incident_id, viewer, stream)
    detected = sniff(head)
    kind = typed.get("kind") or ("screenshot" if detected in PICTURES else "file")
    fields: dict[str, Any] = {
        "sha256": sha256,
        "size": size,
        "kind": kind,
        "name": typed.get("name", "").strip() or file.filename or "unnamed",
        "origin": typed.get("origin", "").strip() or None,
        "source": typed.get("source") or None,
        "media_type": detected,
        "collector": "holdfast-web",
    }
    key = typed.get("idempotency_key", "")[:200] or None
    return app.execute("evidence-add", fields, viewer, incident_id=incident_id, idempotency_key=key)


def _names(here: Desk) -> dict[str, str]:
    """Item to its name as it may be shown."""
    items = here.state.evidence.items.values()
    words = here.app.texts.read([item.name.text_id for item in items])
    return {item.id: display_name(words[item.name.text_id]) for item in items if item.name.text_id in words}


def _row(here: Desk, item: Item, names: dict[str, str]) -> dict[str, Any]:
    held = [hold.id for hold in here.state.evidence.active_holds if not hold.evidence or item.id in hold.evidence]
    shown = here.shown(item)
    return {**shown, "name": names.get(item.id, "erased"), "holds": held, "complete": item.complete}


def _forms_of(here: Desk, item: Item) -> list[FormView]:
    if item.standing != "kept":
        return []
    wanted = [("evidence-reverify", "Hash it again")]
    if item.transfer is None:
        wanted.append(("evidence-transfer", "Offer it to somebody"))
    elif item.transfer.to == here.viewer.account:
        wanted += [("evidence-accept", "Take it over"), ("evidence-refuse", "Turn it down")]
    else:
        wanted.append(("evidence-refuse", "Withdraw the offer"))
    forms = [here.form(name, submit=label, evidence_id=item.id) for name, label in wanted]
    forms.append(here.form("hold-place", submit="Place a legal hold", evidence=[item.id]))
    forms.append(here.form("erasure-request", submit="Ask for its erasure", target=item.id))
    return [form for form in forms if form is not None]


def _list(
    here: Desk,
    *,
    error: HoldfastError | None = None,
    typed: dict[str, str] | None = None,
    pack_error: HoldfastError | None = None,
    asked: dict[str, str] | None = None,
    withheld: list[str] | None = None,
) -> HTMLResponse:
    state = here.state.evidence
    names = _names(here)
    sources = [(part.key, part.name) for part in shipped_board().line(CAPTURE_LINE).parts]
    captured = state.captured_sources()
    wrong = error or pack_error
    return here.render(
        "evidence.html",
        status=wrong.status if wrong is not None else 200,
        items=[_row(here, item, names) for item in state.items.values()],
        may_add=is_permitted(here.viewer, REGISTRY["evidence-add"].act, here.state),
        may_pack=is_permitted(here.viewer, "pack.export", here.state),
        kinds=KINDS,
        sources=sources,
        uncaptured=[name for key, name in sources if key not in captured],
        error=error,
        typed={name: (typed or {}).get(name, "") for name in TYPED},
        pack_error=pack_error,
        asked=asked or {"recipient": "", "purpose": ""},
        withheld=withheld or [],
        key=here.app.tools.randomness(16).hex(),
        holds=[
            {**here.shown(hold), "release": here.form("hold-release", submit="Release it", hold_id=hold.id)}
            for hold in state.active_holds
        ],
        orders=[_order(here, order.id) for order in state.erasures.values()],
        place_hold=here.form("hold-place", instance="all", submit="Place a legal hold"),
    )


def _order(here: Desk, order_id: str) -> dict[str, Any]:
    order = here.state.evidence.erasures[order_id]
    wanted: list[tuple[str, str]] = []
    if order.standing == "pending":
        mine = order.requested_by == here.viewer.account
        wanted = [] if mine else [("erasure-approve", "Erase for good")]
        wanted.append(("erasure-decline", "Withdraw" if mine else "Decline"))
    forms = [here.form(name, submit=label, erasure_id=order.id) for name, label in wanted]
    return {**here.shown(order), "forms": [form for form in forms if form is not None]}
