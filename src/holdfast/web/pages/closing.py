"""The end of an incident: status, recovery verified, disposition, closing and reopening; drawn by ``closing.html``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from holdfast.app.queries.recovering import Closure
from holdfast.web.forms import Choice, FormView
from holdfast.web.pages.desk import Desk
from holdfast.web.pages.tuning import tuned

STEPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "investigating": ("contained",),
        "contained": ("recovering", "investigating"),
        "recovering": ("contained",),
        "closed": (),
    }
)
"""Status to the statuses one step away, forward first; the lifecycle itself has the last word."""


def closing_forms(here: Desk, found: Closure) -> dict[str, FormView | None]:
    """What may be done now about status, disposition and closing."""
    back = f"{here.frame.base}/recovery#closing"
    steps = STEPS[found.status]
    closed = found.status == "closed"
    status = here.form("status-set", back=back, submit="Change the status", instance="page") if steps else None
    choices = tuple(Choice(step, step.capitalize(), step == steps[0]) for step in steps)
    verify = found.status == "recovering" and found.recovery_verified_at is None and not found.recovery_blockers
    real = found.disposition == "real"
    ready = not closed and found.proposal is None
    ready = ready and (not real or (found.status == "recovering" and not found.closing_blockers))
    return {
        "status": tuned(status, "status", choices=choices, control="radio"),
        "verify": here.form("recovery-verify", back=back, submit="Recovery is verified") if verify else None,
        "close": here.form("close", back=back, submit="Close the incident") if ready else None,
        "reopen": here.form("reopen", back=back, submit="Open it again") if closed else None,
        "propose": None
        if closed or found.proposal is not None
        else here.form("disposition-propose", back=back, submit="It is something else: propose"),
        **_answers(here, found, back),
    }


def _answers(here: Desk, found: Closure, back: str) -> dict[str, FormView | None]:
    """Answering a proposal: its author may only withdraw it."""
    if found.proposal is None:
        return {"confirm": None, "refuse": None}
    mine = found.proposal.by == here.viewer.account
    return {
        "confirm": None if mine else here.form("disposition-confirm", back=back, submit="Confirm it"),
        "refuse": here.form("disposition-refuse", back=back, submit="Withdraw it" if mine else "Refuse it"),
    }
