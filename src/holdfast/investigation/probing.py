"""Probes: which checks to ask a provider or a repository, and how an answer becomes a row (I7).

Rules:
1. A probe only looks. Each declares the permissions it needs, and looks through the administrator's view.
2. Using the suspect credential itself is another kind of probe: it needs a recorded order, and what it does in the
   provider's logs is ours (:func:`responders_from`).
3. An answer is dated. ``closed`` is said only when the provider says that the thing is gone, off or shut; an error, a
   missing permission or an unexpected answer is ``cannot_tell``.
4. Offline, what could be asked is ``not_probed``, with what would be asked.

Not handled here: running the probes (``app.probing``) and their means (``connectors``, ``engines``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from holdfast.investigation.activity import Column

Row = Mapping[str, Any]
Standing = Literal["exploitable", "closed", "not_probed", "cannot_tell"]

COLUMNS: tuple[Column, ...] = (
    Column("uid", "text", "what was probed"),
    Column("check", "text", "which check"),
    Column("standing", "text", "exploitable, closed, not_probed or cannot_tell"),
    Column("probed_us", "integer", "when it was probed"),
    Column("why", "text", "what the probe saw"),
    Column("row_id", "integer", "what it was asked for"),
)
CHECKS: Mapping[str, str] = {
    "key_active": "whether the access key is active",
    "key_works": "whether the suspect credential itself still signs in",
    "policy_open": "whether the policy is still attached or in place",
    "trust_open": "whether the role is there, and whom it trusts",
    "snapshot_shared": "whether the snapshot is still shared",
    "bucket_public": "whether the bucket is open to everybody or to outsiders",
    "secret_at_head": "whether the secret is in the repository's present version",
    "file_at_head": "whether the file is in the repository's present version",
    "endpoint_answers": "whether the address answers",
}
"""What each check asks."""
OWN_CREDENTIAL = "key_works"
"""The check that uses the suspect credential itself: only on a recorded order."""
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class ProbeQuestion:
    """One thing to look at."""

    uid: str
    """The thing, as the row that asks names it."""
    check: str
    """Key of :data:`CHECKS`."""
    target: Mapping[str, str] = field(default_factory=dict)
    """What the check needs: ``key``, ``role``, ``holder_type`` and ``policy``, ``snapshot`` and ``shared_with``,
    ``bucket``, ``path``, ``address``."""
    row_id: int | None = None
    """The record that gave rise to it."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What was seen."""

    question: ProbeQuestion
    standing: Standing
    probed_us: int | None
    """When it was looked at, microseconds since 1970 UTC; none when it was not."""
    why: str
    """What the provider said, in words; never a secret."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """The calls and the parts of their answers that decide, as JSON values, to be kept as evidence."""
    acted_as: str | None = None
    """Credential that the probe used when that was the suspect's own."""
    order: str | None = None
    """The order under which it was used."""


def questions_from(rows: Iterable[Row]) -> list[ProbeQuestion]:
    """What to ask about open rows: those of ``i7_open`` (or of the table ``made``), each thing once.

    Args:
        rows: with ``uid``, ``check_name`` (or ``check``), ``operation`` and ``row_id``; rows without a check, and keys
            of several parts that the check cannot read, give no question.
    """
    found: dict[tuple[str, str], ProbeQuestion] = {}
    for row in rows:
        check = row.get("check_name") or row.get("check")
        if check not in CHECKS:
            continue
        target = _target(str(check), str(row["uid"]), str(row.get("operation") or ""))
        if target is not None:
            question = ProbeQuestion(str(row["uid"]), str(check), target, row.get("row_id"))
            found.setdefault((question.uid, question.check), question)
    return list(found.values())


def _target(check: str, uid: str, operation: str) -> Mapping[str, str] | None:
    head, _, rest = uid.partition(" ")
    if check == "key_active":
        return {"key": uid}
    if check == "trust_open":
        return {"role": uid.rpartition("/")[2]}
    if check == "bucket_public":
        return {"bucket": uid.removeprefix("arn:aws:s3:::")}
    if check == "snapshot_shared" and rest:
        return {"snapshot": head, "shared_with": rest}
    if check == "policy_open" and rest:
        kind = next((kind for kind in ("User", "Role", "Group") if kind in operation), None)
        return None if kind is None else {"holder_type": kind.lower(), "holder": head, "policy": rest}
    return None


def not_probed(questions: Iterable[ProbeQuestion]) -> list[ProbeResult]:
    """Results of a run without probes (rule 4)."""
    return [
        ProbeResult(one, "not_probed", None, f"offline: not asked {CHECKS.get(one.check, one.check)}")
        for one in questions
    ]


def rows_from(results: Iterable[ProbeResult]) -> list[dict[str, Any]]:
    """Rows of the ``probes`` table."""
    return [
        {
            "uid": one.question.uid,
            "check": one.question.check,
            "standing": one.standing,
            "probed_us": one.probed_us,
            "why": one.why,
            "row_id": one.question.row_id,
        }
        for one in results
    ]


def responders_from(results: Iterable[ProbeResult]) -> list[dict[str, Any]]:
    """Rows of the ``responders`` table for probes that acted as the suspect: that second, and the next."""
    return [
        {"value": one.acted_as, "from_us": one.probed_us - _SECOND, "to_us": one.probed_us + _SECOND}
        for one in results
        if one.acted_as is not None and one.probed_us is not None
    ]
