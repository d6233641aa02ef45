"""Status, recovery verified, closing, reopening and dispositions.

Rules:
1. The status moves one step at a time: investigating, contained, recovering; and back. Closing has its own verb.
2. Recovery is verified explicitly by the commander while recovering, when nothing blocks X2 to X4.
3. A real incident closes from *recovering*, when nothing blocks it. One that is a false positive or a duplicate
   closes from anywhere without the gates.
4. A disposition other than *real* needs a reason and a second person; a false positive also needs what refutes it.
   Going back to *real* needs a reason only: it adds duties.
5. Reopening keeps everything and starts at *investigating*; a verified recovery has to be verified again.

Not handled here: the gates themselves (they come in as blockers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from holdfast.incidents.state import Disposition, State, Status
from holdfast.kernel.citations import Citation, citations_json
from holdfast.kernel.errors import BadInputError, ForbiddenError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.texts import Sealed

_NEXT: Mapping[Status, tuple[Status, ...]] = {
    "investigating": ("contained",),
    "contained": ("investigating", "recovering"),
    "recovering": ("contained",),
    "closed": (),
}


def require_open(state: State) -> None:
    """Refuse on a closed incident.

    Raises:
        RefusedError: it is closed (``incident-closed``).
    """
    if state.status == "closed":
        raise RefusedError(
            "incident-closed",
            "Nothing was changed.",
            why="The incident is closed; its command, severity and status stand as they were.",
            next_step=f"Reopen it first: holdfast reopen {state.incident_id} --reason …",
        )


def set_status(state: State, status: Status, reason: Sealed) -> list[NewEvent]:
    """Move the status one step.

    Raises:
        RefusedError: the status cannot become that from where it is (``status-step-refused``).
    """
    require_open(state)
    allowed = _NEXT[state.status]
    if status not in allowed:
        how = "Close it with: holdfast close" if status == "closed" else "Next can be: " + " or ".join(allowed)
        raise RefusedError(
            "status-step-refused",
            f"The status stays {state.status}.",
            why=f"From {state.status} it cannot become {status}: it moves one step at a time.",
            next_step=how + ".",
        )
    return [NewEvent("status.changed", {"status": status, "previous": state.status, "reason": reason.as_json()})]


def verify_recovery(
    state: State, blockers: Sequence[str], note: Sealed | None, *, acting_alone: bool
) -> list[NewEvent]:
    """State that the recovery is verified: X2 to X4 are proven.

    Args:
        state: the incident.
        blockers: what X2 to X4 still miss, one sentence each.
        note: a word with it.
        acting_alone: the commander holds other roles too; a countersignature becomes owed.

    Raises:
        RefusedError: not recovering, already verified, or something is missing (listed in the details).
    """
    require_open(state)
    if state.status != "recovering":
        raise RefusedError(
            "not-recovering",
            "The recovery was not verified.",
            why=f"The status is {state.status}; recovery is verified while recovering.",
            next_step=f"Move it on, one step at a time, to recovering: holdfast status set {state.incident_id} --help",
        )
    if state.lifecycle.recovery_verified_at is not None:
        raise RefusedError(
            "recovery-already-verified",
            "The recovery was verified before.",
            why="A verification stands until the incident is reopened or steps back.",
            next_step=f"See what is left to close: holdfast show {state.incident_id}",
        )
    _refuse_blocked("recovery-blocked", "The recovery was not verified.", state, blockers)
    data = {"note": None if note is None else note.as_json(), "acting_alone": acting_alone}
    return [NewEvent("recovery.verified", data)]


def close(state: State, blockers: Sequence[str], note: Sealed | None, *, acting_alone: bool) -> list[NewEvent]:
    """Close the incident.

    Args:
        state: the incident.
        blockers: what the gates still miss; not looked at when the disposition is not real.
        note: a word with it.
        acting_alone: the commander holds other roles too; a countersignature becomes owed.

    Raises:
        RefusedError: closed already, not recovering, a disposition is undecided, or something is missing.
    """
    require_open(state)
    life = state.lifecycle
    if life.proposal is not None:
        raise RefusedError(
            "disposition-undecided",
            "The incident was not closed.",
            why=f"{life.proposal.by} proposed {life.proposal.disposition}, and it waits for a second person.",
            next_step=f"Somebody else: holdfast disposition confirm {state.incident_id}",
        )
    if life.disposition == "real":
        if state.status != "recovering":
            raise RefusedError(
                "not-recovering",
                "The incident was not closed.",
                why=f"A real incident closes from recovering, and this one is {state.status}.",
                next_step=f"Follow the steps: holdfast status set {state.incident_id} --help",
            )
        _refuse_blocked("closure-blocked", "The incident was not closed.", state, blockers)
    return [
        NewEvent(
            "incident.closed",
            {
                "disposition": life.disposition,
                "previous": state.status,
                "note": None if note is None else note.as_json(),
                "acting_alone": acting_alone,
            },
        )
    ]


def _refuse_blocked(code: str, what: str, state: State, blockers: Sequence[str]) -> None:
    if blockers:
        raise RefusedError(
            code,
            what,
            why="Still missing: " + "; ".join(blockers),
            next_step=f"See who can supply each: holdfast gates {state.incident_id}",
            details={"blockers": list(blockers)},
        )


def reopen(state: State, reason: Sealed) -> list[NewEvent]:
    """Open a closed incident again; nothing it held is lost.

    Raises:
        RefusedError: it is not closed (``incident-not-closed``).
    """
    if state.status != "closed":
        raise RefusedError(
            "incident-not-closed",
            "The incident was not reopened.",
            why=f"It is {state.status}, not closed.",
            next_step=f"Go on with it: holdfast show {state.incident_id}",
        )
    return [NewEvent("incident.reopened", {"reason": reason.as_json()})]


def propose_disposition(
    state: State,
    disposition: Disposition,
    reason: Sealed,
    citations: Sequence[Citation] = (),
    target: str | None = None,
) -> list[NewEvent]:
    """Propose that it is a false positive or a duplicate; or state that it is real after all.

    Args:
        state: the incident.
        disposition: what it is. ``real`` takes effect at once; the others wait for a second person.
        reason: why.
        citations: what refutes it (needed for a false positive).
        target: id of the incident it repeats (needed for a duplicate).

    Raises:
        BadInputError: refuting evidence or the other incident is missing, or it names itself.
        RefusedError: closed, already so, or a proposal is waiting.
    """
    require_open(state)
    life = state.lifecycle
    if disposition == life.disposition and target == life.duplicate_of:
        raise RefusedError(
            "disposition-unchanged",
            "The disposition was not changed.",
            why=f"It is {disposition} already.",
            next_step=f"See the incident: holdfast show {state.incident_id}",
        )
    if disposition == "real":
        data = {"disposition": "real", "target": None, "reason": reason.as_json()}
        return [NewEvent("disposition.restored", data)]
    if life.proposal is not None:
        raise RefusedError(
            "disposition-waiting",
            "The disposition was not proposed.",
            why=f"{life.proposal.by} proposed {life.proposal.disposition}, and it waits for a second person.",
            next_step=f"Confirm or refuse that one: holdfast disposition confirm {state.incident_id}",
        )
    _check_grounds(state, disposition, citations, target)
    grounds = {"reason": reason.as_json(), "citations": citations_json(citations), "target": target}
    return [NewEvent("disposition.proposed", {"disposition": disposition, **grounds})]


def _check_grounds(state: State, disposition: Disposition, citations: Sequence[Citation], target: str | None) -> None:
    if disposition == "false_positive" and not citations:
        raise BadInputError(
            "refutation-needed",
            "The disposition was not proposed.",
            why="A false positive needs at least one citation of what refutes the report.",
            next_step="Capture it or find its entry, then cite it: --citations ev-3",
        )
    if disposition == "duplicate_of" and (target is None or target == state.incident_id):
        raise BadInputError(
            "duplicate-needs-target",
            "The disposition was not proposed.",
            why="A duplicate names another incident, the one that goes on.",
            next_step="Name it: --target INC-2026-0042",
        )
    if disposition == "false_positive" and target is not None:
        raise BadInputError(
            "target-unexpected",
            "The disposition was not proposed.",
            why="Only a duplicate names another incident.",
            next_step="Leave the target out, or propose duplicate_of.",
        )


def confirm_disposition(state: State, by: str) -> list[NewEvent]:
    """Confirm the waiting disposition as the second person.

    Raises:
        RefusedError: none is waiting.
        ForbiddenError: the person who proposed it cannot confirm it.
    """
    require_open(state)
    proposal = state.lifecycle.proposal
    if proposal is None:
        raise _no_proposal(state)
    if proposal.by == by:
        raise ForbiddenError(
            "second-person-needed",
            "The disposition was not confirmed.",
            why="Who proposed it cannot confirm it: a second pair of eyes is the point.",
            next_step=f"Ask somebody else: holdfast disposition confirm {state.incident_id}",
        )
    return [
        NewEvent(
            "disposition.confirmed",
            {
                "disposition": proposal.disposition,
                "target": proposal.target,
                "proposed_by": proposal.by,
                "proposed": proposal.seq,
            },
        )
    ]


def refuse_disposition(state: State, reason: Sealed) -> list[NewEvent]:
    """Refuse or withdraw the waiting disposition.

    Raises:
        RefusedError: none is waiting.
    """
    require_open(state)
    proposal = state.lifecycle.proposal
    if proposal is None:
        raise _no_proposal(state)
    data = {"disposition": proposal.disposition, "reason": reason.as_json()}
    return [NewEvent("disposition.refused", data)]


def _no_proposal(state: State) -> RefusedError:
    return RefusedError(
        "disposition-not-proposed",
        "There is no disposition to decide.",
        why="Nobody has proposed one, or it was decided.",
        next_step=f"Propose one: holdfast disposition propose {state.incident_id} false_positive --reason …",
    )
