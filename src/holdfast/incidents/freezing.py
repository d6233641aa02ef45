"""The freeze on destructive changes (F4), and the gate that pipelines ask.

Rules:
1. A scope is a slash path; a freeze covers its scope and everything below it, by whole segments
   (``prod`` covers ``prod/payments`` and not ``production``).
2. Asking for ``prod`` while only ``prod/payments`` is frozen is frozen too: a change to all of ``prod`` would
   reach the frozen part. Whoever does not touch that part asks for the narrower scope.
3. An exception lies strictly below a scope of its own freeze and frees itself and everything below it, from that
   freeze only; asking for something wider than the exception stays frozen.
4. A freeze is in force from its order until its expiry (that instant excluded) or until it is lifted.
5. A containment pass (:mod:`holdfast.incidents.passes`) opens only freezes of the incident that issued it.
6. A restricted incident is never named: not its id, its freeze, its reason, its people or its times.
7. What cannot be read is *unknown*, never *go*. Among several answers frozen beats unknown, and unknown beats go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from holdfast.incidents.board import shipped_board
from holdfast.incidents.state_board import BoardState, Freeze
from holdfast.kernel.errors import BadInputError, NotFoundError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import Sealed

Verdict = Literal["go", "frozen", "unknown"]
RESTRICTED_WORDS = "frozen by a security incident; ask the security duty officer"
_SCOPE = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
_MAX_SCOPE = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """The incident whose freezes are asked."""

    incident_id: str
    restricted: bool


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What a pipeline is told."""

    verdict: Verdict
    words: str
    """One sentence, safe for anyone to read."""
    incident: str | None = None
    """Id of the incident; never of a restricted one."""
    freeze_id: str | None = None
    reason: Sealed | None = None
    """The reason of the order, for the application to read out; None for a restricted incident."""
    ask: str | None = None
    """Account to ask; None for a restricted incident: the words say whom."""
    until: datetime | None = None
    passed_by: str | None = None
    """Id of the pass that let a frozen change through: its use must be recorded before the answer is given."""


@dataclass(frozen=True, slots=True)
class PassAnswer:
    """Whether a pass opens what is asked."""

    opens: bool
    pass_id: str
    why: str
    """Why not, as a sentence; empty when it opens."""


def is_scope(text: str) -> bool:
    """Whether the text is a slash path of at most 200 characters: lower case, digits, dot, dash, underscore."""
    return len(text) <= _MAX_SCOPE and _SCOPE.fullmatch(text) is not None


def lies_within(scope: str, outer: str) -> bool:
    """Whether ``scope`` is ``outer`` or below it, by whole segments."""
    return scope == outer or scope.startswith(outer + "/")


def in_force(freeze: Freeze, now: datetime) -> bool:
    """Rule 4."""
    return freeze.lifted_at is None and freeze.ordered_at <= now < freeze.expires_at


def standing_freezes(state: BoardState, now: datetime) -> tuple[Freeze, ...]:
    """The freezes in force, oldest first."""
    return tuple(freeze for freeze in state.freezes.values() if in_force(freeze, now))


def stops(freeze: Freeze, scope: str) -> bool:
    """Whether the freeze, when in force, stops a change to ``scope`` (rules 1 to 3)."""
    if any(lies_within(scope, exception) for exception in freeze.exceptions):
        return False
    return any(lies_within(scope, frozen) or lies_within(frozen, scope) for frozen in freeze.scopes)


def gate(
    freezes: Iterable[Freeze], scope: str, now: datetime, origin: Origin, offered: PassAnswer | None = None
) -> GateAnswer:
    """What one incident's freezes say about a change to ``scope``.

    ``offered`` is the answer of ``check_pass`` for a pass of the same incident whose signature was verified.
    Of several freezes that stop the change the one that lasts longest is named.
    """
    if not is_scope(scope):
        return GateAnswer("unknown", f"cannot tell: {scope[:60]!r} is not a scope such as prod/payments")
    stopping = [freeze for freeze in freezes if in_force(freeze, now) and stops(freeze, scope)]
    if not stopping:
        return GateAnswer("go", "not frozen")
    if offered is not None and offered.opens:
        return GateAnswer("go", "frozen, opened by a containment pass", passed_by=offered.pass_id)
    if origin.restricted:
        return GateAnswer("frozen", RESTRICTED_WORDS)
    longest = max(stopping, key=lambda freeze: (freeze.expires_at, -freeze.seq))
    words = f"frozen by {origin.incident_id} until {format_instant(longest.expires_at)}; ask {longest.ask}"
    if offered is not None:
        words += f"; {offered.why}"
    return GateAnswer("frozen", words, origin.incident_id, longest.id, longest.reason, longest.ask, longest.expires_at)


def combined(answers: Iterable[GateAnswer]) -> GateAnswer:
    """One answer for the answers of every open incident (rule 7).

    Of several frozen ones, one that may be named is preferred over a restricted one, then the one that lasts
    longest. A *go* that used a pass is preferred over a plain one, so that the use is recorded.
    """
    order: Mapping[Verdict, int] = {"go": 0, "unknown": 1, "frozen": 2}

    def weight(answer: GateAnswer) -> tuple[int, str, bool]:
        until = "" if answer.until is None else format_instant(answer.until)
        return order[answer.verdict], until, answer.passed_by is not None

    return max(answers, key=weight, default=GateAnswer("go", "not frozen"))


