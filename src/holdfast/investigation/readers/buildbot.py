"""Buildbot's REST API: ``builds``, ``buildrequests``, ``buildsets`` and ``changes``, as it answers.

Rules:
1. One record is one row, dated by when it began: ``started_at``, ``submitted_at``, ``when_timestamp``; when it ended is
   in the detail. A build that is still running has no status.
2. Results are numbers: 0 success and 1 warnings are successes; 2 failure, 4 exception, 5 retry and 6 cancelled are
   failures; 3 skipped is neither (https://docs.buildbot.net/4.3.0/developer/results.html).
3. Who forced a build is its property ``owner``, and of a build set the name its reason quotes; who made a change is its
   author. Without either, the scheduler or the worker stands behind it: a ``ci_token``.
4. Who *stopped* a build Buildbot does not keep; the reason they gave is in ``state_string``. Its web server's
   ``http.log`` has the request and is read as a web access log.
5. Properties by name only, but for those Buildbot itself sets: others may hold secrets. Logs of steps, which print the
   environment with its secrets, are not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from holdfast.investigation.readers._fields import compact, first, lower, mapping, record_of, told, when
from holdfast.investigation.reading import Fields, Proof, Reader

_RESULTS = {
    0: ("success", None), 1: ("success", None), 2: ("failure", "failure"), 3: (None, None),
    4: ("failure", "exception"), 5: ("failure", "retry"), 6: ("failure", "cancelled"),
}  # fmt: skip
_KEPT = (
    "owner", "owners", "reason", "scheduler", "buildername", "buildnumber", "branch", "revision", "repository",
    "project", "codebase", "workername", "got_revision", "event",
)  # fmt: skip
_ENVELOPES = ("builds", "buildrequests", "buildsets", "changes")
_FORCED = re.compile(r"A build was forced by '([^']+)'")
_MAIL = re.compile(r".*<([^<>@\s]+@[^<>\s]+)>\s*")


def _kind(record: Mapping[str, Any]) -> str | None:
    if "buildid" in record and "builderid" in record and "state_string" in record:
        return "build"
    if "buildrequestid" in record and "buildsetid" in record and "submitted_at" in record:
        return "buildrequest"
    if "bsid" in record and "sourcestamps" in record:
        return "buildset"
    if "changeid" in record and "when_timestamp" in record:
        return "change"
    return None


def _recognises(record: Any) -> bool:  # noqa: ANN401 -- parsed JSON
    return isinstance(record, Mapping) and _kind(record) is not None


def _fields(record: Any) -> Fields:  # noqa: ANN401 -- parsed JSON
    event = record_of(record)
    kind = _kind(event)
    own = {"build": _build, "buildrequest": _request, "buildset": _set, "change": _change}[kind or "build"](event)
    return {"service": "buildbot", "operation": kind, "event_class": "job", "access": "write", **own}


def _properties(event: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Values of the properties Buildbot itself sets, and the names of the others."""
    kept: dict[str, Any] = {}
    others: list[str] = []
    for name, pair in mapping(event.get("properties")).items():
        if name in _KEPT:
            kept[name] = pair[0] if isinstance(pair, list) and pair else pair
        else:
            others.append(str(name))
    return kept, sorted(others)


def _outcome(event: Mapping[str, Any]) -> Fields:
    number = event.get("results")
    if event.get("complete") is False or not isinstance(number, int):
        return {"status": None}
    status, error = _RESULTS.get(number, (None, None))
    return {"status": status, "error": first(event.get("state_string"), error) if status == "failure" else None}


def _actor(person: object, otherwise: str | None) -> Fields:
    name = told(person)
    if name is None:
        return {"actor_type": "ci_token" if otherwise else "unknown", "actor_uid": otherwise}
    mail = _MAIL.fullmatch(name)
    return {"actor_type": "human", "actor_uid": lower(mail[1]) if mail else name, "actor_name": name}


