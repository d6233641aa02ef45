"""Rows made to tell engines apart, for the whole chain of stages and queries: seeded, the same every time.

Nulls everywhere, ties in time, equal names in different case, empty and multi-line texts, quotes, backslashes, dots,
pattern characters, letters beyond ASCII, JSON with missing paths, numbers, nulls and escapes, large whole numbers; and
enough of what the catalogue knows that every stage has something to do.
"""

from __future__ import annotations

import json
import random
import tomllib
from importlib.resources import files
from typing import Any

from holdfast.app.investigating import given_tables
from holdfast.investigation.activity import ACTIVITY, ORDINALS, Column
from holdfast.investigation.captured import TABLES

HOUR = 3_600_000_000
START = 1_767_225_600_000_000  # 2026-01-01
ODD = (
    *(
        "",
        " ",
        "x",
        "X",
        "a.b",
        "a_b",
        "a\\b",
        "50%",
        "it's",
        'say "so"',
        "line\nbreak",
        "tab\t",
        "é",
        "É",
        "日本",
        "😀",
    ),
    *("^$.*", "\\d+", "null", "NaN", "007", "-1", "1e3", "{}", "a/b/c", "arn:aws:iam::1:role/Odd", "AKIA'); DROP"),
)
ACCOUNTS = ("111111111111", "222222222222", "acme", "Acme", None)
REGIONS = ("eu-west-1", "us-east-1", None, "")
ACTORS = (
    *(
        "arn:aws:iam::111111111111:user/ada",
        "arn:aws:iam::111111111111:role/Deploy",
        "ada@example.com",
        "Ada@example.com",
    ),
    *(
        "arn:aws:iam::111111111111:root",
        "system:serviceaccount:default:ci",
        "octo-ada",
        "key:SHA256:abc",
        "svc'x",
        "",
        None,
    ),
)
TYPES = ("human", "root", "service_account", "workload", "ci_token", "deploy_key", "cloud_service", "unknown", None)
ADDRESSES = ("192.0.2.1", "192.0.2.2", "203.0.113.9", "2001:db8::1", "010.1.2.3", "", None)
KEYS = ("AKIA1", "AKIA2", "ASIA1", "ASIA2", "ASIA3", "asia1", "tok_1", None)
SESSIONS = (*(f"arn:aws:sts::111111111111:assumed-role/Deploy/s{n}" for n in range(4)), "okta-1", "", None)
TARGETS = (*ACTORS, *KEYS, "arn:aws:s3:::data", "secret/prod/db", "org/repo", "trail-1")


def _known() -> list[tuple[str, str | None, str]]:
    found: list[tuple[str, str | None, str]] = []
    folder = files("holdfast.investigation").joinpath("library/catalogue")
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        events = tomllib.loads(file.read_text(encoding="utf-8")).get("events", [])
        found += [(e["source"], e.get("service"), name) for e in events for name in e["operations"]]
    return found


_COMMON = (
    *(("aws.cloudtrail", "ec2", "DescribeInstances"), ("aws.cloudtrail", "sts", "AssumeRole")),
    *(("aws.cloudtrail", "sts", "GetCallerIdentity"), ("aws.cloudtrail", "s3", "GetObject")),
    *(("aws.cloudtrail", "signin", "ConsoleLogin"), ("aws.cloudtrail", "secretsmanager", "GetSecretValue")),
    *(("aws.cloudtrail", "iam", "CreateAccessKey"), ("aws.cloudtrail", "iam", "DeleteAccessKey")),
    *(("okta.system", "okta", "user.session.start"), ("github.audit", "git", "git.clone"), ("sshd", "sshd", "login")),
)


def activity(count: int = 3000, seed: int = 7) -> list[dict[str, Any]]:
    """Rows of the activity table, from two inputs."""
    chance, known = random.Random(seed), _known()
    rows = [_row(chance, number, *_act(chance, known)) for number in range(count)]
    return sorted(rows, key=lambda row: row["row_id"])


