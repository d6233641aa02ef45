"""Effective permission: whether a holder may do an action to a resource, by the grants that were captured.

Rules (the evaluation logic of the AWS IAM user guide; Kubernetes and CI grants use its first and last rule only):
1. Nothing allowed is denied; an explicit deny wins over every allow.
2. Limits intersect: a permissions boundary, every organisation policy's level and a session policy must each allow.
3. A resource's own policy allows too, in the same account; from another account both sides must allow.
4. A condition is not judged here: an allow or a deny that hangs on one makes the answer "conditional", and names it.
5. A pattern in the question ("every object of the bucket") is denied only where a deny covers all of it, and is
   conditional where a deny covers a part, or the allow only a part.

Patterns are ``*`` and ``?``; actions are compared without regard to case, resources with it. A pattern that starts
with ``!`` is the negation of NotAction or NotResource: everything but the patterns after it, parted by spaces.

Not handled here: KMS keys whose policy was not captured, VPC endpoint policies, and resource-control policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

Verdict = Literal["allowed", "conditional", "denied", "cannot_tell"]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it may, and which grants decided."""

    verdict: Verdict
    why: str
    deciding: tuple[Row, ...] = ()
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holder:
    """Who asks, and which further identities' grants are its own."""

    uid: str
    account: str | None = None
    also: frozenset[str] = frozenset()
    """Its groups, and the principals of resource policies that mean it."""


@dataclass(frozen=True, slots=True)
class Question:
    """An action on a resource; both may be patterns."""

    action: str
    resource: str
    resource_account: str | None = None
    """Account that owns the resource; none means the holder's own."""


def _negated(pattern: str) -> tuple[str, ...] | None:
    return tuple(pattern[1:].split()) if pattern.startswith("!") else None


@lru_cache(maxsize=100_000)
def matches(pattern: str, text: str) -> bool:
    """Whether the whole text is one the pattern means; both as they are (fold the case of actions before)."""
    without = _negated(pattern)
    if without is not None:
        return not any(matches(one, text) for one in without)
    return _glob(pattern, text, wild=False)


@lru_cache(maxsize=100_000)
def covers(wide: str, narrow: str) -> bool:
    """Whether everything the narrow pattern means is meant by the wide one; false when not sure."""
    if wide in ("*", narrow):
        return True
    excluded = _negated(wide)
    within = _negated(narrow)
    if within is not None:
        return excluded is not None and all(any(covers(one, other) for one in within) for other in excluded)
    if excluded is not None:
        return not any(overlaps(one, narrow) for one in excluded)
    return _glob(wide, narrow, wild=True)


@lru_cache(maxsize=100_000)
def overlaps(one: str, other: str) -> bool:
    """Whether something is meant by both patterns; true when not sure."""
    for left, right in ((one, other), (other, one)):
        excluded = _negated(left)
        if excluded is not None:
            return _negated(right) is not None or not any(covers(pattern, right) for pattern in excluded)
    return _meet(one, other)


def _glob(pattern: str, text: str, *, wild: bool) -> bool:
    """Classic two-pointer match. With ``wild``, the text is a pattern too: its ``*`` is met by ``*`` only."""
    at = spot = 0
    star, mark = -1, 0
    while spot < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, mark = at, spot
            at += 1
        elif at < len(pattern) and _one(pattern[at], text[spot], wild=wild):
            at += 1
            spot += 1
        elif star >= 0:
            at, mark = star + 1, mark + 1
            spot = mark
        else:
            return False
    return all(character == "*" for character in pattern[at:])


def _one(pattern: str, character: str, *, wild: bool) -> bool:
    if wild and character == "*":
        return False
    return pattern in ("?", character)


