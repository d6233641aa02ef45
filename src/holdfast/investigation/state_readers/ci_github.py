"""GitHub as captured: workflow files, and answers of its API on deploy keys, secrets, environments and rulesets.

Rules:
1. A job is named ``<repo>/.github/workflows/<file>#<job>``; the repository is what the capture's path says before
   ``.github``: its last two folders, or fewer where there are fewer.
2. A job that names a secret receives it; a job with ``id-token: write`` may present the repository's OIDC subject.
   Where the subject of an environment differs, the environment's is given (GitHub's OIDC reference).
3. An action that is not pinned to a commit (40 or 64 hex digits) is told; its owner can change what the job runs.
4. Expressions with computed names (``secrets[…]``, ``toJSON(secrets)``, ``secrets: inherit``) are told as gaps: the
   job may receive every secret.
5. Values of secrets are not in these documents; should a variable hold one, values are not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from holdfast.investigation.access_levels import github_level
from holdfast.investigation.captured import Origin, StateReader
from holdfast.investigation.reading import Proof
from holdfast.investigation.state_readers._rows import Row, Rows, mappings, table, words

Value = Mapping[Any, Any]
_ISSUER = "token.actions.githubusercontent.com"
_NAMED = re.compile(r"\bsecrets\s*\.\s*([A-Za-z_][A-Za-z0-9_]*)")
_QUOTED = re.compile(r"\bsecrets\s*\[\s*'([A-Za-z_][A-Za-z0-9_]*)'\s*\]")
_COMPUTED = re.compile(r"\bsecrets\s*\[\s*[^'\s]|\btoJSON\s*\(\s*secrets\s*\)", re.IGNORECASE)
_PINNED = re.compile(r"@(?:[0-9a-f]{40}|[0-9a-f]{64})$|@sha256:[0-9a-f]{64}$")
_OUTSIDE = ("pull_request_target", "workflow_run", "issue_comment", "issues", "discussion", "discussion_comment")


def triggers(value: Value) -> object:
    """What ``on:`` says; YAML 1.1 reads the bare word as the truth value, so both spellings are looked at."""
    return value.get("on", value.get(True, value.get("true")))


def _recognises(value: object) -> bool:
    if not isinstance(value, Mapping) or not isinstance(value.get("jobs"), Mapping):
        return False
    jobs = [job for job in value["jobs"].values() if isinstance(job, Mapping)]
    return triggers(value) is not None and any("runs-on" in job or "uses" in job or "steps" in job for job in jobs)


def repository(path: str) -> tuple[str, str]:
    """Repository and file of a workflow, from the path it was captured under."""
    before, found, name = path.replace("\\", "/").rpartition(".github/workflows/")
    if not found:
        return "", path.rpartition("/")[2]
    parts = [part for part in before.split("/") if part and part != "." and not part.endswith("!")]
    return "/".join(parts[-2:]), name


def _workflow_tables(value: Value, origin: Origin) -> Mapping[str, Iterable[Row]]:
    repo, name = repository(origin.path)
    rows = Rows(origin, repo.partition("/")[0] or None if "/" in repo else None)
    if not repo:
        rows.gap("kind of object", origin.path, "the path does not tell which repository the workflow is of")
    uid = f"{repo}/.github/workflows/{name}" if repo else origin.path
    told = triggers(value)
    events = sorted(str(one) for one in (told if isinstance(told, Mapping | list) else [told]))
    outside = [one for one in events if one in _OUTSIDE]
    rows.item(uid, "workflow", triggers=events, started_by_outsiders=outside or None, name=value.get("name"))
    for key, job in value["jobs"].items():
        if isinstance(job, Mapping):
            _job(rows, f"{uid}#{key}", repo, value, job)
        else:
            rows.gap("kind of object", f"{uid}#{key}", "the job is not a table")
    return rows.tables()


def _job(rows: Rows, uid: str, repo: str, workflow: Value, job: Value) -> None:
    start = (uid, "job")
    environment = job.get("environment")
    environment = table(environment).get("name") if isinstance(environment, Mapping) else environment
    runner = words(
        table(job.get("runs-on")).get("labels") if isinstance(job.get("runs-on"), Mapping) else job.get("runs-on")
    )
    rows.item(
        uid,
        "job",
        environment=environment,
        runs_on=runner or None,
        self_hosted=True if "self-hosted" in runner else None,
    )
    _permissions(rows, start, repo, job.get("permissions", workflow.get("permissions")), environment)
    shared = {key: workflow[key] for key in ("env", "defaults") if key in workflow}
    for name in sorted({name for text in _texts([shared, job]) for name in _secrets(rows, uid, text)}):
        rows.edge(start, "reads_secret", _secret(repo, name))
    if job.get("secrets") == "inherit":
        rows.gap("kind of object", uid, "secrets: inherit hands every secret to the called workflow")
    for used in [job.get("uses"), *(step.get("uses") for step in mappings(job.get("steps")))]:
        if isinstance(used, str):
            _uses(rows, start, used)
    image = (
        table(job.get("container")).get("image") if isinstance(job.get("container"), Mapping) else job.get("container")
    )
    if isinstance(image, str):
        rows.edge(start, "pulls", (image, "image"))


def _secret(repo: str, name: str) -> tuple[str, str]:
    # Which store a name resolves to (organisation, repository, environment) is not in the file.
    return f"{repo}/secrets/{name}", "secret"


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _secrets(rows: Rows, uid: str, text: str) -> set[str]:
    if "secrets" not in text:
        return set()
    if _COMPUTED.search(text):
        rows.gap("kind of object", uid, "an expression computes a secret's name, so the job may receive any")
    return {*_NAMED.findall(text), *_QUOTED.findall(text)}


def _permissions(rows: Rows, start: tuple[str, str], repo: str, given: object, environment: object) -> None:
    if given is None:
        rows.gap(
            "kind of object",
            start[0],
            "no permissions are named: the repository's default holds, which is not in the file",
        )
        return
    scopes = {"*": given.removesuffix("-all")} if isinstance(given, str) else dict(table(given))
    for scope, level in sorted(scopes.items()):
        if level in ("read", "write"):
            rows.grant(
                holder_uid=start[0],
                effect="allow",
                service="github",
                action=f"{scope}:{level}",
                resource=f"{repo or '*'}",
                access_level=github_level(str(scope), str(level)) if scope != "*" else "all",
                via=f"workflow permissions of {start[0]}",
            )
    if scopes.get("id-token") == "write" or scopes.get("*") == "write":
        claim = f"environment:{environment}" if isinstance(environment, str) else "*"
        rows.edge(start, "presents", (f"{_ISSUER}|repo:{repo or '*'}:{claim}", "oidc_subject"))


def _uses(rows: Rows, start: tuple[str, str], used: str) -> None:
    if used.startswith("./"):
        return
    rows.edge(start, "uses_action", (used, "image" if used.startswith("docker://") else "action"))
    rows.item(used, "action", pinned=bool(_PINNED.search(used)))


def _answer(value: object) -> bool:
    return _keys(value) or (
        isinstance(value, Mapping)
        and (
            (isinstance(value.get("secrets"), list) and "total_count" in value)
            or (isinstance(value.get("environments"), list) and "total_count" in value)
            or ("enforcement" in value and "rules" in value and "target" in value)
        )
    )


def _keys(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, Mapping) and "read_only" in one and "key" in one and "verified" in one for one in value)
    )


def _answer_tables(value: object, origin: Origin) -> Mapping[str, Iterable[Row]]:
    rows = Rows(origin)
    if isinstance(value, list):
        for key in mappings(value):
            _deploy_key(rows, key)
        return rows.tables()
    answer = table(value)
    for secret in mappings(answer.get("secrets")):
        rows.item(
            f"secrets/{secret.get('name')}",
            "secret",
            created=secret.get("created_at"),
            updated=secret.get("updated_at"),
            visibility=secret.get("visibility"),
        )
    for environment in mappings(answer.get("environments")):
        kinds = sorted(str(rule.get("type")) for rule in mappings(environment.get("protection_rules")))
        rows.item(
            str(environment.get("url") or environment.get("name")),
            "environment",
            protection=kinds or "none",
            administrators_bypass=environment.get("can_admins_bypass"),
        )
    if "enforcement" in answer:
        _ruleset(rows, answer)
    held, total = len(mappings(answer.get("secrets") or answer.get("environments"))), answer.get("total_count")
    if isinstance(total, int) and total > held:
        rows.gap("truncated", origin.path, f"{held} of {total} are in this document")
    return rows.tables()


def _ruleset(rows: Rows, answer: Mapping[str, Any]) -> None:
    bypass = [str(one.get("actor_type")) for one in mappings(answer.get("bypass_actors"))]
    rows.item(
        f"{answer.get('source')}/rulesets/{answer.get('name')}",
        "ruleset",
        enforcement=answer["enforcement"],
        target=answer.get("target"),
        bypass=bypass or None,
    )


def _deploy_key(rows: Rows, key: Mapping[str, Any]) -> None:
    repo = "/".join(str(key.get("url", "")).partition("/repos/")[2].split("/")[:2])
    uid = f"{repo}/keys/{key.get('id')}"
    rows.account = repo.partition("/")[0] or None
    rows.item(
        uid,
        "deploy_key",
        title=key.get("title"),
        read_only=key.get("read_only"),
        created=key.get("created_at"),
        added_by=key.get("added_by"),
        last_used=key.get("last_used"),
    )
    relation = "may_read" if key.get("read_only") else "may_write"
    rows.edge((uid, "deploy_key"), relation, (repo, "repository"))


READERS = (
    StateReader(
        "ci.github_workflow",
        "GitHub Actions: workflow files",
        Proof("vendor_schema", "https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax"),
        _recognises,
        _workflow_tables,
    ),
    StateReader(
        "ci.github_api",
        "GitHub API: deploy keys, secret names, environments, rulesets",
        Proof("vendor_schema", "GitHub REST API description (@octokit/openapi 23.0.2)"),
        _answer,
        _answer_tables,
    ),
)
