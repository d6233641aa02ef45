"""Captured state: what was true when it was looked at, as tables beside the activity (I3, I4, I6, I7).

A state reader is one module in ``state_readers/`` with a constant ``READER`` or ``READERS``. It sees one parsed
document (JSON, or one document of a YAML file) and gives rows of the tables below. Each row's ``row_id`` cites the
document: the input's number times 2^32 plus the document's ordinal.

Rules:
1. State is dated: it tells of ``captured_us`` and of no other time. Without a date the row has null, and says so.
2. Absent state is "cannot tell: no captured state", never "nothing trusts it".
3. What a reader does not understand of a document it recognised becomes a row of ``state_gaps``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from holdfast.investigation.activity import Column
from holdfast.investigation.reading import Proof

Row = Mapping[str, Any]

_ROW = Column("row_id", "integer", "the document it comes from, as a row id")
_WHEN = Column("captured_us", "integer", "when it was captured; null if the document and its path do not tell")

TRUST_EDGES: tuple[Column, ...] = (
    Column("from_uid", "text", "who may: principal, job, workload, host"),
    Column("from_type", "text", "kind of it: user, role, account, oidc_subject, service, workload, job, deploy_key, …"),
    Column("relation", "text", "assumes, member_of, attached, reads_secret, mounts, deploys, pulls, trusts_issuer, …"),
    Column("to_uid", "text", "what it leads to"),
    Column("to_type", "text", "kind of it"),
    Column("condition", "text", "condition on it as JSON text; null when it always holds"),
    Column("account_uid", "text", "account, organisation or cluster it is in"),
    _WHEN,
    _ROW,
)

GRANTS: tuple[Column, ...] = (
    Column("holder_uid", "text", "identity that holds it, directly or through a group"),
    Column("effect", "text", "allow or deny"),
    Column("service", "text", "service of the action, in lower case; * for all"),
    Column("action", "text", "action pattern as granted"),
    Column("resource", "text", "resource pattern as granted"),
    Column(
        "access_level", "text", "list, read, write, tagging, permissions or all, by reference data; null if unknown"
    ),
    Column("via", "text", "policy, binding or group it comes through"),
    Column("condition", "text", "condition as JSON text; null when it always holds"),
    Column("boundary", "boolean", "whether it only limits: a permissions boundary or an organisation's policy"),
    Column("account_uid", "text", "account, organisation or cluster"),
    _WHEN,
    _ROW,
)

STATE_ITEMS: tuple[Column, ...] = (
    Column("uid", "text", "the thing: key id, ARN, repo, job, namespace/name"),
    Column("type", "text", "access_key, user, role, policy, secret, workload, workflow, trail, image, deploy_key, …"),
    Column("attribute", "text", "what is told of it: status, created, owner, public, digest, last_used"),
    Column("value", "text", "as text"),
    Column("account_uid", "text", "account, organisation or cluster"),
    _WHEN,
    _ROW,
)

STATE_GAPS: tuple[Column, ...] = (
    Column("kind", "text", "what could not be understood: condition, policy_variable, truncated, kind of object"),
    Column("uid", "text", "of which thing"),
    Column("why", "text", "in words"),
    _ROW,
)

TABLES: Mapping[str, tuple[Column, ...]] = {
    "trust_edges": TRUST_EDGES,
    "grants": GRANTS,
    "state_items": STATE_ITEMS,
    "state_gaps": STATE_GAPS,
}
"""Tables every investigation has, empty without captured state."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document comes from."""

    path: str
    row_id: int
    captured_us: int | None
    """From the capture's manifest or the document itself; none when not known."""


@dataclass(frozen=True, slots=True)
class StateReader:
    """One kind of document."""

    key: str
    """``aws.account_authorization``, ``k8s.manifest``, …"""
    title: str
    proof: Proof
    recognises: Callable[[Any], bool]
    """Whether a parsed document is this reader's. Must never raise."""
    tables: Callable[[Any, Origin], Mapping[str, Iterable[Row]]]
    """Table name to rows; raises ``UnreadableError`` for a document that cannot be read."""
    kind: str = "state"
    """How the inputs table calls it: ``state`` or ``digest``."""
    columns: Mapping[str, tuple[Column, ...]] | None = None
    """Tables that are this reader's own, beside :data:`TABLES`."""


@cache
def shipped() -> tuple[StateReader, ...]:
    """Every state reader, by key."""
    found: list[StateReader] = []
    package = "holdfast.investigation.state_readers"
    for module in iter_modules(import_module(package).__path__):
        if not module.name.startswith("_"):
            loaded = import_module(f"{package}.{module.name}")
            found += loaded.READERS if hasattr(loaded, "READERS") else [loaded.READER]
    return tuple(sorted(found, key=lambda reader: reader.key))


@cache
def tables() -> Mapping[str, tuple[Column, ...]]:
    """Every table of captured state, the readers' own among them: each is there in every run, empty or not."""
    own = {name: columns for reader in shipped() for name, columns in (reader.columns or {}).items()}
    return {**TABLES, **own}
