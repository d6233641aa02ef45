"""Who is suspect: what was asked about or what leads point at, and what it issued; its origins stand apart."""

from __future__ import annotations

from typing import Any

from holdfast.investigation.suspects import unmatched_subjects
from tests.unit.investigation.identity_tables import actor, assumed, issue, key, role, run_suspects, session_of, user

KEYS = [
    key("AKIA1", user("ada")),
    key("ASIA2", role("Admin"), session_of("Admin", "work")),
    key("ASIA3", role("Deploy"), session_of("Deploy", "work")),
    key("AKIA9", user("bob")),
]
ISSUES = [
    assumed(1, user("ada"), "AKIA1", "ASIA2", "Admin"),
    assumed(2, role("Admin"), "ASIA2", "ASIA3", "Deploy"),
    assumed(3, user("bob"), "AKIA9", "ASIA8", "Audit"),
]
ACTORS = [actor(user("ada"), name="ada"), actor(user("bob"), name="bob"), actor(role("Admin")), actor(role("Deploy"))]


def asked(*values: str) -> list[dict[str, Any]]:
    return [{"value": value} for value in values]


def hit(value: str, matched: str, **told: Any) -> dict[str, Any]:
    names = ("actor_uid", "session_uid", "credential_uid")
    return {
        "value": value,
        "matched": matched,
        "access": "write",
        "events": 1,
        "row_id": 7,
        **dict.fromkeys(names),
        **told,
    }


def lead(**told: Any) -> dict[str, Any]:
    names = ("actor_uid", "session_uid", "credential_uid", "why", "reasons")
    return {"title": "Trail stopped", "score": 90, "leads": 1, "row_id": 7, **dict.fromkeys(names), **told}


def test_a_credential_asked_about_brings_what_it_issued_and_its_origin_apart() -> None:
    found = run_suspects(
        subjects=asked("asia2"),
        subject_hits=[hit("asia2", "credential", credential_uid="ASIA2", actor_uid=role("Admin"))],
        session_keys=KEYS,
        issues=ISSUES,
        actors=ACTORS,
    )
    assert ("credential", "ASIA2") in found
    assert found["credential", "ASIA3"]["why"] == "issued by ASIA2"
    assert ("origin", "AKIA1") in found
    assert ("origin", user("ada")) in found
    assert ("credential", "AKIA1") not in found
    assert not any(value in {"ASIA8", "AKIA9", role("Admin")} for _, value in found)
    assert {row["subject"] for row in found.values()} == {"asia2"}


def test_an_identity_asked_about_brings_its_keys_and_their_sessions() -> None:
    found = run_suspects(
        subjects=asked("ada"),
        subject_hits=[hit("ada", "actor", actor_uid=user("ada"))],
        session_keys=KEYS,
        issues=ISSUES,
        actors=ACTORS,
    )
    assert {("actor", user("ada")), ("credential", "AKIA1"), ("credential", "ASIA2"), ("credential", "ASIA3")} <= set(
        found
    )
    assert not any(value in {"ASIA8", "AKIA9"} for _, value in found)


def test_a_person_asked_about_by_address_is_found_under_every_identity() -> None:
    found = run_suspects(
        subjects=asked("ADA@corp.example"),
        actors=[actor("ada@corp.example", source="okta.system"), actor(user("ada@corp.example"))],
    )
    assert {("actor", "ada@corp.example"), ("actor", user("ada@corp.example"))} <= set(found)


def test_a_session_of_a_person_by_its_name_only_is_suspect_when_the_person_is_asked_about() -> None:
    found = run_suspects(
        subjects=asked("ada@corp.example"),
        session_keys=[key("ASIA2", role("Admin"), session_of("Admin", "ada@corp.example"))],
        actors=[actor(role("Admin"))],
    )
    assert "hint only" in found["credential", "ASIA2"]["why"]


def test_an_address_is_one_suspect() -> None:
    found = run_suspects(subjects=asked("192.0.2.9"), subject_hits=[hit("192.0.2.9", "ip")])
    assert list(found) == [("ip", "192.0.2.9")]


