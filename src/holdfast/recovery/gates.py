"""How the closure gates X1 to X8 stand, and the deciders that prove, waive and reopen them.

A gate is *waived* while a waiver stands; *proven* while a person's proof stands and nothing is missing;
*not required* (X8 below SEV-2); else *open*, and then ``missing`` says what is missing, one sentence each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from holdfast.kernel.citations import Citation, citations_json
from holdfast.kernel.errors import BadInputError, ForbiddenError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.texts import Sealed
from holdfast.recovery.catalogue import Gate, gate_definition, gate_definitions, prompts, revalidation_parts
from holdfast.recovery.state import ESCALATIONS, GateMark, State

Standing = Literal["proven", "waived", "open", "not_required"]
_REVIEWED = ("SEV-1", "SEV-2")


@dataclass(frozen=True, slots=True)
class GateView:
    """How one gate stands."""

    id: str
    name: str
    needs: str
    counts: str
    standing: Standing
    missing: tuple[str, ...]
    """What keeps it open, as sentences; empty unless it is open."""
    who: tuple[str, ...]
    """Incident roles that can supply it."""
    next_command: str
    mark: GateMark | None = None
    """The proof or waiver on record, with who gave it."""
    late: bool = False
    """X8: the review was, or now is, past its due time."""

    @property
    def passes(self) -> bool:
        """Whether it lets the incident pass."""
        return self.standing != "open"


def review_required(peak: str | None) -> bool:
    """Whether X8 applies: SEV-1 and SEV-2 by peak; an incident never rated counts as high."""
    return peak is None or peak in _REVIEWED


def gates(
    state: State, *, peak: str | None, review_due: datetime | None = None, now: datetime | None = None
) -> list[GateView]:
    """The eight gates, in order.

    Args:
        state: recovery as recorded.
        peak: worst severity so far, or ``None``.
        review_due: when the review is due, once recovery is verified.
        now: to tell whether an unfinished review is late; not needed otherwise.
    """
    return [_view(gate, state, peak, _late(state, review_due, now)) for gate in gate_definitions()]


def _late(state: State, review_due: datetime | None, now: datetime | None) -> bool:
    if state.review.completed_at is not None:
        return state.review.late
    return review_due is not None and now is not None and now > review_due


def _view(gate: Gate, state: State, peak: str | None, late: bool) -> GateView:  # noqa: FBT001 - one private caller
    mark = state.gates.get(gate.id)
    lacking = requirements(state, gate.id)
    standing: Standing = "open"
    command = gate.command
    if mark is not None and mark.standing == "waived":
        standing = "waived"
    elif gate.id == "X8" and not review_required(peak):
        standing = "not_required"
    elif mark is not None and not lacking:
        standing = "proven"
    if standing == "open" and not lacking:
        lacking = ("Nothing else is missing: prove the gate, citing what shows it.",)
        command = f"holdfast closure prove INC {gate.id} STATEMENT --cites ev-1"
    elif standing == "open" and gate.id == "X2" and state.path_closed is not None:
        command = "holdfast path verify INC STATEMENT --cites ev-1"
    return GateView(
        id=gate.id,
        name=gate.name,
        needs=gate.needs,
        counts=gate.counts,
        standing=standing,
        missing=lacking if standing == "open" else (),
        who=gate.who,
        next_command=command,
        mark=mark,
        late=late if gate.id == "X8" else False,
    )


def requirements(state: State, gate: str) -> tuple[str, ...]:
    """What a gate needs and the record does not hold yet, as sentences; empty when it can be proven."""
    return tuple(_REQUIREMENTS[gate](state))


def _cause(state: State) -> list[str]:
    if state.cause is None:
        return ["The root cause is neither identified nor recorded as unknown."]
    return []


def _path(state: State) -> list[str]:
    if state.path_closed is None:
        return ["Nobody has recorded that the attack path is closed.", "Nobody has verified that it is closed."]
    if state.path_verified is None:
        return ["Nobody has verified that the attack path is closed."]
    return []


def _credentials(state: State) -> list[str]:
    if not state.credentials and state.no_credentials is None:
        return ["No affected credential is listed, and nobody recorded that none was affected."]
    return [
        f"{one.id} is neither rotated, revoked nor recorded as not needed."
        for one in state.credentials.values()
        if one.outcome is None
    ]


def _revalidation(state: State) -> list[str]:
    found = []
    for part in revalidation_parts():
        settled = state.revalidated.get(part.key)
        if settled is None or settled.standing == "open":
            found.append(f"{part.name} are not revalidated.")
        elif settled.standing in ("unknown", "unreachable"):
            # Unknown is never clean (rule 3): only the business owner can accept it, by a waiver.
            found.append(f"{part.name} are {settled.standing}, which does not show that they are sound.")
    return found


def _monitoring(state: State) -> list[str]:
    return [] if state.indicators else ["Nothing watches for a recurrence yet."]


def _notifications(state: State) -> list[str]:
    found = []
    for kind in ESCALATIONS:
        escalation = state.escalations[kind]
        if escalation.decision == "undecided":
            found.append(f"The {kind} escalation is undecided.")
        found.extend(f"{one.id} ({kind}) has no receipt." for one in escalation.owed)
    return found


def _actions(state: State) -> list[str]:
    kept = [action for action in state.actions.values() if action.standing != "dropped"]
    if not kept and state.no_actions is None:
        return ["No corrective action is assigned, and nobody recorded why none is needed."]
    return []


def _review(state: State) -> list[str]:
    if state.review.completed_at is not None:
        return []
    if state.review.started_at is None:
        return ["The post-incident review is not started."]
    unanswered = [prompt.id for prompt in prompts() if prompt.id not in state.review.answers]
    if unanswered:
        return [f"The review has no answer to {', '.join(unanswered)}."]
    return ["The review is answered and not completed."]


_REQUIREMENTS: Mapping[str, Callable[[State], list[str]]] = {
    "X1": _cause,
    "X2": _path,
    "X3": _credentials,
    "X4": _revalidation,
    "X5": _monitoring,
    "X6": _notifications,
    "X7": _actions,
    "X8": _review,
}


def prove(state: State, gate: str, statement: Sealed, citations: Iterable[Citation]) -> list[NewEvent]:
    """Put a name under a gate whose needs are met.

    Raises:
        RefusedError: something is missing.
        BadInputError: nothing is cited, or no such gate.
    """
    definition = gate_definition(gate)
    lacking = requirements(state, gate)
    if lacking:
        raise RefusedError(
            "gate-not-provable",
            f"{gate} ({definition.name.lower()}) is not proven.",
            why=" ".join(lacking),
            next_step=f"Supply it: {definition.command}",
            details={"missing": list(lacking), "who": list(definition.who)},
        )
    cited = citations_json(citations)
    if not cited:
        raise BadInputError(
            "gate-needs-citation",
            f"{gate} is not proven.",
            why="The proof of a gate cites evidence (ev-3) or an entry of the record (#17).",
            next_step=f"Cite it: holdfast closure prove INC {gate} STATEMENT --cites ev-3",
        )
    return [NewEvent("gate.proven", {"gate": gate, "statement": statement.as_json(), "citations": cited})]


def waive(gate: str, reason: Sealed, *, is_business_owner: bool, acting_alone: bool) -> list[NewEvent]:
    """Let a gate pass without proof, which only the business owner may.

    Raises:
        ForbiddenError: somebody else tries.
    """
    definition = gate_definition(gate)
    if not is_business_owner:
        raise ForbiddenError(
            "waiver-not-permitted",
            f"{gate} ({definition.name.lower()}) is not waived.",
            why="A gate is waived by the business owner, who answers for the risk.",
            next_step="Ask the business owner, or have the role filled: holdfast role assign INC --help",
        )
    return [NewEvent("gate.waived", {"gate": gate, "reason": reason.as_json(), "acting_alone": acting_alone})]


def reopen(state: State, gate: str, reason: Sealed) -> list[NewEvent]:
    """Take back a proof or waiver that is in doubt.

    Raises:
        RefusedError: the gate is neither proven nor waived.
    """
    definition = gate_definition(gate)
    if gate not in state.gates:
        raise RefusedError(
            "gate-not-passed",
            f"{gate} ({definition.name.lower()}) is open already.",
            why="It is neither proven nor waived.",
            next_step=f"Supply what it needs: {definition.command}",
        )
    return [NewEvent("gate.reopened", {"gate": gate, "reason": reason.as_json()})]
