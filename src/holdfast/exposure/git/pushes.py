"""When something was pushed, by what hosts and reflogs tell. A commit's own times say when it was written, not that.

Read are: GitHub's repository activity and push events (REST), its ``push`` webhook, GitLab's push events, and lines of
reflogs that say they come from a push. Anything else in the file is passed over and counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast.exposure.git.texts import Moved

_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Push:
    """A ref came to name a commit on the host."""

    after: str
    before: str | None
    ref: str
    who: str
    seconds: int
    """Since 1970 UTC."""


def from_reflog(moves: list[Moved]) -> Iterator[Push]:
    """Moves that a push made: on the host itself, or seen by the clone that pushed."""
    for one in moves:
        if one.message.startswith(("update by push", "push")):
            yield Push(one.after, one.before, one.ref, one.who, one.seconds)


def from_log(text: str) -> tuple[list[Push], int]:
    """Pushes of a host's log (a JSON array, or an object a line), and how many records were something else."""
    found, other = [], 0
    for record in _records(text):
        push = _push(record) if isinstance(record, Mapping) else None
        if push is None:
            other += 1
        else:
            found.append(push)
    return found, other


def _records(text: str) -> Iterator[Any]:
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    if isinstance(whole, list):
        yield from whole
        return
    if whole is not None:
        yield whole
        return
    for line in text.splitlines():
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError:
                yield None


def _push(record: Mapping[str, Any]) -> Push | None:
    """A push in any of the forms that are known."""
    inner = record.get("payload") if isinstance(record.get("payload"), Mapping) else record.get("push_data")
    data = inner if isinstance(inner, Mapping) else record
    after = _first(data, "after", "head", "commit_to")
    if after is None or not _ID.fullmatch(after):
        return None
    when = _first(record, "timestamp", "created_at", "@timestamp") or _pushed_at(record)
    seconds = _seconds(when)
    if seconds is None:
        return None
    before = _first(data, "before", "commit_from")
    ref = _first(data, "ref") or ""
    who = record.get("actor") or record.get("pusher") or record.get("author") or record.get("sender")
    if isinstance(who, Mapping):
        who = _first(who, "login", "username", "name")
    return Push(after, before, ref, str(who or _first(record, "user_username", "author_username") or ""), seconds)


def _first(data: Mapping[str, Any], *names: str) -> str | None:
    return next((data[name] for name in names if isinstance(data.get(name), str) and data[name]), None)


def _pushed_at(record: Mapping[str, Any]) -> str | int | None:
    repository = record.get("repository")
    pushed = repository.get("pushed_at") if isinstance(repository, Mapping) else None
    return pushed if isinstance(pushed, (str, int)) else None


def _seconds(when: str | int | None) -> int | None:
    if isinstance(when, int):
        return when
    try:
        return int(datetime.fromisoformat(when).timestamp()) if when else None
    except (ValueError, OverflowError):
        return None
