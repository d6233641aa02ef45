"""Containment passes: leave to change a frozen scope, signed, short-lived and counted (F4).

Rules:
1. A pass opens its scope and everything below it, never anything wider.
2. It opens it to whom it was issued, until its expiry (excluded), its last use or its revocation.
3. It opens only freezes of the incident that issued it, and every use is recorded before the answer is given.
4. Nothing in a token is believed before its signature is verified; whether it is used up or revoked only the
   record knows.

Who asks is what the pipeline says of itself: the name guards against mistakes, the signature against forgery.
Not handled here: the signature itself, which the application's signer makes and checks.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from holdfast.incidents.board import shipped_board
from holdfast.incidents.freezing import PassAnswer, is_scope, lies_within, standing_freezes, stops
from holdfast.incidents.state_board import BoardState, Pass
from holdfast.kernel.canonical import canonical
from holdfast.kernel.errors import BadInputError, NotFoundError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.instants import format_instant, parse_instant
from holdfast.kernel.texts import Sealed

PASS_PURPOSE = "holdfast containment pass"  # noqa: S105  # names what is signed; not a credential
PASS_VERSION = 1
MAX_TOKEN = 4096
"""Characters: a pass takes some 600; more is refused before it is parsed."""
MAX_USES = 100


@dataclass(frozen=True, slots=True)
class PassToken:
    """A pass token taken apart; nothing in it is proven until its signature is."""

    payload: Mapping[str, Any]
    body: bytes
    """RFC 8785 bytes of the payload: what the signature is over."""
    signature: bytes


def issue_pass(  # noqa: PLR0913  # a pass is these six things; bundling them would only rename them
    state: BoardState,
    scope: str,
    issued_to: str,
    expires_at: datetime,
    *,
    max_uses: int,
    reason: Sealed,
    now: datetime,
) -> list[NewEvent]:
    """Give leave to change a frozen scope for containment.

    Raises:
        BadInputError: bad scope, more than 100 uses or none, or an expiry that is past or over four hours ahead.
        RefusedError: nothing in force stops that scope, so a pass would only be lying about.
    """
    if not is_scope(scope) or not 1 <= max_uses <= MAX_USES:
        raise BadInputError(
            "pass-invalid",
            "No pass was issued.",
            why=f"It needs a scope such as prod/payments and 1 to {MAX_USES} uses.",
            next_step="Correct the scope or the number of uses.",
        )
    longest = shipped_board().limits.containment_pass
    if not now < expires_at <= now + longest:
        raise BadInputError(
            "pass-expiry-invalid",
            "No pass was issued.",
            why=f"A pass must end within {_hours(longest.total_seconds())} from now.",
            next_step=f"Choose an expiry until {format_instant(now + longest)}.",
        )
    if not any(stops(freeze, scope) for freeze in standing_freezes(state, now)):
        raise RefusedError(
            "pass-nothing-frozen",
            "No pass was issued.",
            why=f"No freeze in force stops a change to {scope}.",
            next_step=f"Just make the change, or check the scope: holdfast gate --scope {scope}",
        )
    data = {
        "pass_id": f"pass-{len(state.passes) + 1}",
        "scope": scope,
        "issued_to": issued_to,
        "expires_at": format_instant(expires_at),
        "max_uses": max_uses,
        "reason": reason.as_json(),
    }
    return [NewEvent("pass.issued", data)]


def revoke_pass(state: BoardState, pass_id: str, reason: Sealed) -> list[NewEvent]:
    """Take a pass back.

    Raises:
        NotFoundError: there is no such pass.
        RefusedError: it is revoked already.
    """
    known = pass_named(state, pass_id)
    if known.revoked_at is not None:
        raise RefusedError(
            "pass-revoked",
            f"{known.id} is revoked already.",
            why=f"That was at {format_instant(known.revoked_at)}.",
            next_step="Nothing is left to do.",
        )
    return [NewEvent("pass.revoked", {"pass_id": known.id, "reason": reason.as_json()})]


def use_pass(state: BoardState, pass_id: str, scope: str, asker: str, now: datetime) -> list[NewEvent]:
    """Record one use, deciding again on the newest state, so that two pipelines cannot share a last use.

    Raises:
        NotFoundError: there is no such pass.
        RefusedError: it does not open the scope to this asker now (``pass-refused``).
    """
    known = pass_named(state, pass_id)
    answer = check_known(known, scope, asker, now)
    if not answer.opens:
        raise RefusedError(
            "pass-refused",
            f"{known.id} does not open {scope[:60]!r}.",
            why=answer.why[:1].upper() + answer.why[1:] + ".",
            next_step="Ask the commander for a pass that does: holdfast freeze pass --help",
        )
    return [NewEvent("pass.used", {"pass_id": known.id, "scope": scope, "pipeline": asker})]


def pass_payload(incident_id: str, known: Pass) -> dict[str, Any]:
    """What is signed: enough to refuse it offline; whether it is used up or revoked only the record knows.

    A restricted incident's id carries no number, and the pass is handed only to who carries out its containment.
    """
    return {
        "expires_at": format_instant(known.expires_at),
        "incident": incident_id,
        "issued_at": format_instant(known.issued_at),
        "issued_to": known.issued_to,
        "max_uses": known.max_uses,
        "pass_id": known.id,
        "purpose": PASS_PURPOSE,
        "scope": known.scope,
        "version": PASS_VERSION,
    }


def check_pass(
    payload: Mapping[str, Any], scope: str, now: datetime, used: int, *, revoked: bool, asker: str = ""
) -> PassAnswer:
    """Whether a pass whose signature was verified opens ``scope`` to ``asker`` at ``now`` (rule 5).

    ``used`` (uses so far) and ``revoked`` come from the record. A payload of another shape opens nothing.
    """
    try:
        known = _pass_from(payload)
    except (KeyError, TypeError, ValueError, BadInputError):
        return PassAnswer(opens=False, pass_id="", why="the pass cannot be read")
    return check_known(replace(known, used=used, revoked_at=now if revoked else None), scope, asker, now)


def check_known(known: Pass, scope: str, asker: str, now: datetime) -> PassAnswer:
    """Like :func:`check_pass`, for the pass as the record holds it."""
    if known.revoked_at is not None:
        why = "the pass is revoked"
    elif now < known.issued_at:
        why = "the pass is not valid yet"
    elif now >= known.expires_at:
        why = "the pass has expired"
    elif known.used >= known.max_uses:
        why = "the pass is used up"
    elif not is_scope(scope) or not lies_within(scope, known.scope):
        why = "the pass is for another scope"
    elif not fnmatchcase(asker, known.issued_to):
        why = "the pass was issued to somebody else"
    else:
        why = ""
    return PassAnswer(opens=not why, pass_id=known.id, why=why)


def pass_token(payload: Mapping[str, Any], signature: bytes) -> str:
    """``body.signature``: canonical JSON and the signature over it, both base64url without padding."""
    return f"{_unpadded(canonical(payload))}.{_unpadded(signature)}"


def read_token(token: str) -> PassToken:
    """Take a token apart, proving nothing: verify ``signature`` over ``body`` before believing ``payload``.

    Raises:
        BadInputError: not a token of this form (``pass-unreadable``).
    """
    try:
        return _taken_apart(token)
    except (ValueError, RecursionError, BadInputError):
        raise BadInputError(
            "pass-unreadable",
            "The containment pass cannot be read.",
            why="It is cut off, altered, or something else.",
            next_step="Copy the whole pass again, or ask for a new one.",
        ) from None


def pass_named(state: BoardState, pass_id: str) -> Pass:
    """The pass of that id.

    Raises:
        NotFoundError: there is none (``pass-not-found``).
    """
    known = state.passes.get(pass_id)
    if known is None:
        raise NotFoundError(
            "pass-not-found",
            f"There is no pass {pass_id[:20]!r}.",
            why="This incident has not issued it.",
            next_step="Look at the freeze on the incident's board.",
        )
    return known


def _pass_from(payload: Mapping[str, Any]) -> Pass:
    if payload["purpose"] != PASS_PURPOSE or payload["version"] != PASS_VERSION:
        raise ValueError
    texts = {name: payload[name] for name in ("pass_id", "scope", "issued_to", "issued_at", "expires_at")}
    if not all(isinstance(text, str) for text in texts.values()) or not isinstance(payload["max_uses"], int):
        raise TypeError
    return Pass(
        id=texts["pass_id"],
        scope=texts["scope"],
        issued_to=texts["issued_to"],
        by="",
        issued_at=parse_instant(texts["issued_at"]),
        expires_at=parse_instant(texts["expires_at"]),
        max_uses=payload["max_uses"],
    )


def _unpadded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def _content(text: bytes) -> bytes:
    try:
        content = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError from None
    if _unpadded(content).encode() != text:
        msg = "not the one spelling of its bytes"
        raise ValueError(msg)
    return content


def _hours(seconds: float) -> str:
    return f"{int(seconds // 3600)} hours"


def _taken_apart(token: str) -> PassToken:
    if len(token) > MAX_TOKEN:
        msg = "too long"
        raise ValueError(msg)
    body, _, signature = token.strip().encode("ascii").partition(b".")
    content = _content(body)
    payload = json.loads(content)
    proof = _content(signature)
    # One payload has one spelling: a token that differs anywhere is another token.
    if not isinstance(payload, dict) or not proof or canonical(payload) != content:
        msg = "not a pass"
        raise ValueError(msg)
    return PassToken(payload, content, proof)
