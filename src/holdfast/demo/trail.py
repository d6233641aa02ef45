"""A folder of CloudTrail-format logs for the demo: written as the cloud would deliver it, then read and counted.

Form: gzip'd ``{"Records": [...]}`` files below ``AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD``, as the CloudTrail
user guide describes ("CloudTrail log file examples", "CloudTrail record contents"). Reading knows nothing of writing:
whatever the answers of the demo cite is counted from the files.
"""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

ACCOUNT = "111122223333"
REGION = "eu-central-1"
BUCKET = "payments-receipts"
HOURS = 26
"""How far back the folder reaches."""
DATA_EVENTS_HOURS = 6
"""Since when reads of single objects are logged."""
ATTACK_MINUTES = (17, 4)
"""The stranger's first and last act, minutes before now."""
OWN_ADDRESSES = ("198.51.100.20", "198.51.100.21")
"""Documentation addresses (RFC 5737), as the two ways out of the payments cluster."""
STRANGER = "203.0.113.77"
STRANGERS_USER = "backup"
_TIME = "%Y-%m-%dT%H:%M:%SZ"

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Who:
    """An identity as a record's ``userIdentity`` shows it."""

    user: str
    key_id: str
    address: str
    agent: str

    def as_json(self) -> Record:
        """The field itself."""
        return {
            "accessKeyId": self.key_id,
            "accountId": ACCOUNT,
            "arn": f"arn:aws:iam::{ACCOUNT}:user/{self.user}",
            "principalId": f"AIDA{uuid.uuid5(uuid.NAMESPACE_DNS, self.user).hex[:17].upper()}",
            "type": "IAMUser",
            "userName": self.user,
        }


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the cloud's interface."""

    who: Who
    at: datetime
    service: str
    name: str
    asked: Mapping[str, Any] | None = None
    answered: Mapping[str, Any] | None = None
    error: str | None = None

    def as_json(self) -> Record:
        """The record."""
        read_only = self.name.startswith(("Get", "List", "Describe"))
        data = self.service == "s3" and self.name in ("GetObject", "PutObject")
        found: Record = {
            "awsRegion": REGION,
            "eventCategory": "Data" if data else "Management",
            "eventID": str(uuid.uuid4()),
            "eventName": self.name,
            "eventSource": f"{self.service}.amazonaws.com",
            "eventTime": self.at.astimezone(UTC).strftime(_TIME),
            "eventType": "AwsApiCall",
            "eventVersion": "1.11",
            "managementEvent": not data,
            "readOnly": read_only,
            "recipientAccountId": ACCOUNT,
            "requestParameters": self.asked,
            "responseElements": self.answered,
            "sourceIPAddress": self.who.address,
            "userAgent": self.who.agent,
            "userIdentity": self.who.as_json(),
        }
        return found if self.error is None else {**found, "errorCode": self.error, "errorMessage": "Denied."}


@dataclass(frozen=True, slots=True)
class Cloud:
    """The ids that the made-up account uses; never a secret key."""

    payments_key: str
    strangers_key: str
    operators_key: str
    now: datetime

    def operator(self) -> Who:
        """The people who run the platform."""
        return Who("platform-ops", self.operators_key, "198.51.100.9", "aws-cli/2.17.0")


def write_night(folder: Path, cloud: Cloud) -> None:
    """The logs up to now: a day of payments at work, some housekeeping, and a stranger at the end."""
    chance = Random(cloud.payments_key)  # noqa: S311 - numbers of a made-up night, nothing secret
    _write(folder, [*_own_work(cloud, chance), *_housekeeping(cloud, chance), *_stranger(cloud, chance)])


def write_containment(folder: Path, cloud: Cloud, at: datetime) -> None:
    """The delivery after containment: both keys made inactive, and a stranger who is refused since."""
    by = cloud.operator()
    calls = []
    for offset, (user, key) in enumerate((("payments", cloud.payments_key), (STRANGERS_USER, cloud.strangers_key))):
        asked = {"accessKeyId": key, "status": "Inactive", "userName": user}
        calls.append(Call(by, at + timedelta(seconds=offset), "iam", "UpdateAccessKey", asked))
    policy = {"policyName": "deny-older-sessions", "userName": "payments"}
    calls.append(Call(by, at + timedelta(seconds=2), "iam", "PutUserPolicy", policy))
    _write(folder, calls)


def _own_work(cloud: Cloud, chance: Random) -> Iterator[Call]:
    data_since = cloud.now - timedelta(hours=DATA_EVENTS_HOURS)
    moment = cloud.now - timedelta(hours=HOURS)
    while moment < cloud.now - timedelta(minutes=2):
        who = Who("payments", cloud.payments_key, chance.choice(OWN_ADDRESSES), "aws-sdk-java/2.28 payments/1.9")
        if moment >= data_since:
            name = chance.choice(("GetObject", "PutObject", "PutObject"))
            asked = {"bucketName": BUCKET, "key": f"2026/{chance.randrange(10**6):06d}.pdf"}
            yield Call(who, moment, "s3", name, asked)
        else:
            yield Call(who, moment, "kms", "GenerateDataKey", {"keyId": "alias/payments"})
        moment += timedelta(seconds=chance.randrange(20, 120))


def _housekeeping(cloud: Cloud, chance: Random) -> Iterator[Call]:
    by = cloud.operator()
    names = (
        ("ec2", "DescribeInstances"),
        ("iam", "ListUsers"),
        ("s3", "ListBuckets"),
        ("cloudtrail", "GetTrailStatus"),
    )
    for _ in range(160):
        moment = cloud.now - timedelta(minutes=chance.randrange(30, HOURS * 60))
        service, name = chance.choice(names)
        yield Call(by, moment, service, name)
    moment = cloud.now - timedelta(hours=DATA_EVENTS_HOURS, minutes=1)
    yield Call(by, moment, "cloudtrail", "PutEventSelectors", {"trailName": "organisation"})