def _build(event: Mapping[str, Any]) -> Fields:
    kept, others = _properties(event)
    builder = first(kept.get("buildername"), event.get("builderid"))
    return {
        "time_us": when(event.get("started_at")),
        **_outcome(event),
        **_actor(kept.get("owner"), first(kept.get("scheduler"), kept.get("workername"))),
        "issued_session_uid": _uid("build", event.get("buildid")),
        "target_uid": builder,
        "target_type": "builder",
        "request": compact(
            {name: kept.get(name) for name in ("reason", "branch", "revision", "repository", "project")}
        ),
        "detail": compact(
            {name: event.get(name) for name in ("number", "buildrequestid", "workerid", "state_string", "complete")}
            | {"complete_us": when(event.get("complete_at")), "properties": kept, "other_properties": others}
        ),
        "event_uid": _uid("build", event.get("buildid")),
    }


def _request(event: Mapping[str, Any]) -> Fields:
    kept, others = _properties(event)
    return {
        "time_us": when(event.get("submitted_at")),
        **_outcome(event),
        **_actor(kept.get("owner"), first(kept.get("scheduler"))),
        "target_uid": first(kept.get("buildername"), event.get("builderid")),
        "target_type": "builder",
        "request": compact({name: kept.get(name) for name in ("reason", "branch", "revision")}),
        "detail": compact(
            {
                name: event.get(name)
                for name in ("buildsetid", "builderid", "priority", "claimed", "waited_for", "complete")
            }
            | {"complete_us": when(event.get("complete_at")), "properties": kept, "other_properties": others}
        ),
        "event_uid": _uid("buildrequest", event.get("buildrequestid")),
    }


def _set(event: Mapping[str, Any]) -> Fields:
    reason = told(event.get("reason")) or ""
    forced = _FORCED.search(reason)
    stamps = [mapping(one) for one in event.get("sourcestamps") or []]
    stamp = stamps[0] if stamps else {}
    return {
        "time_us": when(event.get("submitted_at")),
        **_outcome(event),
        **_actor(forced[1] if forced else None, None),
        "target_uid": first(stamp.get("repository"), stamp.get("project"), stamp.get("branch")),
        "target_type": "repo" if told(stamp.get("repository")) else None,
        "request": compact({"reason": reason, "branch": stamp.get("branch"), "revision": stamp.get("revision")}),
        "detail": compact(
            {name: event.get(name) for name in ("complete", "parent_buildid", "rebuilt_buildid", "external_idstring")}
            | {"complete_us": when(event.get("complete_at"))}
        ),
        "event_uid": _uid("buildset", event.get("bsid")),
    }


def _change(event: Mapping[str, Any]) -> Fields:
    return {
        "time_us": when(event.get("when_timestamp")),
        **_actor(event.get("author"), None),
        "target_uid": first(event.get("repository"), event.get("project")),
        "target_type": "repo",
        "request": compact({name: event.get(name) for name in ("branch", "revision", "comments", "files")}),
        "detail": compact(
            {name: event.get(name) for name in ("committer", "category", "codebase", "project", "revlink")}
        ),
        "event_uid": _uid("change", event.get("changeid")),
    }


def _uid(kind: str, number: object) -> str | None:
    found = told(number)
    return None if found is None else f"buildbot/{kind}/{found}"


def _unwrap(envelope: Mapping[str, Any]) -> list[Any] | None:
    """The list of an answer; an answer without any is no record: an empty list."""
    for key in _ENVELOPES:
        found = envelope.get(key)
        if isinstance(found, list) and envelope.keys() <= {key, "meta"} and "meta" in envelope:
            return found if not found or _recognises(found[0]) else None
    return None


READER = Reader(
    key="buildbot",
    title="Buildbot builds, requests and changes",
    framing="json",
    proof=Proof(
        "real_server", "Buildbot 4.3.0 (PyPI) with a local worker, run by tests/real; changes after its schema"
    ),
    recognises=_recognises,
    fields=_fields,
    event_classes=("job",),
    unwrap=_unwrap,
)
