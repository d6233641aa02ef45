"""Signing in: password with TOTP, passkey, one-time link, API token; and who a bearer speaks for.

Rules:
1. A wrong account, a wrong password and a wrong code are the same refusal, after the same work.
2. A TOTP time step and a one-time link are good once.
3. A session says how it was authenticated; every event it causes repeats that.
4. Five failures within five minutes make the account wait; the waiting is told, not the reason.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import webauthn
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from holdfast.app.authorisation import Viewer
from holdfast.app.installation import Account
from holdfast.app.installation_work import InstallationTools, bearer_digest, make_bearer
from holdfast.app.ports_identity import Bearer, Credential
from holdfast.app.states import States
from holdfast.kernel.errors import BadInputError, UnauthenticatedError, UnavailableError
from holdfast.kernel.events import Actor

SESSION_LASTS = timedelta(hours=12)
CHALLENGE_LASTS = timedelta(minutes=5)
FAILURES = 5
WITHIN = timedelta(minutes=5)
MIN_PASSWORD = 12
MAX_PASSWORD = 500
TOTP_STEP_S = 30
_UNVERIFIED = (WebAuthnException, ValueError, LookupError, TypeError, AttributeError)
"""What the library raises for an answer that does not verify, or that is no answer of an authenticator at all."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the pages are reached: passkeys are bound to it."""

    host: str
    origin: str


