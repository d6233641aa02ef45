"""Event types of command (R1, F1), handover, roles (R1 to R5) and countersignatures."""

from __future__ import annotations

from typing import Any

from holdfast.kernel.events import EventType

_WORDS = {"commitment": "1c" * 32, "sealed": "0198c0de-0000-7000-8000-000000000002"}
_DUAL = {"dual_hat_reason": "why the commander is also technical lead in a SEV-1, sealed, or null"}


def _command(name: str, sentence: str, fields: dict[str, str], example: dict[str, Any]) -> EventType:
    return EventType(
        name=name,
        sentence=sentence,
        fields=fields,
        facet="command",
        runbook=("R1", "F1"),
        kind="decision",
        example=example,
    )


COMMAND: tuple[EventType, ...] = (
    _command(
        "acting.began",
        '{account} acts as commander until somebody says "I command"',
        {"account": "who acts"},
        {"account": "asmith"},
    ),
    _command(
        "command.assumed",
        "{actor} said: I command",
        {"account": "who commands", "previous": "who acted until now, or null"} | _DUAL,
        {"account": "asmith", "previous": "asmith", "dual_hat_reason": None},
    ),
    _command(
        "command.claimed",
        "{actor} claimed the vacant command",
        {"account": "who commands"} | _DUAL,
        {"account": "bjones", "dual_hat_reason": None},
    ),
    _command(
        "command.vacated",
        "{account} gave up command and nobody holds it: {reason}",
        {"account": "who commanded", "reason": "why, sealed"},
        {"account": "asmith", "reason": _WORDS},
    ),
    _command(
        "command.overridden",
        "{actor} took command from {previous}: {reason}",
        {"account": "who commands", "previous": "who commanded", "reason": "why, sealed"} | _DUAL,
        {"account": "cdiaz", "previous": "asmith", "reason": _WORDS, "dual_hat_reason": None},
    ),
    _command(
        "commander.challenged",
        "{actor} asked whether {account} still commands; an answer is due by {answer_by}",
        {"account": "the commander", "reason": "why, sealed, or null", "answer_by": "end of the time-out"},
        {"account": "asmith", "reason": None, "answer_by": "2026-11-23T03:30:00.000Z"},
    ),
    _command(
        "commander.answered",
        "{actor} answered the challenge and commands",
        {"account": "the commander"},
        {"account": "asmith"},
    ),
    _command(
        "commander.relieved",
        "{actor} relieved {previous}, who did not answer, and commands: {reason}",
        {
            "account": "who commands now",
            "previous": "who was relieved",
            "reason": "why, sealed",
            "challenge": "sequence number of the challenge",
        }
        | _DUAL,
        {"account": "bjones", "previous": "asmith", "reason": _WORDS, "challenge": 12, "dual_hat_reason": None},
    ),
    _command(
        "handover.proposed",
        "{actor} proposed to hand command to {to}",
        {"to": "who is asked", "brief": "the generated brief, sealed", "note": "a word with it, sealed, or null"},
        {"to": "bjones", "brief": _WORDS, "note": None},
    ),
    _command(
        "handover.accepted",
        "{actor} read the brief and took command from {previous}",
        {
            "account": "who commands now",
            "previous": "who commanded, or nobody",
            "proposed": "sequence number of the proposal",
        }
        | _DUAL,
        {"account": "bjones", "previous": "asmith", "proposed": 40, "dual_hat_reason": None},
    ),
    _command(
        "handover.declined",
        "{actor} declined command: {reason}",
        {"to": "who was asked", "reason": "why, sealed"},
        {"to": "bjones", "reason": _WORDS},
    ),
    _command(
        "handover.withdrawn",
        "{actor} withdrew the handover to {to}",
        {"to": "who had been asked"},
        {"to": "bjones"},
    ),
)

ADVICE = EventType(
    name="advice.logged",
    sentence="{actor} advised and did not take command: {advice}",
    fields={"advice": "the words, sealed"},
    runbook=("R1", "R5"),
    kind="message",
    example={"advice": _WORDS},
)

ROLE_ASSIGNED = EventType(
    name="role.assigned",
    sentence="{actor} made {account} {role}",
    fields={
        "role": "technical_lead, communications_lead, evidence_owner or business_owner",
        "account": "who holds it now",
        "previous": "who held it, or null",
    }
    | _DUAL,
    facet="role:{role}",
    runbook=("R2", "R3", "R4", "R5"),
    kind="decision",
    example={"role": "technical_lead", "account": "bjones", "previous": None, "dual_hat_reason": None},
)

ROLE_RELEASED = EventType(
    name="role.released",
    sentence="{account} is no longer {role}",
    fields={"role": "role that is unfilled now", "account": "who held it", "reason": "why, sealed, or null"},
    facet="role:{role}",
    runbook=("R2", "R3", "R4", "R5"),
    kind="decision",
    example={"role": "evidence_owner", "account": "bjones", "reason": None},
)

COUNTERSIGNED = EventType(
    name="countersignature.given",
    sentence="{actor} countersigned entry {of} ({what}), which {by} had approved alone",
    fields={
        "of": "sequence number of the event",
        "what": "its type",
        "by": "who acted alone",
        "note": "a word with it, sealed, or null",
    },
    facet="countersignature:{of}",
    runbook=("R1", "R5"),
    kind="decision",
    example={"of": 51, "what": "gate.waived", "by": "asmith", "note": None},
)

NOTICE_GIVEN = EventType(
    name="notice.given",
    sentence="{account} was told: {what}",
    fields={"account": "who must know", "what": "key of what they must know"},
    runbook=("R1",),
    kind="message",
    example={"account": "asmith", "what": "relieved_of_command"},
)

TYPES: tuple[EventType, ...] = (*COMMAND, ADVICE, ROLE_ASSIGNED, ROLE_RELEASED, COUNTERSIGNED, NOTICE_GIVEN)
