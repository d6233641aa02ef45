"""Runs and jobs of GitHub Actions, as the REST API lists them and as webhooks tell them.

Rules:
1. A run is the act of whoever triggered this attempt; where that is not who started the first one, the latter stands
   behind it: a run that is started again keeps the rights of its first actor.
2. A run starts a session (its ``GITHUB_TOKEN`` lives as long as its jobs); its jobs act in that session.
3. A job's actor is not told by the API: it is the token of its run.
4. A run from a fork names another repository for its head than the one it runs in.

Not handled here: log text of jobs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from holdfast.investigation.readers._fields import (
    compact,
    dig,
    enveloped,
    first,
    mapping,
    mappings,
    record_of,
    told,
    when,
)
from holdfast.investigation.readers._github import kind_of, owner_of, run_session
from holdfast.investigation.reading import Fields, Proof, Reader

_REPO = re.compile(r"/repos/([^/]+/[^/]+)/actions/")
_BAD = frozenset({"failure", "cancelled", "timed_out", "startup_failure", "stale"})
_RUN_DETAIL = (
    "event", "head_sha", "head_branch", "run_attempt", "run_number", "path", "name", "workflow_id", "status",
    "conclusion", "html_url", "updated_at", "previous_attempt_url", "referenced_workflows",
)  # fmt: skip
_JOB_DETAIL = (
    "run_id", "run_attempt", "head_sha", "head_branch", "name", "workflow_name", "labels", "runner_name", "runner_id",
    "runner_group_name", "status", "conclusion", "started_at", "completed_at", "html_url",
)  # fmt: skip
_TOKEN_SUBJECT = ("oidc_sub", "oidc_subject", "sub")


def _told(record: Mapping[str, Any]) -> tuple[str | None, Mapping[str, Any]]:
    """Whether it is a run or a job, and its object: a webhook wraps it."""
    for kind in ("workflow_run", "workflow_job"):
        inner = record.get(kind)
        if "action" in record and isinstance(inner, Mapping):
            return kind, inner
    if "action" in record:  # the audit log tells of runs under the same names of fields
        return None, record
    if "run_id" in record and ("runner_name" in record or "steps" in record or "labels" in record):
        return "workflow_job", record
    if "workflow_id" in record and "event" in record and ("run_number" in record or "run_attempt" in record):
        return "workflow_run", record
    return None, record


def _recognises(record: Any) -> bool:  # noqa: ANN401 -- parsed JSON
    return isinstance(record, Mapping) and _told(record)[0] is not None


def _fields(record: Any) -> Fields:  # noqa: ANN401 -- parsed JSON
    event = record_of(record)
    kind, told_of = _told(event)
    repo = _repository(event, told_of)
    common = {
        "account_uid": owner_of(repo),
        "service": "actions",
        "operation": kind,
        "event_class": "job",
        "access": "write",
        **_outcome(told_of),
    }
    own = _job(told_of, repo) if kind == "workflow_job" else _run(told_of, repo)
    return common | own


def _repository(event: Mapping[str, Any], told_of: Mapping[str, Any]) -> str | None:
    named = first(dig(told_of, "repository", "full_name"), dig(event, "repository", "full_name"))
    for key in ("url", "run_url", "jobs_url"):
        if named is None and (match := _REPO.search(told(told_of.get(key)) or "")):
            return match[1]
    return named


def _outcome(told_of: Mapping[str, Any]) -> Fields:
    conclusion = told(told_of.get("conclusion"))
    if conclusion in _BAD:
        return {"status": "failure", "error": conclusion}
    return {"status": "success" if conclusion == "success" else None}


def _run(run: Mapping[str, Any], repo: str | None) -> Fields:
    starter, again = mapping(run.get("actor")), mapping(run.get("triggering_actor"))
    actor = again or starter
    login, behind = told(actor.get("login")), told(starter.get("login"))
    head = told(dig(run, "head_repository", "full_name"))
    return {
        "time_us": when(run.get("run_started_at"), run.get("created_at")),
        "actor_type": kind_of(login, actor.get("type")),
        "actor_uid": login,
        "parent_uid": behind if behind != login else None,
        "issued_session_uid": run_session(repo, run.get("id"), run.get("run_attempt")),
        "target_uid": repo,
        "target_type": "repo" if repo else None,
        "request": compact({"event": run.get("event"), "workflow": run.get("path"), "head_sha": run.get("head_sha")}),
        "detail": compact(
            {key: run.get(key) for key in _RUN_DETAIL}
            | {
                "head_repository": head,
                "fork": None if head is None or repo is None else head != repo,
                "head_commit_author": dig(run, "head_commit", "author", "email"),
                "pull_requests": [pull.get("number") for pull in mappings(run.get("pull_requests"))],
                "oidc_sub": first(*(run.get(key) for key in _TOKEN_SUBJECT)),
            }
        ),
        "event_uid": _uid("run", run.get("id"), run.get("run_attempt")),
    }


def _job(job: Mapping[str, Any], repo: str | None) -> Fields:
    return {
        "time_us": when(job.get("started_at"), job.get("created_at")),
        "actor_type": "ci_token",
        "session_uid": run_session(repo, job.get("run_id"), job.get("run_attempt")),
        "target_uid": repo,
        "target_type": "repo" if repo else None,
        "request": compact({"workflow": job.get("workflow_name"), "job": job.get("name")}),
        "detail": compact(
            {key: job.get(key) for key in _JOB_DETAIL} | {"oidc_sub": first(*(job.get(key) for key in _TOKEN_SUBJECT))}
        ),
        "event_uid": _uid("job", job.get("id"), job.get("run_attempt")),
    }


def _uid(kind: str, number: object, attempt: object) -> str | None:
    found = told(number)
    return None if found is None else f"{kind}/{found}/{told(attempt) or '1'}"


def _unwrap(envelope: Mapping[str, Any]) -> list[Any] | None:
    return enveloped(envelope, _recognises, "workflow_runs", "jobs")


READER = Reader(
    key="github.actions",
    title="GitHub Actions runs and jobs",
    framing="json",
    proof=Proof(
        "vendor_schema",
        "https://docs.github.com/en/rest/actions/workflow-runs and /workflow-jobs (schemas workflow-run, job)",
    ),
    recognises=_recognises,
    fields=_fields,
    event_classes=("job",),
    unwrap=_unwrap,
)