class SigningIn:
    """Verifies proofs and keeps bearers."""

    def __init__(self, tools: InstallationTools, states: States) -> None:
        """Use the installation's credential store and stream."""
        self._tools = tools
        self._states = states
        self._lock = threading.Lock()
        self._failures: dict[str, list[datetime]] = {}
        self._challenges: dict[str, tuple[bytes, datetime]] = {}

    def viewer(self, value: str, *, session: bool) -> tuple[Viewer, Bearer]:
        """Who a session cookie or API token speaks for.

        Raises:
            UnauthenticatedError: unknown, lapsed, of the wrong kind, or its account is not active.
        """
        bearer = self._tools.credentials.bearer(bearer_digest(value))
        if bearer is None or bearer.expires_at <= self._tools.clock() or (bearer.kind == "session") != session:
            raise _sign_in_again()
        if bearer.kind not in ("session", "token"):
            raise _sign_in_again()
        account = self._states.installation().accounts.get(bearer.account)
        if account is None or not account.active:
            raise _sign_in_again()
        return viewer_of(account, bearer.authenticated, frozenset(bearer.scopes)), bearer

    def with_password(self, account_name: str, password: str, code: str) -> str:
        """A new session's value.

        Raises:
            UnauthenticatedError: rule 1.
            UnavailableError: rule 4.
        """
        self._wait_out(account_name)
        credentials = self._tools.credentials
        stored = credentials.of(account_name, "password")
        right = self._tools.guard.password_matches(stored[0].secret if stored else b"", password[:MAX_PASSWORD])
        seeds = credentials.of(account_name, "totp")
        account = self._states.installation().accounts.get(account_name)
        if not right or not seeds or account is None or not account.active or not self._code_matches(seeds[0], code):
            self._failed(account_name)
            raise UnauthenticatedError(
                "sign-in-refused",
                "You are not signed in.",
                why="The account, password and code do not fit together; a code works once.",
                next_step="Wait for the next code and try again, or ask an administrator for a one-time link: "
                "holdfast account invite NAME",
            )
        return self._start_session(account_name, "password+totp")

    def with_link(self, value: str) -> Bearer:
        """Use up a one-time link; the bearer says for whom it was.

        Raises:
            UnauthenticatedError: unknown, used or lapsed.
        """
        bearer = self._tools.credentials.take(bearer_digest(value))
        if bearer is None or bearer.kind != "invite" or bearer.expires_at <= self._tools.clock():
            raise UnauthenticatedError(
                "link-used",
                "This sign-in link does not work.",
                why="A link works once and lapses; this one was used, has lapsed or never existed.",
                next_step="Ask an administrator for a new one, or on the machine itself: holdfast account invite NAME",
            )
        return bearer

    def start_session(self, account: str, authenticated: str) -> str:
        """A session for someone whose proof was just verified."""
        return self._start_session(account, authenticated)

    def end_session(self, bearer: Bearer) -> None:
        """Sign out."""
        self._tools.credentials.drop_bearer(bearer.bearer_id)

    def set_password(self, account: str, password: str) -> None:
        """Keep a password's Argon2id hash.

        Raises:
            BadInputError: shorter than 12 characters.
        """
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise BadInputError(
                "password-length",
                "The password was not set.",
                why=f"It needs {MIN_PASSWORD} to {MAX_PASSWORD} characters (NIST SP 800-63B: length, not symbols).",
                next_step="Choose a longer one, for example five unrelated words.",
            )
        hashed = self._tools.guard.hash_password(password)
        self._tools.credentials.put(Credential(account, "password", "", hashed, 0, ""), self._tools.clock())

    def new_seed(self) -> str:
        """A random TOTP seed to show as text and picture, not yet enrolled."""
        return base64.b32encode(self._tools.randomness(20)).decode()

    def enrol_totp(self, account: str, seed: str, code: str) -> None:
        """Keep a seed once a code proves that the person's device has it.

        Raises:
            BadInputError: the code does not fit the seed.
        """
        try:
            step = self._matching_step(seed, code)
        except ValueError:
            step = None
        if step is None:
            raise BadInputError(
                "totp-code-wrong",
                "The second factor was not enrolled.",
                why="The code does not belong to this seed, or your device's clock is off.",
                next_step="Set the device's time automatically, wait for the next code and type it.",
            )
        sealed = self._tools.guard.seal_seed(seed.encode(), account)
        self._tools.credentials.put(Credential(account, "totp", "", sealed, step, ""), self._tools.clock())

    def passkey_registration(self, account: str, site: Site) -> dict[str, Any]:
        """Options for ``navigator.credentials.create``."""
        known = self._tools.credentials.of(account, "passkey")
        options = webauthn.generate_registration_options(
            rp_id=site.host,
            rp_name="Holdfast",
            user_name=account,
            user_id=account.encode(),
            challenge=self._challenge(f"register:{account}"),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(webauthn.base64url_to_bytes(one.credential_id)) for one in known
            ],
        )
        return dict(json.loads(webauthn.options_to_json(options)))

    def enrol_passkey(self, account: str, answer: Mapping[str, Any], site: Site, label: str) -> None:
        """Verify what the authenticator answered and keep its public key.

        Raises:
            BadInputError: the answer does not verify.
        """
        try:
            verified = webauthn.verify_registration_response(
                credential=dict(answer),
                expected_challenge=self._take_challenge(f"register:{account}"),
                expected_rp_id=site.host,
                expected_origin=site.origin,
                require_user_verification=True,
            )
        except _UNVERIFIED:
            raise BadInputError(
                "passkey-refused",
                "The passkey was not enrolled.",
                why="What the authenticator answered does not verify for this site.",
                next_step="Open the page under its configured address and try again.",
            ) from None
        identifier = webauthn.helpers.bytes_to_base64url(verified.credential_id)
        kept = Credential(
            account, "passkey", identifier, verified.credential_public_key, verified.sign_count, label[:80] or "passkey"
        )
        self._tools.credentials.put(kept, self._tools.clock())

    def passkey_challenge(self, site: Site) -> dict[str, Any]:
        """Options for ``navigator.credentials.get``; no account is named, so none is revealed."""
        nonce = base64.urlsafe_b64encode(self._tools.randomness(12)).decode()
        options = webauthn.generate_authentication_options(
            rp_id=site.host,
            challenge=self._challenge(f"sign-in:{nonce}"),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return {"nonce": nonce, "options": json.loads(webauthn.options_to_json(options))}

    def with_passkey(self, nonce: str, answer: Mapping[str, Any], site: Site) -> str:
        """A new session's value.

        Raises:
            UnauthenticatedError: the answer does not verify.
        """
        known = self._tools.credentials.passkey(str(answer.get("id", "")))
        account = self._states.installation().accounts.get(known.account) if known else None
        if known is None or account is None or not account.active:
            raise _passkey_refused()
        try:
            verified = webauthn.verify_authentication_response(
                credential=dict(answer),
                expected_challenge=self._take_challenge(f"sign-in:{nonce}"),
                expected_rp_id=site.host,
                expected_origin=site.origin,
                credential_public_key=known.secret,
                credential_current_sign_count=known.counter,
                require_user_verification=True,
            )
        except _UNVERIFIED:
            raise _passkey_refused() from None
        if verified.new_sign_count:
            self._tools.credentials.advance(known, verified.new_sign_count)
        return self._start_session(known.account, "passkey")

    def _code_matches(self, seed: Credential, code: str) -> bool:
        opened = self._tools.guard.open_seed(seed.secret, seed.account).decode()
        step = self._matching_step(opened, code)
        return step is not None and self._tools.credentials.advance(seed, step)

    def _matching_step(self, seed: str, code: str) -> int | None:
        """The time step a code belongs to: now, or one before or after (RFC 6238, section 5.2)."""
        totp = pyotp.TOTP(seed, interval=TOTP_STEP_S)
        now = self._tools.clock()
        for drift in (0, -1, 1):
            at = now + timedelta(seconds=drift * TOTP_STEP_S)
            if totp.verify(code.strip().replace(" ", ""), for_time=at):
                return int(at.timestamp()) // TOTP_STEP_S
        return None

    def _start_session(self, account: str, authenticated: str) -> str:
        now = self._tools.clock()
        self._tools.credentials.drop_lapsed(now)
        value, bearer = make_bearer(
            self._tools, "session", account, now=now, expires_at=now + SESSION_LASTS, authenticated=authenticated
        )
        self._tools.credentials.add_bearer(bearer)
        with self._lock:
            self._failures.pop(account, None)
        return value

    def _challenge(self, purpose: str) -> bytes:
        now = self._tools.clock()
        challenge = self._tools.randomness(32)
        with self._lock:
            self._challenges = {key: kept for key, kept in self._challenges.items() if kept[1] > now}
            self._challenges[purpose] = (challenge, now + CHALLENGE_LASTS)
        return challenge

    def _take_challenge(self, purpose: str) -> bytes:
        with self._lock:
            challenge, until = self._challenges.pop(purpose, (b"", datetime.min.replace(tzinfo=UTC)))
        if until <= self._tools.clock():
            msg = "no such challenge"
            raise ValueError(msg)
        return challenge

    def _wait_out(self, account: str) -> None:
        now = self._tools.clock()
        with self._lock:
            recent = [at for at in self._failures.get(account, ()) if at > now - WITHIN]
        if len(recent) >= FAILURES:
            seconds = int((recent[-FAILURES] + WITHIN - now).total_seconds()) + 1
            raise UnavailableError(
                "sign-in-paused",
                "Sign-in is paused for this account.",
                why=f"There were {FAILURES} failed tries within {WITHIN.seconds // 60} minutes.",
                next_step=f"Wait {seconds} s, or use a one-time link: holdfast account invite NAME",
                details={"retry_after_s": seconds},
            )

    def _failed(self, account: str) -> None:
        now = self._tools.clock()
        with self._lock:
            recent = [at for at in self._failures.get(account, ()) if at > now - WITHIN]
            self._failures[account] = [*recent, now][-2 * FAILURES :]
            if len(self._failures) > 10_000:  # noqa: PLR2004 - a flood of invented names must not fill memory
                self._failures = dict(list(self._failures.items())[len(self._failures) // 2 :])


def viewer_of(account: Account, authenticated: str, scopes: frozenset[str] = frozenset({"all"})) -> Viewer:
    """The viewer an account is, proven in this way."""
    kind = "service" if account.kind == "service" else "person"
    return Viewer(account.name, account.roles, Actor(kind, account.name, authenticated), scopes)  # type: ignore[arg-type]  # both literals


def _passkey_refused() -> UnauthenticatedError:
    return UnauthenticatedError(
        "passkey-refused",
        "You are not signed in.",
        why="The passkey is not enrolled here, or its answer does not verify.",
        next_step="Try again, or sign in with password and code.",
    )


def _sign_in_again() -> UnauthenticatedError:
    return UnauthenticatedError(
        "not-signed-in",
        "You are not signed in.",
        why="The session or token is unknown, has lapsed or was ended.",
        next_step="Sign in again, or on the command line: holdfast login",
    )
