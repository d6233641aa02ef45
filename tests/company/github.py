"""The organisation's audit log of GitHub, one JSON object a line, and runs of its Actions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import orjson

from tests.company.cast import OFFICE, ORG, REPOS, Cast, Person, micros
from tests.company.feed import OFFICE_HOURS, Chance, Line, seconds
from tests.company.plan import Run, runs, shifts

Json = dict[str, Any]
GIT = "git/2.51.0"
WEB = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"


def event(cast: Cast, at: datetime, action: str, *, number: object = 0, **more: Any) -> Json:
    """One event of the audit log."""
    millis = micros(at) // 1000
    made: Json = {
        "@timestamp": millis,
        "_document_id": cast.token(22, "github", action, millis, number, more.get("repo"), more.get("actor")),
        "action": action,
        "business": ORG,
        "business_id": 4711,
        "created_at": millis,
        "org": ORG,
        "org_id": 90417,
        "operation_type": _operation(action),
    }
    repo = more.pop("repo", None)
    if repo is not None:
        made |= {"repo": f"{ORG}/{repo}", "repo_id": cast.repo_id(repo), "public_repo": False}
    return made | more


def _operation(action: str) -> str:
    for words, kind in (
        (("create", "add", "granted", "prepared"), "create"),
        (("remove", "delete", "destroy", "revoked"), "remove"),
        (("clone", "fetch", "completed"), "access"),
    ):
        if any(word in action for word in words):
            return kind
    return "modify"


def by(cast: Cast, person: Person, ip: str, agent: str = WEB) -> Json:
    """The fields that say who acted; the external identity links to Okta."""
    return {
        "actor": person.login,
        "actor_id": cast.github_id(person.login),
        "actor_is_bot": False,
        "actor_ip": ip,
        "actor_location": {"country_code": "DE"},
        "user_agent": agent,
        "external_identity_nameid": person.email,
        "external_identity_username": person.email,
    }


def with_token(cast: Cast, label: object, kind: str = "Fine-grained personal access token") -> Json:
    """The fields that name the token used."""
    return {
        "hashed_token": cast.digest("token", label).hex()[:43] + "=",
        "token_id": 50_000_000 + cast.number(9_000_000, "token", label),
        "programmatic_access_type": kind,
    }


def line(made: Json, uid: str | None = None) -> Line:
    """The event as a line; ``uid`` marks the story's."""
    return made["@timestamp"] // 1000, orjson.dumps(made), uid


def told(made: Json) -> Line:
    """An event of the story, known by its id."""
    return line(made, made["_document_id"])


BOT: Json = {"actor": "github-actions[bot]", "actor_id": 41898282, "actor_is_bot": True}


def of_run(cast: Cast, run: Run, ip: str, *, secrets: tuple[str, ...] | None = None) -> list[Json]:
    """What the audit log tells of one run: created, job prepared with its secrets, completed."""
    common = {
        "repo": run.repo,
        "workflow_run_id": run.id,
        "workflow_id": cast.number(90_000_000, "workflow", run.repo, run.workflow),
        "name": run.workflow,
        "event": run.event,
        "head_branch": "main",
        "head_sha": run.sha,
        "run_number": run.id % 10_000,
        "run_attempt": 1,
        "number": run.id,
    }
    who = by(cast, run.actor, ip) if run.event != "schedule" else BOT
    passed = {
        "secrets_passed": list(run.secrets if secrets is None else secrets),
        "job_name": "build",
        "is_hosted_runner": True,
    }
    ends = {"conclusion": "success" if run.ok else "failure", "started_at": run.at.isoformat()}
    return [
        event(cast, run.at, "workflows.created_workflow_run", **common, **who),
        event(
            cast,
            run.at + timedelta(seconds=6),
            "workflows.prepared_workflow_job",
            **common,
            **who,
            **passed,
            job_workflow_ref=f"{ORG}/{run.repo}/{run.path}@refs/heads/main",
        ),
        event(cast, run.at + timedelta(seconds=run.lasts), "workflows.completed_workflow_run", **common, **who, **ends),
    ]


