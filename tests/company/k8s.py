"""The audit log of the production cluster, one event a line; its clock runs ahead by :data:`SKEW`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from tests.company.aws import CLI, Role
from tests.company.cast import EUC1, PROD, Cast, arn
from tests.company.feed import ALWAYS, OFFICE_HOURS, Chance, Line, seconds, working

Json = dict[str, Any]
SKEW = timedelta(seconds=137)
"""How far the cluster's clock is ahead of the others."""
KUBECTL = "kubectl/v1.33.4 (linux/amd64) kubernetes/2b0a3f5"
CONTROLLER = {"username": "system:kube-controller-manager", "groups": ["system:authenticated"]}


def service_account(namespace: str, name: str) -> Json:
    """A service account as a user."""
    return {
        "username": f"system:serviceaccount:{namespace}:{name}",
        "groups": ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"],
    }


def from_role(cast: Cast, role: Role, groups: tuple[str, ...]) -> Json:
    """A role session as the cluster's authenticator names it."""
    return {
        "username": role.arn,
        "uid": f"aws-iam-authenticator:{role.account}:{cast.role_id(role.account, role.role)}",
        "groups": [*groups, "system:authenticated"],
        "extra": {
            "accessKeyId": [role.key],
            "arn": [role.arn],
            "canonicalArn": [arn(role.account, "role", role.role)],
            "principalId": [cast.role_id(role.account, role.role)],
            "sessionName": [role.session],
        },
    }


def event(
    cast: Cast,
    at: datetime,
    verb: str,
    of: str,
    user: Json,
    ip: str,
    *,
    number: object = 0,
    stage: str = "ResponseComplete",
    **more: Any,
) -> Json:
    """One event. ``of`` is ``group/resource:namespace/name/subresource``, each but the resource may be empty."""
    kind, _, place = of.partition(":")
    group, _, resource = kind.rpartition("/")
    namespace, name, sub = (*place.split("/"), "", "", "")[:3]
    ref: Json = {"resource": resource, "apiVersion": "v1"}
    ref |= {key: value for key, value in (("namespace", namespace), ("name", name)) if value}
    ref |= {key: value for key, value in (("apiGroup", group), ("subresource", sub)) if value}
    prefix = f"/apis/{group}/v1" if group else "/api/v1"
    parts = ([f"namespaces/{namespace}"] if namespace else []) + [resource] + [part for part in (name, sub) if part]
    told_at = at + SKEW
    code = more.pop("code", 201 if verb == "create" else 200)
    allowed = "allow" if code < 400 else "forbid"
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse" if "requestObject" in more else "Metadata",
        "auditID": cast.uuid("k8s", at, verb, of, user["username"], number),
        "stage": stage,
        "requestURI": f"{prefix}/{'/'.join(parts)}",
        "verb": verb,
        "user": user,
        "sourceIPs": [ip],
        "userAgent": more.pop("agent", KUBECTL),
        "objectRef": ref,
        "responseStatus": {"metadata": {}, "code": code},
        **more,
        "requestReceivedTimestamp": f"{told_at:%Y-%m-%dT%H:%M:%S}.{cast.number(10**6, 'us', at, of):06d}Z",
        "stageTimestamp": f"{told_at:%Y-%m-%dT%H:%M:%S}.{999_000:06d}Z",
        "annotations": {"authorization.k8s.io/decision": allowed, "authorization.k8s.io/reason": ""},
    }


def line(at: datetime, made: Json, uid: str | None = None) -> Line:
    """The event with its (true) time."""
    return seconds(at), orjson.dumps(made), uid


def uid(made: Json) -> str:
    """Id of an event: one request is told once in each of its stages."""
    return f"{made['auditID']}/{made['stage']}"


