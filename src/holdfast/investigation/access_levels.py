"""Reference data: what an action does (its access level), and what makes it matter (its tags).

Rules:
1. AWS actions are judged by the rules of ``library/access/aws.toml``, first match wins; the table is compared with
   two public ones by a test, which prints how far they agree.
2. Kubernetes verbs and GitHub scopes are few: they are written here.
3. An action that is itself a pattern has the level of all it can mean when they are equal, and otherwise ``all``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from holdfast.investigation.policies import covers, matches, overlaps
from holdfast.kernel.documents import Table

LEVELS = ("list", "read", "write", "tagging", "permissions")


@dataclass(frozen=True, slots=True)
class Rule:
    """Actions that have a level."""

    level: str
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The table of one provider."""

    rules: tuple[Rule, ...]
    tags: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    """Tag to action patterns and the levels it is kept to (none means any)."""
    asked: Mapping[str, tuple[str, ...]]
    """Kind of data to the actions that are asked one by one of whoever holds a wildcard."""


@cache
def aws() -> Reference:
    """The shipped table.

    Raises:
        BadInputError: the shipped document is not valid.
    """
    file = files("holdfast.investigation").joinpath("library/access/aws.toml")
    table = Table(tomllib.loads(file.read_text(encoding="utf-8")), "")
    table.text("format", "access-levels")
    table.positive("version")
    rules, tags, asked = [], {}, {}
    for found in table.tables("rules"):
        found.text_or("why", "-")
        rules.append(Rule(found.text("level", "|".join(LEVELS)), _folded(found)))
        found.finish()
    for found in table.tables("tags"):
        found.text("why")
        tags[found.text("tag")] = (_folded(found), found.texts("levels"))
        found.finish()
    for found in table.tables("asked"):
        asked[found.text("data")] = found.texts("actions")
        found.finish()
    table.finish()
    return Reference(tuple(rules), tags, asked)


def _folded(table: Table) -> tuple[str, ...]:
    return tuple(action.lower() for action in table.texts("actions"))


@lru_cache(maxsize=50_000)
def aws_level(action: str) -> str:
    """``list``, ``read``, ``write``, ``tagging`` or ``permissions``; ``all`` for a pattern that means several."""
    asked = action.lower()
    if asked == "*" or asked.startswith("!"):
        return "all"
    if "*" not in asked and "?" not in asked:
        return next(rule.level for rule in aws().rules if any(matches(one, asked) for one in rule.actions))
    levels: set[str] = set()
    for rule in aws().rules:
        # A pattern that only overlaps (iam:*Key* with *:Get*) may mean more than one level.
        if any(overlaps(one, asked) for one in rule.actions):
            levels.add(rule.level)
        if any(covers(one, asked) for one in rule.actions):
            break
    return levels.pop() if len(levels) == 1 else _verb(asked, levels)


def _verb(asked: str, levels: set[str]) -> str:
    """``ec2:Describe*`` overlaps narrower rules, but its verb says what it is."""
    verb = asked.partition(":")[2]
    for start, level in (("list", "list"), ("describe", "read"), ("get", "read"), ("batchget", "read")):
        if verb.startswith(start) and level in levels:
            return level
    return "all"


@lru_cache(maxsize=50_000)
def aws_tags(action: str) -> tuple[str, ...]:
    """What makes the action matter: CredentialExposure, DataAccess, Export, PrivEsc, ResourceExposure."""
    asked = action.lower()
    level = aws_level(asked)
    return tuple(
        tag
        for tag, (actions, levels) in sorted(aws().tags.items())
        if (not levels or level in levels) and any(matches(one, asked) for one in actions)
    )


_VERBS = {
    "get": "read",
    "list": "list",
    "watch": "read",
    "create": "write",
    "update": "write",
    "patch": "write",
    "delete": "write",
    "deletecollection": "write",
    "bind": "permissions",
    "escalate": "permissions",
    "impersonate": "permissions",
    "approve": "permissions",
    "sign": "permissions",
    "*": "all",
}
_RULING = (
    "roles",
    "clusterroles",
    "rolebindings",
    "clusterrolebindings",
    "serviceaccounts/token",
    "certificatesigning",
)


def kubernetes_level(resource: str, verb: str) -> str:
    """Level of a verb on a resource; listing secrets shows their values, so it is reading (Kubernetes RBAC guide)."""
    level = _VERBS.get(verb, "write")
    if level == "write" and resource.startswith(_RULING):
        return "permissions"
    if level == "list" and resource.partition(".")[0] in ("secrets", "*"):
        return "read"
    if level == "read" and resource in ("pods/exec", "pods/attach", "pods/portforward"):
        return "write"
    return level


def github_level(scope: str, grant: str) -> str:
    """Level of a workflow token's permission, such as ``contents: write``."""
    if grant == "write" and scope in ("id-token", "attestations", "administration", "secrets"):
        return "permissions"
    return "write" if grant == "write" else "read"
