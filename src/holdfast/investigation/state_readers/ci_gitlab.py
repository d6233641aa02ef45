"""GitLab as captured: ``.gitlab-ci.yml``, and answers of its API on variables and deploy keys.

Rules:
1. A job is named ``<repo>/.gitlab-ci.yml#<job>``; the repository is the capture's path before the file: its last two
   folders, or fewer.
2. A job that names a variable which neither the file defines nor GitLab predefines (``CI_…``, ``GITLAB_…``) receives
   it from the project, its group or the instance: it is told as a secret's name.
3. ``id_tokens`` lets the job present the project's OIDC subject for each audience; ``include`` is a gap: what it
   brings in is not in the file.
4. Values of variables are not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from holdfast.investigation.captured import Origin, StateReader
from holdfast.investigation.reading import Proof
from holdfast.investigation.state_readers._rows import Row, Rows, mappings, table, words

Value = Mapping[Any, Any]
_WORDS = frozenset(
    {"default", "include", "stages", "variables", "workflow", "image", "services", "cache", "pages", "spec"}
    | {"before_script", "after_script"}
)
_NAMED = re.compile(r"\$\{?([A-Z][A-Z0-9_]{2,})\}?")
_PREDEFINED = ("CI_", "GITLAB_", "PATH", "HOME", "PWD", "SHELL", "USER", "TMPDIR", "LANG")


def _jobs(value: Value) -> dict[str, Value]:
    return {
        str(key): job
        for key, job in value.items()
        if isinstance(key, str)
        and key not in _WORDS
        and isinstance(job, Mapping)
        and any(word in job for word in ("script", "trigger", "extends", "run"))
    }


def _recognises(value: object) -> bool:
    if not isinstance(value, Mapping) or "apiVersion" in value or "AWSTemplateFormatVersion" in value:
        return False
    jobs = _jobs(value)
    return any("script" in job for job in jobs.values()) and (
        "stages" in value
        or "workflow" in value
        or any("stage" in job or "rules" in job or "image" in job or "only" in job for job in jobs.values())
    )


def _repository(path: str) -> tuple[str, str]:
    parts = [part for part in path.replace("\\", "/").split("/") if part and part != "."]
    return "/".join(parts[-3:-1]), parts[-1] if parts else path


def _tables(value: Value, origin: Origin) -> Mapping[str, Iterable[Row]]:
    repo, name = _repository(origin.path)
    rows = Rows(origin)
    defined = {str(key) for key in table(value.get("variables"))}
    for include in mappings(value.get("include")) or ([{}] if value.get("include") else []):
        what = include.get("remote") or include.get("template") or include.get("project") or include.get("local")
        rows.gap("truncated", f"{repo}/{name}", f"it includes {what or 'another file'}, which is not in this document")
    for key, job in sorted(_jobs(value).items()):
        _job(rows, f"{repo}/{name}#{key}", repo, value, (job, defined))
    return rows.tables()


def _job(rows: Rows, uid: str, repo: str, whole: Value, given: tuple[Value, set[str]]) -> None:
    job, defined = given
    known = (
        defined | {str(key) for key in table(job.get("variables"))} | {str(key) for key in table(job.get("id_tokens"))}
    )
    environment = job.get("environment")
    environment = table(environment).get("name") if isinstance(environment, Mapping) else environment
    rows.item(uid, "job", environment=environment, tags=words(job.get("tags")) or None, stage=job.get("stage"))
    text = "\n".join(
        line
        for part in (whole.get("before_script"), job.get("before_script"), job.get("script"), job.get("after_script"))
        for line in _lines(part)
    )
    text += "\n".join(str(one) for one in table(job.get("variables")).values())
    for found in sorted(set(_NAMED.findall(text)) - known):
        if not found.startswith(_PREDEFINED):
            rows.edge((uid, "job"), "reads_secret", (f"{repo}/variables/{found}", "secret"))
    for store, secret in table(job.get("secrets")).items():
        source = next((one for one in table(secret).values() if isinstance(one, str | Mapping)), store)
        rows.edge((uid, "job"), "reads_secret", (str(table(source).get("path") or source), "secret"))
    for token in table(job.get("id_tokens")).values():
        condition = {"aud": table(token).get("aud")}
        rows.edge((uid, "job"), "presents", (f"*|project_path:{repo}:*", "oidc_subject"), condition)
    image = job.get("image", whole.get("image"))
    image = table(image).get("name") if isinstance(image, Mapping) else image
    if isinstance(image, str):
        rows.edge((uid, "job"), "pulls", (image, "image"))


def _lines(value: object) -> list[str]:
    if isinstance(value, list):
        return [line for one in value for line in _lines(one)]
    return [value] if isinstance(value, str) else []


def _answer(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(one, Mapping)
            and (("variable_type" in one and "masked" in one) or ("can_push" in one and "fingerprint" in one))
            for one in value
        )
    )


def _answer_tables(value: list[Value], origin: Origin) -> Mapping[str, Iterable[Row]]:
    rows = Rows(origin)
    for one in value:
        if "variable_type" in one:
            rows.item(
                f"variables/{one.get('key')}",
                "secret",
                masked=one.get("masked"),
                protected=one.get("protected"),
                environment=one.get("environment_scope"),
            )
        else:
            uid = str(one.get("fingerprint_sha256") or one.get("fingerprint"))
            rows.item(
                uid, "deploy_key", title=one.get("title"), can_push=one.get("can_push"), created=one.get("created_at")
            )
    return rows.tables()


READERS = (
    StateReader(
        "ci.gitlab_pipeline",
        "GitLab CI: pipeline files",
        Proof("vendor_schema", "https://docs.gitlab.com/ci/yaml/"),
        _recognises,
        _tables,
    ),
    StateReader(
        "ci.gitlab_api",
        "GitLab API: variable names and deploy keys",
        Proof("vendor_schema", "https://docs.gitlab.com/api/project_level_variables/ and /api/deploy_keys/"),
        _answer,
        _answer_tables,
    ),
)
