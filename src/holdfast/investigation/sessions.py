"""Whose session was it: the chain of issued sessions from each credential back to a lasting identity.

Rules:
1. The act that issued a credential leads to the credential that asked for it, again and again.
2. The same issue told by two accounts is one; the account that names the asker's credential is believed first.
3. Without the credential's own issue, the issue of its session counts, where all issues of that session name agree on
   who asked; where they do not, the chain ends in "several issuers".
4. A chain starts at a lasting identity: a user, the subject of a federated token, an instance, a service. What a
   session's own records say of who stands behind it comes next; a session's name, which its asker may choose, is a
   hint for the person only, and is called one.
5. A lasting credential (an access key, a token) acts as its owner: who made it stands in ``maker_key``, and its acts
   are not its maker's.
6. Chains that lead back into themselves end in "loop"; one whose issuing act is not there ends in "issuer not in the
   logs". The result does not depend on the order of rows.

Not handled here: policies that forbid a chain; whether a session outlived the permission behind it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from holdfast.investigation.activity import Column
from holdfast.investigation.identity_names import (
    email_of,
    is_role,
    is_session,
    label,
    role_name,
    session_name,
)

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]
Ends = Literal["root", "issuer not in the logs", "several issuers", "loop"]

SESSIONS: tuple[Column, ...] = (
    Column("key", "text", "credential or session"),
    Column("kind", "text", "credential or session"),
    Column("actor_uid", "text", "identity it acts as"),
    Column("session_uid", "text", "session that the credential belongs to; for a session, itself"),
    Column("parent_key", "text", "credential or session that asked for it; null at the start of a chain"),
    Column("maker_key", "text", "credential or identity that made a lasting credential; its acts are not the maker's"),
    Column("root_uid", "text", "lasting identity at the start of the chain; null when it is not known"),
    Column("person_uid", "text", "person behind the root, or behind the session by its name; null when not known"),
    Column("person_name", "text", "how people call the person"),
    Column("chain", "text", "from the root on: ada@corp.example → role/Admin → role/Deploy"),
    Column("depth", "integer", "sessions assumed one from another"),
    Column("ends", "text", "root, issuer not in the logs, several issuers or loop"),
    Column("why", "text", "how the step to the parent or root is known"),
    Column("used", "boolean", "whether it was used in what was read; else it was only issued"),
    Column("ours", "boolean", "whether it or the person behind it is one of our own responders"),
    Column("issued_us", "integer", "when it was issued; null if that is not in the logs"),
    Column("row_id", "integer", "the act that issued it, else its first use"),
)
AFTER = ("issues", "session_keys", "key_parents", "federated_signons", "run_ends", "people", "responders")

_LASTING = ("CreateAccessKey", "CreateServiceSpecificCredential", "CreateLoginProfile")
_HOPS = 10
"""Hops that a chain's text shows."""
_ARROW = " → "
_SIGNON_WITHIN = 15 * 60 * 1_000_000
_RUN_WITHIN = 36 * 3600 * 1_000_000
"""A workflow run lives at most 35 days, its jobs six hours on hosted runners; older runs are not taken for it."""
_FAR = 1 << 62


@dataclass(frozen=True, slots=True)
class Step:
    """One step from a key towards its start."""

    parent: str | None
    """Key that asked for it."""
    root: str | None
    """Lasting identity, when the chain starts here; with a parent too, both are the same person."""
    ends: Ends
    why: str
    row: int | None = None
    """The act that issued it."""
    issued_us: int | None = None
    maker: str | None = None
    via: str | None = None
    """Identity between the parent and the key that has no key of its own: the subject of a job's token."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The whole way of one key."""

    root: str | None
    text: str
    depth: int
    ends: Ends


@dataclass(slots=True)
class _Key:
    uid: str
    kind: str
    actor: str | None
    actor_type: str | None
    session: str | None
    first: tuple[int, int]
    used: bool = True


