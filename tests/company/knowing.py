"""Answers that need counting: trust, rights and hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from tests.company import flaws
from tests.company.answers import Hole
from tests.company.attack import Attack
from tests.company.aws import BUCKETS, OIDC, subject
from tests.company.booty import MACHINE, SECRETS
from tests.company.cast import EUC1, EUW1, LOG, PROD, STAGING, TOOLS, USE1, arn
from tests.company.state import ARCHIVE, EXPORT_POLICY


def reach() -> frozenset[str]:
    """What the key that the alarm named leads to, by captured state and by the logs."""
    return frozenset({arn(PROD, "user", MACHINE), ARCHIVE, EXPORT_POLICY, *SECRETS})


def path(attack: Attack) -> tuple[tuple[str, str], ...]:
    """Each step by which a job of the shop's repository comes to that key."""
    steps = (
        f"{OIDC}|{subject('shop')}",
        arn(TOOLS, "role", "gha-build"),
        arn(PROD, "role", "deploy"),
        arn(PROD, "role", "platform-admin"),
        attack.key,
    )
    return tuple(pairwise(steps))


def could() -> frozenset[tuple[str, str, str]]:
    """What the holder of that key could do with data, by captured policies: identity, action, resource."""
    machine, exports = arn(PROD, "user", MACHINE), f"arn:aws:s3:::{BUCKETS['exports']}"
    archive = "arn:aws:s3:::larkfield-archive/*"
    secrets = [f"arn:aws:secretsmanager:*:{PROD}:secret:{part}/*" for part in ("billing", "shop")]
    return frozenset(
        {
            (machine, "GetObject", f"{exports}/*"),
            (machine, "PutObject", f"{exports}/*"),
            (machine, "ListBucket", exports),
            (machine, "ListSecrets", "*"),
            *((machine, "GetSecretValue", secret) for secret in secrets),
            (ARCHIVE, "PutObject", archive),
            (ARCHIVE, "DeleteObject", archive),
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
    for account, region in ((LOG, ""), (TOOLS, ""), (STAGING, ""), (PROD, EUW1), (PROD, USE1)):
        why = "no trail of it selects objects; of one that covers every region no region is named"
        found.append(Hole("aws.cloudtrail", account, region, "data", "never_enabled", begin, end, why))
    kept = [hole for hole in found if hole.to_hour >= begin]
    return tuple(kept)


def _hour(at: datetime) -> int:
    return int(at.timestamp()) // 3600
