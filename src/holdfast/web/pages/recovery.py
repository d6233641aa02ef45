"""Recovery and closure: escalations, the gates X1 to X8 with the form that supplies what is missing, and the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from holdfast.app.queries.recovering import Closure, GateShown, closure
from holdfast.web.api.commands import IncidentPath
from holdfast.web.forms import Choice, FormView
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.closing import closing_forms
from holdfast.web.pages.desk import Desk, desk
from holdfast.web.pages.tuning import tuned

Maker = Callable[..., FormView | None]


def router() -> APIRouter:
    """``GET /incidents/{id}/recovery``."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/recovery", response_class=HTMLResponse)
    def page(request: Request, incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        found = closure(here.state, app.tools.documents, here.frame.now)
        shown = here.shown(found)
        _escalations(here, found, shown)
        for gate, view in zip(found.gates, shown["gates"], strict=True):
            view["forms"] = _gate(here, gate)
            view["more"] = _SUPPLY[gate.id](here, found, shown, _maker(here, gate.id))
        following = next((gate.id for gate in found.gates if not gate.passes), "")
        return here.render("recovery.html", found=shown, following=following, ends=closing_forms(here, found))

    return routes


def _maker(here: Desk, gate: str) -> Maker:
    """Makes forms that lead back to a gate."""

    def make(use_case: str, submit: str, instance: str = "", **fixed: Any) -> FormView | None:  # noqa: ANN401 - of any field
        back = f"{here.frame.base}/recovery#gate-{gate}"
        return here.form(use_case, back=back, submit=submit, instance=instance, **fixed)

    return make


def _escalations(here: Desk, found: Closure, shown: dict[str, Any]) -> None:
    for one, view in zip(found.escalations, shown["escalations"], strict=True):
        back = f"{here.frame.base}/recovery#escalation-{one.kind}"
        form = here.form(
            "escalation-decide",
            back=back,
            submit="Decide" if one.decision == "undecided" else "Decide again",
            escalation=one.kind,
        )
        choices = (Choice("yes", "Yes: notify"), Choice("no", "No"), Choice("undecided", "Not decided yet"))
        view["form"] = tuned(form, "decision", choices=choices, control="radio")
        for notice, row in zip(one.notifications, view["notifications"], strict=True):
            owed = notice.notification.receipt is None
            row["form"] = (
                here.form(
                    "escalation-receipt", back=back, submit="Record the receipt", notification=notice.notification.id
                )
                if owed
                else None
            )


def _gate(here: Desk, gate: GateShown) -> dict[str, FormView | None]:
    make = _maker(here, gate.id)
    marked = gate.mark is not None
    return {
        "prove": make("closure-prove", f"Put my name under {gate.id}", gate=gate.id) if gate.provable else None,
        "waive": make("closure-waive", f"Waive {gate.id}", gate=gate.id) if gate.standing == "open" else None,
        "reopen": make("closure-reopen", f"Take {gate.id} back", gate=gate.id) if marked else None,
    }


def _cause(here: Desk, found: Closure, shown: dict[str, Any], make: Maker) -> list[FormView | None]:
    del here, found, shown
    return [make("cause-identify", "Name the root cause"), make("cause-unknown", "It cannot be known")]


def _path(here: Desk, found: Closure, shown: dict[str, Any], make: Maker) -> list[FormView | None]:
    del here, shown
    verify = make("path-verify", "It was tried, and refused") if found.path_closed is not None else None
    close = make("path-close", "Record it as closed" if found.path_closed is None else "Record the closing again")
    return [verify, close] if found.path_verified is None else [close, verify]


def _credentials(here: Desk, found: Closure, shown: dict[str, Any], make: Maker) -> list[FormView | None]:
    del here
    for one, view in zip(found.credentials, shown["credentials"], strict=True):
        submit = "Settle" if one.outcome is None else "Settle again"
        view["form"] = make("credential-settle", submit, credential=one.id)
    none = make("credential-none", "No credential was affected") if not found.credentials else None
    return [make("credential-list", "List a credential"), none]


def _revalidation(here: Desk, found: Closure, shown: dict[str, Any], make: Maker) -> list[FormView | None]:
    del here
    for one, view in zip(found.revalidation, shown["revalidation"], strict=True):
        submit = "Settle" if one.standing == "open" else "Settle again"
        view["form"] = make("revalidate-settle", submit, part=one.key)
    return []


def _monitoring(here: Desk, found: Closure, shown: dict[str, Any], make: Maker) -> list[FormView | None]:
    del here, shown
    watch = found.watch
    running = watch is not None and watch.ended_at is None
    period = make("watch-end", "End the watch period") if running else make("watch-start", "Start a watch period")
    return [make("monitor-add", "Something watches for it"), period]


def _notifications(here: Desk, found: Closure, shown: dict[str, Any], make: Maker) -> list[FormView | None]:
    """What X6 needs stands with the escalations above."""
    del here, found, shown, make
    return []


def _actions(here: Desk, found: Closure, shown: dict[str, Any], make: Maker) -> list[FormView | None]:
    del here
    for one, view in zip(found.actions, shown["actions"], strict=True):
        is_open = one.action.standing == "open"
        view["forms"] = (
            [
                make("action-done", "It is done", action=one.action.id),
                make("action-drop", "Drop it", action=one.action.id),
            ]
            if is_open
            else []
        )
    none = make("action-none", "None is needed, because") if not found.actions else None
    return [make("action-assign", "Assign a corrective action"), none]


def _review(here: Desk, found: Closure, shown: dict[str, Any], make: Maker) -> list[FormView | None]:
    del found, shown
    return [make("review-start", "Start the review")] if here.state.recovery.review.started_at is None else []


_SUPPLY: dict[str, Callable[[Desk, Closure, dict[str, Any], Maker], list[FormView | None]]] = {
    "X1": _cause,
    "X2": _path,
    "X3": _credentials,
    "X4": _revalidation,
    "X5": _monitoring,
    "X6": _notifications,
    "X7": _actions,
    "X8": _review,
}
