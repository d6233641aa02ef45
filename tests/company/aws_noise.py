"""CloudTrail of ordinary days: canaries, AWS itself, workloads, instances, people, CI, backups, a vendor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache

from tests.company import aws, calls
from tests.company.aws import CLI, SDK, Call, Role, Who
from tests.company.cast import (
    CLUSTER_EXIT,
    EUC1,
    EUW1,
    LOG,
    MACHINES,
    PROD,
    STAGING,
    TOOLS,
    USE1,
    VENDOR,
    VENDOR_EXIT,
    WORKLOADS,
    Cast,
    instances,
    stamp,
)
from tests.company.feed import ALWAYS, CUSTOMERS, NIGHT, Chance, Line, hours_of, seconds
from tests.company.plan import ci_assumption, ci_role, human_roles, runs

SHARES = {
    (PROD, EUC1): 0.52,
    (PROD, EUW1): 0.14,
    (PROD, USE1): 0.05,
    (TOOLS, EUC1): 0.10,
    (TOOLS, USE1): 0.03,
    (STAGING, EUC1): 0.08,
    (STAGING, USE1): 0.02,
    (LOG, EUC1): 0.05,
    (LOG, USE1): 0.01,
}
"""How the bulk of CloudTrail divides into accounts and regions."""


@dataclass
class Writer:
    """Lines of one account and region on one day."""

    cast: Cast
    account: str
    region: str
    day: datetime
    chance: Chance
    rate: float
    """Runs of workflows a day."""
    lines: list[Line] = field(default_factory=list)
    _cut: dict[tuple[int, int], tuple[bytes, bytes, bytes, bytes]] = field(default_factory=dict)
    _kept: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._event, self._request = self.chance.prefix(), self.chance.prefix()
        self._number = self.chance.one(1 << 40)

    def one(self, at: datetime, who: Who, call: Call) -> None:
        """A single call."""
        self.bulk([seconds(at)], who, [call])

    def bulk(self, moments: Sequence[int], who: Who, what: Sequence[Call]) -> None:
        """A call at each instant, chosen from ``what``."""
        chosen = self.chance.below(len(what), len(moments))
        number, event, request, lines = self._number, self._event, self._request, self.lines
        for at, which in zip(moments, chosen, strict=True):
            number += 7919
            before, middle, late, end = self._pieces(who, what[which])
            text = b"%b%b%b%b%012x%b%b%012x%b" % (
                before, _clock(at), middle, request, number & 0xFFFFFFFFFFFF, late, event, number & 0xFFFFFFFFFFFF, end,
            )  # fmt: skip
            lines.append((at, text, None))
        self._number = number

    def _pieces(self, who: Who, call: Call) -> tuple[bytes, bytes, bytes, bytes]:
        key = (id(who), id(call))
        found = self._cut.get(key)
        if found is None:
            found = self._cut[key] = aws.pieces(who, call, self.account, self.region)
            self._kept += (who, call)  # as long as they are kept, their ids are theirs
        return found


@lru_cache(maxsize=100_000)
def _clock(at: int) -> bytes:
    return stamp(datetime.fromtimestamp(at, tz=UTC)).encode()


def ordinary(cast: Cast, day: datetime, cell: tuple[str, str], bulk: float, rate: float) -> list[Line]:
    """One day of one account and region.

    Args:
        cast: everyone.
        day: which day.
        cell: account and region.
        bulk: how many calls of workloads, instances and AWS itself to expect over all accounts and regions.
        rate: how many runs of workflows to expect, as everywhere on that day.
    """
    account, region = cell
    bulk *= SHARES[cell]
    out = Writer(cast, account, region, day, Chance(cast.digest("aws", day, account, region)), rate)
    _canary(out)
    _services(out, bulk * 0.08)
    _people(out)
    if region == EUC1:
        _ci(out)
        _machines(out)
    if (account, region) == (PROD, EUC1):
        _workloads(out, bulk * 0.52)
        _vendor(out)
    _instances(out, bulk * (0.40 if (account, region) == (PROD, EUC1) else 0.92))
    return out.lines


def _canary(out: Writer) -> None:
    who = machine(out.cast, out.account, "svc-canary")
    second = out.cast.number(60, "canary", out.account, out.region)
    moments = [first + minute * 60 + second for _, first, _ in hours_of(out.day) for minute in (7, 37)]
    out.bulk(moments, who, calls.CANARY)


@cache
def machine(cast: Cast, account: str, name: str) -> Who:
    """A machine user with the key it always had."""
    ip = next(ip for at, user, ip in MACHINES if (at, user) == (account, name))
    return aws.user(cast, account, name, cast.key(account, name, long_lived=True), ip)


def _services(out: Writer, many: float) -> None:
    for service in ("config.amazonaws.com", "guardduty.amazonaws.com"):
        moments = out.chance.moments(out.day, ALWAYS, out.chance.many(many / 2))
        out.bulk(moments, aws.by_service(service), calls.BY_SERVICES)


def _people(out: Writer) -> None:
    for shift, role in human_roles(out.cast, out.day):
        home = EUW1 if out.chance.odds(0.15) and role.account == PROD else EUC1
        if role.account != out.account:
            continue
        if out.region == EUC1:
            who, call = aws.by_saml(out.cast, shift.person, role, shift.ip)
            out.one(role.begun, who, call)
        if out.region in {home, USE1}:
            ask = calls.LOOKS if out.region != USE1 else calls.IAM_LOOKS
            number = 1 + out.chance.many(4)
            begun = seconds(role.begun)
            moments = sorted(begun + 30 + at for at in out.chance.below(3400, number))
            out.bulk(moments, role.who(out.cast, shift.ip, CLI if shift.person.number % 2 else aws.BROWSER), ask)


def _ci(out: Writer) -> None:
    for run in runs(out.cast, out.day, out.rate):
        role = ci_role(out.cast, run)
        if role is None:
            continue
        if role.account == out.account:
            who, call = ci_assumption(out.cast, run, role)
            out.one(role.begun, who, call)
            moments = sorted(seconds(role.begun) + 5 + at for at in out.chance.below(60, 3))
            out.bulk(moments, role.who(out.cast, run.runner, aws.SDK), calls.CI[role.role])
        if run.repo == "shop" and run.workflow == "deploy":
            _deploy(out, role, run.runner)


def _deploy(out: Writer, build: Role, runner: str) -> None:
    """The usual deploy: the build role in tools takes the deploy role in production; both accounts tell of it."""
    begun = build.begun + timedelta(seconds=70)
    deploy = Role(PROD, "deploy", "GitHubActions", out.cast.key("deploy", build.key), begun)
    call = aws.assume(out.cast, deploy, shared=out.cast.uuid("shared", build.key))
    if out.account == TOOLS:
        out.one(begun, build.who(out.cast, runner, SDK), call)
    if out.account == PROD:
        foreign = {"type": "AWSAccount", "principalId": f"{out.cast.role_id(TOOLS, 'gha-build')}:GitHubActions"}
        out.one(begun, Who(foreign | {"accountId": TOOLS}, runner, SDK), call)
        moments = [seconds(begun) + 3, seconds(begun) + 9]
        out.bulk(moments, deploy.who(out.cast, runner, SDK), calls.CI["deploy"])


def _machines(out: Writer) -> None:
    chance = out.chance
    if out.account == PROD:
        exporter, backup = machine(out.cast, PROD, "svc-billing-export"), machine(out.cast, PROD, "svc-backup")
        out.bulk(chance.moments(out.day, NIGHT, 6), exporter, calls.exports(out.day))
        out.bulk(chance.moments(out.day, NIGHT, 2), exporter, [calls.secret("billing/ledger", EUC1)])
        out.bulk(chance.moments(out.day, NIGHT, 4), backup, calls.BACKUP)
    if out.account == TOOLS:
        out.bulk(chance.moments(out.day, ALWAYS, 6), machine(out.cast, TOOLS, "svc-registry-mirror"), calls.REGISTRY)


def _workloads(out: Writer, many: float) -> None:
    issuer = aws.eks_issuer(out.cast)
    federated = {"federatedProvider": f"arn:aws:iam::{PROD}:oidc-provider/{issuer}", "attributes": {}}
    for at, (namespace, account, name) in enumerate(WORKLOADS):
        rhythm = CUSTOMERS if namespace == "shop" else ALWAYS
        wanted = out.chance.many(many * (0.45, 0.35, 0.15, 0.05)[at])
        moments = out.chance.moments(out.day, rhythm, wanted)
        for first in range(0, 24, 6):
            begun = out.day + timedelta(hours=first, seconds=11 + at)
            key = out.cast.key("irsa", name, begun)
            role = Role(PROD, name, f"eks-{CLUSTER_EXIT[-2:]}-{account}", key, begun, federated)
            who, call = aws.by_web_identity(
                out.cast, role, issuer, f"system:serviceaccount:{namespace}:{account}", CLUSTER_EXIT, SDK
            )
            out.one(begun, who, call)
            now = [moment for moment in moments if seconds(begun) < moment <= seconds(begun) + 6 * 3600]
            out.bulk(now, role.who(out.cast, CLUSTER_EXIT, SDK), calls.OF_WORKLOADS[account])


def _vendor(out: Writer) -> None:
    who = Who(
        {"type": "AWSAccount", "principalId": "AROA" + out.cast.token(17, "vendor"), "accountId": VENDOR},
        VENDOR_EXIT,
        SDK,
    )
    for first in (5, 11, 17, 23):
        begun = out.day + timedelta(hours=first, minutes=2)
        role = Role(PROD, "vendor-readonly", "metrics-poller", out.cast.key("vendor", begun), begun)
        out.one(begun, who, aws.assume(out.cast, role, shared=out.cast.uuid("vendor", begun)))
        out.one(begun + timedelta(seconds=4), role.who(out.cast, VENDOR_EXIT, SDK), calls.METRICS)


def _instances(out: Writer, many: float) -> None:
    wanted = out.chance.many(many)
    if not wanted:
        return
    held = instances(out.cast, out.account, out.region)[: 4 if wanted < 200 else 16]
    for at, (instance, ip) in enumerate(held):
        begun = out.day + timedelta(minutes=at)
        key = out.cast.key("instance", out.account, out.region, instance, out.day)
        role = Role(out.account, "app-instance", instance, key, begun, instance=True)
        who = role.who(out.cast, ip, SDK)
        share = wanted // len(held) + (at < wanted % len(held))
        out.bulk(out.chance.moments(out.day, ALWAYS, share), who, calls.OF_INSTANCES)
