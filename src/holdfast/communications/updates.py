"""Deciders of the updates: drafting, revising, approving an exact text, and recording that it was sent.

The hash that an approval is bound to is the sealed text's commitment. It binds as a digest does, and unlike a
plain digest it still tells nothing after the words were erased. Every revision has a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from holdfast.communications.claims import claim_named
from holdfast.communications.state import Audience, State, Update
from holdfast.communications.wording import Finding, blocking
from holdfast.kernel.errors import BadInputError, ConflictError, NotFoundError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import Sealed

_ANY_LEAD = frozenset({"commander", "communications_lead", "business_owner"})
_COMMANDER = frozenset({"commander"})
_BUSINESS_OWNER = frozenset({"business_owner"})
_HIGH = ("SEV-1", "SEV-2")


@dataclass(frozen=True, slots=True)
class Content:
    """What a draft or a revision holds."""

    text: Sealed
    claims: tuple[str, ...]
    next_update_at: datetime | None


@dataclass(frozen=True, slots=True)
class Situation:
    """What the rest of the incident says that decides here."""

    peak: str | None
    """Worst severity so far; unknown counts as high."""
    cadence_over: bool
    """Recovery is verified or the incident is closed: a last update may promise nothing."""
    holders: Mapping[str, str]
    """Incident role to account, for the roles that are held."""
    now: datetime


def update_named(state: State, update_id: str) -> Update:
    """The update.

    Raises:
        NotFoundError: there is none of that id.
    """
    update = state.updates.get(update_id)
    if update is None:
        raise NotFoundError(
            "update-not-found",
            f"There is no {update_id} in this incident.",
            why=f"The record holds {len(state.updates)} updates, numbered from update-1.",
            next_step="Draft one: holdfast update draft INC responders",
        )
    return update


def draft(state: State, audience: Audience, content: Content, situation: Situation) -> list[NewEvent]:
    """A new draft.

    Raises:
        RefusedError: it rests on a claim this audience may not be told, or promises nothing.
        BadInputError: the promised time has passed, or a text for customers names no claim.
    """
    _check_claims(state, audience, content.claims)
    _check_promise(content.next_update_at, situation)
    data = {"update_id": f"update-{len(state.updates) + 1}", "audience": audience} | _content(content)
    return [NewEvent("update.drafted", data)]


def revise(state: State, update_id: str, content: Content, situation: Situation) -> list[NewEvent]:
    """A new text for an update that is not sent; voids its approvals. Raises as :func:`draft`."""
    update = _unsent(state, update_id)
    _check_claims(state, update.audience, content.claims)
    _check_promise(content.next_update_at, situation)
    return [NewEvent("update.revised", {"update_id": update_id} | _content(content))]


def required(audience: Audience, peak: str | None) -> tuple[frozenset[str], ...]:
    """The approvals a text needs: one from each group of roles.

    Outward text at SEV-1 and SEV-2 needs the commander (are these the facts?) and the business owner (do we
    say this?); anything else needs one of the people who answer for communication.
    """
    if audience != "responders" and (peak is None or peak in _HIGH):
        return (_COMMANDER, _BUSINESS_OWNER)
    return (_ANY_LEAD,)


def open_groups(update: Update, peak: str | None) -> tuple[frozenset[str], ...]:
    """The groups of roles whose approval of the present text is missing."""
    given = {role for approval in update.approvals if approval.text_hash == update.text_hash for role in approval.roles}
    return tuple(group for group in required(update.audience, peak) if not group & given)


def is_approved(update: Update, peak: str | None) -> bool:
    """Whether the present text has every approval it needs."""
    return update.refusal is None and not open_groups(update, peak)


def approve(
    state: State, update_id: str, text_hash: str, *, by: str, situation: Situation, findings: Sequence[Finding]
) -> list[NewEvent]:
    """Approve exactly the present text.

    ``text_hash`` is the hash the approver saw, or its first eight or more digits. An author approves only where
    nobody else can, and one person for two only where they hold both roles: both say *acting alone*.

    Raises:
        ConflictError: the text has changed since.
        RefusedError: a blocking finding, an unconfirmed claim, the author's own text, or a role that is not needed.
    """
    update = _unsent(state, update_id)
    if not update.text_hash.startswith(text_hash):
        raise ConflictError(
            "update-text-changed",
            f"{update_id} was not approved: it is no longer the text you read.",
            why=f"You approved {text_hash[:12]}…, and the text is now {update.text_hash[:12]}….",
            next_step="Read the present text, then approve that.",
        )
    if update.refusal is not None:
        raise _refused(update_id, f"{update.refusal.by} refused this text.", "Revise it first, then approve.")
    _check_claims(state, update.audience, update.claims)
    _check_findings(update_id, findings)
    mine = tuple(
        group
        for group in open_groups(update, situation.peak)
        if any(situation.holders.get(role) == by for role in group)
    )
    if not mine:
        raise _refused(update_id, _who_is_missing(update, situation), "Ask them, or look who holds which role.")
    others = {situation.holders[role] for group in mine for role in group if role in situation.holders} - {by}
    if by == update.author and others:
        raise _refused(
            update_id,
            "Whoever wrote a text does not approve it while somebody else can.",
            f"Ask {' or '.join(sorted(others))} to read and approve it.",
        )
    roles = sorted({role for group in mine for role in group if situation.holders.get(role) == by})
    earlier = {approval.by for approval in update.approvals}
    data = {
        "update_id": update_id,
        "text_hash": update.text_hash,
        "roles": roles,
        "acting_alone": by == update.author or len(mine) > 1 or by in earlier,
    }
    return [NewEvent("update.approved", data)]


def refuse(state: State, update_id: str, reason: Sealed) -> list[NewEvent]:
    """Refuse the present text; it needs a revision before anybody can approve it."""
    update = _unsent(state, update_id)
    data = {"update_id": update_id, "text_hash": update.text_hash, "reason": reason.as_json()}
    return [NewEvent("update.approval_refused", data)]


def missing(state: State, update: Update, situation: Situation) -> tuple[str, ...]:
    """What keeps the update from being sent, as sentences; empty when it can go."""
    found: list[str] = []
    if update.sent_at is not None:
        found.append("It has been sent.")
    if update.refusal is not None:
        found.append(f"{update.refusal.by} refused this text: it needs a revision.")
    elif not is_approved(update, situation.peak):
        found.append(_who_is_missing(update, situation))
    found.extend(_claim_faults(state, update.audience, update.claims))
    if update.next_update_at is None:
        if not situation.cadence_over:
            found.append("It promises no next update, and recovery is not verified yet.")
    elif update.next_update_at <= situation.now:
        found.append("The next update it promises would be overdue already.")
    return tuple(found)


def send(
    state: State, update_id: str, where: Sealed, *, situation: Situation, findings: Sequence[Finding] = ()
) -> list[NewEvent]:
    """Record that a person sent the approved text by hand.

    Raises:
        RefusedError: naming everything that is missing.
    """
    update = _unsent(state, update_id)
    faults = missing(state, update, situation)
    if faults:
        raise RefusedError(
            "update-not-ready",
            f"{update_id} may not be sent.",
            why=" ".join(faults),
            next_step=f"Settle that; to change the text: holdfast update revise INC {update_id} --text TEXT",
        )
    _check_findings(update_id, findings)
    data = {
        "update_id": update_id,
        "audience": update.audience,
        "text_hash": update.text_hash,
        "channel": "manual",
        "where": where.as_json(),
        "claims": list(update.claims),
        "next_update_at": None if update.next_update_at is None else format_instant(update.next_update_at),
    }
    return [NewEvent("update.sent", data)]


def withhold(name: Sealed) -> list[NewEvent]:
    """Keep a name out of outward text."""
    return [NewEvent("name.withheld", {"name": name.as_json()})]


def _content(content: Content) -> dict[str, object]:
    return {
        "text": content.text.as_json(),
        "claims": list(content.claims),
        "next_update_at": None if content.next_update_at is None else format_instant(content.next_update_at),
    }


def _unsent(state: State, update_id: str) -> Update:
    update = update_named(state, update_id)
    if update.sent_at is not None:
        raise RefusedError(
            "update-sent",
            f"{update_id} stays as it is.",
            why="It has been sent, and what was sent does not change.",
            next_step=f"Draft the next one: holdfast update draft INC {update.audience}",
        )
    return update


def _claim_faults(state: State, audience: Audience, claims: Iterable[str]) -> list[str]:
    faults: list[str] = []
    named = list(claims)
    if audience == "customers" and not named:
        faults.append("A text for customers names the confirmed claims it rests on, and this one names none.")
    for claim_id in named:
        standing = claim_named(state, claim_id).standing
        allowed = ("fact", "hypothesis") if audience == "responders" else ("fact",)
        if standing not in allowed:
            faults.append(f"It rests on {claim_id}, which stands as {standing}.")
    return faults


def _check_claims(state: State, audience: Audience, claims: Iterable[str]) -> None:
    faults = _claim_faults(state, audience, claims)
    if faults:
        raise RefusedError(
            "update-rests-on-unconfirmed",
            f"The update for {audience} is not accepted.",
            why=" ".join(faults),
            next_step="Confirm the claim by its proof, or drop it: holdfast claim confirm INC claim-1 --cites ev-1",
        )


def _check_promise(next_update_at: datetime | None, situation: Situation) -> None:
    if next_update_at is None and not situation.cadence_over:
        raise RefusedError(
            "update-promises-nothing",
            "The update is not accepted.",
            why="Every update promises the next one, until recovery is verified.",
            next_step="Say when the next one comes: --next-update-at 2026-11-23T04:00:00Z",
        )
    if next_update_at is not None and next_update_at <= situation.now:
        raise BadInputError(
            "update-promise-passed",
            "The update is not accepted.",
            why="The time it promises for the next update has passed.",
            next_step="Give a later time: --next-update-at 2026-11-23T04:00:00Z",
        )


def _check_findings(update_id: str, findings: Sequence[Finding]) -> None:
    blocks = blocking(findings)
    if blocks:
        raise RefusedError(
            "update-wording-blocked",
            f"{update_id} is not accepted: its wording is blocked.",
            why=" ".join(finding.why for finding in blocks),
            next_step=f"Revise it: holdfast update revise INC {update_id} --text TEXT",
            details={"findings": [finding.as_json() for finding in findings]},
        )


def _who_is_missing(update: Update, situation: Situation) -> str:
    sentences = []
    for group in open_groups(update, situation.peak):
        roles = " or ".join(sorted(role.replace("_", " ") for role in group))
        holders = sorted({situation.holders[role] for role in group if role in situation.holders})
        sentences.append(f"It needs the approval of the {roles} ({' or '.join(holders) or 'nobody holds that role'}).")
    return " ".join(sentences) or "It has every approval it needs."


def _refused(update_id: str, why: str, next_step: str) -> RefusedError:
    return RefusedError("update-not-approved", f"{update_id} was not approved.", why=why, next_step=next_step)
