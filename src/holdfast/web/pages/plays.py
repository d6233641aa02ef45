"""Guided plays: start one, see how far it is, work on its steps."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from holdfast.app.queries.playing import OutputShown, RunShown, StepShown, plays
from holdfast.kernel.errors import NotFoundError
from holdfast.web.api.commands import IncidentPath
from holdfast.web.forms import Choice, FormView
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import Desk, desk
from holdfast.web.pages.tuning import tuned, without

INSTANT = "2026-11-23T03:07:00+01:00"
RunQuery = Annotated[str, Query(pattern=r"^(play-[1-9][0-9]{0,8})?$")]


def router() -> APIRouter:
    """``GET /incidents/{id}/plays``: the run asked for, else the newest that runs."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/plays", response_class=HTMLResponse)
    def page(
        request: Request, incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep, run: RunQuery = ""
    ) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        found = plays(here.state, app.tools.documents)
        chosen = next((one for one in found.runs if one.id == run), None) if run else next(iter(found.runs), None)
        if run and chosen is None:
            raise NotFoundError(
                "play-not-found",
                f"There is no {run} in this incident.",
                why=f"{len(found.runs)} plays were started so far.",
                next_step=f"See them all: /incidents/{here.state.id}/plays",
            )
        return here.render(
            "plays.html",
            runs=here.shown(found.runs),
            offered=here.shown(found.offered),
            chosen=None if chosen is None else _run(here, chosen),
            start=here.form("play-start", submit="Start a play"),
        )

    return routes


def _run(here: Desk, run: RunShown) -> dict[str, Any]:
    shown: dict[str, Any] = here.shown(run)
    for view, step in zip(shown["steps"], run.steps, strict=True):
        workable = run.standing != "abandoned"
        view["forms"] = _forms(here, run, step) if workable else {"parts": {}, "outputs": {}, "done": None, "acts": []}
    if run.standing == "running":
        shown["abandon"] = here.form("play-abandon", submit="Give this play up", play_id=run.id)
    return shown


def _forms(here: Desk, run: RunShown, step: StepShown) -> dict[str, Any]:
    """What may be done with a step as it stands."""
    back = f"{here.frame.base}/plays?run={run.id}#{run.id}-{step.id}"

    def form(use_case: str, submit: str, *more: str, **fixed: Any) -> FormView | None:  # noqa: ANN401 - of any field
        instance = "-".join((run.id, step.id, *more, *map(str, fixed.values())))
        return here.form(use_case, back=back, instance=instance, submit=submit, play_id=run.id, step=step.id, **fixed)

    if step.standing in ("done", "skipped"):
        return {"parts": {}, "outputs": {}, "done": None, "acts": [form("step-reopen", f"Open {step.id} again")]}
    parts = {
        part.key: form("step-settle", "Settle" if part.standing == "open" else "Settle again", part=part.key)
        for part in step.parts
    }
    outputs = {one.key: _output(form("step-record", _record_words(one), output=one.key), one) for one in step.outputs}
    accept = form("step-override", "Accept the loss of what is not captured") if step.at_risk else None
    return {
        "parts": parts,
        "outputs": outputs,
        "done": form("step-done", f"{step.id} is done") if step.ready else None,
        "acts": [accept, form("step-assign", "Give it to somebody"), form("step-skip", "It does not apply")],
    }


def _record_words(output: OutputShown) -> str:
    if output.type == "list":
        return "Add one"
    return "Record again" if output.recorded else "Record"


def _output(form: FormView | None, output: OutputShown) -> FormView | None:
    """The form of one output, asking for exactly what its type takes."""
    form = without(
        form, "item", *(() if output.takes_value else ("value",)), *(() if output.takes_cites else ("cites",))
    )
    hint = output.hint
    form = tuned(form, "cites", required=output.takes_cites)
    if output.type == "choice":
        choices = tuple(Choice(key, name) for key, name in output.choices)
        return tuned(form, "value", control="radio", label=output.name, help=hint, required=True, choices=choices)
    if output.type == "instant":
        hint = f"{hint} A time with its zone.".strip()
        return tuned(
            form, "value", control="input", label=output.name, help=hint, required=True, placeholder=INSTANT,
            max_length=40,
        )  # fmt: skip  # the attributes stay together
    if output.type == "account":
        return tuned(
            form, "value", control="input", label=output.name, help=hint, required=True, placeholder="account",
            max_length=40,
        )  # fmt: skip  # the attributes stay together
    return tuned(form, "value", label=output.name, help=hint, required=True, lines=2)
