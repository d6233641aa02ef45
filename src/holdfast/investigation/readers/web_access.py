"""Lines of web servers' access logs: Common and Combined (Apache, nginx, Twisted), with or without a virtual host.

Rules:
1. ``[24/Nov/2026:16:08:43 +0000]`` has its offset and is the only clock; it is when the server wrote the line, which
   for nginx and S3 is after the answer.
2. Status codes below 400 are successes, others failures (``HTTP 403``). GET, HEAD and OPTIONS read, others write.
3. Who acts is the name the server took from the request. A server writes it down also when it refuses it: then the row
   is a failure of that name. Without a name it is ``anonymous``: an application may know its user, its log does not.
4. The path without its query is the target. The query is in the request; values under names that tell a secret (a
   token, a signature, a one-time code) are withheld there, in the referer and in requests to S3.
5. Requests that are no HTTP stand as they are in ``detail.line``, with the operation ``not HTTP``.
6. Equal lines are separate requests: a line has no id.

Further readers here: Amazon S3 server access logs, which name their bucket, requester and request
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html), and the table of S3 calls that an alarm on
CloudTrail's data events keeps: its rows are CloudTrail's events under CloudTrail's ids.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from holdfast.investigation.readers._fields import (
    NOT_AN_INSTANT,
    NOT_THIS_SHAPE,
    address,
    compact,
    told,
    when,
)
from holdfast.investigation.reading import Fields, Proof, Reader, UnreadableError

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME = r"\[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]"
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_LINE = re.compile(
    rf'(?:(?P<vhost>[\w.-]+:\d+) )?"?(?P<peer>[^\s"]+)"? (?P<ident>\S+) (?P<user>"[^"]*"|.*?) {_TIME} '
    rf'"(?P<request>(?:[^"\\]|\\.)*)" (?P<code>\d{{3}}|-) (?P<size>\d+|-)(?P<more>(?: .*)?)',
    re.DOTALL,
)
_MORE = re.compile(rf" {_QUOTED} {_QUOTED}(.*)", re.DOTALL)
_REQUEST = re.compile(r"([A-Z][A-Z_-]{1,30}) (\S+)(?: (HTTP/\d(?:\.\d)?))?")
_CLOCK = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})")
_S3 = re.compile(
    rf"(?P<owner>[0-9a-f]{{64}}|-) (?P<bucket>[a-z0-9.-]{{3,63}}) {_TIME} (?P<ip>\S+) (?P<requester>\S+) (?P<id>\S+) "
    r'(?P<operation>[A-Z0-9]+(?:\.[A-Z0-9_]+)+) (?P<key>\S+) (?:"(?P<request>(?:[^"\\]|\\.)*)"|-) (?P<code>\d{3}|-) '
    r'(?P<error>\S+) (?P<sent>\S+) (?P<size>\S+) (?P<total>\S+) (?P<turn>\S+) (?:"(?P<referer>(?:[^"\\]|\\.)*)"|-) '
    r'(?:"(?P<agent>(?:[^"\\]|\\.)*)"|-) (?P<version>\S+)(?P<more>(?: .*)?)',
    re.DOTALL,
)
_AFTER = ("host_id", "signature", "cipher", "auth", "host", "tls", "access_point", "acl_required")
_READS = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "TRACE"})
_SECRET = re.compile(
    r"((?:^|[?&;])[^=&;\s]{0,40}(?:token|secret|passw|signature|credential|api_?key|session|auth|jwt|sig|code|pwd)"
    r"[^=&;\s]{0,40}=)[^&;\s]+",
    re.IGNORECASE,
)
_FAILED = 400
_ALARM = frozenset({"Event Type", "Event Name", "Request ID", "User ID", "Event ID", "Event DateTime", "Source IP"})


def _clock(text: str) -> int:
    match = _CLOCK.fullmatch(text)
    found = None
    if match is not None and match[2] in _MONTHS:
        found = when(f"{match[3]}-{_MONTHS.index(match[2]) + 1:02}-{match[1]}T{match[4]}{match[5]}")
    if found is None:
        raise UnreadableError(NOT_AN_INSTANT)
    return found


def _safe(text: str | None) -> str | None:
    """A query, or a text that holds one, without the values of secrets."""
    return None if text is None else _SECRET.sub(r"\g<1>withheld", text)


def _status(code: str | None) -> Fields:
    if code is None or not code.isdecimal():
        return {"status": None}
    failed = int(code) >= _FAILED
    return {"status": "failure" if failed else "success", "error": f"HTTP {code}" if failed else None}


def _request(line: str) -> tuple[str, str | None, str | None, str | None]:
    """Method, path, query and protocol."""
    match = _REQUEST.fullmatch(line)
    if match is None:
        return "not HTTP", None, None, None
    path, _, query = match[2].partition("?")
    return match[1], path, query or None, match[3]


def _says(line: Any) -> bool:  # noqa: ANN401 -- a line
    return isinstance(line, str) and _LINE.fullmatch(line) is not None


def _fields(line: Any) -> Fields:  # noqa: ANN401 -- a line
    match = _LINE.fullmatch(line) if isinstance(line, str) else None
    if match is None:
        raise UnreadableError(NOT_THIS_SHAPE)
    method, path, query, protocol = _request(match["request"])
    user = told(match["user"].strip('"'))
    more = _MORE.match(match["more"] or "")
    referer, agent, after = more.groups() if more else (None, None, match["more"])
    return {
        "time_us": _clock(match["time"]),
        "account_uid": match["vhost"],
        "service": "http",
        "operation": method,
        "event_class": "web",
        "access": None if path is None else "read" if method in _READS else "write",
        **_status(match["code"]),
        "actor_type": "unknown" if user else "anonymous",
        "actor_uid": user,
        "actor_name": user,
        "target_uid": path,
        "target_type": "path" if path else None,
        "src_ip": address(match["peer"]),
        "user_agent": told(agent),
        "request": compact({"path": path, "query": _safe(query), "protocol": protocol}),
        "response": compact({"status": match["code"], "bytes": told(match["size"])}),
        "detail": compact(
            {
                "referer": _safe(told(referer)),
                "ident": told(match["ident"]),
                "line": _safe(match["request"]) if path is None else None,
                "more": (after or "").strip(),
            }
        ),
    }


def _s3_says(line: Any) -> bool:  # noqa: ANN401 -- a line
    return isinstance(line, str) and _S3.fullmatch(line) is not None


def _s3_fields(line: Any) -> Fields:  # noqa: ANN401 -- a line
    match = _S3.fullmatch(line) if isinstance(line, str) else None
    if match is None:
        raise UnreadableError(NOT_THIS_SHAPE)
    operation, key, requester = match["operation"], told(match["key"]), told(match["requester"])
    verb = operation.split(".")[1] if operation.startswith("REST.") else operation
    error = told(match["error"])
    status = _status(match["code"])
    after = dict(zip(_AFTER, (match["more"] or "").split(), strict=False))
    return {
        "time_us": _clock(match["time"]),
        "service": "s3",
        "operation": operation,
        "event_class": "data" if "OBJECT" in operation or "PART" in operation else "management",
        "access": "read" if verb in _READS else "write",
        **status,
        "error": error or status.get("error") if status["status"] == "failure" else None,
        **_requester(requester),
        "target_uid": f"arn:aws:s3:::{match['bucket']}" + (f"/{key}" if key else ""),
        "target_type": "object" if key else "bucket",
        "src_ip": address(match["ip"]),
        "user_agent": told(match["agent"]),
        "request": compact({"line": _safe(match["request"]), "bucket": match["bucket"], "key": key}),
        "response": compact({"status": match["code"], "bytes": told(match["sent"]), "size": told(match["size"])}),
        "detail": compact(
            {
                "owner": told(match["owner"]), "referer": _safe(told(match["referer"])),
                "version": told(match["version"]),
                "request_id": match["id"], **{name: told(value) for name, value in after.items()},
            }
        ),
        "event_uid": f"{match['id']}/{operation}/{key or ''}",
    }  # fmt: skip


def _requester(requester: str | None) -> Fields:
    """An ARN, a canonical id, a service or nobody; the session's name is not the lasting identity."""
    if requester is None:
        return {"actor_type": "anonymous"}
    role = re.fullmatch(r"arn:(aws[\w-]*):sts::(\d{12}):assumed-role/([^/]+)/.+", requester)
    if role is not None:
        return {"actor_type": "workload", "actor_uid": f"arn:{role[1]}:iam::{role[2]}:role/{role[3]}",
                "actor_name": role[3], "session_uid": requester}  # fmt: skip
    if requester.endswith(".amazonaws.com") or requester.startswith("svc:"):
        return {"actor_type": "cloud_service", "actor_uid": requester, "actor_name": requester}
    root = requester.startswith("arn:") and requester.endswith(":root")
    return {"actor_type": "root" if root else "unknown", "actor_uid": requester, "actor_name": requester}


