"""Accounts, organisation roles, qualifications, one-time links, tokens, the signing key."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from holdfast.app.authorisation import SCOPES, within_reach
from holdfast.app.commanding import AccountName, use_case
from holdfast.app.installation_work import InstallationCommand, InstallationWork
from holdfast.kernel.errors import BadInputError, ForbiddenError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.instants import format_instant

OrganisationRole = Literal["administrator", "responder", "observer", "auditor"]
IncidentRole = Literal["commander", "technical_lead", "communications_lead", "evidence_owner", "business_owner"]
TokenScope = Literal["all", "read", "gate"]
TokenId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 ._-]{1,60}$")]

INVITATION_LASTS = timedelta(hours=24)


class AddAccount(InstallationCommand):
    """Add an account and print its one-time sign-in link."""

    account: AccountName = Field(description="account name: lower case letters, digits, dot, dash")
    kind: Literal["person", "service"] = Field(default="person", description="person, or service for pipelines")
    roles: list[OrganisationRole] = Field(default=["responder"], min_length=1, description="organisation roles")
    qualified: list[IncidentRole] = Field(default=[], description="incident roles the person is qualified for")


class AccountRole(InstallationCommand):
    """Grant an organisation role."""

    account: AccountName = Field(description="whose")
    role: OrganisationRole = Field(description="organisation role")


class RevokeAccountRole(AccountRole):
    """Revoke an organisation role."""


class QualifyAccount(InstallationCommand):
    """Qualify a person for an incident role."""

    account: AccountName = Field(description="whose")
    role: IncidentRole = Field(description="incident role")


class DisqualifyAccount(QualifyAccount):
    """Withdraw a qualification."""


class NamedAccount(InstallationCommand):
    """Deactivate an account: its sessions and tokens end at once."""

    account: AccountName = Field(description="whose")


class ReactivateAccount(NamedAccount):
    """Reactivate an account."""


class InviteAccount(NamedAccount):
    """Print a new one-time sign-in link, for a new device or a lost one."""


class IssueToken(InstallationCommand):
    """Issue an API token for yourself; it is shown once."""

    label: Label = Field(description="what it is for")
    scopes: list[TokenScope] = Field(
        default=["all"], min_length=1, description="all, read, or gate (freeze questions only)"
    )
    days: int = Field(default=90, ge=1, le=365, description="days until it lapses")


class IssueServiceToken(IssueToken):
    """Issue an API token for a service account; it is shown once."""

    account: AccountName = Field(description="the service account")


class RevokeToken(InstallationCommand):
    """Revoke an API token."""

    token_id: TokenId = Field(description="its id, from: holdfast token list")


class NoteCredential(InstallationCommand):
    """Record that you have enrolled a credential; the pages do this for you."""

    kind: Literal["password", "totp", "passkey"] = Field(description="which kind")


class RemovePasskeys(NamedAccount):
    """Remove every passkey of an account, for a lost device."""


class RotateKey(InstallationCommand):
    """Rotate the key that signs checkpoints and packs; the old public key stays listed."""


@use_case("account add", act="account.manage", positional=("account",))
def add_account(command: AddAccount, ctx: InstallationWork) -> dict[str, Any]:
    """Add an account within the adder's reach."""
    if command.account in ctx.state.accounts:
        raise RefusedError(
            "account-exists",
            f"The account {command.account!r} was not added.",
            why="There is one of that name, active or not; names are never given twice.",
            next_step=f"Choose another name, or: holdfast account reactivate {command.account}",
        )
    for role in command.roles:
        _reach(ctx, role)
    added = {"account": command.account, "kind": command.kind, "roles": sorted(set(command.roles))}
    ctx.emit(NewEvent("account.added", added))
    for qualification in sorted(set(command.qualified)):
        ctx.emit(NewEvent("account.qualified", {"account": command.account, "role": qualification}))
    return {} if command.kind == "service" else _invite(ctx, command.account)


