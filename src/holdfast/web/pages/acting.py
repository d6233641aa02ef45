"""The one place where forms are sent: every use case by its name, on one incident or on the installation.

1. A page asks :func:`form_for` for a form; it gets none where the viewer may not do the act.
2. ``GET …/do/{use_case}`` shows just that form: a link for the palette, and all there is without scripts. Query
   parameters that name fields fill them in.
3. ``POST …/do/{use_case}`` does it once per idempotency key, then leads back to the page the form was on.
4. A refused form keeps every word; after a lost race both texts are shown.
5. What is shown once (tokens, links, passes) is handed over at an address of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from holdfast.app.application import Application
from holdfast.app.authorisation import Viewer, is_permitted, permit
from holdfast.app.commanding import REGISTRY, IncidentCommand, UseCase
from holdfast.app.dispatching import BREAK_GLASS, Outcome
from holdfast.app.queries import timeline
from holdfast.app.queries.clocks import calendar_of
from holdfast.app.state import IncidentState
from holdfast.kernel.errors import HoldfastError, NotFoundError
from holdfast.kernel.instants import format_instant
from holdfast.web.api.commands import IncidentPath
from holdfast.web.forms import FormView, Frame, Offer, Parsed, form_view, parse_form
from holdfast.web.identity import ApplicationDep, ViewerDep, application
from holdfast.web.pages import handing, incident_frame
from holdfast.web.pages.choices import Choices
from holdfast.web.pages.errors import wants_json
from holdfast.web.pages.posting import Pairs, PostedDep, check_csrf, field, same_site
from holdfast.web.problems import problem_response
from holdfast.web.rendering import csrf_of, render
from holdfast.web.shapes import shape_of

UseCasePath = Annotated[str, Path(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=60)]
FRAME = ("csrf", "idempotency_key", "next", "fixed")
"""What a form sends beside its command's own fields."""
ELSEWHERE = frozenset({"credential-note", "evidence-add"})
"""Use cases that other pages carry out: enrolling, uploading."""
SHOWN_THERE = frozenset({"update-draft", "update-revise"})
"""Use cases whose answer is no secret: the page they lead back to shows the same text."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a form stands."""

    back: str = ""
    """Where to go once it is done: a path of this site, with an anchor where that helps. Default: this request's own
    path, which is wrong for a piece of a page that has an address of its own."""
    instance: str = ""
    """Tells forms of one use case on one page apart. Default: made from what is fixed."""
    zone: str = ""
    """IANA zone of its wall-clock fields. Default: the incident's."""


HERE = Place()
Redraw = Callable[[Request, Viewer, Parsed, HoldfastError], Response]
REDRAW: dict[str, Redraw] = {}
"""Use cases whose refused form is shown by a page of their own."""


def form_for(
    request: Request,
    state: IncidentState | None,
    viewer: Viewer,
    use_case: str,
    offer: Offer | None = None,
    place: Place = HERE,
    **fixed: Any,  # noqa: ANN401 - values of the command's fields
) -> FormView | None:
    """The form of a use case as this viewer gets it here, or none if they may not do it.

    Args:
        request: the page's request; its session signs the form.
        state: the incident, or none for commands on the installation.
        viewer: who reads.
        use_case: name such as ``severity-raise``.
        offer: what the page knows beforehand; ``offer.preset`` fills fields the person may still change.
        place: where it leads back to, and what tells it apart.
        fixed: fields the page is about (``claim="claim-3"``): sent hidden, never shown.
    """
    case = REGISTRY[use_case]
    if not is_permitted(viewer, case.act, state):
        return None
    given = offer or Offer()
    held = {**given.fixed, **{name: value for name, value in fixed.items() if value is not None}}
    where = replace(place, back=place.back or request.url.path, instance=place.instance or _instance(held))
    return draw(request, case, state, replace(given, fixed=held), where)


def draw(  # noqa: PLR0913 - a form is drawn from these, refused or not
    request: Request,
    case: UseCase,
    state: IncidentState | None,
    given: Offer,
    place: Place,
    *,
    answer: Parsed | None = None,
    error: HoldfastError | None = None,
) -> FormView:
    """The form itself, whoever may use it; with ``answer`` and ``error`` it is one that was refused."""
    app = application(request)
    fixed = dict(given.fixed)
    hidden = {"next": place.back, "fixed": " ".join(sorted(fixed))}
    version = _version(case, state, {**given.preset, **fixed})
    if version is not None:
        hidden["saw"] = str(version)
    full = _choices(request, state).complete(case, replace(given, fixed={**hidden, **fixed}))
    frame = Frame(
        action=_action(case, state.id if state is not None else None),
        csrf=csrf_of(request),
        key=app.tools.randomness(16).hex(),
        zone=place.zone or _zone(app, case, state),
        instance=place.instance,
    )
    return form_view(case, frame, full, answer=answer, error=error)


def _instance(fixed: Mapping[str, Any]) -> str:
    return "-".join(str(value).replace("#", "n") for value in fixed.values() if isinstance(value, str | int))