def _alarm_says(record: Any) -> bool:  # noqa: ANN401 -- a row of a table
    return isinstance(record, Mapping) and record.keys() >= _ALARM


def _alarm_fields(record: Any) -> Fields:  # noqa: ANN401 -- a row of a table
    if not isinstance(record, Mapping):
        raise UnreadableError(NOT_THIS_SHAPE)
    user, asked = _written(record.get("User ID")), _written(record.get("Request Parameters"))
    bucket, key = told(asked.get("bucketName")), told(asked.get("key"))
    account = told(user.get("accountId"))
    anonymous = account in (None, "ANONYMOUS_PRINCIPAL")
    operation = told(record.get("Event Name")) or ""
    return {
        "time_us": when(record.get("Event DateTime")),
        "service": "s3",
        "operation": operation or None,
        "event_class": "data",
        "access": "read" if operation.startswith(("Get", "Head", "List")) else "write",
        "actor_type": "anonymous" if anonymous else "unknown",
        "actor_uid": None if anonymous else told(user.get("arn")) or told(user.get("principalId")) or account,
        "actor_name": told(user.get("userName")),
        "credential_uid": told(user.get("accessKeyId")),
        "target_uid": f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "") if bucket else None,
        "target_type": ("object" if key else "bucket") if bucket else None,
        "src_ip": address(record.get("Source IP")),
        "user_agent": told(record.get("Request User Agent")),
        "request": compact(asked),
        "detail": compact(
            {
                "request_id": told(record.get("Request ID")), "identity": user, "alert": told(record.get("Alert")),
                "alarm_time": told(record.get("Alarm DateTime")), "repeated": told(record.get("Repeated Attempts")),
            }
        ),
        "event_uid": told(record.get("Event ID")),
    }  # fmt: skip


