"""GitHub's audit log of an organisation or enterprise: REST API, export as JSON, and streaming.

Rules:
1. ``@timestamp`` is when it happened, ``created_at`` when GitHub wrote it down; alone, the latter is the time.
2. The log tells what was performed, so an entry is a success, unless its action, its HTTP status or its conclusion
   says otherwise.
3. ``operation_type`` tells reading from writing; without it only Git transfers and downloads are told apart.
4. A deploy key acts under the login ``deploy_key``: it is known by its fingerprint, or else by its repository.
5. ``hashed_token`` is the credential, unless the act itself made the token. What is done to a token names it by
   ``token_id``: that is the target, not the credential.

Not handled here: the organisation's CSV export, which lacks times and addresses of many events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.investigation.readers._fields import address, compact, first, instant, record_of, rest, text, told, when
from holdfast.investigation.readers._github import kind_of, only, owner_of, run_session
from holdfast.investigation.reading import Fields, Proof, Reader

_ABOUT = (
    "org", "org_id", "business", "business_id", "repo", "repository", "repo_id", "actor_id", "_document_id",
)  # fmt: skip
_SIGN_IN = frozenset({
    "user.login", "user.failed_login", "org.sso_response", "business.sso_response", "org.sso_completed",
})  # fmt: skip
_FAILED = frozenset({"user.failed_login", "user.two_factor_challenge_failure"})
_TRANSFERS = {"git.clone": "read", "git.fetch": "read", "git.push": "write", "repo.download_zip": "read"}
_ISSUING = frozenset({
    "personal_access_token.create", "personal_access_token.access_granted", "personal_access_token.request_created",
    "personal_access_token.credential_regenerated", "oauth_access.create", "oauth_access.regenerate",
    "oauth_authorization.create", "public_key.create", "integration.generate_client_secret",
    "org_credential_authorization.grant", "repo.configure_self_hosted_jit_runner", "ssh_certificate_authority.create",
})  # fmt: skip
_OF_PEOPLE = frozenset({"org", "team", "business", "enterprise", "organization_moderators", "user"})
_BAD_ENDS = frozenset({"failure", "cancelled", "timed_out", "startup_failure"})
_USED = frozenset({
    "@timestamp", "at_sign_timestamp", "created_at", "_document_id", "action", "actor", "actor_ip", "user_agent",
    "org", "repo", "operation_type",
})  # fmt: skip


def _recognises(record: Any) -> bool:  # noqa: ANN401 -- parsed JSON
    if not isinstance(record, Mapping) or isinstance(record.get("actor"), Mapping):
        return False
    action = record.get("action")
    if not isinstance(action, str) or not 0 < action.find(".") < len(action) - 1 or " " in action:
        return False
    dated = any(key in record for key in ("@timestamp", "created_at", "at_sign_timestamp", "_document_id"))
    return dated and any(key in record for key in _ABOUT)


def _fields(record: Any) -> Fields:  # noqa: ANN401 -- parsed JSON
    event = record_of(record)
    action = told(event.get("action")) or ""
    happened = first(event.get("@timestamp"), event.get("at_sign_timestamp"))
    repo = only(event.get("repo")) or only(event.get("repository"))
    return {
        "time_us": when(happened, event.get("created_at")),
        "delivered_us": instant(event.get("created_at")) if happened else None,
        "account_uid": only(event.get("org")) or only(event.get("business")) or owner_of(repo),
        "service": action.partition(".")[0] or None,
        "operation": action or None,
        "event_class": _class(action),
        "access": _access(action, event),
        **_outcome(action, event),
        **_actor(action, event, repo),
        **_credential(action, event),
        **_session(action, event, repo),
        **_target(action, event, repo),
        "src_ip": address(event.get("actor_ip")),
        "user_agent": told(event.get("user_agent")),
        "detail": rest(event, _USED),
        "event_uid": told(event.get("_document_id")),
    }


def _class(action: str) -> str:
    service = action.partition(".")[0]
    if action in _SIGN_IN:
        return "signin"
    if service in ("workflows", "checks"):
        return "job"
    return "data" if service in ("git", "api") or action == "repo.download_zip" else "management"


def _access(action: str, event: Mapping[str, Any]) -> str | None:
    kind = told(event.get("operation_type"))
    if kind in ("create", "modify", "remove", "restore", "transfer"):
        return "write"
    return "read" if kind == "access" else _TRANSFERS.get(action)


def _outcome(action: str, event: Mapping[str, Any]) -> Fields:
    conclusion, code = told(event.get("conclusion")), text(event.get("status_code"))
    if conclusion in _BAD_ENDS:
        return {"status": "failure", "error": conclusion}
    if code is not None and code.isdecimal() and int(code[:3]) >= 400:  # noqa: PLR2004 -- HTTP
        return {"status": "failure", "error": code}
    if action in _FAILED:
        return {"status": "failure", "error": first(event.get("failure_reason"), event.get("reason"), action)}
    return {"status": "success"}


def _actor(action: str, event: Mapping[str, Any], repo: str | None) -> Fields:
    login = told(event.get("actor"))
    key = told(event.get("deploy_key_fingerprint")) if action.startswith("git.") else None
    if key or login == "deploy_key":
        return {"actor_type": "deploy_key", "actor_uid": f"deploy_key:{key or repo or 'unknown'}", "actor_name": login}
    by_app = (told(event.get("programmatic_access_type")) or "").startswith(
        ("GitHub App server-to-server", "GITHUB_TOKEN")
    )
    bot = by_app or event.get("actor_is_bot") is True
    kind = "ci_token" if bot and login else kind_of(login)
    return {"actor_type": kind, "actor_uid": login, "actor_name": told(event.get("external_identity_username"))}


def _credential(action: str, event: Mapping[str, Any]) -> Fields:
    hashed, number = told(event.get("hashed_token")), told(event.get("token_id"))
    token = hashed or (f"token:{number}" if number else None)
    if action not in _ISSUING:
        if action.startswith("personal_access_token.") and not told(event.get("programmatic_access_type")):
            return {}
        return {"credential_uid": token or (told(event.get("fingerprint")) if action.startswith("git.") else None)}
    made = first(event.get("user_programmatic_access_id"), event.get("fingerprint"), event.get("credential_id"))
    if told(event.get("programmatic_access_type")):
        return {"credential_uid": token, "issued_credential_uid": made or told(event.get("key"))}
    return {"issued_credential_uid": token or made or told(event.get("key"))}


def _session(action: str, event: Mapping[str, Any], repo: str | None) -> Fields:
    run = run_session(repo, event.get("workflow_run_id"), event.get("run_attempt"))
    if run is None or not action.startswith("workflows."):
        return {"session_uid": run}
    return {"issued_session_uid": run} if action == "workflows.created_workflow_run" else {"session_uid": run}


def _target(action: str, event: Mapping[str, Any], repo: str | None) -> Fields:
    person, team = told(event.get("user")), told(event.get("team"))
    if action.startswith("personal_access_token.") and action not in _ISSUING:
        number, access = told(event.get("token_id")), told(event.get("user_programmatic_access_id"))
        if number or access:
            return {"target_uid": f"token:{number}" if number else access, "target_type": "token"}
    if person and (action.partition(".")[0] in _OF_PEOPLE or "member" in action):
        return {"target_uid": person, "target_type": "user"}
    if repo:
        return {"target_uid": repo, "target_type": "repo", "request": _asked(event)}
    if team:
        return {"target_uid": team, "target_type": "team"}
    org = only(event.get("org"))
    return {"target_uid": org, "target_type": "organisation" if org else None, "request": _asked(event)}


def _asked(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the act was asked to do, as far as events of this log share names for it."""
    names = ("name", "key", "environment_name", "visibility", "previous_visibility", "permission", "old_permission",
             "config", "config_was", "events", "branch", "ruleset_name", "hook_id", "head_sha", "workflow_id", "event",
             "secrets_passed", "head_branch")  # fmt: skip
    return compact({name: event.get(name) for name in names})


READER = Reader(
    key="github.audit",
    title="GitHub organisation and enterprise audit log",
    framing="json",
    proof=Proof(
        "vendor_schema",
        "https://docs.github.com/en/rest/orgs/orgs#get-the-audit-log-for-an-organization (schema audit-log-event)",
    ),
    recognises=_recognises,
    fields=_fields,
    event_classes=("management", "data", "signin", "job"),
)