@use_case("account grant", act="account.manage", positional=("account", "role"))
def grant(command: AccountRole, ctx: InstallationWork) -> None:
    """Grant a role."""
    _reach(ctx, command.role)
    if command.role not in ctx.account(command.account).roles:
        ctx.emit(NewEvent("account.role_granted", {"account": command.account, "role": command.role}))


@use_case("account revoke", act="account.manage", positional=("account", "role"))
def revoke(command: RevokeAccountRole, ctx: InstallationWork) -> None:
    """Revoke a role, never the last administrator's."""
    account = ctx.account(command.account)
    _reach(ctx, command.role)
    if command.role == "administrator":
        _keep_one_administrator(ctx, command.account)
    if command.role in account.roles:
        ctx.emit(NewEvent("account.role_revoked", {"account": command.account, "role": command.role}))


@use_case("account qualify", act="account.manage", positional=("account", "role"))
def qualify(command: QualifyAccount, ctx: InstallationWork) -> None:
    """Qualify a person."""
    if command.role not in ctx.account(command.account).qualified:
        ctx.emit(NewEvent("account.qualified", {"account": command.account, "role": command.role}))


@use_case("account disqualify", act="account.manage", positional=("account", "role"))
def disqualify(command: DisqualifyAccount, ctx: InstallationWork) -> None:
    """Withdraw a qualification."""
    if command.role in ctx.account(command.account).qualified:
        ctx.emit(NewEvent("account.disqualified", {"account": command.account, "role": command.role}))


@use_case("account deactivate", act="account.manage", positional=("account",))
def deactivate(command: NamedAccount, ctx: InstallationWork) -> None:
    """Deactivate, never the last administrator."""
    if not ctx.account(command.account).active:
        return
    _keep_one_administrator(ctx, command.account)
    # What takes power away is done before it is recorded: a crash between leaves less power than the record says.
    ctx.tools.credentials.drop_bearers_of(command.account)
    ctx.emit(NewEvent("account.deactivated", {"account": command.account}))


@use_case("account reactivate", act="account.manage", positional=("account",))
def reactivate(command: ReactivateAccount, ctx: InstallationWork) -> None:
    """Reactivate."""
    if not ctx.account(command.account).active:
        ctx.emit(NewEvent("account.reactivated", {"account": command.account}))


@use_case("account invite", act="account.manage", positional=("account",))
def invite(command: InviteAccount, ctx: InstallationWork) -> dict[str, Any]:
    """A new link; an administrator cannot make one for somebody beyond their reach."""
    account = ctx.account(command.account)
    for role in account.roles:
        _reach(ctx, role)
    if command.account == ctx.me and ctx.viewer.actor.authenticated == "token":
        raise ForbiddenError(
            "no-lasting-credential-from-token",
            "No link was made.",
            why="A token of yours could otherwise make you a new password, and outlive its own end.",
            next_step="On the pages: /security; or let another administrator run: holdfast account invite "
            + command.account,
        )
    return _invite(ctx, command.account)


@use_case("token issue", act="token.own", positional=("label",))
def issue_token(command: IssueToken, ctx: InstallationWork) -> dict[str, Any]:
    """A token of one's own, never wider than the session it is made with."""
    return _issue(command, ctx, ctx.me)


@use_case("token issue-service", act="account.manage", positional=("account", "label"))
def issue_service_token(command: IssueServiceToken, ctx: InstallationWork) -> dict[str, Any]:
    """A token for a service account: nobody else's token is ever made for them."""
    if ctx.account(command.account).kind != "service":
        raise BadInputError(
            "not-a-service",
            "No token was issued.",
            why=f"{command.account} is a person; people issue their own tokens.",
            next_step="Let the person run: holdfast token issue LABEL",
        )
    return _issue(command, ctx, command.account)


