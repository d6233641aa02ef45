"""Rows of the tables that identities, sessions and suspects are made from, with only what matters told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.investigation import identities, sessions, suspects

Row = dict[str, Any]
ACCOUNT = "arn:aws:iam::111122223333"


def user(name: str) -> str:
    return f"{ACCOUNT}:user/{name}"


def role(name: str) -> str:
    return f"{ACCOUNT}:role/{name}"


def session_of(name: str, session: str) -> str:
    return f"arn:aws:sts::111122223333:assumed-role/{name}/{session}"


def actor(uid: str, kind: str = "human", name: str | None = None, source: str = "aws.cloudtrail", row: int = 1) -> Row:
    return {
        "source": source,
        "actor_type": kind,
        "actor_uid": uid,
        "actor_name": name,
        "first_us": row,
        "first_row": row,
        "last_us": row,
        "last_row": row,
        "events": 1,
        "failures": 0,
    }


def key(
    uid: str, actor_uid: str | None, session: str | None = None, *, kind: str = "credential", row: int = 100
) -> Row:
    return {
        "key": uid,
        "kind": kind,
        "source": "aws.cloudtrail",
        "actor_type": None,
        "actor_uid": actor_uid,
        "session_uid": session,
        "events": 1,
        "first_us": row,
        "last_us": row,
        "first_row": row,
    }


def issue(row: int, operation: str = "AssumeRole", **told: Any) -> Row:
    names = (
        "account_uid",
        "actor_type",
        "actor_uid",
        "actor_name",
        "session_uid",
        "credential_uid",
        "parent_uid",
        "issued_credential_uid",
        "issued_session_uid",
        "target_uid",
        "shared_uid",
        "src_ip",
        "session_name",
        "source_identity",
        "role_uid",
        "subject",
        "issuer",
    )
    base = {"row_id": row, "time_us": row, "source": "aws.cloudtrail", "operation": operation}
    return {**dict.fromkeys(names), **base, **told}


def assumed(row: int, by: str, by_key: str | None, made: str, to: str, session: str = "work", **told: Any) -> Row:
    """An AssumeRole: who asked with which key, the key it made, the role."""
    return issue(
        row,
        actor_uid=by,
        credential_uid=by_key,
        issued_credential_uid=made,
        issued_session_uid=session_of(to, session),
        session_name=session,
        role_uid=role(to),
        **told,
    )


def tables(**given: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    names = {*identities.AFTER, *sessions.AFTER, *suspects.AFTER}
    return {name: list(given.get(name, ())) for name in names}


def run_sessions(**given: Sequence[Mapping[str, Any]]) -> dict[str, Row]:
    made = tables(**given)
    if "people" not in given:
        made["people"] = identities.people(made)
    return {row["key"]: row for row in sessions.sessions(made)}


def run_people(**given: Sequence[Mapping[str, Any]]) -> dict[str, Row]:
    return {row["actor_uid"]: row for row in identities.people(tables(**given))}


def run_suspects(**given: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Row]:
    made = tables(**given)
    made["people"] = identities.people(made)
    made["sessions"] = sessions.sessions(made)
    return {(row["kind"], row["value"]): row for row in suspects.suspects(made)}
