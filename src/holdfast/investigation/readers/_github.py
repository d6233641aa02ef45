"""What the readers of GitHub's logs share: who acts, and how a workflow run is named as a session."""

from __future__ import annotations

from typing import Any

from holdfast.investigation.readers._fields import first, told

SYSTEM = frozenset({"github", "github-system", "ghost"})
"""Logins that GitHub itself acts under."""


def run_session(repo: object, run_id: object, attempt: object = None) -> str | None:
    """A workflow run as a session: ``owner/repo/actions/runs/12/attempts/1``; none without the run's number."""
    number, where = told(run_id), told(repo)
    if number is None:
        return None
    return f"{where or 'unknown'}/actions/runs/{number}/attempts/{told(attempt) or '1'}"


def kind_of(login: object, kind: object = None) -> str:
    """The actor's type: bots and apps act with a job's or an app's token."""
    name = told(login)
    if name is None:
        return "unknown"
    if name in SYSTEM:
        return "cloud_service"
    return "ci_token" if name.endswith("[bot]") or kind == "Bot" else "human"


def owner_of(repo: object) -> str | None:
    """The organisation or person before the slash."""
    name = told(repo)
    return None if name is None else name.partition("/")[0] or None


def only(value: Any) -> str | None:  # noqa: ANN401 -- a name, or a list of them
    """A name that some events give as a list: the first."""
    return first(*value) if isinstance(value, list) else told(value)