def test_an_artifact_accuses_who_wrote_it_and_not_who_read_it() -> None:
    hits = [
        hit("registry/shop", "target", actor_uid=user("ada"), credential_uid="AKIA1"),
        hit("registry/shop", "target", actor_uid=user("bob"), credential_uid="AKIA9", access="read"),
    ]
    found = run_suspects(
        subjects=asked("registry/shop"), subject_hits=hits, session_keys=KEYS, issues=ISSUES, actors=ACTORS
    )
    assert found["credential", "AKIA1"]["why"] == "acted on registry/shop"
    assert ("credential", "AKIA9") not in found


def test_who_administers_a_credential_asked_about_is_not_accused() -> None:
    hits = [
        hit("AKIA1", "credential", credential_uid="AKIA1", actor_uid=user("ada")),
        hit("AKIA1", "target", credential_uid="AKIA9", actor_uid=user("bob")),
    ]
    found = run_suspects(subjects=asked("AKIA1"), subject_hits=hits, session_keys=KEYS, issues=ISSUES, actors=ACTORS)
    assert ("credential", "AKIA1") in found
    assert not any(value == "AKIA9" for _, value in found)


def test_without_subjects_the_leads_decide_by_the_narrowest_name() -> None:
    found = run_suspects(
        suspect_leads=[
            lead(credential_uid="ASIA2", session_uid=session_of("Admin", "work"), actor_uid=role("Admin"), leads=3),
            lead(actor_uid="octocat"),
            lead(actor_uid=role("Audit")),
        ],
        session_keys=KEYS,
        issues=ISSUES,
        actors=ACTORS,
    )
    assert "and 2 more leads" in found["credential", "ASIA2"]["why"]
    assert ("actor", "octocat") in found
    assert not any(kind == "actor" and value in {role("Admin"), role("Audit")} for kind, value in found)


def test_asked_about_somebody_the_leads_do_not_count() -> None:
    found = run_suspects(subjects=asked("nobody"), suspect_leads=[lead(actor_uid="octocat")])
    assert found == {}


def test_a_key_that_a_suspect_made_for_another_user_is_suspect_and_the_user_is_not() -> None:
    made = issue(
        4,
        "CreateAccessKey",
        actor_uid=user("ada"),
        credential_uid="AKIA1",
        issued_credential_uid="AKIA7",
        target_uid=user("backdoor"),
    )
    found = run_suspects(
        suspect_leads=[lead(credential_uid="AKIA1")],
        session_keys=[*KEYS, key("AKIA7", user("backdoor"))],
        issues=[*ISSUES, made],
        actors=ACTORS,
    )
    assert found["credential", "AKIA7"]["why"] == "made by AKIA1"
    assert ("actor", user("backdoor")) not in found


def test_a_suspect_session_brings_its_credentials() -> None:
    session = session_of("Admin", "work")
    found = run_suspects(
        suspect_leads=[lead(session_uid=session)],
        session_keys=[*KEYS, key(session, role("Admin"), session, kind="session")],
        issues=ISSUES,
        actors=ACTORS,
    )
    assert {("session", session), ("credential", "ASIA2"), ("credential", "ASIA3")} <= set(found)


def test_chains_that_loop_end() -> None:
    found = run_suspects(
        suspect_leads=[lead(credential_uid="ASIA1")],
        session_keys=[key("ASIA1", role("A")), key("ASIA2", role("B"))],
        issues=[assumed(1, role("B"), "ASIA2", "ASIA1", "A"), assumed(2, role("A"), "ASIA1", "ASIA2", "B")],
    )
    assert {("credential", "ASIA1"), ("credential", "ASIA2")} <= set(found)


def test_subjects_that_occur_nowhere_are_named() -> None:
    hits = [hit("registry/shop", "target", access="read")]
    found: list[dict[str, Any]] = [{"subject": "ada@corp.example"}, {"subject": None}]
    given = asked("AKIANOWHERE", "registry/shop", "ada@corp.example")
    assert unmatched_subjects(given, hits, found) == ["AKIANOWHERE"]
