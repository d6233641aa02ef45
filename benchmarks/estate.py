"""A company's activity of any size, straight into Parquet: for measuring queries, not readers.

Six accounts, three regions, six hundred identities of which a few dozen do most, four hundred operations with a long
tail, sessions of a working day. Half a per cent of the events are ones the catalogue knows, with their requests as
JSON; of those one in fifty is of the dangerous kind, the others are signing in, taking on roles and reading secrets.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from holdfast.engines.duck import arrow_schema
from holdfast.investigation.activity import ACTIVITY, ORDINALS

HOUR = 3_600_000_000
START = 1_767_225_600_000_000
ACCOUNTS, IDENTITIES, OPERATIONS, ADDRESSES = 6, 600, 400, 3000
CHUNK = 500_000
_KNOWN = (
    *(("iam", "CreateAccessKey"), ("iam", "CreateUser"), ("iam", "AttachUserPolicy"), ("iam", "PutUserPolicy")),
    *(("cloudtrail", "StopLogging"), ("sts", "AssumeRole"), ("signin", "ConsoleLogin"), ("s3", "PutBucketPolicy")),
    *(("ec2", "ModifySnapshotAttribute"), ("ec2", "AuthorizeSecurityGroupIngress"), ("kms", "ScheduleKeyDeletion")),
    *(
        ("secretsmanager", "GetSecretValue"),
        ("lambda", "UpdateFunctionCode20150331v2"),
        ("iam", "UpdateAssumeRolePolicy"),
    ),
)
_COMMON = (5, 6, 11)
"""Places of those that happen every day: AssumeRole, ConsoleLogin, GetSecretValue."""
_SERVICES = ("ec2", "s3", "sts", "iam", "kms", "lambda", "logs", "dynamodb", "sqs", "ecs")


def generate(folder: Path, rows: int, days: int, seed: int = 3) -> list[Path]:
    """Parquet files of half a million rows each, ordered in time as trails are."""
    chance = np.random.default_rng(seed)
    parts = []
    for number, begun in enumerate(range(0, rows, CHUNK)):
        count = min(CHUNK, rows - begun)
        low = START + days * 24 * HOUR * begun // rows
        high = START + days * 24 * HOUR * (begun + count) // rows
        part = folder / f"{number:04}.parquet"
        table = _chunk(chance, number + 1, count, np.sort(chance.integers(low, high, count)))
        pq.write_table(table, part, compression="zstd", row_group_size=100_000)
        parts.append(part)
    return parts


def _chunk(chance: np.random.Generator, input_no: int, count: int, times: np.ndarray[Any, Any]) -> pa.Table:
    who = np.minimum(chance.zipf(1.3, count) - 1, IDENTITIES - 1)
    known = chance.random(count) < 0.005
    rare = chance.random(count) < 0.02
    listed = np.where(rare, chance.integers(0, len(_KNOWN), count), chance.choice(_COMMON, count))
    what = np.where(known, OPERATIONS + listed, (who * 7 + _tail(chance, count)) % OPERATIONS)
    day = (times - START) // (24 * HOUR)
    account = (who + (chance.random(count) < 0.1)) % ACCOUNTS
    session = who * 1000 + day % 1000
    machine = who % 3 != 0
    address = np.where(machine, who, (who * 31 + chance.integers(0, 4, count)) % ADDRESSES)
    failed = chance.random(count) < 0.02
    columns: dict[str, Any] = {
        "row_id": pa.array(input_no * ORDINALS + np.arange(count, dtype=np.int64)),
        "time_us": pa.array(times),
        "hour": pa.array(times // HOUR),
        "delivered_us": pa.array(times + chance.integers(60, 900, count) * 1_000_000),
        "source": _one("aws.cloudtrail", count),
        "account_uid": _named(account, [f"{n + 1:012}" for n in range(ACCOUNTS)]),
        "region": _named((who + account) % 3, ["eu-west-1", "eu-central-1", "us-east-1"]),
        "service": _named(what, [_service(n) for n in range(OPERATIONS + len(_KNOWN))]),
        "operation": _named(what, [_operation(n) for n in range(OPERATIONS + len(_KNOWN))]),
        "event_class": _named((what % 10 == 1).astype(int), ["management", "data"]),
        "access": _named(((what % 5 == 0) | known).astype(int), ["read", "write"]),
        "status": _named(failed.astype(int), ["success", "failure"]),
        "error": _named(failed.astype(int), [None, "AccessDenied"]),
        "actor_type": _named(who % 3, ["human", "service_account", "workload"]),
        "actor_uid": _named(who, [f"arn:aws:iam::{n % 6 + 1:012}:role/identity-{n}" for n in range(IDENTITIES)]),
        "actor_name": _named(who, [f"identity-{n}" for n in range(IDENTITIES)]),
        "session_uid": _texts("arn:aws:sts::1:assumed-role/identity/s", session),
        "credential_uid": _texts("ASIA", session),
        "issued_credential_uid": _some(known & (what % 2 == 1), "AKIANEW", np.arange(count)),
        "target_uid": _some(chance.random(count) < 0.4, "arn:aws:s3:::bucket-", chance.integers(0, 5000, count)),
        "target_type": _one("bucket", count),
        "src_ip": _texts("10.0.", address),
        "user_agent": _named(who % 7, [f"Boto3/1.3{n}" for n in range(6)] + ["console.amazonaws.com"]),
        "request": _requests(known, what),
        "event_uid": _texts(f"e-{input_no}-", np.arange(count)),
        "src_digest": _one("ab" * 32, count),
        "src_file": _one(f"trail/{input_no}.json.gz", count),
        "src_ord": pa.array(np.arange(count, dtype=np.int64)),
    }
    schema = arrow_schema(ACTIVITY)
    missing = {field.name: pa.nulls(count, field.type) for field in schema if field.name not in columns}
    return pa.table({field.name: {**columns, **missing}[field.name] for field in schema}, schema=schema)


def _tail(chance: np.random.Generator, count: int) -> np.ndarray[Any, Any]:
    return np.minimum(chance.zipf(1.5, count) - 1, OPERATIONS - 1)


def _service(number: int) -> str:
    return _KNOWN[number - OPERATIONS][0] if number >= OPERATIONS else _SERVICES[number % 10]


def _operation(number: int) -> str:
    if number >= OPERATIONS:
        return _KNOWN[number - OPERATIONS][1]
    return f"{'Put' if number % 5 == 0 else 'Describe'}Thing{number}"


def _one(text: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(np.zeros(count, np.int32), [text]).cast(pa.string())


def _named(which: np.ndarray[Any, Any], names: list[str | None] | list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(which.astype(np.int32), pa.array(names, pa.string())).cast(pa.string())


def _texts(start: str, numbers: np.ndarray[Any, Any]) -> pa.Array:
    kinds, which = np.unique(numbers, return_inverse=True)
    return _named(which, [f"{start}{one}" for one in kinds])


def _some(wanted: np.ndarray[Any, Any], start: str, numbers: np.ndarray[Any, Any]) -> pa.Array:
    kinds, which = np.unique(numbers, return_inverse=True)
    indices = pa.array(which.astype(np.int32), mask=~wanted)
    return pa.DictionaryArray.from_arrays(indices, pa.array([f"{start}{one}" for one in kinds])).cast(pa.string())


def _requests(known: np.ndarray[Any, Any], what: np.ndarray[Any, Any]) -> pa.Array:
    texts = [
        json.dumps({"userName": f"user-{n % 50}", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"})
        for n in range(500)
    ]
    indices = pa.array((what % 500).astype(np.int32), mask=~known)
    return pa.DictionaryArray.from_arrays(indices, pa.array(texts)).cast(pa.string())
