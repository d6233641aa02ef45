"""What an update says and may not say, joined from the whole incident: for drafting, approving and the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from holdfast.app.state import IncidentState
from holdfast.communications.rendering import ClaimLine, UpdateInput, known_impact, render_update, zoned
from holdfast.communications.state import Audience, Update
from holdfast.communications.updates import Situation
from holdfast.communications.wording import Finding, Subject, review
from holdfast.incidents.tasks import current_actions
from holdfast.kernel.texts import Sealed

Reader = Callable[[Sealed | None], str]
_ROLES = ("commander", "technical_lead", "communications_lead", "evidence_owner", "business_owner")


def situation(state: IncidentState, now: datetime) -> Situation:
    """What decides about approvals and promises."""
    core = state.incidents
    holders = {role: account for role in _ROLES if (account := core.holder(role)) is not None}
    over = core.status == "closed" or core.lifecycle.recovery_verified_at is not None
    return Situation(core.peak, over, holders, now)


def claim_lines(state: IncidentState, read: Reader, claims: Iterable[str] | None = None) -> tuple[ClaimLine, ...]:
    """Claims with their words: those named, or all."""
    known = state.communications.claims
    chosen = known.values() if claims is None else [known[claim] for claim in claims if claim in known]
    return tuple(ClaimLine(claim.id, claim.kind, claim.standing, read(claim.text)) for claim in chosen)


def resting_on(state: IncidentState, audience: Audience) -> tuple[str, ...]:
    """The claims an update rests on unless its author chooses: confirmed impact, and for responders hypotheses."""
    return tuple(
        claim.id
        for claim in state.communications.claims.values()
        if (claim.standing == "fact" and claim.kind == "impact")
        or (claim.standing == "hypothesis" and audience == "responders")
    )


def update_text(
    state: IncidentState, read: Reader, audience: Audience, claims: Iterable[str], next_update: datetime | None
) -> str:
    """The C1 text of the incident as it stands, resting on the claims named."""
    core = state.incidents
    assert core.declared_at is not None
    started = core.started or core.detected
    name = core.access.codename if core.restricted and core.access.codename else read(core.name)
    return render_update(
        UpdateInput(
            audience=audience,
            incident=name,
            severity=core.level or "not set",
            status=core.status,
            started=core.declared_at if started is None else started.at,
            commander=core.commander,
            claims=claim_lines(state, read, claims),
            actions=tuple((task.owner, read(task.action)) for task in current_actions(core.board)),
            next_update=next_update,
        )
    )


def findings_of(state: IncidentState, read: Reader, update: Update) -> list[Finding]:
    """The review of an update's present wording, with the names and claims this incident keeps out of it."""
    known = claim_lines(state, read)
    facts = {line.text for line in known if line.standing == "fact"}
    # A retracted claim may be named: that is what its correction does.
    unconfirmed = tuple(
        line.text for line in known if line.standing in ("hypothesis", "disproved") and line.text not in facts
    )
    return review(
        Subject(
            text=read(update.text),
            audience=update.audience,
            withheld=tuple(read(name) for name in state.communications.withheld_names),
            unconfirmed=unconfirmed,
            known_impact=known_impact(claim_lines(state, read, update.claims)),
            promise=None if update.next_update_at is None else zoned(update.next_update_at),
        )
    )