def _act(chance: random.Random, known: list[tuple[str, str | None, str]]) -> tuple[str, str | None, str]:
    if chance.random() < 0.3:
        source, service, name = chance.choice(known)
        return source, service or chance.choice(("iam", None)), name.replace("*", "x")
    if chance.random() < 0.04:
        return chance.choice(ODD), chance.choice(ODD), chance.choice(ODD)
    return chance.choice(_COMMON)


def _row(chance: random.Random, number: int, source: str, service: str | None, operation: str) -> dict[str, Any]:
    time_us = _time(chance)
    key, actor = chance.choice(KEYS), chance.choice(ACTORS)
    row: dict[str, Any] = dict.fromkeys(column.name for column in ACTIVITY)
    row |= {
        "row_id": (1 + number % 2) * ORDINALS + number,
        "time_us": time_us,
        "hour": None if time_us is None else time_us // HOUR,
        "delivered_us": None if time_us is None or chance.random() < 0.5 else time_us + chance.randrange(10**9),
        "source": source,
        "account_uid": chance.choice(ACCOUNTS),
        "region": chance.choice(REGIONS),
        "service": service,
        "operation": operation,
        "event_class": chance.choice(("management", "management", "data", "signin", "job", "host", "web", None)),
        "access": chance.choice(("read", "write", None)),
        "status": chance.choice(("success", "success", "failure", None)),
        "error": chance.choice((None, None, "AccessDenied", "ThrottlingException", *ODD[:4])),
        "actor_type": chance.choice(TYPES),
        "actor_uid": actor,
        "actor_name": chance.choice((None, "Ada", "ada", *ODD)),
        "session_uid": chance.choice(SESSIONS),
        "credential_uid": key,
        "parent_uid": chance.choice((None, *ACTORS)),
        "issued_credential_uid": chance.choice((None, None, *KEYS)) if operation != "GetObject" else None,
        "issued_session_uid": chance.choice((None, None, *SESSIONS)),
        "target_uid": chance.choice((*TARGETS, *ODD)),
        "target_type": chance.choice(("user", "role", "key", "bucket", "secret", "repo", None)),
        "target_account": chance.choice((None, None, *ACCOUNTS)),
        "src_ip": chance.choice(ADDRESSES),
        "src_service": chance.choice((None, None, "cloudformation.amazonaws.com")),
        "user_agent": chance.choice((None, "Boto3/1.34", "Mozilla/5.0 (X11)", "console.amazonaws.com", *ODD[:6])),
        "request": _document(chance),
        "response": _document(chance),
        "detail": _document(chance),
        "event_uid": f"event-{number}",
        "shared_uid": f"shared-{number // 3}" if chance.random() < 0.1 else None,
        "src_digest": "ab" * 32,
        "src_file": chance.choice(("logs/one.json", "logs/it's.json.gz")),
        "src_ord": number,
    }
    return row


def _time(chance: random.Random) -> int | None:
    """Thirty days, in few enough instants that there are ties; some rows have none."""
    if chance.random() < 0.02:
        return None
    if chance.random() < 0.3:  # a busy hour
        return START + 20 * 24 * HOUR + chance.randrange(600) * 1_000_000
    return START + chance.randrange(30 * 24) * HOUR + chance.choice((0, 1, 999_999, 1_000_000, 1_799_999_999))


