"""The activity table: one row for each thing that was done, from whatever source, under OCSF-like names.

Rules:
1. A row is a view of a record, never a replacement: the evidence bytes stay untouched, and ``src_digest``,
   ``src_file`` and ``src_ord`` lead back to them.
2. What a source does not say is null, never guessed; text that is not valid (an address with leading zeros, a region
   that does not exist) stays as text.
3. Three clocks are kept apart: when it happened (``time_us``), when the source delivered it (``delivered_us``), and
   when it was read here (the input's own entry). An offset of a source's clock is applied in views only.
4. Secrets do not enter: a session token or a secret key in a response is replaced before the row is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["text", "integer", "boolean"]

ActorType = Literal[
    "human",
    "root",
    "service_account",
    "workload",
    "ci_token",
    "deploy_key",
    "break_glass",
    "cloud_service",
    "anonymous",
    "unknown",
]
"""Who acted: a person, a machine account, a workload identity, a CI job's token, and so on."""

EventClass = Literal["management", "data", "signin", "job", "network", "host", "web", "insight", "other"]
"""Which class of a source's events: what was recorded depends on the class (data events are often off)."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table that queries read."""

    name: str
    type: ColumnType
    meaning: str


ACTIVITY: tuple[Column, ...] = (
    Column("row_id", "integer", "number of the input times 2^32, plus the record's ordinal in it: orders and cites"),
    Column(
        "time_us", "integer", "when it happened by the source's clock: microseconds since 1970 UTC; null if unknown"
    ),
    Column("hour", "integer", "whole hours since 1970 UTC of time_us"),
    Column("delivered_us", "integer", "when the source delivered it, microseconds since 1970 UTC; null if not told"),
    Column("source", "text", "which log: aws.cloudtrail, github.audit, okta.system, k8s.audit, …"),
    Column("account_uid", "text", "account, organisation, tenant, cluster or host the log is about"),
    Column("region", "text", "region, where the source has regions"),
    Column("service", "text", "service that was called: iam, s3, repo, secrets, sshd"),
    Column("operation", "text", "what was done, as the source spells it: CreateAccessKey, org.add_member"),
    Column("event_class", "text", "management, data, signin, job, network, host, web, insight or other"),
    Column("access", "text", "read or write; null when the source does not tell"),
    Column("status", "text", "success or failure; null when the source does not tell"),
    Column("error", "text", "the source's error code or reason of a failure"),
    Column("actor_type", "text", "human, service_account, workload, ci_token, deploy_key, break_glass, …"),
    Column("actor_uid", "text", "lasting identity that acted: user or role ARN, login, address; not the session"),
    Column("actor_name", "text", "how people call it"),
    Column("session_uid", "text", "the session: assumed-role ARN with its session name, sign-in session id"),
    Column("credential_uid", "text", "what it authenticated with: access key id, token id or hash, key fingerprint"),
    Column("parent_uid", "text", "who stands behind the session, where the record itself says so"),
    Column("issued_credential_uid", "text", "credential that this very act issued: a new key, a session's key id"),
    Column("issued_session_uid", "text", "session that this very act started"),
    Column("target_uid", "text", "what was acted upon: ARN, name, path"),
    Column("target_type", "text", "kind of the target: user, role, key, bucket, secret, repo, host"),
    Column("target_account", "text", "account of the target, where it is another"),
    Column("src_ip", "text", "address it came from, as text, also when invalid"),
    Column("src_service", "text", "service it came through, where the source names one instead of an address"),
    Column("user_agent", "text", "program it named"),
    Column("request", "text", "the request as JSON text, secrets replaced; null when there is none"),
    Column("response", "text", "the response as JSON text, secrets replaced; null when there is none"),
    Column("detail", "text", "what else of the record queries need, as JSON text (MFA, issuer, host, TLS)"),
    Column("event_uid", "text", "the source's own id of the event: equal ids are one event told twice"),
    Column("shared_uid", "text", "id under which other accounts tell of the same event"),
    Column("src_digest", "text", "SHA-256 of the captured bytes that hold the record"),
    Column("src_file", "text", "path of those bytes as given; within an archive after an exclamation mark"),
    Column("src_ord", "integer", "ordinal of the record in them, from 0"),
)

ORDINALS = 1 << 32
"""Records that one input may hold: the factor between an input's number and its rows."""


def row_id(input_no: int, ordinal: int) -> int:
    """The id of a row: it orders by input and place, and leads back to both."""
    return input_no * ORDINALS + ordinal


def place(row: int) -> tuple[int, int]:
    """Input number and ordinal of a row id."""
    return divmod(row, ORDINALS)


INPUTS: tuple[Column, ...] = (
    Column(
        "input_no",
        "integer",
        "number of the input in this run, from 1: files in order of path, then members of archives",
    ),
    Column("path", "text", "path as given; within an archive after an exclamation mark"),
    Column("sha256", "text", "digest of the captured bytes"),
    Column(
        "content_sha256",
        "text",
        "digest of the inflated bytes of a gz file, where digest files are among the inputs; null otherwise",
    ),
    Column("item", "text", "evidence id, when it came from an incident"),
    Column("kind", "text", "log, state, digest, archive (its members are inputs of their own) or unrecognised"),
    Column("reader", "text", "key of the reader; null when none recognised it"),
    Column("proof", "text", "what the reader was proven on"),
    Column("size", "integer", "bytes as captured"),
    Column("records", "integer", "records found; the sum of the next three"),
    Column("rows", "integer", "rows of the activity table"),
    Column("duplicates", "integer", "told before under the same event id, by this or another input, and equal"),
    Column("quarantined", "integer", "records that could not be read, and each file that was not recognised"),
    Column("reason", "text", "why records were quarantined: each reason once, with its count"),
    Column("first_us", "integer", "earliest event in it"),
    Column("last_us", "integer", "latest event in it"),
    Column("delivered_us", "integer", "when the source delivered it, where its name or content tells"),
    Column("read_us", "integer", "when it was read here"),
)

SCOPE: tuple[Column, ...] = (
    Column("from_us", "integer", "start of the window under investigation"),
    Column("to_us", "integer", "end of it"),
    Column("baseline_from_us", "integer", "start of the time before, which tells what is usual"),
    Column("baseline_to_us", "integer", "end of it"),
    Column("as_of_us", "integer", "instant up to which the answers hold"),
    Column("given", "boolean", "whether a person gave the window; otherwise it is all there is"),
)

SUBJECTS: tuple[Column, ...] = (Column("value", "text", "credential, identity or artifact asked about, as given"),)

RESPONDERS: tuple[Column, ...] = (
    Column("value", "text", "actor, session or credential of our own people and plays"),
    Column("from_us", "integer", "since when its acts are ours"),
    Column("to_us", "integer", "until when"),
)

GIVEN: Mapping[str, tuple[Column, ...]] = {
    "activity": ACTIVITY,
    "inputs": INPUTS,
    "scope": SCOPE,
    "subjects": SUBJECTS,
    "responders": RESPONDERS,
}
"""Tables that are there before the first stage; captured state adds its own (``captured.TABLES``)."""