def _stranger(cloud: Cloud, chance: Random) -> Iterator[Call]:
    first, last = (cloud.now - timedelta(minutes=minutes) for minutes in ATTACK_MINUTES)
    who = Who("payments", cloud.payments_key, STRANGER, "aws-cli/2.15.30 Python/3.11 Linux")
    opening = (("sts", "GetCallerIdentity"), ("s3", "ListBuckets"), ("iam", "ListUsers"), ("s3", "ListObjects"))
    for offset, (service, name) in enumerate(opening):
        yield Call(who, first + timedelta(seconds=9 * offset), service, name)
    reads = chance.randrange(280, 340)
    step = (last - first - timedelta(minutes=4)) / reads
    for number in range(reads):
        asked = {"bucketName": BUCKET, "key": f"2026/{chance.randrange(10**6):06d}.pdf"}
        yield Call(who, first + timedelta(minutes=1) + step * number, "s3", "GetObject", asked)
    made = {"accessKey": {"accessKeyId": cloud.strangers_key, "status": "Active", "userName": STRANGERS_USER}}
    yield Call(who, last - timedelta(minutes=2), "iam", "CreateAccessKey", {"userName": STRANGERS_USER}, made)
    second = Who(STRANGERS_USER, cloud.strangers_key, STRANGER, who.agent)
    yield Call(second, last - timedelta(minutes=1), "sts", "GetCallerIdentity")
    yield Call(second, last, "cloudtrail", "StopLogging", {"name": "organisation"}, error="AccessDenied")


def _write(folder: Path, calls: Iterable[Call]) -> None:
    by_hour: dict[datetime, list[Call]] = {}
    for call in sorted(calls, key=lambda one: one.at):
        by_hour.setdefault(call.at.replace(minute=0, second=0, microsecond=0), []).append(call)
    for hour, found in by_hour.items():
        below = folder / f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}" / hour.strftime("%Y/%m/%d")
        below.mkdir(parents=True, exist_ok=True)
        name = f"{ACCOUNT}_CloudTrail_{REGION}_{hour.strftime('%Y%m%dT%H%MZ')}_{uuid.uuid4().hex[:16]}.json.gz"
        text = json.dumps({"Records": [call.as_json() for call in found]}, separators=(",", ":"))
        # No time of compression inside, so that equal records are equal bytes.
        (below / name).write_bytes(gzip.compress(text.encode(), mtime=0))


# ---------------------------------------------------------------- reading


def files(folder: Path) -> list[Path]:
    """Every log file below a folder, in order of path."""
    return sorted(path for path in folder.rglob("*") if path.name.endswith((".json", ".json.gz")))


def records(folder: Path) -> Iterator[Record]:
    """Every record of every log file below a folder."""
    for path in files(folder):
        raw = path.read_bytes()
        document = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
        yield from document["Records"]


def time_of(record: Record) -> datetime:
    """When a record's call was made."""
    return datetime.strptime(record["eventTime"], _TIME).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Findings:
    """What the logs say about one key."""

    files: int
    events: int
    first: datetime
    last: datetime
    longest_gap: timedelta
    data_events_since: datetime | None
    """The first read or write of a single object that was logged."""
    uses: int
    """Events of the key."""
    last_valid_use: datetime | None
    """The newest use from an address it had been used from before."""
    strangers: tuple[str, ...]
    """Addresses that used the key and had not been seen with it in the first part of the logs."""
    strange: tuple[Record, ...]
    """What those did with it, oldest first."""
    reads: int
    """Objects read among that."""
    created: tuple[tuple[str, str], ...]
    """Keys made with it: (user, key id)."""
    followed: tuple[Record, ...]
    """What was done with those keys."""


def examine(folder: Path, key_id: str) -> Findings:
    """Count what a key was used for. Addresses seen with it before the last four hours count as its owner's."""
    found = sorted(records(folder), key=time_of)
    times = [time_of(record) for record in found]
    mine = [record for record in found if record["userIdentity"].get("accessKeyId") == key_id]
    settled = times[-1] - timedelta(hours=4)
    known = {record["sourceIPAddress"] for record in mine if time_of(record) < settled}
    strange = tuple(record for record in mine if record["sourceIPAddress"] not in known)
    made = [record for record in strange if record["eventName"] == "CreateAccessKey" and "errorCode" not in record]
    created = tuple(
        (one["requestParameters"]["userName"], one["responseElements"]["accessKey"]["accessKeyId"]) for one in made
    )
    ids = {key for _, key in created}
    own = [time_of(record) for record in mine if record["sourceIPAddress"] in known]
    data = [time_of(record) for record in found if record.get("eventCategory") == "Data"]
    return Findings(
        files=len(files(folder)),
        events=len(found),
        first=times[0],
        last=times[-1],
        longest_gap=max((later - earlier for earlier, later in pairwise(times)), default=timedelta()),
        data_events_since=min(data, default=None),
        uses=len(mine),
        last_valid_use=max(own, default=None),
        strangers=tuple(sorted({record["sourceIPAddress"] for record in strange})),
        strange=strange,
        reads=sum(record["eventName"] == "GetObject" and "errorCode" not in record for record in strange),
        created=created,
        followed=tuple(record for record in found if record["userIdentity"].get("accessKeyId") in ids),
    )
