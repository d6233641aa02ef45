"""CloudTrail: native files, LookupEvents, Lake exports, and events in CloudWatch Logs or EventBridge.

Fields: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

Rules:
1. ``operation`` is ``eventName`` as spelled, also with Lambda's date behind it; the rules for targets know both.
2. An address that is none stays text in ``src_ip``; a service's name goes to ``src_service``.
3. ``readOnly`` may be text; without it the verb of the operation tells read from write.
4. A request that the source left out because it was too large is told in ``detail.omitted``: it is a known way to hide.
5. A failed console sign-in has no error code; its response says so.

Not handled here: nested columns of Lake exports in the form ``{a=b, c=d}``, which cannot be told apart safely: they
stay in ``detail`` as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import orjson

from holdfast.investigation.framing import Value, loads
from holdfast.investigation.readers import _cloudtrail_targets as targets
from holdfast.investigation.readers._cloudtrail_identity import Identity, identity, table, words
from holdfast.investigation.readers._fields import NOT_AN_INSTANT, NOT_THIS_SHAPE, instant
from holdfast.investigation.reading import Fields, Proof, Reader, UnreadableError

SOURCE = "aws.cloudtrail"
_NAMES = (
    "time_us", "delivered_us", "source", "account_uid", "region", "service", "operation", "event_class", "access",
    "status", "error", "actor_type", "actor_uid", "actor_name", "session_uid", "credential_uid", "parent_uid",
    "issued_credential_uid", "issued_session_uid", "target_uid", "target_type", "target_account", "src_ip",
    "src_service", "user_agent", "request", "response", "detail", "event_uid", "shared_uid",
)  # fmt: skip
_READS = re.compile(
    r"(?:Get|List|Describe|Head|Lookup|Search|BatchGet|Select|Scan|Query|Check|Verify|Validate|Preview|Test|Simulate"
    r"|Estimate|Discover|Detect|Filter|Download|View|Read|Retrieve)(?=[A-Z0-9]|$)"
)
_WRITING_READS = frozenset({"TestInvokeMethod", "TestInvokeAuthorizer", "GetFederationToken"})
_DATA = re.compile(
    r"(?:Get|Put|Delete|Head|Copy|Restore|List)Objects?(?:V2|Acl|Tagging)?|UploadPart|(?:Create|Complete)MultipartUpload"
    r"|Invoke(?:Execution)?|(?:Get|Put|Delete|Update|BatchGet|BatchWrite)Item|Query|Scan"
)
"""Operations on data, for records of older versions that do not tell their category."""
_CLASSES = {"Management": "management", "Data": "data", "Insight": "insight", "NetworkActivity": "network"}
_SIGNIN = frozenset({"signin.amazonaws.com", "sso.amazonaws.com/signin"})
_ADDRESS = re.compile(r"[0-9A-Fa-f.:%*xX/]*[0-9*xX][0-9A-Fa-f.:%*xX/]*")
_BROWSER = re.compile(r"Mozilla/|\[?S3Console/|signin\.amazonaws\.com|console\.amazonaws\.com|.*exec-env/CloudShell")
_UNATTENDED = re.compile(
    r".*(?:exec-env/AWS_(?:Lambda|ECS|CodeBuild|Batch)|APN/1\.0 HashiCorp/1\.0 TerraformCloud|github-actions"
    r"|GitHubActions|configure-aws-credentials|gitlab-runner|Jenkins|CodeBuild|amazon-ssm-agent|kubelet|aws-k8s)",
    re.IGNORECASE | re.DOTALL,
)
_BESIDE = (
    ("eventType", "event_type"),
    ("errorMessage", "error_message"),
    ("additionalEventData", "additional"),
    ("tlsDetails", "tls"),
    ("vpcEndpointId", "vpc_endpoint"),
    ("vpcEndpointAccountId", "vpc_endpoint_account"),
    ("resources", "resources"),
    ("sessionCredentialFromConsole", "console"),
    ("addendum", "addendum"),
    ("serviceEventDetails", "service_event"),
    ("insightDetails", "insight"),
    ("edgeDeviceDetails", "edge_device"),
    ("eventContext", "context"),
)
"""Field of the record to its name in ``detail``, after those of the identity."""
_REMEMBERED, _LONGEST = 8192, 4096


class _Kept(dict[Any, Any]):
    """What was worked out for a value before, up to a number of values that are not too long."""

    def keep(self, key: Any, found: Any) -> Any:  # noqa: ANN401 - of whatever is remembered
        """Remember what was found; gives it back."""
        length = sum(map(len, key)) if isinstance(key, tuple) else len(key)
        if length <= _LONGEST:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[key] = found
        return found


class _Memory(_Kept):
    """Works out itself what it does not remember."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        super().__init__()
        self._work = work

    def __missing__(self, key: Any) -> Any:  # noqa: ANN401 - likewise
        return self.keep(key, self._work(key))


