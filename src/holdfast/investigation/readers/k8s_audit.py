"""Kubernetes audit events (``audit.k8s.io/v1``) of any server, also as AKS and CloudWatch carry them.

Rules:
1. An act is one event of its final stage (``ResponseComplete``, ``Panic``; ``ResponseStarted`` of requests that still
   run). ``RequestReceived`` is kept under the class "other" and without an outcome: alone, it says that a request came.
2. The operation is the verb and the resource, with its subresource: ``create pods/exec``. Requests for no resource
   have their path instead.
3. Who is impersonated acts; who authenticated stands behind it (``parent_uid``).
4. Service accounts are workloads, ``system:`` names without one are the cluster's own, other users are people unless
   their session is that of a cloud role.
5. ``authentication.kubernetes.io/credential-id`` is the credential; EKS tells the access key and the assumed role, too.
   A token request issues the credential that its annotation names.
6. Content of secrets and tokens is replaced here, wherever the level of the audit policy let it into the log.
7. Only the last of ``sourceIPs`` is beyond the client's reach; the first is where the request says it came from. All
   are in the detail.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.investigation.readers._fields import (
    WITHHELD,
    address,
    dig,
    first,
    instant,
    items,
    mapping,
    record_of,
    rest,
    told,
    when,
)  # fmt: skip
from holdfast.investigation.reading import Fields, Proof, Reader

_AKS = frozenset({"kube-audit", "kube-audit-admin"})
_READS = frozenset({"get", "list", "watch", "head", "options"})
_QUESTIONS = frozenset({
    "selfsubjectaccessreviews", "subjectaccessreviews", "localsubjectaccessreviews", "selfsubjectrulesreviews",
    "tokenreviews", "selfsubjectreviews",
})  # fmt: skip
_ACTING = frozenset({"exec", "attach", "portforward", "proxy"})
_CREDENTIAL = "authentication.kubernetes.io/credential-id"
_ISSUED = "authentication.kubernetes.io/issued-credential-id"
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SECRET_KEYS = frozenset({"data", "stringData", "token", "binaryData"})
_FINAL = ("ResponseComplete", "Panic", "ResponseStarted", None)
_USED = frozenset({
    "kind", "apiVersion", "verb", "objectRef", "requestObject", "responseObject", "requestReceivedTimestamp",
    "userAgent", "metadata", "timestamp",
})  # fmt: skip


def _event(record: Mapping[str, Any]) -> tuple[Mapping[str, Any], str | None]:
    """The audit event, and the cluster where an envelope names it (AKS: ``properties.log`` is the event as text)."""
    if told(record.get("category")) in _AKS:
        where = told(record.get("resourceId")) or told(record.get("resourceid"))
        return mapping(dig(record, "properties", "log")), where
    return record, None


def _recognises(record: Any) -> bool:  # noqa: ANN401 -- parsed JSON
    if not isinstance(record, Mapping):
        return False
    event, _ = _event(record)
    if "involvedObject" in event:
        return False
    if str(event.get("apiVersion")).startswith("audit.k8s.io/") and event.get("kind") in ("Event", None):
        return True
    if "auditID" in event and "stage" in event:
        return True
    told_of = any(key in event for key in ("objectRef", "responseStatus", "requestURI"))
    return event.get("kind") == "Event" and isinstance(event.get("verb"), str) and told_of


def _fields(record: Any) -> Fields:  # noqa: ANN401 -- parsed JSON
    event, cluster = _event(record_of(record))
    target = mapping(event.get("objectRef"))
    verb, stage = told(event.get("verb")), told(event.get("stage"))
    audit = told(event.get("auditID"))
    final = stage in _FINAL
    request, response = _bodies(event, target)
    return {
        "time_us": when(event.get("requestReceivedTimestamp"), event.get("timestamp"), event.get("stageTimestamp")),
        "delivered_us": instant(event.get("stageTimestamp")),
        "account_uid": cluster,
        "service": told(target.get("resource")),
        "operation": _operation(verb, target, event),
        "event_class": _class(verb, target) if final else "other",
        "access": _access(verb, target),
        **(_outcome(event) if final else {}),
        **_actor(event),
        **_target(target),
        "issued_credential_uid": _issued(event, verb, target),
        "src_ip": address(*items(event.get("sourceIPs"))),
        "user_agent": told(event.get("userAgent")),
        "request": request,
        "response": response,
        "detail": rest(event, _USED),
        "event_uid": f"{audit}/{stage}" if audit and stage else audit,
    }


def _operation(verb: str | None, target: Mapping[str, Any], event: Mapping[str, Any]) -> str | None:
    resource, part = told(target.get("resource")), told(target.get("subresource"))
    if resource is None:
        path = (told(event.get("requestURI")) or "").partition("?")[0]
        return f"{verb} {path}" if verb and path else verb
    named = f"{resource}/{part}" if part else resource
    return f"{verb} {named}" if verb else None


def _class(verb: str | None, target: Mapping[str, Any]) -> str:
    return "data" if target.get("resource") in ("secrets", "configmaps") and verb in _READS else "management"


def _access(verb: str | None, target: Mapping[str, Any]) -> str | None:
    if verb is None:
        return None
    if told(target.get("subresource")) in _ACTING:
        return "write"
    return "read" if verb in _READS or told(target.get("resource")) in _QUESTIONS else "write"


def _outcome(event: Mapping[str, Any]) -> Fields:
    status = mapping(event.get("responseStatus"))
    code = told(status.get("code"))
    if event.get("stage") == "Panic":
        return {"status": "failure", "error": "Panic"}
    if code is not None and code.isdecimal():
        if int(code[:3]) < 400:  # noqa: PLR2004 -- HTTP
            return {"status": "success"}
        return {"status": "failure", "error": first(status.get("reason"), code)}
    if dig(event, "annotations", "authorization.k8s.io/decision") == "forbid":
        return {"status": "failure", "error": "Forbidden"}
    return {}


def _actor(event: Mapping[str, Any]) -> Fields:
    user, other = mapping(event.get("user")), mapping(event.get("impersonatedUser"))
    who, acts_as = told(user.get("username")), told(other.get("username"))
    extra = mapping(user.get("extra"))
    role = first(*(arn for arn in items(extra.get("arn")) if ":assumed-role/" in str(arn)))
    credential = first(*items(extra.get(_CREDENTIAL)), *items(extra.get("accessKeyId")))
    canonical = first(*items(extra.get("canonicalArn")), *items(extra.get("arn")))
    if acts_as is not None:
        return {
            "actor_type": _kind(acts_as, None),
            "actor_uid": acts_as,
            "parent_uid": who,
            "session_uid": f"{who} as {acts_as}",
            "credential_uid": credential,
        }
    return {
        "actor_type": _kind(who, role),
        "actor_uid": who,
        "parent_uid": canonical if canonical != who else None,
        "session_uid": role,
        "credential_uid": credential,
    }


def _kind(name: str | None, role: str | None) -> str:
    if name is None:
        return "unknown"
    if name in ("system:anonymous", "system:unauthenticated"):
        return "anonymous"
    if name.startswith("system:serviceaccount:"):
        return "workload"
    if name.startswith(("system:", "aksService", "eks:", "masterclient")):
        return "cloud_service"
    return "unknown" if role is not None else "human"


def _target(target: Mapping[str, Any]) -> Fields:
    """Namespace and name; all of a namespace is ``shop/*``, all of the cluster the resource alone."""
    name, space, kind = told(target.get("name")), told(target.get("namespace")), told(target.get("resource"))
    named = f"{space}/{name or '*'}" if space else name or kind
    return {"target_uid": named, "target_type": kind}


def _issued(event: Mapping[str, Any], verb: str | None, target: Mapping[str, Any]) -> str | None:
    if verb != "create":
        return None
    if target.get("subresource") == "token":
        return told(dig(event, "annotations", _ISSUED))
    lasting = dig(event, "requestObject", "type") == "kubernetes.io/service-account-token"
    if target.get("resource") == "secrets" and lasting:
        name = first(target.get("name"), dig(event, "requestObject", "metadata", "name"))
        return f"secret:{told(target.get('namespace'))}/{name}"
    return None


def _bodies(event: Mapping[str, Any], target: Mapping[str, Any]) -> tuple[Any, Any]:
    asked, answered = event.get("requestObject"), event.get("responseObject")
    secret = target.get("resource") == "secrets"
    token = target.get("subresource") == "token" or target.get("resource") == "tokenreviews"
    if secret or token:
        return _without_secrets(asked), _without_secrets(answered)
    return asked or None, answered or None


def _without_secrets(value: Any, depth: int = 8) -> Any:  # noqa: ANN401 -- an API object
    """The object with the content of secrets and tokens replaced, in lists of objects, too."""
    if depth == 0:
        return WITHHELD
    if isinstance(value, list):
        return [_without_secrets(item, depth - 1) for item in value]
    if not isinstance(value, Mapping):
        return value
    kept: dict[str, Any] = {}
    for key, inner in value.items():
        if key in _SECRET_KEYS and inner:
            kept[key] = dict.fromkeys(inner, WITHHELD) if isinstance(inner, Mapping) else WITHHELD
        else:
            kept[key] = WITHHELD if key == _APPLIED else _without_secrets(inner, depth - 1)
    return kept


READER = Reader(
    key="k8s.audit",
    title="Kubernetes audit log",
    framing="json",
    proof=Proof(
        "vendor_schema",
        "https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/apis/audit/v1/types.go",
    ),
    recognises=_recognises,
    fields=_fields,
    event_classes=("management", "data"),
    priority=80,
)