@dataclass(slots=True)
class _Known:
    """What the tables tell, by key."""

    keys: dict[str, _Key] = field(default_factory=dict)
    issued: dict[str, Row] = field(default_factory=dict)
    """Issue by the credential it issued."""
    started: defaultdict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    """Issues by the session they started."""
    behind: dict[str, Row] = field(default_factory=dict)
    """Row of ``key_parents`` by credential or session."""
    signons: defaultdict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    """Sign-ons to a cloud by address, by time."""
    runs: defaultdict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    ended: dict[str, int] = field(default_factory=dict)
    """When each run of a workflow ended, by its session."""
    """Issues that started a workflow run, by repository, by time."""


def sessions(tables: Tables) -> list[dict[str, Any]]:
    """Rows of the sessions table, by key.

    Args:
        tables: rows of the tables named in :data:`AFTER`.
    """
    known = _known(tables)
    steps = {uid: _step(key, known) for uid, key in known.keys.items()}
    chains = _chains(known.keys, steps)
    people = {row["actor_uid"]: row for row in tables["people"]}
    ours = {row["value"].lower() for row in tables["responders"] if row["value"]}
    return [_row(known.keys[uid], steps[uid], chains[uid], people, ours) for uid in sorted(known.keys)]


def roots(tables: Tables) -> dict[str, str]:
    """Lasting identity by key, where the chain leads to one. Reads the same tables without people and responders."""
    known = _known(tables)
    steps = {uid: _step(key, known) for uid, key in known.keys.items()}
    return {uid: chain.root for uid, chain in _chains(known.keys, steps).items() if chain.root is not None}


def _known(tables: Tables) -> _Known:
    known = _Known()
    for row in tables["session_keys"]:
        first = (_FAR if row["first_us"] is None else row["first_us"], row["first_row"] or 0)
        key = known.keys.get(row["key"])
        if key is None or (first, row["kind"]) < (key.first, key.kind):
            known.keys[row["key"]] = _Key(
                row["key"], row["kind"], row["actor_uid"], row["actor_type"], row["session_uid"], first
            )
    for row in sorted(tables["issues"], key=_believed):
        _take_issue(known, row)
    for row in sorted(tables["key_parents"], key=lambda row: (row["first_us"], row["row_id"], row["parent_uid"])):
        for uid in (row["credential_uid"], row["session_uid"]):
            if uid is not None:
                known.behind.setdefault(uid, row)
    for row in sorted(tables["federated_signons"], key=_when):
        address = email_of(row["actor_uid"]) or email_of(row["actor_name"])
        if address is not None:
            known.signons[address].append(row)
    known.ended.update(_ended(tables["run_ends"]))
    for some in known.runs.values():
        some.sort(key=_when)
    return known


def _ended(rows: Sequence[Row]) -> dict[str, int]:
    """When each run ended that has ended; the later telling counts."""
    told = {row["run"]: [row["ended_us"], _micros(row["ended"])] for row in rows}
    ends = {run: [one for one in instants if one is not None] for run, instants in told.items()}
    return {run: max(instants) for run, instants in ends.items() if instants}