def _written(value: object) -> dict[str, Any]:
    """A mapping that was written down as Python prints it; empty when it is none."""
    text = told(value)
    if text is None or not text.startswith("{") or len(text) > 100_000:  # noqa: PLR2004 -- far longer than such a cell is
        return {}
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return {}
    return {str(key): worth for key, worth in found.items()} if isinstance(found, dict) else {}


READERS = (
    Reader(
        key="web.access",
        title="Access log of a web server (Common, Combined)",
        framing="lines",
        proof=Proof("real_server", "nginx 1.22.1 (Debian 12) and the http.log of Buildbot 4.3.0, run by tests/real"),
        recognises=_says,
        fields=_fields,
        event_classes=("web",),
        priority=110,
    ),
    Reader(
        key="aws.s3_access",
        title="Amazon S3 server access log",
        framing="lines",
        proof=Proof("vendor_schema", "https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html"),
        recognises=_s3_says,
        fields=_s3_fields,
        event_classes=("data", "management"),
        priority=105,
    ),
    Reader(
        key="aws.cloudtrail+alarms",
        title="Table of S3 calls kept by an alarm on CloudTrail's data events",
        framing="csv",
        proof=Proof("real_data", "OTRF Security-Datasets, AWS_S3_HoneyBucketLogs.csv"),
        recognises=_alarm_says,
        fields=_alarm_fields,
        event_classes=("data",),
    ),
)