@use_case("token revoke", act="token.own", positional=("token_id",))
def revoke_token(command: RevokeToken, ctx: InstallationWork) -> None:
    """Revoke one's own token, or any as administrator."""
    token = ctx.state.tokens.get(command.token_id)
    mine = token is not None and (token.account == ctx.me or "administrator" in ctx.viewer.roles)
    if token is None or not mine:
        raise BadInputError(
            "token-unknown",
            "No token was revoked.",
            why="You have no token with that id.",
            next_step="See yours: holdfast token list",
        )
    ctx.tools.credentials.drop_bearer(command.token_id)
    ctx.emit(NewEvent("token.revoked", {"account": token.account, "token_id": command.token_id}))


@use_case("credential note", act="token.own", positional=("kind",))
def note_credential(command: NoteCredential, ctx: InstallationWork) -> None:
    """Record an enrolment, only where the credential store really holds one."""
    if ctx.tools.credentials.of(ctx.me, command.kind):
        ctx.emit(NewEvent("credential.enrolled", {"account": ctx.me, "kind": command.kind}))


@use_case("credential remove-passkeys", act="account.manage", positional=("account",))
def remove_passkeys(command: RemovePasskeys, ctx: InstallationWork) -> None:
    """Remove passkeys."""
    removed = ctx.tools.credentials.remove(ctx.account(command.account).name, "passkey")
    if removed or "passkey" in ctx.account(command.account).enrolled:
        ctx.emit(NewEvent("credential.removed", {"account": command.account, "kind": "passkey"}))


@use_case("key rotate", act="key.rotate")
def rotate_key(command: RotateKey, ctx: InstallationWork) -> dict[str, Any]:
    """Rotate: the new key signs from the very checkpoint that records the rotation."""
    del command
    previous, vkey = ctx.tools.rotate_signer()
    ctx.emit(NewEvent("signing_key.rotated", {"previous": previous, "vkey": vkey}))
    return {"vkey": vkey}


def _reach(ctx: InstallationWork, role: str) -> None:
    if not within_reach(ctx.viewer, role):
        raise ForbiddenError(
            "beyond-reach",
            "Nothing was changed.",
            why=f"The role {role} is beyond the reach of yours.",
            next_step="Ask an administrator: holdfast account list",
        )


def _keep_one_administrator(ctx: InstallationWork, leaving: str) -> None:
    others = [a for a in ctx.state.accounts.values() if a.active and "administrator" in a.roles and a.name != leaving]
    if "administrator" in ctx.account(leaving).roles and not others:
        raise RefusedError(
            "last-administrator",
            "Nothing was changed.",
            why=f"{leaving} is the last active administrator.",
            next_step="Grant the role to somebody else first: holdfast account grant NAME administrator",
        )


def _invite(ctx: InstallationWork, account: str) -> dict[str, Any]:
    expires = ctx.now + INVITATION_LASTS
    value, bearer = ctx.new_bearer("invite", account, expires, ("all",), "one-time link")
    ctx.emit(NewEvent("invitation.issued", {"account": account, "expires_at": format_instant(expires)}))
    ctx.after(lambda: ctx.tools.credentials.add_bearer(bearer))
    return {"once": {"invitation": value}}


def _issue(command: IssueToken, ctx: InstallationWork, account: str) -> dict[str, Any]:
    scopes = tuple(scope for scope in SCOPES if scope in command.scopes)
    if "all" in scopes and "all" not in ctx.viewer.scopes:
        raise ForbiddenError(
            "scope-beyond-reach",
            "No token was issued.",
            why="The token you used is not scoped for everything, so it cannot make one that is.",
            next_step="Sign in with your password or passkey and issue it there.",
        )
    expires = ctx.now + timedelta(days=command.days)
    value, bearer = ctx.new_bearer("token", account, expires, scopes, command.label)
    ctx.emit(
        NewEvent(
            "token.issued",
            {
                "account": account,
                "expires_at": format_instant(expires),
                "scopes": list(scopes),
                "token_id": bearer.bearer_id,
            },
        )
    )
    ctx.after(lambda: ctx.tools.credentials.add_bearer(bearer))
    return {"once": {"token": value}, "token_id": bearer.bearer_id}