def _micros(text: str | None) -> int | None:
    """An instant told as text; none when it tells none."""
    try:
        told = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return None if told.tzinfo is None else (told - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _believed(row: Row) -> tuple[Any, ...]:
    """Order of belief among tellings of one issue: the asker's own account first."""
    asked = row["credential_uid"] or row["session_uid"]
    return (asked is None, *_when(row))


def _when(row: Row) -> tuple[int, int]:
    return (_FAR if row["time_us"] is None else row["time_us"], row["row_id"])


def _take_issue(known: _Known, row: Row) -> None:
    credential, session = row["issued_credential_uid"], row["issued_session_uid"]
    acts_as = row["role_uid"] or (None if _lasting(row) else row["actor_uid"])
    if credential is not None:
        known.issued.setdefault(credential, row)
        if credential not in known.keys:
            first = (_FAR, row["row_id"])
            actor = row["target_uid"] if _lasting(row) else acts_as
            known.keys[credential] = _Key(credential, "credential", actor, None, session, first, used=False)
    if session is not None:
        told = {row["shared_uid"], credential} - {None}
        twins = ({one["shared_uid"], one["issued_credential_uid"]} for one in known.started[session])
        if not any(told & twin for twin in twins if told):
            known.started[session].append(row)
        if session not in known.keys:
            known.keys[session] = _Key(session, "session", acts_as, None, session, (_FAR, row["row_id"]), used=False)
        repo, found, _ = session.partition("/actions/runs/")
        if found:
            known.runs[repo.lower()].append(row)


def _lasting(issue: Row) -> bool:
    """Whether what was issued lasts and acts as its owner, instead of being a session."""
    operation = issue["operation"] or ""
    if (issue["source"] or "").startswith("aws."):
        return operation in _LASTING or (issue["issued_credential_uid"] or "").startswith("AKIA")
    return issue["issued_session_uid"] is None and "session" not in operation.lower()


def _step(key: _Key, known: _Known) -> Step:
    issue = known.issued.get(key.uid) if key.kind == "credential" else None
    if issue is not None and _lasting(issue):
        maker = issue["credential_uid"] or issue["session_uid"] or issue["actor_uid"]
        why = f"a lasting credential, made by {label(issue['actor_uid'] or 'somebody')}"
        return Step(None, key.actor, "root", why, issue["row_id"], issue["time_us"], maker)
    if issue is not None:
        return _from_issue(key, issue, known, "the act that issued it")
    session = key.uid if key.kind == "session" else key.session
    started = known.started.get(session or "", [])
    if started:
        return _from_session(key, started, known)
    return _without_issue(key, known)


def _from_session(key: _Key, started: Sequence[Row], known: _Known) -> Step:
    before = [one for one in started if _when(one) <= key.first] or list(started)
    askers = {(one["actor_uid"], one["subject"] or one["source_identity"]) for one in started}
    latest = max(before, key=_when)
    if len(askers) > 1:
        names = sorted(label(actor) for actor, _ in askers if actor is not None)
        why = f"its session was started by several: {', '.join(names[:3])}" + (" and more" if len(names) > 3 else "")  # noqa: PLR2004 - three names show it
        return Step(None, None, "several issuers", why, latest["row_id"], None)
    own = key.kind == "session" and not is_session(key.uid)
    return _from_issue(key, latest, known, "the act that started it" if own else "the act that started its session")


def _from_issue(key: _Key, issue: Row, known: _Known, why: str) -> Step:
    row, moment = issue["row_id"], issue["time_us"]
    federated = _federated(issue, known)
    if federated is not None:
        return federated
    if issue["actor_type"] == "cloud_service":
        name = issue["session_name"] or session_name(issue["issued_session_uid"]) or session_name(key.session) or ""
        root = name if name.startswith(("i-", "mi-")) else issue["actor_uid"]
        return Step(None, root, "root", f"{issue['actor_uid']} issued it", row, moment)
    parent = next((uid for uid in (issue["credential_uid"], issue["session_uid"]) if uid), None)
    if parent is not None and parent not in {key.uid, key.session if key.kind == "credential" else None}:
        return Step(parent, None, "root", why, row, moment)
    asker = issue["actor_uid"]
    if asker is None or asker.isdecimal():
        where = f"account {asker}" if asker else "nobody"
        return Step(None, None, "issuer not in the logs", f"its issue names {where} only", row, moment)
    return Step(None, asker, "root", why, row, moment)


def _federated(issue: Row, known: _Known) -> Step | None:
    """The step from a session that a token or assertion from outside was exchanged for."""
    if issue["operation"] == "AssumeRoleWithSAML":
        return _by_assertion(issue, known)
    if issue["operation"] != "AssumeRoleWithWebIdentity":
        return None
    row, moment = issue["row_id"], issue["time_us"]
    subject = issue["subject"] or issue["actor_name"] or issue["actor_uid"]
    if subject is None:
        return None
    if not subject.startswith("repo:"):
        return Step(None, subject, "root", "the subject of its web identity token", row, moment)
    run, sure = _run(subject, issue, known)
    if run is None:
        return Step(None, subject, "root", "the subject of its CI job's token", row, moment)
    how = "all runs of that repository that went on then had one starter"
    how = "the run's number is in its session name" if sure else how
    why = f"the subject of its CI job's token; {how}"
    return Step(run["issued_session_uid"], None, "root", why, row, moment, via=subject)


def _by_assertion(issue: Row, known: _Known) -> Step | None:
    row, moment, why = issue["row_id"], issue["time_us"], "the subject of its SAML assertion"
    session = session_name(issue["issued_session_uid"])
    named = (issue["subject"], issue["source_identity"], issue["session_name"], session)
    address = next((found for text in named if (found := email_of(text)) is not None), None)
    if address is None:
        root = issue["subject"] or issue["actor_uid"] or issue["actor_name"]
        return None if root is None else Step(None, root, "root", why, row, moment)
    signon = _latest(known.signons.get(address, ()), issue, _SIGNON_WITHIN)
    if signon is None:
        return Step(None, address, "root", why, row, moment)
    return Step(signon["session_uid"], address, "root", f"{why}, who signed on just before", row, moment)


def _run(subject: str, issue: Row, known: _Known) -> tuple[Row | None, bool]:
    """The workflow run behind a CI job's token, and whether it is named; none when several fit."""
    repo = subject.removeprefix("repo:").partition(":")[0].lower()
    runs = known.runs.get(repo, [])
    name = issue["session_name"] or session_name(issue["issued_session_uid"]) or ""
    numbers = {part for part in name.replace("_", "-").split("-") if part.isdecimal() and len(part) > 4}  # noqa: PLR2004 - shorter ones are no run ids
    named = [one for one in runs if one["issued_session_uid"].partition("/actions/runs/")[2].split("/")[0] in numbers]
    if named:
        return max(named, key=_when), True
    if issue["time_us"] is None:
        return None, False
    moment = issue["time_us"]
    recent = [
        one
        for one in runs
        if one["time_us"] is not None
        and 0 <= moment - one["time_us"] <= _RUN_WITHIN
        and known.ended.get(one["issued_session_uid"], _FAR) >= moment
    ]
    starters = {one["actor_uid"] for one in recent}
    return (recent[-1], False) if len(starters) == 1 else (None, False)


def _latest(rows: Sequence[Row], issue: Row, within: int) -> Row | None:
    moment = issue["time_us"]
    if moment is None:
        return None
    fits = [row for row in rows if row["time_us"] is not None and 0 <= moment - row["time_us"] <= within]
    return fits[-1] if fits else None


def _without_issue(key: _Key, known: _Known) -> Step:
    """The start of a chain whose issuing act is not there."""
    said = known.behind.get(key.uid) or known.behind.get(key.session or "")
    if said is not None and not is_role(said["parent_uid"]):
        return Step(None, said["parent_uid"], "root", "its own records say who stands behind it", said["row_id"])
    if said is not None and is_session(said["parent_uid"]) and said["parent_uid"] not in {key.uid, key.session}:
        return Step(said["parent_uid"], None, "root", "its own records name the session before it", said["row_id"])
    if not is_role(key.actor) and not is_session(key.session):
        return Step(None, key.actor, "root" if key.actor else "issuer not in the logs", "it acts as its owner")
    return _role_without_issue(key)


def _role_without_issue(key: _Key) -> Step:
    name = session_name(key.session) or session_name(key.uid) or session_name(key.actor) or ""
    role = role_name(key.actor) or role_name(key.session) or ""
    if name.startswith(("i-", "mi-")):
        return Step(None, name, "root", "an instance's role: the session is named after the instance")
    if role.startswith("AWSServiceRoleFor") or key.actor_type == "cloud_service":
        return Step(None, key.actor, "root", "a service's own role")
    if role.startswith("AWSReservedSSO_") and name:
        return Step(None, email_of(name) or name, "root", "IAM Identity Center names the session after its user")
    return Step(None, None, "issuer not in the logs", "the act that issued it is not in the logs")


def _chains(keys: Mapping[str, _Key], steps: Mapping[str, Step]) -> dict[str, Chain]:
    """Every chain, without recursion: each key is resolved once, and cycles are cut where they close."""
    made: dict[str, Chain] = {}
    for start in keys:
        path: list[str] = []
        place: dict[str, int] = {}
        at: str | None = start
        while at is not None and at not in made and at not in place:
            place[at] = len(path)
            path.append(at)
            parent = steps[at].parent
            at = parent if parent in steps else None
        if at is not None and at in place:
            for uid in path[place[at] :]:
                actor = keys[uid].actor
                made[uid] = Chain(actor, f"loop{_ARROW}{label(actor or uid)}", 0, "loop")
            path = path[: place[at]]
        for uid in reversed(path):
            made[uid] = _chain(keys[uid], steps[uid], made, keys)
    return made


def _chain(key: _Key, step: Step, made: Mapping[str, Chain], keys: Mapping[str, _Key]) -> Chain:
    own = label(key.actor or key.uid)
    parent = None if step.parent is None or step.root is not None else made.get(step.parent)
    if parent is not None and step.parent is not None:
        same = keys[step.parent].actor == key.actor and key.actor is not None
        text = parent.text if step.via is None else _longer(parent.text, label(step.via), parent.depth)
        return Chain(
            parent.root, text if same else _longer(text, own, parent.depth), parent.depth + (not same), parent.ends
        )
    if step.root is None:
        ends: Ends = "issuer not in the logs" if step.ends == "root" else step.ends
        start = ends if step.parent is None else f"{ends}{_ARROW}{step.parent}"
        return Chain(None, f"{start}{_ARROW}{own}", 1, ends)
    if step.root == key.actor:
        return Chain(step.root, own, 0, step.ends)
    return Chain(step.root, f"{label(step.root)}{_ARROW}{own}", 1, step.ends)


def _longer(text: str, own: str, depth: int) -> str:
    if depth < _HOPS:
        return f"{text}{_ARROW}{own}"
    head = text.partition(f"{_ARROW}…")[0]
    return f"{head}{_ARROW}…{_ARROW}{own}"


def _row(key: _Key, step: Step, chain: Chain, people: Mapping[str, Row], ours: set[str]) -> dict[str, Any]:
    person, name, hint = _person(key, chain, people)
    return {
        "key": key.uid,
        "kind": key.kind,
        "actor_uid": key.actor,
        "session_uid": key.uid if key.kind == "session" else key.session,
        "parent_key": step.parent,
        "maker_key": step.maker,
        "root_uid": chain.root,
        "person_uid": person,
        "person_name": name,
        "chain": chain.text,
        "depth": chain.depth,
        "ends": chain.ends,
        "why": f"{step.why}; {hint}" if hint else step.why,
        "used": key.used,
        "ours": bool(ours) and not ours.isdisjoint(_names(key, chain, person, name)),
        "issued_us": step.issued_us,
        "row_id": step.row if step.row is not None else key.first[1] or None,
    }


def _names(key: _Key, chain: Chain, person: str | None, name: str | None) -> set[str]:
    """Every name that a responder may have been given by; a role's own name is others' too."""
    own = None if chain.root is not None and is_role(key.actor) else key.actor
    return {text.lower() for text in (key.uid, key.session, person, chain.root, name, own) if text}


def _person(key: _Key, chain: Chain, people: Mapping[str, Row]) -> tuple[str | None, str | None, str | None]:
    """Person and name behind a key, and the reason where it is a hint only."""
    if chain.root is not None:
        return (*_of_root(chain.root, people), None)
    hinted = email_of(session_name(key.session) or session_name(key.uid))
    if hinted is None:
        return None, None, None
    return (*_of_root(hinted, people), "a hint only: the session's name, which its asker may choose")


def _of_root(root: str, people: Mapping[str, Row]) -> tuple[str, str]:
    found = people.get(root)
    if found is not None:
        return found["person_uid"], found["person_name"]
    address = email_of(root)
    return (root, label(root)) if address is None else (address, address)
