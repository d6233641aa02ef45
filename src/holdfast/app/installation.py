"""The installation's own stream: accounts, roles, tokens and keys, as events like any other.

What proves identity (password hashes, TOTP seeds, passkeys) is kept by the credential store; the
stream says that it was enrolled, by whom and when.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from holdfast.kernel.events import Event, EventType

STREAM = "installation"


def _kind(name: str, sentence: str, example: Mapping[str, object], **fields: str) -> EventType:
    return EventType(name, sentence, fields, kind="system", example=example)


TYPES: tuple[EventType, ...] = (
    _kind(
        "account.added",
        "{actor} added the account {account}",
        {"account": "ana", "kind": "person", "roles": ["responder"]},
        account="account name",
        kind="person or service",
        roles="organisation roles from the start",
    ),
    _kind(
        "account.role_granted",
        "{actor} granted {account} the role {role}",
        {"account": "ana", "role": "auditor"},
        account="account name",
        role="organisation role",
    ),
    _kind(
        "account.role_revoked",
        "{actor} revoked the role {role} of {account}",
        {"account": "ana", "role": "auditor"},
        account="account name",
        role="organisation role",
    ),
    _kind(
        "account.qualified",
        "{actor} qualified {account} as {role}",
        {"account": "ana", "role": "commander"},
        account="account name",
        role="incident role",
    ),
    _kind(
        "account.disqualified",
        "{actor} withdrew the qualification of {account} as {role}",
        {"account": "ana", "role": "commander"},
        account="account name",
        role="incident role",
    ),
    _kind(
        "account.deactivated",
        "{actor} deactivated {account}",
        {"account": "ana"},
        account="account name; its sessions and tokens end at once",
    ),
    _kind("account.reactivated", "{actor} reactivated {account}", {"account": "ana"}, account="account name"),
    _kind(
        "credential.enrolled",
        "{actor} enrolled a {kind} for {account}",
        {"account": "ana", "kind": "totp"},
        account="account name",
        kind="password, totp or passkey",
    ),
    _kind(
        "credential.removed",
        "{actor} removed the {kind} of {account}",
        {"account": "ana", "kind": "passkey"},
        account="account name",
        kind="password, totp or passkey",
    ),
    _kind(
        "invitation.issued",
        "{actor} issued a one-time sign-in link for {account}",
        {"account": "ana", "expires_at": "2026-11-24T03:07:00.000Z"},
        account="account name",
        expires_at="when the link lapses",
    ),
    _kind(
        "token.issued",
        "{actor} issued the API token {token_id} for {account}",
        {
            "account": "ana",
            "expires_at": "2027-02-21T03:07:00.000Z",
            "scopes": ["gate"],
            "token_id": "01931c2e-0000-7000-8000-000000000001",
        },
        account="account name",
        expires_at="when it lapses",
        scopes="all, read or gate",
        token_id="id to revoke it by",  # noqa: S106 - a description
    ),
    _kind(
        "token.revoked",
        "{actor} revoked the API token {token_id} of {account}",
        {"account": "ana", "token_id": "01931c2e-0000-7000-8000-000000000001"},
        account="account name",
        token_id="id of the token",  # noqa: S106 - a description
    ),
    _kind(
        "signing_key.rotated",
        "{actor} rotated the signing key; the new one is {vkey}",
        {"previous": "holdfast+1a2b3c4d+AbCd", "vkey": "holdfast+5e6f7a8b+EfGh"},
        previous="verifier key until now",
        vkey="verifier key from now on",
    ),
)


@dataclass(frozen=True, slots=True)
class Account:
    """One account."""

    name: str
    kind: str
    roles: frozenset[str]
    qualified: frozenset[str] = frozenset()
    """Incident roles an administrator has qualified the person for."""
    active: bool = True
    enrolled: frozenset[str] = frozenset()
    """Kinds of credential: password, totp, passkey."""


@dataclass(frozen=True, slots=True)
class Token:
    """An API token as the record knows it."""

    token_id: str
    account: str
    scopes: tuple[str, ...]
    expires_at: str


@dataclass(frozen=True, slots=True)
class InstallationState:
    """Fold of the installation stream."""

    seq: int = -1
    accounts: Mapping[str, Account] = field(default_factory=dict)
    tokens: Mapping[str, Token] = field(default_factory=dict)
    facets: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


def apply(state: InstallationState, event: Event) -> InstallationState:
    """The state after one more event."""
    state = replace(state, seq=event.seq)
    data = event.data
    if event.type == "account.added":
        added = Account(data["account"], data["kind"], frozenset(data["roles"]))
        return replace(state, accounts={**state.accounts, added.name: added})
    if event.type == "token.issued":
        token = Token(data["token_id"], data["account"], tuple(data["scopes"]), data["expires_at"])
        return replace(state, tokens={**state.tokens, token.token_id: token})
    if event.type == "token.revoked":
        return replace(state, tokens={key: kept for key, kept in state.tokens.items() if key != data["token_id"]})
    account = state.accounts.get(data.get("account", ""))
    if account is None:
        return state
    changed = _changed(account, event)
    return replace(state, accounts={**state.accounts, account.name: changed})


def _changed(account: Account, event: Event) -> Account:
    data = event.data
    changes: dict[str, Callable[[], Account]] = {
        "account.role_granted": lambda: replace(account, roles=account.roles | {data["role"]}),
        "account.role_revoked": lambda: replace(account, roles=account.roles - {data["role"]}),
        "account.qualified": lambda: replace(account, qualified=account.qualified | {data["role"]}),
        "account.disqualified": lambda: replace(account, qualified=account.qualified - {data["role"]}),
        "account.deactivated": lambda: replace(account, active=False),
        "account.reactivated": lambda: replace(account, active=True),
        "credential.enrolled": lambda: replace(account, enrolled=account.enrolled | {data["kind"]}),
        "credential.removed": lambda: replace(account, enrolled=account.enrolled - {data["kind"]}),
    }
    change = changes.get(event.type)
    return account if change is None else change()
