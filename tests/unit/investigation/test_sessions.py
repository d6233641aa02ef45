"""Chains of sessions lead back to whoever started them, or say why they do not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.investigation.identity_tables import (
    actor,
    assumed,
    issue,
    key,
    role,
    run_sessions,
    session_of,
    user,
)


def test_a_chain_of_roles_leads_back_to_the_user() -> None:
    found = run_sessions(
        actors=[actor(user("ada"), name="ada")],
        session_keys=[
            key("AKIA1", user("ada")),
            key("ASIA2", role("Admin"), session_of("Admin", "work")),
            key("ASIA3", role("Deploy"), session_of("Deploy", "work")),
        ],
        issues=[
            assumed(1, user("ada"), "AKIA1", "ASIA2", "Admin"),
            assumed(2, role("Admin"), "ASIA2", "ASIA3", "Deploy"),
        ],
    )
    last = found["ASIA3"]
    assert last["chain"] == "user/ada → role/Admin → role/Deploy"
    assert (last["parent_key"], last["root_uid"], last["depth"], last["ends"]) == ("ASIA2", user("ada"), 2, "root")
    assert (last["row_id"], last["issued_us"], last["person_name"]) == (2, 2, "ada")


def test_the_same_issue_told_by_two_accounts_is_one_and_the_askers_is_believed() -> None:
    theirs = assumed(1, "111122223333", None, "ASIA2", "Partner", shared_uid="s1")
    ours = assumed(2, user("ada"), "AKIA1", "ASIA2", "Partner", shared_uid="s1")
    for issues in ([theirs, ours], [ours, theirs]):
        found = run_sessions(session_keys=[key("AKIA1", user("ada")), key("ASIA2", role("Partner"))], issues=issues)
        assert found["ASIA2"]["root_uid"] == user("ada")
        assert found["ASIA2"]["row_id"] == 2


def test_an_account_alone_is_no_issuer() -> None:
    found = run_sessions(
        session_keys=[key("ASIA2", role("Partner"))], issues=[assumed(1, "444455556666", None, "ASIA2", "Partner")]
    )
    assert found["ASIA2"]["ends"] == "issuer not in the logs"
    assert found["ASIA2"]["root_uid"] is None
    assert "account 444455556666" in found["ASIA2"]["why"]


def test_a_key_whose_own_issue_is_missing_is_found_by_its_session() -> None:
    found = run_sessions(
        session_keys=[key("AKIA1", user("ada")), key("ASIA9", role("Admin"), session_of("Admin", "work"))],
        issues=[assumed(1, user("ada"), "AKIA1", "ASIA2", "Admin")],
    )
    assert found["ASIA9"]["chain"] == "user/ada → role/Admin"
    assert found["ASIA9"]["why"] == "the act that started its session"


def test_a_session_name_that_several_used_has_no_single_start() -> None:
    found = run_sessions(
        session_keys=[key("ASIA9", role("Admin"), session_of("Admin", "work"))],
        issues=[assumed(1, user("ada"), "AKIA1", "ASIA2", "Admin"), assumed(2, user("bob"), "AKIA2", "ASIA3", "Admin")],
    )
    assert found["ASIA9"]["ends"] == "several issuers"
    assert found["ASIA9"]["person_uid"] is None
    assert "user/ada, user/bob" in found["ASIA9"]["why"]


def test_without_the_issuing_act_the_chain_says_so_and_the_name_is_a_hint_only() -> None:
    found = run_sessions(session_keys=[key("ASIA2", role("Admin"), session_of("Admin", "Ada@Corp.example"))])
    one = found["ASIA2"]
    assert one["chain"] == "issuer not in the logs → role/Admin"
    assert one["person_uid"] == "ada@corp.example"
    assert "hint only" in one["why"]
    assert one["root_uid"] is None


def test_the_issuer_beats_the_name_of_the_session() -> None:
    found = run_sessions(
        session_keys=[
            key("AKIA1", user("mallory")),
            key("ASIA2", role("Admin"), session_of("Admin", "ada@corp.example")),
        ],
        issues=[assumed(1, user("mallory"), "AKIA1", "ASIA2", "Admin", session="ada@corp.example")],
    )
    assert found["ASIA2"]["person_uid"] == user("mallory")


def test_a_loop_ends_and_is_called_one() -> None:
    found = run_sessions(
        session_keys=[key("ASIA1", role("A")), key("ASIA2", role("B")), key("ASIA3", role("C"))],
        issues=[
            assumed(1, role("B"), "ASIA2", "ASIA1", "A"),
            assumed(2, role("A"), "ASIA1", "ASIA2", "B"),
            assumed(3, role("B"), "ASIA2", "ASIA3", "C"),
        ],
    )
    assert found["ASIA1"]["ends"] == found["ASIA2"]["ends"] == found["ASIA3"]["ends"] == "loop"
    assert found["ASIA3"]["chain"] == "loop → role/B → role/C"


def test_a_session_token_of_the_same_user_is_no_step() -> None:
    found = run_sessions(
        session_keys=[key("AKIA1", user("ada")), key("ASIA2", user("ada"))],
        issues=[
            issue(1, "GetSessionToken", actor_uid=user("ada"), credential_uid="AKIA1", issued_credential_uid="ASIA2")
        ],
    )
    assert (found["ASIA2"]["chain"], found["ASIA2"]["depth"]) == ("user/ada", 0)
    assert found["ASIA2"]["parent_key"] == "AKIA1"


def test_temporary_keys_of_a_console_session_act_as_their_user() -> None:
    found = run_sessions(session_keys=[key("ASIA2", user("ada"))])
    assert (found["ASIA2"]["root_uid"], found["ASIA2"]["depth"]) == (user("ada"), 0)


def test_a_lasting_key_acts_as_its_owner_and_its_maker_stands_apart() -> None:
    found = run_sessions(
        session_keys=[key("AKIA1", user("ada")), key("AKIA2", user("backdoor"))],
        issues=[
            issue(
                1,
                "CreateAccessKey",
                actor_uid=user("ada"),
                credential_uid="AKIA1",
                issued_credential_uid="AKIA2",
                target_uid=user("backdoor"),
            )
        ],
    )
    assert (found["AKIA2"]["root_uid"], found["AKIA2"]["maker_key"]) == (user("backdoor"), "AKIA1")
    assert found["AKIA2"]["parent_key"] is None


def test_a_key_that_was_issued_and_never_used_is_kept() -> None:
    found = run_sessions(
        session_keys=[key("AKIA1", user("ada"))], issues=[assumed(1, user("ada"), "AKIA1", "ASIA2", "Admin")]
    )
    assert found["ASIA2"]["used"] is False
    assert found["ASIA2"]["actor_uid"] == role("Admin")


@pytest.mark.parametrize(
    ("actor_uid", "session", "root"),
    [
        (role("web"), session_of("web", "i-0123456789abcdef0"), "i-0123456789abcdef0"),
        (role("AWSServiceRoleForRDS"), session_of("AWSServiceRoleForRDS", "x"), role("AWSServiceRoleForRDS")),
        (
            role("AWSReservedSSO_Admin_0123456789abcdef"),
            session_of("AWSReservedSSO_Admin_0123456789abcdef", "Ada@corp.example"),
            "ada@corp.example",
        ),
    ],
)
def test_some_roles_tell_their_start_by_themselves(actor_uid: str, session: str, root: str) -> None:
    found = run_sessions(session_keys=[key("ASIA2", actor_uid, session)])
    assert (found["ASIA2"]["root_uid"], found["ASIA2"]["ends"]) == (root, "root")


def test_what_a_service_issued_starts_at_the_instance_or_the_service() -> None:
    service: dict[str, Any] = {"actor_type": "cloud_service"}
    found = run_sessions(
        session_keys=[
            key("ASIA2", role("web"), session_of("web", "i-0abc")),
            key("ASIA3", role("fn"), session_of("fn", "fn")),
        ],
        issues=[
            assumed(1, "ec2.amazonaws.com", None, "ASIA2", "web", "i-0abc", **service),
            assumed(2, "lambda.amazonaws.com", None, "ASIA3", "fn", "fn", **service),
        ],
    )
    assert found["ASIA2"]["chain"] == "i-0abc → role/web"
    assert found["ASIA3"]["chain"] == "lambda.amazonaws.com → role/fn"


def test_a_saml_session_is_its_subjects_and_continues_the_sign_on_before_it() -> None:
    signon = {
        "row_id": 5,
        "time_us": 5,
        "source": "okta.system",
        "actor_uid": "ada@corp.example",
        "actor_name": "Ada Lind",
        "session_uid": "idx1",
        "src_ip": None,
    }
    found = run_sessions(
        session_keys=[
            key("idx1", "ada@corp.example", "idx1", kind="session", row=4),
            key("ASIA2", role("Admin"), session_of("Admin", "Ada@corp.example")),
        ],
        federated_signons=[signon],
        actors=[actor("ada@corp.example", name="Ada Lind", source="okta.system")],
        issues=[
            issue(
                6,
                "AssumeRoleWithSAML",
                actor_type="human",
                actor_uid="ada@corp.example",
                issued_credential_uid="ASIA2",
                issued_session_uid=session_of("Admin", "Ada@corp.example"),
                session_name="Ada@corp.example",
                subject="Ada@corp.example",
            )
        ],
    )
    one = found["ASIA2"]
    assert (one["parent_key"], one["root_uid"], one["person_name"]) == ("idx1", "ada@corp.example", "Ada Lind")
    assert one["chain"] == "ada@corp.example → role/Admin"


def by_job(row: int, session: str) -> dict[str, Any]:
    return issue(
        row,
        "AssumeRoleWithWebIdentity",
        actor_type="ci_token",
        actor_uid="repo:corp/shop:ref:refs/heads/main",
        issued_credential_uid="ASIA2",
        issued_session_uid=session_of("ci", session),
        session_name=session,
        subject="repo:corp/shop:ref:refs/heads/main",
    )


def run_of(row: int, number: int, by: str) -> dict[str, Any]:
    session = f"corp/shop/actions/runs/{number}/attempts/1"
    return issue(row, "workflows.created_workflow_run", source="github.audit", actor_uid=by, issued_session_uid=session)


def test_a_jobs_session_leads_back_to_who_started_the_run() -> None:
    found = run_sessions(
        session_keys=[key("ASIA2", role("ci"), session_of("ci", "GitHubActions"))],
        issues=[run_of(1, 70001, "alind-01"), by_job(9, "GitHubActions")],
    )
    one = found["ASIA2"]
    assert one["root_uid"] == "alind-01"
    assert one["chain"].startswith("alind-01 → ")
    assert one["chain"].endswith("repo:corp/shop:ref:refs/heads/main → role/ci")
    assert "one starter" in one["why"]


def test_a_run_named_in_the_session_is_taken_among_several() -> None:
    runs = [run_of(1, 70001, "alind-01"), run_of(2, 70002, "bob-02")]
    named = run_sessions(
        session_keys=[key("ASIA2", role("ci"), session_of("ci", "GitHubActions-70001"))],
        issues=[*runs, by_job(9, "GitHubActions-70001")],
    )
    assert named["ASIA2"]["root_uid"] == "alind-01"
    unnamed = run_sessions(
        session_keys=[key("ASIA2", role("ci"), session_of("ci", "GitHubActions"))],
        issues=[*runs, by_job(9, "GitHubActions")],
    )
    assert unnamed["ASIA2"]["root_uid"] == "repo:corp/shop:ref:refs/heads/main"


def test_a_pods_session_starts_at_its_service_account() -> None:
    found = run_sessions(
        session_keys=[key("ASIA2", role("irsa"), session_of("irsa", "eks-1"))],
        issues=[
            issue(
                1,
                "AssumeRoleWithWebIdentity",
                issued_credential_uid="ASIA2",
                subject="system:serviceaccount:shop:checkout",
            )
        ],
    )
    assert found["ASIA2"]["chain"] == "system:serviceaccount:shop:checkout → role/irsa"


def test_a_sessions_own_records_may_say_who_stands_behind_it() -> None:
    behind = {
        "source": "aws.cloudtrail",
        "actor_uid": role("Admin"),
        "session_uid": session_of("Admin", "x"),
        "credential_uid": "ASIA2",
        "parent_uid": "ada@corp.example",
        "first_us": 3,
        "row_id": 3,
    }
    found = run_sessions(session_keys=[key("ASIA2", role("Admin"), session_of("Admin", "x"))], key_parents=[behind])
    assert (found["ASIA2"]["root_uid"], found["ASIA2"]["row_id"]) == ("ada@corp.example", 3)


def test_a_long_chain_is_cut_in_its_text_only() -> None:
    issues = [assumed(1, user("ada"), "AKIA0", "ASIA1", "R1")]
    issues += [assumed(at, role(f"R{at - 1}"), f"ASIA{at - 1}", f"ASIA{at}", f"R{at}") for at in range(2, 40)]
    keys = [key("AKIA0", user("ada")), *(key(f"ASIA{at}", role(f"R{at}")) for at in range(1, 40))]
    last = run_sessions(session_keys=keys, issues=issues)["ASIA39"]
    assert (last["depth"], last["root_uid"]) == (39, user("ada"))
    assert last["chain"].endswith("→ … → role/R39")
    assert last["chain"].count("→") < 15


def test_responders_sessions_are_marked_and_the_roles_others_are_not() -> None:
    found = run_sessions(
        actors=[actor("resp@corp.example")],
        responders=[{"value": "RESP@corp.example", "from_us": 0, "to_us": 9}],
        session_keys=[
            key("ASIA2", role("Admin"), session_of("Admin", "a")),
            key("ASIA3", role("Admin"), session_of("Admin", "b")),
        ],
        issues=[
            assumed(1, "resp@corp.example", None, "ASIA2", "Admin", "a"),
            assumed(2, user("ada"), None, "ASIA3", "Admin", "b"),
        ],
    )
    assert (found["ASIA2"]["ours"], found["ASIA3"]["ours"]) == (True, False)