def order(  # noqa: PLR0913  # an order is these six things; bundling them would only rename them
    state: BoardState,
    scopes: Iterable[str],
    exceptions: Iterable[str],
    expires_at: datetime,
    *,
    reason: Sealed,
    ask: str,
    now: datetime,
) -> list[NewEvent]:
    """Order a freeze.

    Raises:
        BadInputError: no scope, an exception outside every scope, or an expiry that is past or too far ahead.
    """
    frozen, free = sorted(set(scopes)), sorted(set(exceptions))
    bad = [scope for scope in (*frozen, *free) if not is_scope(scope)]
    if bad or not frozen:
        raise BadInputError(
            "freeze-scope-invalid",
            "Nothing was frozen.",
            why=f"{bad[0][:60]!r} is not a scope." if bad else "A freeze needs at least one scope.",
            next_step="Write scopes as lower-case slash paths, for example prod or prod/payments.",
        )
    for exception in free:
        if not any(exception != scope and lies_within(exception, scope) for scope in frozen):
            raise BadInputError(
                "freeze-exception-outside",
                "Nothing was frozen.",
                why=f"The exception {exception!r} does not lie below any frozen scope, so it would except nothing "
                "or everything.",
                next_step="Name a narrower path below a frozen scope, or leave the exception out.",
            )
    _check_expiry(expires_at, now)
    data = {
        "freeze_id": f"freeze-{len(state.freezes) + 1}",
        "scopes": frozen,
        "exceptions": free,
        "reason": reason.as_json(),
        "expires_at": format_instant(expires_at),
        "ask": ask,
    }
    return [NewEvent("freeze.ordered", data)]


def extend(state: BoardState, freeze_id: str, expires_at: datetime, reason: Sealed, now: datetime) -> list[NewEvent]:
    """Make a freeze in force last longer; at most seven days ahead of ``now``.

    Raises:
        BadInputError: the expiry is past, too far ahead, or not later than it is.
        RefusedError: the freeze is not in force.
    """
    freeze = _standing(state, freeze_id, now)
    _check_expiry(expires_at, now)
    if expires_at <= freeze.expires_at:
        raise BadInputError(
            "freeze-not-longer",
            f"{freeze.id} was not extended.",
            why=f"It lasts until {format_instant(freeze.expires_at)} already.",
            next_step=f"Name a later time; to end it sooner: holdfast freeze lift INC {freeze.id} --reason …",
        )
    data = {"freeze_id": freeze.id, "expires_at": format_instant(expires_at), "reason": reason.as_json()}
    return [NewEvent("freeze.extended", data)]


def lift(state: BoardState, freeze_id: str, reason: Sealed, now: datetime) -> list[NewEvent]:
    """End a freeze in force.

    Raises:
        RefusedError: it is lifted or has lapsed.
    """
    freeze = _standing(state, freeze_id, now)
    return [NewEvent("freeze.lifted", {"freeze_id": freeze.id, "reason": reason.as_json()})]


def decline(state: BoardState, reason: Sealed, now: datetime) -> list[NewEvent]:
    """Record that no freeze is needed.

    Raises:
        RefusedError: one is in force, which the record would then contradict.
    """
    standing = standing_freezes(state, now)
    if standing:
        raise RefusedError(
            "freeze-in-force",
            "The freeze was not declined.",
            why=f"{standing[0].id} is in force.",
            next_step=f"If it is not needed any more: holdfast freeze lift INC {standing[0].id} --reason …",
        )
    return [NewEvent("freeze.declined", {"reason": reason.as_json()})]


def warn(state: BoardState, now: datetime) -> list[NewEvent]:
    """Warnings due: one for each freeze in force that lapses within a quarter of an hour, once per expiry."""
    return [
        NewEvent("freeze.warned", {"freeze_id": freeze.id, "expires_at": format_instant(freeze.expires_at)})
        for freeze in about_to_lapse(state, now)
        if freeze.warned_for != freeze.expires_at
    ]


def about_to_lapse(state: BoardState, now: datetime) -> tuple[Freeze, ...]:
    """The freezes in force whose end is at most the warning time away, whether warned of or not."""
    ahead = shipped_board().limits.warn
    return tuple(freeze for freeze in standing_freezes(state, now) if freeze.expires_at - now <= ahead)


def warn_at(state: BoardState, now: datetime) -> datetime | None:
    """When the next warning is due (it may be past), or None: what a timer waits for."""
    ahead = shipped_board().limits.warn
    pending = [freeze for freeze in standing_freezes(state, now) if freeze.warned_for != freeze.expires_at]
    return min((freeze.expires_at - ahead for freeze in pending), default=None)


def _standing(state: BoardState, freeze_id: str, now: datetime) -> Freeze:
    freeze = state.freezes.get(freeze_id)
    if freeze is None:
        raise NotFoundError(
            "freeze-not-found",
            f"There is no freeze {freeze_id[:20]!r}.",
            why="This incident has not ordered it.",
            next_step="Look at the freeze on the incident's board.",
        )
    if in_force(freeze, now):
        return freeze
    ended = freeze.lifted_at or freeze.expires_at
    raise RefusedError(
        "freeze-not-in-force",
        f"{freeze.id} is not in force.",
        why=f"It {'was lifted' if freeze.lifted_at else 'lapsed'} at {format_instant(ended)}.",
        next_step="If changes must stop again: holdfast freeze order --help",
    )


def _check_expiry(expires_at: datetime, now: datetime) -> None:
    longest = shipped_board().limits.freeze
    if not now < expires_at <= now + longest:
        raise BadInputError(
            "freeze-expiry-invalid",
            "The freeze was not changed.",
            why=f"A freeze must end after now and within {longest.days} days, so that none is forgotten.",
            next_step=f"Choose an expiry until {format_instant(now + longest)}; it can be extended.",
        )