def _time(value: Value) -> int | None:
    """An instant; of the usual form, whole seconds in UTC, only each hour is worked out."""
    if value is None:
        return None
    if isinstance(value, str) and len(value) == _USUAL and value > "1971":  # the first hour of 1970 is no instant
        past = _IN_HOUR.get(value[13:])
        if past is not None:
            return int(_HOURS[value[:13]]) + past
    return _instant(value)


def _instant(value: Value) -> int:
    found = instant(value)
    if found is None:
        raise UnreadableError(NOT_AN_INSTANT)
    return found


def _who(told: Value) -> tuple[Identity, bytes]:
    """Who a ``userIdentity`` tells of, and its part of the detail as JSON."""
    text = orjson.dumps(told)
    remembered: tuple[Identity, bytes] | None = _WHO.get(text)
    if remembered is not None:
        return remembered
    found = identity(table(told))
    return cast("tuple[Identity, bytes]", _WHO.keep(text, (found, orjson.dumps(found.detail))))


def _address(value: str) -> tuple[str | None, str | None]:
    return (value, None) if _ADDRESS.fullmatch(value) else (None, value)


def _named(operation: str) -> tuple[str, str]:
    """The operation without a version, and what its verb says."""
    bare = targets.bare_operation(operation)
    reads = _READS.match(bare) is not None and bare not in _WRITING_READS
    return bare, "read" if reads else "write"


def _program(agent: str) -> str:
    if _BROWSER.match(agent):
        return "human"
    return "unattended" if _UNATTENDED.match(agent) else ""


_USUAL = len("2026-05-01T00:00:00Z")
_IN_HOUR = {f":{at // 60:02d}:{at % 60:02d}Z": at * 1_000_000 for at in range(3600)}
_HOURS = _Memory(lambda hour: _instant(f"{hour}:00:00Z"))
_WHO, _ADDRESSES = _Kept(), _Memory(_address)
_PRESENT = _Memory(lambda names: tuple(pair for pair in _BESIDE if pair[0] in names))
_OPERATIONS, _PROGRAMS = _Memory(_named), _Memory(_program)
_NOBODY = b"{}"
_SERVICES = _Memory(lambda source: source.removesuffix(".amazonaws.com"))


def recognises(record: Value) -> bool:
    """Whether it is a CloudTrail event, or carries one."""
    if not isinstance(record, dict):
        return False
    if "eventSource" in record:
        return "eventName" in record and isinstance(record["eventName"], str) and isinstance(record["eventSource"], str)
    if "CloudTrailEvent" in record:
        return isinstance(record["CloudTrailEvent"], str)
    if "detail-type" in record:
        inner = record.get("detail")
        return isinstance(inner, dict) and isinstance(inner.get("eventSource"), str) and "eventName" in inner
    return any(isinstance(record.get(name), str) for name in ("eventJson", "eventjson"))


