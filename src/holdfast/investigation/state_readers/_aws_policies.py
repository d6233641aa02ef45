"""AWS policy documents as rows: statements become grants, trust policies become edges.

Rules (grammar of the IAM JSON policy language):
1. Each action and each resource of a statement is a grant of its own; NotAction and NotResource become a negated
   pattern (``!one two``), which :mod:`holdfast.investigation.policies` understands.
2. A principal with ``sts:AssumeRole*`` in a trust policy may become the role: an edge, with the statement's condition.
3. A Deny in a trust policy, NotPrincipal, and whatever has another shape are told as gaps, never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from holdfast.investigation.access_levels import aws_level
from holdfast.investigation.state_readers._rows import Rows, as_text, listed, mappings, table, words

_ACCOUNT = re.compile(r"^(?:arn:[^:]*:iam::)?(\d{12})(?::root)?$")


def account_of(arn: object) -> str | None:
    """Account number within an ARN."""
    parts = arn.split(":") if isinstance(arn, str) else []
    return parts[4] or None if len(parts) > 5 and parts[0] == "arn" else None  # noqa: PLR2004 - six parts in an ARN


def document(value: object) -> Mapping[str, Any] | None:
    """A policy document given as a mapping, JSON text, or URL-encoded JSON text (RFC 3986, as IAM answers)."""
    if isinstance(value, str):
        try:
            value = orjson.loads(_unquoted(value) if value.lstrip().startswith(("%7B", "%7b")) else value)
        except orjson.JSONDecodeError:
            return None
    return value if isinstance(value, Mapping) else None


def _unquoted(text: str) -> bytes:
    """Percent-encoding undone (RFC 3986)."""
    parts = re.split("%([0-9A-Fa-f]{2})", text)
    return b"".join(
        bytes.fromhex(part) if number % 2 else part.encode("utf-8", "surrogatepass")
        for number, part in enumerate(parts)
    )


def add_grants(rows: Rows, holder: str, via: str, policy: object, *, boundary: bool = False) -> None:
    """Grants of an identity's policy."""
    for statement in _statements(rows, via, policy):
        _grant(rows, holder, via, statement, boundary=boundary)


def add_resource_grants(rows: Rows, resource: str, policy: object) -> None:
    """Grants of a resource's own policy: whoever it names is the holder."""
    via = f"resource-policy {resource}"
    for statement in _statements(rows, via, policy):
        if "NotPrincipal" in statement:
            rows.gap("policy", resource, "NotPrincipal: whom it means is not worked out")
        for kind, principal in _principals(statement):
            holder = _account_or_self(principal) if kind == "AWS" else principal
            _grant(rows, holder, via, statement, boundary=False)
            if statement.get("Effect") == "Allow":
                _exposed(rows, kind, holder, resource, statement)


def add_trust(rows: Rows, role: str, policy: object) -> None:
    """Edges of a role's trust policy."""
    for statement in _statements(rows, role, policy):
        if statement.get("Effect") != "Allow":
            rows.gap("policy", role, "the trust policy denies somebody: edges do not show it")
            continue
        if "NotPrincipal" in statement:
            rows.gap("policy", role, "NotPrincipal in the trust policy: whom it means is not worked out")
        actions = " ".join(words(statement.get("Action"))).lower()
        if "assumerole" not in actions and "*" not in actions:
            continue
        for kind, principal in _principals(statement):
            _trust(rows, role, kind, principal, table(statement.get("Condition")))


def _statements(rows: Rows, uid: str, policy: object) -> list[Mapping[str, Any]]:
    found = document(policy)
    if found is None:
        rows.gap("policy", uid, "the policy document is not JSON, so nothing of it is known")
        return []
    statements = listed(found.get("Statement"))
    kept = [one for one in statements if isinstance(one, Mapping) and one.get("Effect") in ("Allow", "Deny")]
    if len(kept) < len(statements) or not statements:
        rows.gap("policy", uid, "a statement without Allow or Deny, or no statement at all")
    return kept