def _document(chance: random.Random) -> str | None:
    if chance.random() < 0.25:
        return None
    one, more = chance.choice, random.Random(chance.random())
    values: tuple[Any, ...] = (None, "", True, False, 0, 7, 10**17, [], {}, ["x"], *ODD)
    found = {
        "userName": one(("ada", None, "", *ODD)),
        "accessKeyId": one(KEYS),
        "status": one(("Active", "Inactive", None)),
        "roleArn": one(("arn:aws:iam::222222222222:role/Deploy", None, 5)),
        "policyDocument": one(
            (json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*"}]}), "%7B%22a%22%3A1%7D", None)
        ),
        "policyArn": one(("arn:aws:iam::aws:policy/AdministratorAccess", None)),
        "ipPermissions": {"items": [{"ipRanges": {"items": [{"cidrIp": one(("0.0.0.0/0", "10.0.0.0/8"))}]}}]},
        "mfa": one((True, False, "Yes", "No", None)),
        "a.b": one(values),
        "nested": {"deep": {"deeper": one(values)}},
        "list": [{"name": one(values)}, one(values)],
        one(ODD) or "k": one(values),
    }
    kept = {name: value for name, value in found.items() if more.random() < 0.6}
    return json.dumps(kept, ensure_ascii=more.random() < 0.5, separators=(",", ":"))


def tables(seed: int = 8) -> dict[str, list[dict[str, Any]]]:
    """Rows of every other given table."""
    chance = random.Random(seed)
    special: dict[str, list[dict[str, Any]]] = {
        "scope": [
            {
                "from_us": START + 15 * 24 * HOUR,
                "to_us": START + 31 * 24 * HOUR,
                "baseline_from_us": START,
                "baseline_to_us": START + 15 * 24 * HOUR,
                "as_of_us": START + 31 * 24 * HOUR,
                "given": True,
            }
        ],
        "subjects": [{"value": "AKIA1"}, {"value": "ada@example.com"}],
        "responders": [{"value": "octo-ada", "from_us": START, "to_us": START + 40 * 24 * HOUR}],
        "inputs": [_input(number) for number in (1, 2)],
    }
    known = {*TABLES, "probes"}  # tables of a single reader hold what that reader checked: none here
    return {
        name: special.get(name) or [_cells(chance, columns, number) for number in range(60 if name in known else 0)]
        for name, columns in given_tables().items()
        if name != "activity"
    }


def _input(number: int) -> dict[str, Any]:
    return {
        "input_no": number,
        "path": f"logs/{number}.json",
        "sha256": "ab" * 32,
        "kind": "log",
        "reader": "aws.cloudtrail",
        "proof": "real_data",
        "size": 10,
        "records": 1500,
        "rows": 1500,
        "duplicates": 0,
        "quarantined": 0,
        "first_us": START,
        "last_us": START + 30 * 24 * HOUR,
        "read_us": START + 40 * 24 * HOUR,
    }


_WORDS = {
    "effect": ("allow", "deny"),
    "access_level": ("list", "read", "write", "permissions", "all", None),
    "relation": ("assumes", "member_of", "attached", "reads_secret", "mounts", "deploys"),
    "standing": ("exploitable", "closed", "not_probed", "cannot_tell"),
    "service": ("iam", "s3", "sts", "*"),
    "action": ("iam:*", "s3:GetObject", "*", "sts:AssumeRole"),
    "type": ("access_key", "user", "role", "secret", "trail", "workload", "image", "deploy_key"),
    "attribute": ("status", "created", "owner", "public", "digest", "last_used"),
    "value": ("Active", "Inactive", "true", "false", "2026-01-01T00:00:00Z", "", None),
}


_MAY_BE_NULL = ("condition", "access_level", "account_uid", "value", "via", "why")


def _cells(chance: random.Random, columns: tuple[Column, ...] | Any, number: int) -> dict[str, Any]:
    """A row of a table nothing more is known of: names for names, instants for instants."""
    row: dict[str, Any] = {}
    for column in columns:
        if column.name == "row_id":
            row[column.name] = 2 * ORDINALS + 5000 + number
        elif column.type == "boolean":
            row[column.name] = chance.choice((True, False, None))
        elif column.name.endswith("_us"):
            row[column.name] = START + chance.randrange(30 * 24) * HOUR
        elif column.name.endswith("hour"):
            row[column.name] = START // HOUR + chance.randrange(30 * 24)
        elif column.type == "integer":
            row[column.name] = chance.choice((0, 1, 7, 10**15, None))
        else:
            found = chance.choice(_WORDS.get(column.name, (*TARGETS, *ODD)))
            row[column.name] = found if column.name in _MAY_BE_NULL else found or "?"
    return row
