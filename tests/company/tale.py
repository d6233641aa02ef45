"""The story as it is told to the logs: each act once, with what it means for the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import orjson

from tests.company import aws, github, k8s, okta
from tests.company.aws import Call, Who
from tests.company.cast import EUC1, PROD, Cast, micros, stamp
from tests.company.feed import Line, seconds
from tests.company.plan import Shift

Side = Literal["attacker", "responder", "decoy", "owner"]
"""Who did it: ``owner`` is the person whose session was taken, doing their own work."""
Feed = tuple[str, ...]
"""``("aws", account, region)``, ``("github",)``, ``("okta",)`` or ``("k8s",)``."""
GITHUB, OKTA, K8S = ("github",), ("okta",), ("k8s",)


@dataclass(frozen=True, slots=True)
class Means:
    """What an act is, in the terms of the seven questions; none where it is not that."""

    change: str | None = None
    """Part of I1: deployments, infrastructure, access_grants, vendor_changes."""
    stay: str | None = None
    """Part of I5: persistence, lateral_movement, repeated_access, or undo."""
    data: str | None = None
    """Part of I4: read, modify, delete, export."""
    dataset: str | None = None
    made: tuple[str, str] | None = None
    """Kind and name of what exists because of it (I7)."""
    removed: tuple[str, str] | None = None
    """Kind and name of what is gone by it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a source said of an act."""

    feed: Feed
    uid: str
    operation: str
    actor: str
    ip: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """One act and where it was told."""

    label: str
    side: Side
    at: datetime
    feed: Feed
    uid: str
    """The source's own id of the event."""
    operation: str
    actor: str
    """Lasting identity: ARN of the user or role, e-mail address, login, deploy key."""
    ip: str
    failed: bool
    means: Means
    clock: int
    """Microseconds since 1970 by the source's own clock, to the second."""


@dataclass
class Tale:
    """Collects what is told."""

    cast: Cast
    side: Side = "attacker"
    acts: dict[str, Act] = field(default_factory=dict)
    lines: dict[Feed, list[Line]] = field(default_factory=dict)

    def aws(  # the parts of a record
        self, label: str, at: datetime, who: Who, call: Call, *, account: str = PROD, region: str = EUC1, **means: Any
    ) -> str:
        """Tell CloudTrail of one account and region; the event's id."""
        uid, request = self.cast.uuid("story", label), self.cast.uuid("story request", label)
        made = aws.record(who, call, account, region)
        made |= {"eventTime": stamp(at), "requestID": request, "eventID": uid}
        told = Told(("aws", account, region), uid, call.name, acting(who), who.ip, call.error is not None)
        self._keep(label, at, told, means)
        self.lines[("aws", account, region)].append((seconds(at), orjson.dumps(made), uid))
        return uid

    def github(self, label: str, at: datetime, action: str, who: Mapping[str, Any], **more: Any) -> str:
        """Tell GitHub's audit log. What it means is given as ``means=``."""
        means = more.pop("means", {})
        made = github.event(self.cast, at, action, number=label, **who, **more)
        self._keep(label, at, _audited(made), means)
        self.lines[GITHUB].append(github.told(made))
        return str(made["_document_id"])

    def run(self, label: str, made: list[dict[str, Any]], means: Mapping[str, Mapping[str, Any]]) -> None:
        """Tell GitHub's audit log of a run: its events as they come, each labelled by its action."""
        for one in made:
            at = datetime.fromtimestamp(one["@timestamp"] / 1000, tz=self.cast.zone)
            action = one["action"].removeprefix("workflows.")
            name = f"{label}/{action}"
            self._keep(name, at, _audited(one), means.get(action, {}))
            self.lines[GITHUB].append(github.told(one))

    def okta(self, label: str, at: datetime, kind: str, who: Shift, *targets: Any, **means: Any) -> str:
        """Tell Okta's system log."""
        made = okta.event(self.cast, at, kind, who, *targets, number=label)
        self._keep(label, at, Told(OKTA, made["uuid"], kind, who.person.email, who.ip), means)
        self.lines[OKTA].append(okta.told(at, made))
        return str(made["uuid"])

    def k8s(self, label: str, at: datetime, verb: str, of: str, user: Any, **more: Any) -> str:
        """Tell the cluster's audit log, whose clock runs ahead."""
        means = more.pop("means", {})
        made = k8s.event(self.cast, at, verb, of, user, more.pop("ip"), number=label, **more)
        operation = f"{verb} {made['objectRef']['resource']}"
        failed = made["responseStatus"]["code"] >= 400
        uid = k8s.uid(made)
        self._keep(label, at, Told(K8S, uid, operation, user["username"], made["sourceIPs"][0], failed), means)
        self.lines[K8S].append(k8s.line(at, made, uid))
        return uid

    def _keep(self, label: str, at: datetime, told: Told, means: Mapping[str, Any]) -> None:
        if label in self.acts:
            raise ValueError(f"told twice: {label}")
        clock = micros(at + k8s.SKEW) if told.feed == K8S else micros(at)
        self.acts[label] = Act(
            label,
            self.side,
            at,
            told.feed,
            told.uid,
            told.operation,
            told.actor,
            told.ip,
            told.failed,
            Means(**means),
            clock,
        )
        self.lines.setdefault(told.feed, [])


def acting(who: Who) -> str:
    """The lasting identity behind a caller, as CloudTrail names it."""
    identity = who.identity
    issuer = identity.get("sessionContext", {}).get("sessionIssuer", {})
    names = (issuer.get("arn"), identity.get("arn"), identity.get("userName"), identity.get("principalId"))
    return str(next((name for name in names if name), identity.get("invokedBy")))


def _audited(made: Mapping[str, Any]) -> Told:
    key = made.get("deploy_key_fingerprint")
    actor = f"deploy_key:{key}" if key else str(made["actor"])
    return Told(GITHUB, made["_document_id"], made["action"], actor, str(made.get("actor_ip")))