def _grant(rows: Rows, holder: str, via: str, statement: Mapping[str, Any], *, boundary: bool) -> None:
    actions = _patterns(statement, "Action")
    resources = _patterns(statement, "Resource") or (["*"] if via.startswith("resource-policy") else [])
    if not actions or not resources:
        rows.gap("policy", via, "a statement without Action or Resource")
    condition = as_text(statement.get("Condition") or None)
    for action in actions:
        service, _, name = action.partition(":")
        for resource in resources:
            rows.grant(
                holder_uid=holder,
                effect=str(statement["Effect"]).lower(),
                service=service.lower() if name and not action.startswith("!") else "*",
                action=action,
                resource=resource,
                access_level=aws_level(action),
                via=via,
                condition=condition,
                boundary=boundary,
            )
            if "${" in resource:
                rows.gap("policy_variable", via, f"{resource}: known only at the time of a call")


def _patterns(statement: Mapping[str, Any], key: str) -> list[str]:
    if f"Not{key}" in statement:
        return ["!" + " ".join(sorted(words(statement[f"Not{key}"])))]
    return words(statement.get(key))


def _principals(statement: Mapping[str, Any]) -> list[tuple[str, str]]:
    principal = statement.get("Principal")
    if principal == "*":
        return [("AWS", "*")]
    return [(str(kind), one) for kind, named in table(principal).items() for one in words(named)]


def _account_or_self(principal: str) -> str:
    found = _ACCOUNT.match(principal)
    return found.group(1) if found else principal


def _trust(rows: Rows, role: str, kind: str, principal: str, condition: Mapping[str, Any]) -> None:
    end = (role, "role")
    if kind == "Federated":
        _federated(rows, role, principal, condition)
    elif kind == "Service":
        rows.edge((principal, "service"), "assumes", end, condition or None)
    elif kind == "AWS":
        uid = _account_or_self(principal)
        rows.edge((uid, _principal_type(uid)), "assumes", end, condition or None)
    else:
        rows.gap("policy", role, f"a principal of the kind {kind}: not worked out")


def _principal_type(uid: str) -> str:
    if uid == "*":
        return "anyone"
    if uid.isdigit():
        return "account"
    name = uid.rpartition(":")[2].partition("/")[0]
    return {"user": "user", "role": "role", "assumed-role": "session", "federated-user": "session"}.get(
        name, "principal"
    )


def _federated(rows: Rows, role: str, provider: str, condition: Mapping[str, Any]) -> None:
    """Each subject that the condition names is an edge of its own; without one, every subject of the issuer."""
    issuer = provider.partition("oidc-provider/")[2] or provider
    saml = ":saml-provider/" in provider
    subjects = _subjects(condition)
    kind = "saml_provider" if saml else "oidc_subject"
    rows.edge((provider, "issuer"), "trusts_issuer", (role, "role"), condition or None)
    if saml:
        rows.edge((provider, kind), "assumes", (role, "role"), condition or None)
        return
    if not subjects:
        rows.gap("condition", role, f"any subject of {issuer} may become it: the trust names no subject")
    for subject in subjects or ["*"]:
        rows.edge((f"{issuer}|{subject}", kind), "assumes", (role, "role"), condition or None)


def _subjects(condition: Mapping[str, Any]) -> list[str]:
    return [
        subject
        for operator, tests in condition.items()
        if operator.lower().rpartition(":")[2].startswith(("stringequals", "stringlike"))
        for key, named in table(tests).items()
        if key.lower().endswith(":sub")
        for subject in words(named)
    ]


def _exposed(rows: Rows, kind: str, holder: str, resource: str, statement: Mapping[str, Any]) -> None:
    if kind == "Service":
        return
    public = holder == "*"
    foreign = rows.account is not None and (account_of(holder) or (holder if holder.isdigit() else None)) not in (
        None,
        rows.account,
    )
    if public or foreign:
        rows.item(resource, "resource", open_to={"principal": holder, "condition": statement.get("Condition")})
    rows.edge((holder, _principal_type(holder)), "may_use", (resource, "resource"), statement.get("Condition"))


def tags_of(value: object) -> Mapping[str, str]:
    """Tags as a mapping, from the list of Key and Value that AWS answers."""
    return {str(tag.get("Key")): str(tag.get("Value")) for tag in mappings(value)}