def _event(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event itself, out of what carries it."""
    if "eventSource" in record:
        return record
    if "detail-type" in record:
        return table(record["detail"])
    text = record.get("CloudTrailEvent") or record.get("eventJson") or record.get("eventjson")
    try:
        inner = loads(str(text))
    except (ValueError, RecursionError):
        raise UnreadableError("the event inside it is not JSON") from None
    if not isinstance(inner, dict) or not isinstance(inner.get("eventSource"), str):
        raise UnreadableError(NOT_THIS_SHAPE)
    return inner


def _row(record: Mapping[str, Any]) -> tuple[Any, ...]:
    event = record if "eventSource" in record else _event(record)
    get = event.get
    source, operation, agent = event["eventSource"], event["eventName"], get("userAgent")
    who, known = _who(get("userIdentity"))
    account = get("recipientAccountId") or who.account_uid
    bare, verb = _OPERATIONS[operation]
    request, response, error = get("requestParameters"), get("responseElements"), get("errorCode") or None
    status = "failure" if error else "success"
    if bare == "ConsoleLogin" and not error and table(response).get("ConsoleLogin") == "Failure":
        status, error = "failure", get("errorMessage") or "ConsoleLogin Failure"
    access = get("readOnly")
    address = get("sourceIPAddress")
    ip, service = _ADDRESSES[address] if address else (None, None)
    actor = who.actor_type
    if agent and actor == "unknown":
        actor = _by_program(who, agent)
    if actor == "unknown" and (bare == "ConsoleLogin" or get("sessionCredentialFromConsole") in ("true", True)):
        actor = "human"
    uid, kind = targets.target(event, bare, account)
    issued = targets.ISSUES.get(bare)
    credential, session = _issued(issued, request, response) if issued and status == "success" else (None, None)
    return (
        _time(get("eventTime") or get("@timestamp")), None, SOURCE, account, get("awsRegion"), _SERVICES[source],
        operation, _class(event, source, bare), verb if access is None else _ACCESS.get(access, verb), status, error,
        actor, who.actor_uid, who.actor_name, who.session_uid, who.credential_uid, who.parent_uid, credential, session,
        uid, kind, targets.other_account(event, bare, uid, account), ip, service, agent,
        None if request is None else orjson.dumps(request), None if response is None else orjson.dumps(response),
        _detail(event, known, request), get("eventID"), get("sharedEventID"),
    )  # fmt: skip


_ACCESS: Mapping[Any, str] = {
    True: "read",
    False: "write",
    "true": "read",
    "false": "write",
    "True": "read",
    "False": "write",
}


def _by_program(who: Identity, agent: str) -> str:
    program = _PROGRAMS[agent]
    if program == "human":
        return "human"
    if program == "unattended":
        return "workload" if who.session_uid else "service_account"
    return "unknown"


def _class(event: Mapping[str, Any], source: str, bare: str) -> str:
    if source in _SIGNIN or event.get("eventType") == "AwsConsoleSignIn":
        return "signin"
    category = event.get("eventCategory")
    if category is not None:
        return _CLASSES.get(category, "other")
    managed = event.get("managementEvent")
    if managed is not None:
        return "data" if managed in (False, "false") else "management"
    return "data" if _DATA.fullmatch(bare) else "management"


def _issued(paths: tuple[str, str], request: Value, response: Value) -> tuple[str | None, str | None]:
    credential = targets.at(response, paths[0])
    session = targets.at(response, paths[1]) if paths[1] else None
    if session is None and paths[1] == "assumedRoleUser.arn":
        session = _session_of(words(table(request).get("roleArn")), words(table(request).get("roleSessionName")))
    return credential, session


def _session_of(role: str | None, name: str | None) -> str | None:
    """The session's ARN, which a role's ARN and the name of the session make up."""
    match = re.fullmatch(r"arn:([\w-]+):iam::(\d+):role/(?:.*/)?([^/]+)", role or "")
    return f"arn:{match[1]}:sts::{match[2]}:assumed-role/{match[3]}/{name}" if match and name else None


def _detail(event: Mapping[str, Any], known: bytes, request: Value) -> bytes | None:
    more = {name: told for field, name in _PRESENT[tuple(event)] if (told := event[field])}
    if isinstance(request, dict) and request.get("omitted"):
        more["omitted"] = True
    if known == _NOBODY and isinstance(event.get("userIdentity"), str):
        more["user_identity_text"] = event["userIdentity"]
    if not more:
        return known if known != _NOBODY else None
    told = orjson.dumps(more)
    return known[:-1] + b"," + told[1:] if known != _NOBODY else told


def columns(records: list[Any]) -> tuple[dict[str, list[Any]], dict[int, str]]:
    """Many events at once; texts in JSON are UTF-8 bytes."""
    rows = []
    bad: dict[int, str] = {}
    for place, record in enumerate(records):
        try:
            rows.append(_row(record))
        except UnreadableError as fault:
            bad[place] = str(fault)
        except (LookupError, TypeError, ValueError, AttributeError):
            bad[place] = NOT_THIS_SHAPE
    told = zip(*rows, strict=True) if rows else [()] * len(_NAMES)
    return dict(zip(_NAMES, map(list, told), strict=True)), bad


def fields(record: Value) -> Fields:
    """One event.

    Raises:
        UnreadableError: its time is none, or it is not of this shape.
    """
    told, bad = columns([record])
    if bad:
        raise UnreadableError(bad[0])
    values = {name: value[0] for name, value in told.items() if value[0] is not None}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}


def _lake(record: Value) -> bool:
    return isinstance(record, dict) and (
        any(str(record.get(name, "")).startswith("{") for name in ("eventJson", "eventjson"))
        or all(record.get(name) for name in ("eventID", "eventName", "eventSource", "eventTime"))
    )


def _lake_fields(record: Value) -> Fields:
    if any(record.get(name) for name in ("eventJson", "eventjson")):
        return fields(record)
    return fields({name: _parsed(value) for name, value in record.items() if value not in ("", "null")})


def _parsed(text: Value) -> Value:
    """A column of a flat export: nested ones are JSON where they are anything."""
    if isinstance(text, str) and text.startswith(("{", "[")):
        try:
            return loads(text)
        except (ValueError, RecursionError):
            return text
    return text


_CLASSES_TOLD = ("management", "data", "signin", "insight", "network")

READERS = (
    Reader(
        key=SOURCE,
        title="AWS CloudTrail",
        framing="json",
        proof=Proof("real_data", "2,900 events of a laboratory account (invictus-ir/aws_dataset), native files"),
        recognises=recognises,
        fields=fields,
        event_classes=_CLASSES_TOLD,
        priority=10,
        columns=columns,
    ),
    Reader(
        key=f"{SOURCE}+lake",
        title="AWS CloudTrail Lake, exported as CSV",
        framing="csv",
        proof=Proof(
            "vendor_schema",
            "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-event-data-store-lake.html",
        ),
        recognises=_lake,
        fields=_lake_fields,
        event_classes=_CLASSES_TOLD,
        priority=10,
    ),
)