def ordinary(cast: Cast, day: datetime, bulk: float, rate: float) -> Iterator[Line]:
    """A day of the audit log; ``bulk`` is how many git calls to expect, ``rate`` that of the runs."""
    chance = Chance(cast.digest("github", day))
    present = [shift for shift in shifts(cast, day) if shift.person.github]
    for run in runs(cast, day, rate):
        ip = next((shift.ip for shift in present if shift.person == run.actor), OFFICE)
        yield from (line(made) for made in of_run(cast, run, ip))
    if not present:
        return
    usual = sum(person.github for person in cast.people)
    many = max(chance.many(bulk * len(present) / usual), len(present) // 3)
    for number, at in enumerate(chance.moments(day, OFFICE_HOURS, many)):
        shift = present[chance.one(len(present))]
        moment = datetime.fromtimestamp(max(at, seconds(shift.begun) + number % 60), tz=day.tzinfo)
        action = ("git.fetch", "git.clone", "git.push", "git.fetch", "pull_request.create", "pull_request.merge")[
            chance.one(6)
        ]
        fields = by(cast, shift.person, shift.ip, GIT if action.startswith("git") else WEB)
        if action.startswith("git"):
            fields |= with_token(cast, shift.person.login, "OAuth access token") | {"transport_protocol_name": "http"}
        repo = REPOS[chance.one(len(REPOS))]
        yield line(event(cast, moment, action, number=number, repo=repo, **fields))
    yield from _now_and_then(cast, day, chance)


def _now_and_then(cast: Cast, day: datetime, chance: Chance) -> Iterator[Line]:
    """Rare and harmless administration."""
    owner, at = cast.person("Tobias Renner"), day + timedelta(hours=9, minutes=chance.one(200))
    developers = [person for person in cast.people if person.team == "dev" and person.name != "Mara Lind"]
    developer = developers[chance.one(len(developers))]
    fields = by(cast, owner, OFFICE)
    if chance.odds(0.04):
        yield line(event(cast, at, "team.add_member", team=f"{ORG}/shop", user=developer.login, **fields))
    if chance.odds(0.03):
        yield line(event(cast, at, "repo.update_actions_secret", repo="mobile", key="SIGNING_KEY", **fields))
    if chance.odds(0.02):
        own = by(cast, developer, developer.home)
        yield line(event(cast, at, "public_key.create", user=developer.login, title="laptop", read_only="false", **own))


def as_run(cast: Cast, run: Run) -> Json:
    """A run as the API of Actions lists it."""
    repo = {"id": cast.repo_id(run.repo), "name": run.repo, "full_name": f"{ORG}/{run.repo}", "private": True}
    actor = {"login": run.actor.login, "id": cast.github_id(run.actor.login), "type": "User"}
    if run.event == "schedule":
        actor = {"login": BOT["actor"], "id": BOT["actor_id"], "type": "Bot"}
    return {
        "id": run.id,
        "name": run.workflow,
        "node_id": "WFR_" + cast.token(20, "node", run.id),
        "head_branch": "main",
        "head_sha": run.sha,
        "path": run.path,
        "display_title": f"{run.workflow} {run.sha[:7]}",
        "run_number": run.id % 10_000,
        "event": run.event,
        "status": "completed",
        "conclusion": "success" if run.ok else "failure",
        "workflow_id": cast.number(90_000_000, "workflow", run.repo, run.workflow),
        "url": f"https://api.github.com/repos/{ORG}/{run.repo}/actions/runs/{run.id}",
        "created_at": f"{run.at:%Y-%m-%dT%H:%M:%SZ}",
        "updated_at": f"{run.at + timedelta(seconds=run.lasts):%Y-%m-%dT%H:%M:%SZ}",
        "run_started_at": f"{run.at:%Y-%m-%dT%H:%M:%SZ}",
        "actor": actor,
        "triggering_actor": actor,
        "run_attempt": 1,
        "referenced_workflows": [],
        "repository": repo,
        "head_repository": repo,
    }
