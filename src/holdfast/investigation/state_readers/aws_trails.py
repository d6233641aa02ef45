"""AWS CloudTrail as configured: trails, their status and their selectors, for what the logs can tell at all.

Rules:
1. A trail is named by its ARN; a status that does not name its trail is kept under the capture's path, with a gap.
2. Selectors are kept whole as JSON text: whether data events were on is judged where the coverage is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from holdfast.investigation.captured import Origin, StateReader
from holdfast.investigation.reading import Proof
from holdfast.investigation.state_readers._aws_policies import account_of
from holdfast.investigation.state_readers._rows import Row, Rows, mappings, table


def _trails(value: object) -> list[Mapping[str, Any]]:
    if not isinstance(value, Mapping):
        return []
    trail = table(value.get("Trail"))
    found = [*mappings(value.get("trailList")), *([trail] if trail else [])]
    return [one for one in found if "TrailARN" in one or "S3BucketName" in one]


def _recognises(value: object) -> bool:
    return bool(_trails(value)) or (
        isinstance(value, Mapping)
        and (
            ("IsLogging" in value)
            or ("TrailARN" in value and ("EventSelectors" in value or "AdvancedEventSelectors" in value))
        )
    )


def _tables(value: Mapping[str, Any], origin: Origin) -> Mapping[str, Iterable[Row]]:
    rows = Rows(origin)
    for trail in _trails(value):
        uid = str(trail.get("TrailARN") or trail.get("Name"))
        rows.account = account_of(uid)
        rows.item(
            uid,
            "trail",
            name=trail.get("Name"),
            home_region=trail.get("HomeRegion"),
            multi_region=trail.get("IsMultiRegionTrail"),
            global_events=trail.get("IncludeGlobalServiceEvents"),
            organization=trail.get("IsOrganizationTrail"),
            log_file_validation=trail.get("LogFileValidationEnabled"),
            bucket=trail.get("S3BucketName"),
            prefix=trail.get("S3KeyPrefix"),
            has_selectors=trail.get("HasCustomEventSelectors"),
        )
    if "IsLogging" in value:
        _status(rows, value)
    if "EventSelectors" in value or "AdvancedEventSelectors" in value:
        uid = str(value["TrailARN"])
        rows.account = account_of(uid)
        rows.item(
            uid,
            "trail",
            selectors=value.get("EventSelectors") or None,
            advanced_selectors=value.get("AdvancedEventSelectors") or None,
        )
    return rows.tables()


def _status(rows: Rows, value: Mapping[str, Any]) -> None:
    named = value.get("TrailARN") or value.get("Name")
    uid = str(named or f"trail of {rows.origin.path}")
    rows.account = account_of(uid)
    rows.item(
        uid,
        "trail",
        is_logging=value.get("IsLogging"),
        started=value.get("StartLoggingTime"),
        stopped=value.get("StopLoggingTime"),
        latest_delivery=value.get("LatestDeliveryTime"),
        latest_digest=value.get("LatestDigestDeliveryTime"),
        delivery_error=value.get("LatestDeliveryError"),
    )
    if named is None:
        rows.gap("kind of object", uid, "the status does not name the trail it is about")


READER = StateReader(
    "aws.trail",
    "AWS CloudTrail: trails, status and event selectors",
    Proof("real_server", "MiniStack 1.5.33 for trails and status; CloudTrail API reference for selectors"),
    _recognises,
    _tables,
)
