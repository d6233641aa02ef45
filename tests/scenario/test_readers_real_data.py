"""The readers over audit events that other people gathered: single events of many vendors, and one real laboratory.

Most of the single events are made by hand for tests of detection rules, so they lack fields; that they are read is no
proof of a reader, that one breaks or is refused for a wrong reason would be a fault. Each run prints, for every source,
how many events are read, undated, refused (by reason), and left to nobody.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.investigation.readers import shipped
from holdfast.investigation.reading import Reader, UnreadableError

DATA = Path(__file__).parents[2].parent / "shared" / "data"
EVENTS = DATA / "panther_tests"
LABORATORY = DATA / "otrf" / "golden_saml"
MINE = {
    "Azure.Audit": "entra.",
    "Azure.MonitorActivity": "azure.",
    "GitHub.Audit": "github.audit",
    "GSuite.ActivityEvent": "gws.",
    "Okta.SystemLog": "okta.system",
    "Slack.AuditLogs": "slack.audit",
}
"""Kinds of events that these readers are there for, with the start of the reader's key. Kubernetes and Google Cloud
are counted apart: their files hold events of other kinds as well."""
PREFIXES = ("entra.", "azure.", "github.", "gitlab.", "gws.", "okta.", "slack.", "gcp.", "k8s.", "m365.", "vault.")
_TIMES = (
    "time",
    "published",
    "created_at",
    "at_sign_timestamp",
    "timestamp",
    "requestReceivedTimestamp",
    "date_create",
)

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not EVENTS.is_dir(), reason=f"the gathered events are not here: {EVENTS}"),
]

READERS = [reader for reader in shipped() if reader.framing == "json"]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _events(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines)


def _reader(event: dict[str, Any]) -> Reader | None:
    return next((reader for reader in READERS if reader.recognises(event)), None)


def _outcome(reader: Reader, event: dict[str, Any]) -> str:
    """``read``, ``undated``, or the reason of a refusal."""
    try:
        return "read" if reader.fields(event).get("time_us") else "undated"
    except UnreadableError as fault:
        return f"refused: {fault}"


def _dated(event: dict[str, Any]) -> bool:
    """Whether the event has a time with digits in it where its source has one."""
    places = [event.get(name) for name in _TIMES]
    inner = event.get("id")
    places += [inner.get("time")] if isinstance(inner, dict) else []
    return any(re.search(r"\d{4}", str(place)) for place in places if place)


def test_no_gathered_event_breaks_a_reader_and_dated_ones_are_read() -> None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    dated: Counter[bool] = Counter()
    total = 0
    for path in sorted(EVENTS.glob("*.jsonl")):
        for item in _events(path):
            total += 1
            event = item["event"]
            reader = _reader(event)
            if reader is None:
                counts[f"{path.stem}: nobody"]["left"] += 1
                continue
            outcome = _outcome(reader, event)
            counts[f"{path.stem}: {reader.key}"][outcome] += 1
            if reader.key.startswith(PREFIXES) and _dated(event):
                dated[outcome == "read"] += 1
    for source, outcomes in counts.items():
        _say(f"{source:40} {dict(outcomes)}")
    _say(f"of {dated.total()} dated audit events {dated[True]} are read")
    assert total == 1681
    assert dated.total() > 250
    assert dated[True] >= 0.95 * dated.total()


def test_events_go_to_the_reader_of_their_kind() -> None:
    strays: Counter[str] = Counter()
    right = 0
    for path in sorted(EVENTS.glob("*.jsonl")):
        for item in _events(path):
            kinds = item["log_types"] or []
            reader = _reader(item["event"])
            if len(kinds) == 1 and kinds[0] in MINE:
                if reader is not None and reader.key.startswith(MINE[kinds[0]]):
                    right += 1
                else:
                    strays[f"{kinds[0]} -> {reader and reader.key}"] += 1
            elif len(kinds) == 1 and reader is not None and reader.key.startswith(PREFIXES):
                strays[f"{kinds[0]} -> {reader.key}"] += kinds[0] not in {"GCP.AuditLog", "GitHub.Webhook"}
    assert right == 277
    assert not +strays


def test_no_event_of_the_clusters_is_lost_but_those_that_tell_nothing() -> None:
    left = 0
    for item in _events(EVENTS / "k8s_eks.jsonl"):
        reader = _reader(item["event"])
        if reader is None:
            left += 1
        else:
            assert reader.key in {"k8s.audit", "gcp.audit"}
            assert _outcome(reader, item["event"]) in {"read", "undated"}
    assert left <= 4


def test_the_stolen_signing_key_is_told_by_the_real_tenants_log() -> None:
    events = list(_events(LABORATORY / "AADAuditEvents.ndjson"))
    rows = []
    for event in events:
        reader = _reader(event)
        assert reader is not None
        assert reader.key == "entra.audit"
        rows.append(reader.fields(event))
    assert [row["operation"] for row in sorted(rows, key=lambda row: row["time_us"])] == [
        "Update application",
        "Add delegated permission grant",
        "Update application \N{EN DASH} Certificates and secrets management",
        "Update application \N{EN DASH} Certificates and secrets management",
    ]
    assert {row["actor_uid"] for row in rows} == {"pgustavo@simulandlabs.com"}
    assert {row["status"] for row in rows} == {"success"}
    assert {row.get("issued_credential_uid") for row in rows} == {None, "59eaeebc-8a6b-44a6-9f24-7d55e64420c9"}
    assert len({row["event_uid"] for row in rows}) == 3, "the laboratory's log tells one event twice"


def test_the_mail_that_was_read_is_told_by_the_real_tenants_log() -> None:
    (event,) = _events(LABORATORY / "OfficeActivityEvents.ndjson")
    reader = _reader(event)
    assert reader is not None
    assert reader.key == "m365.ual"
    told = reader.fields(event)
    expected = {
        "operation": "MailItemsAccessed",
        "event_class": "data",
        "access": "read",
        "status": "success",
        "actor_uid": "pgustavo@simulandlabs.com",
        "target_uid": "pgustavo@simulandlabs.com",
        "src_ip": "1.2.3.4",
        "event_uid": "699e0b10-1c53-403e-976f-ce0847a92b44",
    }
    assert told.items() >= expected.items()
    assert told["detail"]["properties"] == {"MailAccessType": "Bind", "IsThrottled": "False"}