def _meet(one: str, other: str) -> bool:
    """Whether two glob patterns share a text: positions reached in ``other`` for each prefix of ``one``."""
    reached = _slide({0}, other)
    for character in one:
        if character == "*":
            reached = set(range(min(reached), len(other) + 1)) if reached else reached
        else:
            stepped = {at for at in reached if at < len(other) and other[at] == "*"}
            stepped |= {
                at + 1
                for at in reached
                if at < len(other) and other[at] != "*" and (character in ("?", other[at]) or other[at] == "?")
            }
            reached = _slide(stepped, other)
        if not reached:
            return False
    return len(other) in reached


def _slide(reached: set[int], other: str) -> set[int]:
    """Also the positions behind stars, which may mean nothing at all."""
    result = set(reached)
    for at in sorted(reached):
        spot = at
        while spot < len(other) and other[spot] == "*":
            spot += 1
            result.add(spot)
    return result


def may(holder: Holder, question: Question, grants: Iterable[Row], session: Sequence[Row] | None = None) -> Decision:
    """Whether the holder may, by rows of the grants table.

    Args:
        holder: who asks.
        question: what.
        grants: rows of ``grants``: the holder's own, those of ``holder.also``, boundaries and resource policies. A
            resource policy's ``via`` starts with ``resource-policy``, an organisation's with ``organisation-policy``.
        session: grants of a session policy, which limits; none means there is none.
    """
    touching = [(grant, full) for grant in grants if (full := _touch(holder, question, grant)) is not None]
    fence = [(grant, full) for grant in session or () if (full := _reach(holder, question, grant)) is not None]
    denies = [(grant, full) for grant, full in (*touching, *fence) if grant["effect"] == "deny"]
    hard = [grant for grant, full in denies if full and grant.get("condition") is None and not _loose(grant)]
    if hard:
        return Decision("denied", f"{_name(hard[0])} denies it", tuple(hard))
    own = [(grant, full) for grant, full in touching if grant["effect"] == "allow" and not grant.get("boundary")]
    answer = _sides(holder, question, own)
    if answer.verdict in ("denied", "cannot_tell"):
        return answer
    limits = [*_limits(holder, grants), *([("session policy", list(session))] if session is not None else [])]
    for name, rows in limits:
        answer = _within(
            answer, name, [(row, full) for row in rows if (full := _reach(holder, question, row)) is not None]
        )
        if answer.verdict == "denied":
            return answer
    return _but(answer, [grant for grant, _ in denies])


def _touch(holder: Holder, question: Question, grant: Row) -> bool | None:
    """Whether the grant is the holder's and meets the question: all of it, a part, or none of it."""
    return _reach(holder, question, grant) if _is_of(holder, grant) else None


def _reach(holder: Holder, question: Question, grant: Row) -> bool | None:
    action, resource = grant["action"].lower(), _filled(grant["resource"], holder)
    asked = question.action.lower()
    if not (overlaps(action, asked) and overlaps(resource, question.resource)):
        return None
    return covers(action, asked) and covers(resource, question.resource)


def _is_of(holder: Holder, grant: Row) -> bool:
    uid = grant["holder_uid"]
    if uid == holder.uid or uid in holder.also:
        return True
    via = str(grant.get("via") or "")
    if via.startswith("organisation-policy"):
        return True
    return via.startswith("resource-policy") and uid in ("*", holder.account)


