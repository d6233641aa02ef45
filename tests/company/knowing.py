"""Answers that need counting: which identities, which trust, which hours."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.company import flaws
from tests.company.answers import Hole, Identity
from tests.company.attack import Attack
from tests.company.aws import OIDC, subject
from tests.company.booty import ADMIN_POLICY, DEPLOY_KEY, MACHINE, PLANTED
from tests.company.cast import A1, A2, A3, CELLS, EUC1, EUW1, FOREIGN, PROD, STAGING, TOOLS, Cast, arn
from tests.company.state import ARCHIVE, EXPORT_POLICY
from tests.company.tale import Tale


def identities(cast: Cast, tale: Tale, attack: Attack) -> tuple[Identity, ...]:
    """Every identity the attacker acted under, and since when, until when and from where."""
    mara, job = attack.mara.email, subject("shop")
    deploy, admin = arn(PROD, "role", "deploy"), arn(PROD, "role", "platform-admin")
    build = arn(TOOLS, "role", "gha-build")
    down = (mara, job, build, deploy, admin)

    def one(uid: str, kind: str, chain: tuple[str, ...], labels: tuple[str, ...], *ips: str) -> Identity:
        acts = [act for act in tale.acts.values() if act.side == "attacker" and act.label.startswith(labels)]
        clocks = [act.clock for act in acts]
        person = mara if chain[0] == mara else None
        return Identity(uid, kind, person, chain, min(clocks), max(clocks), frozenset(ips))

    machine, planted = arn(PROD, "user", MACHINE), arn(PROD, "user", PLANTED)
    git = ("pat", "deploy-key", "clone/", "push", "override", "run/", "delete-run")
    by_build = ("whoami-1", "list-buckets", "hop-deploy/tools")
    by_admin = ("key", "user", "attach", "trust", "snapshot", "share", "cluster", "k-", "stop", "profile")
    by_key = ("whoami-3", "list-secrets", "secret/", "list-objects", "object/", "again/")
    return (
        one(mara, "human", (mara,), ("sso-", "factor"), A1),
        one(attack.mara.login, "human", (mara,), git, A1, A2),
        one(
            attack.developer.key,
            "human",
            (mara, arn(STAGING, "role", "Developer")),
            ("list-clusters", "denied-users", "denied-hop"),
            A1,
        ),
        one(attack.build.key, "ci_token", down[:3], by_build, A2),
        one(attack.deploy.key, "ci_token", down[:4], ("whoami-2", "list-roles", "denied-details", "hop-admin"), A2),
        one(attack.admin.key, "ci_token", down, tuple(f"{label}" for label in by_admin if label != "key"), A2),
        one(attack.key, "service_account", (*down, machine), by_key, A2),
        one(cast.key("console", PROD, MACHINE, A3), "service_account", (*down, machine), ("console",), A3),
        one(attack.key2, "service_account", (*down, planted), ("whoami-4", "undo"), A2),
        one(f"deploy_key:{DEPLOY_KEY}", "deploy_key", (mara,), ("key-clone",), A1),
    )


def edges(attack: Attack) -> frozenset[tuple[str, str, str]]:
    """Trust in what was hit, as captured: who may take what, and what each holds."""
    machine, planted = arn(PROD, "user", MACHINE), arn(PROD, "user", PLANTED)
    build, deploy, admin = (
        arn(TOOLS, "role", "gha-build"),
        arn(PROD, "role", "deploy"),
        arn(PROD, "role", "platform-admin"),
    )
    assert attack.key
    return frozenset(
        {
            (machine, "attached", EXPORT_POLICY),
            (machine, "assumes", ARCHIVE),
            (planted, "attached", ADMIN_POLICY),
            (f"{OIDC}:{subject('shop')}", "assumes", build),
            (build, "assumes", deploy),
            (deploy, "assumes", admin),
            (FOREIGN, "assumes", arn(PROD, "role", "vendor-readonly")),
        }
    )


def holes(first: datetime, last: datetime) -> tuple[Hole, ...]:
    """Hours without a record where there should be some, and classes nobody records."""
    begin, end = _hour(first), _hour(last) - 1
    stopped = (_hour(flaws.STOPPED[0]), _hour(flaws.STOPPED[1]))
    lost = _hour(flaws.LOST_DAY) + flaws.LOST_HOURS[0]
    found = [
        Hole("aws.cloudtrail", PROD, EUW1, "management", "gap", *stopped, "StopLogging until StartLogging"),
        Hole("aws.cloudtrail", TOOLS, EUC1, "management", "gap", lost, lost + 3, "files lost"),
    ]
    cut = _hour(flaws.CUT_DAY + timedelta(hours=flaws.CUT_HOUR))
    found.append(Hole("aws.cloudtrail", STAGING, EUC1, "management", "gap", cut, cut, "file broken off"))
    for account, region in CELLS:
        if (account, region) != (PROD, EUC1):
            why = "no trail selects objects"
            found.append(Hole("aws.cloudtrail", account, region, "data", "never_enabled", begin, end, why))
    kept = [hole for hole in found if hole.to_hour >= begin]
    return tuple(kept)


def _hour(at: datetime) -> int:
    return int(at.timestamp()) // 3600