def _version(case: UseCase, state: IncidentState | None, known: Mapping[str, Any]) -> int | None:
    """Version of the facet the form is about; none where a visible field decides which facet it is."""
    if case.facet is None or state is None:
        return None
    try:
        facet = case.facet.format(**known)
    except KeyError:
        return None
    return max(state.facets.get(facet, 0), 0)


def _zone(app: Application, case: UseCase, state: IncidentState | None) -> str:
    timed = any(shape_of(info).kind == "instant" for info in case.command.model_fields.values())
    if state is None or not timed:
        return "UTC"
    return getattr(calendar_of(state, app.tools.documents).zone, "key", "UTC")


def _choices(request: Request, state: IncidentState | None) -> Choices:
    """The choices of this page: one set for all its forms."""
    known: dict[tuple[str, int] | None, Choices] = request.scope.setdefault("holdfast.choices", {})
    key = None if state is None else (state.id, state.seq)
    if key not in known:
        known[key] = Choices(application(request), state)
    return known[key]


def _action(case: UseCase, incident_id: str | None) -> str:
    return f"/do/{case.name}" if incident_id is None else f"/incidents/{incident_id}/do/{case.name}"


def router() -> APIRouter:
    """Showing and sending forms, and what the palette lists."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/do/{use_case}", response_class=HTMLResponse)
    def show(request: Request, incident_id: IncidentPath, use_case: UseCasePath, viewer: ViewerDep) -> HTMLResponse:
        return _show(request, viewer, _case(use_case, on_incident=True), incident_id)

    @routes.get("/do/{use_case}", response_class=HTMLResponse)
    def show_here(request: Request, use_case: UseCasePath, viewer: ViewerDep) -> HTMLResponse:
        return _show(request, viewer, _case(use_case, on_incident=False), None)

    @routes.post("/incidents/{incident_id}/do/{use_case}")
    def act(
        request: Request, incident_id: IncidentPath, use_case: UseCasePath, pairs: PostedDep, viewer: ViewerDep
    ) -> Response:
        return perform(request, viewer, _case(use_case, on_incident=True), incident_id, pairs)

    @routes.post("/do/{use_case}")
    def act_here(request: Request, use_case: UseCasePath, pairs: PostedDep, viewer: ViewerDep) -> Response:
        return perform(request, viewer, _case(use_case, on_incident=False), None, pairs)

    @routes.get("/incidents/{incident_id}/palette")
    def palette(incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        state = app.incident(incident_id, viewer)
        base = f"/incidents/{incident_id}"
        sections = [
            {"label": label, "hint": "section", "href": base + path} for label, path, _ in incident_frame.SECTIONS
        ]
        return JSONResponse([*sections, *_listed(viewer, state), *_pages(viewer), *_listed(viewer, None)])

    @routes.get("/palette")
    def palette_here(viewer: ViewerDep) -> JSONResponse:
        return JSONResponse([*_pages(viewer), *_listed(viewer, None)])

    return routes


def _pages(viewer: Viewer) -> list[dict[str, str]]:
    found = [
        ("Incidents", "/incidents", "incident.read"),
        ("Accounts", "/accounts", "account.read"),
        ("How you sign in", "/security", "token.own"),
        ("Installation log and keys", "/log", "log.read"),
    ]
    return [{"label": label, "hint": "page", "href": path} for label, path, act in found if is_permitted(viewer, act)]


def _listed(viewer: Viewer, state: IncidentState | None) -> list[dict[str, str]]:
    return [
        {
            "label": case.summary.rstrip(".").split(":")[0],
            "hint": case.path,
            "href": "/declare" if case.name == "declare" else _action(case, state.id if state else None),
        }
        for case in sorted(REGISTRY.values(), key=lambda one: one.path)
        if issubclass(case.command, IncidentCommand) == (state is not None)
        and case.name not in ELSEWHERE
        and is_permitted(viewer, case.act, state)
    ]


def _case(name: str, *, on_incident: bool) -> UseCase:
    case = REGISTRY.get(name)
    if case is None or issubclass(case.command, IncidentCommand) != on_incident:
        raise NotFoundError(
            "form-not-found",
            f"There is no form named {name!r} here.",
            why="Forms are named after the commands of the runbook, and this is not one of them.",
            next_step="Press Ctrl K on any page: it lists every form you may use.",
        )
    return case


def _state(app: Application, case: UseCase, incident_id: str | None, viewer: Viewer) -> IncidentState | None:
    """The incident the form is on; only breaking the glass is done from outside, seeing nothing."""
    if incident_id is None or case.name == BREAK_GLASS:
        return None
    return app.incident(incident_id, viewer)


def _home(case: UseCase, incident_id: str | None) -> str:
    if incident_id is not None:
        return f"/incidents/{incident_id}"
    return "/security" if case.act == "token.own" else "/accounts"


def _show(request: Request, viewer: Viewer, case: UseCase, incident_id: str | None) -> HTMLResponse:
    state = _state(application(request), case, incident_id, viewer)
    permit(viewer, case.act, state)
    query = request.query_params
    preset = {name: query[name] for name in case.command.model_fields if name in query}
    back = same_site(query.get("next", ""), _home(case, incident_id))
    form = draw(request, case, state, Offer(preset=preset), Place(back))
    return _page(request, viewer, case, state, _aimed(form, case, incident_id))


def _aimed(form: FormView, case: UseCase, incident_id: str | None) -> FormView:
    return replace(form, action=_action(case, incident_id))


def _page(
    request: Request, viewer: Viewer, case: UseCase, state: IncidentState | None, form: FormView, status: int = 200
) -> HTMLResponse:
    """A page with just this form."""
    context: dict[str, Any] = {"title": form.label, "form": form, "says": _says(case), "runbook": case.runbook}
    if state is None:
        return render(request, viewer, "do.html", status=status, **context)
    frame = incident_frame.frame(request, application(request), viewer, state.id)
    return render(request, viewer, "do_incident.html", status=status, **{**frame.context, **context})


def _says(case: UseCase) -> str:
    return " ".join((case.command.__doc__ or "").split())


@dataclass(frozen=True, slots=True)
class _Sent:
    """A form on its way."""

    request: Request
    viewer: Viewer
    case: UseCase
    incident_id: str | None
    pairs: Pairs

    @property
    def app(self) -> Application:
        return application(self.request)

    @property
    def onward(self) -> str:
        """Where it leads back to."""
        return same_site(field(self.pairs, "next"), _home(self.case, self.incident_id))

    def state(self) -> IncidentState | None:
        return _state(self.app, self.case, self.incident_id, self.viewer)


def perform(request: Request, viewer: Viewer, case: UseCase, incident_id: str | None, pairs: Pairs) -> Response:
    """Do what a posted form says.

    Raises:
        ForbiddenError: not our own form, or not permitted.
        NotFoundError: no such incident for this viewer.
    """
    check_csrf(request, pairs)
    sent = _Sent(request, viewer, case, incident_id, pairs)
    permit(viewer, case.act, sent.state())
    parsed = parse_form(case, [pair for pair in pairs if pair[0] not in FRAME])
    if parsed.command is None:
        return _refused(sent, parsed, parsed.refusal())
    try:
        outcome = sent.app.execute(
            case.name,
            parsed.command,
            viewer,
            incident_id=incident_id,
            idempotency_key=field(pairs, "idempotency_key")[:200] or None,
        )
    except HoldfastError as error:
        return _refused(sent, parsed, error)
    return _done(sent, outcome)


def _refused(sent: _Sent, parsed: Parsed, error: HoldfastError) -> Response:
    """The form again with everything typed, or the problem for the page's script."""
    state = sent.state()
    _add_theirs(sent.app, state, error)
    if wants_json(sent.request):
        return problem_response(error)
    if sent.case.name in REDRAW:
        return REDRAW[sent.case.name](sent.request, sent.viewer, parsed, error)
    fixed = {
        name: parsed.typed[name] if len(parsed.typed[name]) > 1 else parsed.typed[name][0]
        for name in field(sent.pairs, "fixed").split()
        if name in parsed.typed and name in sent.case.command.model_fields
    }
    form = draw(sent.request, sent.case, state, Offer(fixed=fixed), Place(sent.onward), answer=parsed, error=error)
    aimed = _aimed(form, sent.case, sent.incident_id)
    return _page(sent.request, sent.viewer, sent.case, state, aimed, error.status)