_USUAL: tuple[tuple[str, str, Json, str], ...] = (
    ("list", "pods:shop", CONTROLLER, "kube-controller-manager/v1.33.4"),
    (
        "get",
        "apps/deployments:shop/checkout",
        service_account("argocd", "argocd-application-controller"),
        "argocd/v3.1",
    ),
    ("list", "apps/deployments:billing", service_account("argocd", "argocd-application-controller"), "argocd/v3.1"),
    ("update", "coordination.k8s.io/leases:kube-system/kube-scheduler", CONTROLLER, "kube-scheduler/v1.33.4"),
    ("get", "configmaps:shop/checkout", service_account("shop", "checkout"), "checkout/2.9"),
    ("get", "secrets:billing/ledger", service_account("billing", "invoices"), "invoices/1.4"),
    ("list", "secrets:cert-manager", service_account("cert-manager", "cert-manager"), "cert-manager/v1.18"),
    (
        "update",
        "nodes:/ip-10-0-1-17/status",
        {"username": "system:node:ip-10-0-1-17", "groups": ["system:nodes"]},
        "kubelet/v1.33.4",
    ),
)


def ordinary(cast: Cast, day: datetime, bulk: float) -> Iterator[Line]:
    """A day of the cluster; ``bulk`` is how many calls to expect beyond four an hour."""
    chance = Chance(cast.digest("k8s", day))
    templates = [_template(cast, *usual) for usual in _USUAL]
    prefix, number = chance.prefix(), chance.one(1 << 30)
    steady = [seconds(day) + hour * 3600 + minute * 60 for hour in range(24) for minute in (3, 18, 33, 48)]
    moments = sorted(steady + chance.moments(day, ALWAYS, chance.many(bulk)))
    for at, which in zip(moments, chance.below(len(templates), len(moments)), strict=True):
        number += 1
        before, middle, late, end = templates[which]
        clock = datetime.fromtimestamp(at, tz=UTC) + SKEW
        told_at = f"{clock:%Y-%m-%dT%H:%M:%S}.{(number * 7919) % 1_000_000:06d}Z".encode()
        yield at, b"%b%b%012x%b%b%b%b%b" % (before, prefix, number, middle, told_at, late, told_at, end), None
    yield from _people(cast, day, chance)


def _template(cast: Cast, verb: str, of: str, user: Json, agent: str) -> tuple[bytes, bytes, bytes, bytes]:
    made = event(cast, datetime(2026, 1, 1, tzinfo=UTC), verb, of, user, "10.0.1.17", agent=agent)
    made |= {"auditID": "@@", "requestReceivedTimestamp": "@@", "stageTimestamp": "@@"}
    one, two, three, four = orjson.dumps(made).split(b"@@")
    return one, two, three, four


def _people(cast: Cast, day: datetime, chance: Chance) -> Iterator[Line]:
    """Operators look, and now and then follow a log or open a shell; long calls are told in two stages."""
    if not working(day):
        return
    operator = cast.person("Hanna Voss")
    role = Role(PROD, "Operator", operator.email, cast.key("kubectl", day), day)
    user = from_role(cast, role, ("larkfield:operators",))
    for number, at in enumerate(chance.moments(day, OFFICE_HOURS, 3)):
        moment = datetime.fromtimestamp(at, tz=UTC)
        yield line(moment, event(cast, moment, "list", "pods:shop", user, operator.home, number=number))
    if chance.odds(0.1):
        begun = day + timedelta(hours=13, minutes=chance.one(50))
        for stage, late in (("ResponseStarted", 0), ("ResponseComplete", 240)):
            of = "pods:shop/checkout-7d9f/log"
            moment = begun + timedelta(seconds=late)
            made = event(cast, begun, "get", of, user, operator.home, stage=stage)
            yield line(moment, made | {"stageTimestamp": f"{moment + SKEW:%Y-%m-%dT%H:%M:%S}.000000Z"})


__all__ = ["CLI", "EUC1", "SKEW", "event", "from_role", "line", "ordinary", "service_account", "uid"]