def _limits(holder: Holder, grants: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    """Boundaries by where they come from: within one the allows add up, across them they intersect."""
    found: dict[str, list[Row]] = {}
    for grant in grants:
        if grant.get("boundary") and _is_of(holder, grant):
            found.setdefault(str(grant.get("via") or "boundary"), []).append(grant)
    return sorted(found.items())


def _sides(holder: Holder, question: Question, own: list[tuple[Row, bool]]) -> Decision:
    """Rule 3: identity and resource side."""
    identity = [pair for pair in own if not _of_resource(pair[0])]
    resource = [pair for pair in own if _of_resource(pair[0])]
    foreign = question.resource_account is not None and question.resource_account != holder.account
    if not foreign:
        # Naming the whole account in a resource policy delegates to that account's own policies.
        return _best([*identity, *(pair for pair in resource if pair[0]["holder_uid"] != holder.account)])
    if not identity:
        return Decision("denied", "nothing in its own account allows it")
    if not resource:
        return Decision("cannot_tell", "it is another account's, whose policy was not captured", (identity[0][0],))
    return _both(_best(identity), _best(resource))


def _of_resource(grant: Row) -> bool:
    return str(grant.get("via") or "").startswith("resource-policy")


def _best(allows: list[tuple[Row, bool]]) -> Decision:
    if not allows:
        return Decision("denied", "nothing allows it")
    free = [(grant, full) for grant, full in allows if grant.get("condition") is None and not _loose(grant)]
    whole = tuple(grant for grant, full in free if full)
    if whole:
        return Decision("allowed", f"{_name(whole[0])} allows it", whole)
    kept = tuple(grant for grant, _ in free or allows)
    if free:
        only = tuple(f"only {grant['action']} on {grant['resource']}" for grant in kept)
        return Decision("conditional", f"{_name(kept[0])} allows a part of it", kept, only)
    return Decision("conditional", f"{_name(kept[0])} allows it on a condition", kept, _conditions(kept))


def _both(one: Decision, other: Decision) -> Decision:
    if "denied" in (one.verdict, other.verdict):
        return one if one.verdict == "denied" else other
    verdict: Verdict = "conditional" if "conditional" in (one.verdict, other.verdict) else "allowed"
    return Decision(
        verdict, f"{one.why}; {other.why}", (*one.deciding, *other.deciding), (*one.conditions, *other.conditions)
    )


def _within(answer: Decision, name: str, rows: list[tuple[Row, bool]]) -> Decision:
    """Rule 2: a limit must allow it as well."""
    allows = [(grant, full) for grant, full in rows if grant["effect"] == "allow"]
    if name.startswith("organisation-policy?"):
        # Where it is attached was not captured, so it may or may not limit this holder.
        if _best(allows).verdict == "allowed":
            return answer
        said = f"{name.removeprefix('organisation-policy? ')} may limit it: where it is attached was not captured"
        return _both(answer, Decision("conditional", said, (), (said,)))
    inner = _best(allows)
    if inner.verdict == "denied":
        return Decision("denied", f"{name} does not allow it")
    return _both(answer, inner)


def _but(answer: Decision, denies: list[Row]) -> Decision:
    """Rules 4 and 5: denies that hang on a condition or cover a part."""
    if not denies:
        return answer
    said = tuple(
        f"unless {grant['condition']}"
        if grant.get("condition")
        else f"except {grant['resource']} for {grant['action']}"
        for grant in denies
    )
    why = f"{answer.why}; {_name(denies[0])} denies a part of it or on a condition"
    return Decision("conditional", why, (*answer.deciding, *denies), (*answer.conditions, *said))


def _filled(resource: str, holder: Holder) -> str:
    """The policy variables that a captured identity answers; any other stands for any text."""
    if "${" not in resource:
        return resource
    kind, _, name = holder.uid.rpartition(":")[2].partition("/")
    if kind == "user":
        resource = resource.replace("${aws:username}", name.rpartition("/")[2])
    if holder.account:
        resource = resource.replace("${aws:PrincipalAccount}", holder.account)
    while "${" in resource:
        before, _, rest = resource.partition("${")
        resource = f"{before}*{rest.partition('}')[2]}"
    return resource


def _loose(grant: Row) -> bool:
    """Whether its resource hangs on a variable that is known only at the time of the call."""
    text = str(grant["resource"]).replace("${aws:username}", "").replace("${aws:PrincipalAccount}", "")
    return "${" in text


def _conditions(grants: Iterable[Row]) -> tuple[str, ...]:
    return tuple(str(grant.get("condition") or f"variable in {grant['resource']}") for grant in grants)


def _name(grant: Row) -> str:
    return str(grant.get("via") or grant["holder_uid"])