def _add_theirs(app: Application, state: IncidentState | None, error: HoldfastError) -> None:
    """After a lost race: what stands now, by whom and since when."""
    version = error.details.get("version")
    if state is None or not isinstance(version, int):
        return
    events = app.record.load(state.id, after=version - 1, upto=version)
    for entry in timeline.entries(state, events, app.texts):
        error.details["theirs"] = {"text": entry.sentence, "by": entry.actor, "at": entry.recorded_at}


def _done(sent: _Sent, outcome: Outcome) -> Response:
    declared = sent.case.name == "declare"
    onward = f"/incidents/{outcome.incident_id}" if declared else sent.onward
    program = wants_json(sent.request)
    # Beside the form a script shows notices itself, unless it is about to leave the page.
    once = {} if sent.case.name in SHOWN_THERE else outcome.once
    if once or (outcome.notices and (declared or not program)):
        onward = handing.hand_over(
            sent.request,
            sent.viewer.account,
            handing.Handed(_what(sent.case), once, outcome.notices, onward),
        )
    if not program:
        return RedirectResponse(onward, status_code=303)
    at = outcome.events[-1].recorded_at if outcome.events else sent.app.tools.clock()
    answer = {**outcome.as_json(), "result": dict(outcome.result), "next": onward, "recorded_at": format_instant(at)}
    return JSONResponse(answer)


def _what(case: UseCase) -> str:
    return f"Recorded: {case.path}"
