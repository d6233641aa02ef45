"""The trust graph and its paths: from logs, from state, and where both meet."""

from __future__ import annotations

from typing import Any

from holdfast.investigation.trust import EDGES, EDGES_AFTER, graph, secret_name, short
from holdfast.investigation.trust_paths import PATHS, PATHS_AFTER, paths

ADA = "arn:aws:iam::111111111111:user/ada"
ADMIN = "arn:aws:iam::111111111111:role/admin"
DEPLOY = "arn:aws:iam::222222222222:role/deploy"
ISSUER = "token.actions.githubusercontent.com"


def state(start: str, kind: str, relation: str, end: str, end_kind: str, **more: Any) -> dict[str, Any]:
    row = {"from_uid": start, "from_type": kind, "relation": relation, "to_uid": end, "to_type": end_kind}
    return {**row, "condition": None, "account_uid": "111111111111", "captured_us": 5, "row_id": 70, **more}


def issue(actor: str | None, role: str | None = None, **more: Any) -> dict[str, Any]:
    row = dict.fromkeys(
        ("account_uid", "actor_type", "credential_uid", "issued_credential_uid", "subject", "issuer", "operation")
    )
    return {**row, "row_id": 1, "time_us": 10, "actor_uid": actor, "role_uid": role, **more}


def used(operation: str, actor: str, target: str, **more: Any) -> dict[str, Any]:
    row = dict.fromkeys(("account_uid", "actor_type", "named", "workflow", "job"))
    counted = {"events": 2, "first_us": 3, "last_us": 9, "first_row": 11, "last_row": 12}
    return {**row, "operation": operation, "actor_uid": actor, "target_uid": target, **counted, **more}


def made(**tables: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = graph({name: tables.get(name, []) for name in EDGES_AFTER})
    assert all(set(row) == {column.name for column in EDGES} for row in rows)
    return rows


def walked(edges: list[dict[str, Any]], subject: str, **tables: list[dict[str, Any]]) -> list[dict[str, Any]]:
    given = {"trust_graph": edges, "subjects": [{"value": subject}], **tables}
    rows = paths({name: given.get(name, []) for name in PATHS_AFTER})
    assert all(set(row) == {column.name for column in PATHS} for row in rows)
    return rows


def reached(rows: list[dict[str, Any]], direction: str = "reaches") -> dict[str, str]:
    return {row["uid"]: row["standing"] for row in rows if row["direction"] == direction}


def test_what_logs_and_state_both_show_is_one_edge_seen_in_both() -> None:
    (edge,) = made(issues=[issue(ADA, ADMIN)], trust_edges=[state(ADA, "user", "assumes", ADMIN, "role")])
    assert (edge["seen"], edge["events"], edge["first_us"], edge["captured_us"]) == ("both", 1, 10, 5)


def test_a_second_statement_without_condition_is_what_holds() -> None:
    edges = [state(ADA, "user", "assumes", ADMIN, "role", condition="{}"), state(ADA, "user", "assumes", ADMIN, "role")]
    assert made(trust_edges=edges)[0]["condition"] is None


def test_a_user_named_without_its_account_is_the_one_user_of_that_name() -> None:
    edges = [
        state("AKIA1", "access_key", "signs_in_as", "user/ada", "user"),
        state(ADA, "user", "assumes", ADMIN, "role"),
    ]
    assert ("AKIA1", ADA) in {(edge["from_uid"], edge["to_uid"]) for edge in made(trust_edges=edges)}


def test_a_key_leads_through_its_user_to_roles_in_other_accounts() -> None:
    edges = made(
        trust_edges=[
            state("AKIA1", "access_key", "signs_in_as", ADA, "user"),
            state(ADA, "user", "assumes", ADMIN, "role"),
        ],
        issues=[issue(ADMIN, DEPLOY)],
    )
    rows = walked(edges, "AKIA1")
    assert reached(rows) == {ADA: "certain", ADMIN: "certain", DEPLOY: "certain"}
    last = next(row for row in rows if row["uid"] == DEPLOY)
    assert last["path"] == (
        "AKIA1 signs in as user/ada (111111111111) becomes role/admin (111111111111) becomes role/deploy (222222222222)"
    )
    assert (last["depth"], last["seen"]) == (3, "mixed")


def test_a_secret_is_relied_on_by_its_readers_and_their_other_secrets_are_not_reached() -> None:
    edges = made(
        log_uses=[
            used("GetSecretValue", ADA, "arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db-AbCdEf"),
            used("GetSecretValue", ADA, "other", named="other"),
        ],
        trust_edges=[state("shop/deployments/api", "workload", "reads_secret", "prod/db", "secret")],
    )
    assert set(reached(walked(edges, "prod/db"))) == {ADA, "shop/deployments/api"}


def test_an_image_controls_the_workloads_that_run_it_and_what_those_may_do() -> None:
    account = "system:serviceaccount:shop:api"
    edges = made(
        trust_edges=[
            state("shop/deployments/api", "workload", "pulls", "corp/api@sha256:abc", "image"),
            state("shop/deployments/api", "workload", "runs_as", account, "service_account"),
            state(account, "service_account", "assumes", ADMIN, "role"),
        ]
    )
    assert set(reached(walked(edges, "abc"))) == {"shop/deployments/api", account, ADMIN}


def test_a_jobs_subject_meets_the_pattern_that_a_role_trusts() -> None:
    job = "corp/shop/.github/workflows/ci.yml#deploy"
    edges = made(
        trust_edges=[
            state(job, "job", "presents", f"{ISSUER}|repo:corp/shop:*", "oidc_subject"),
            state(f"{ISSUER}|repo:corp/*", "oidc_subject", "assumes", ADMIN, "role", condition='{"aud":"x"}'),
            state(f"{ISSUER}|repo:other/*", "oidc_subject", "assumes", DEPLOY, "role"),
        ]
    )
    rows = walked(edges, job)
    assert reached(rows)[ADMIN] == "conditional"
    assert DEPLOY not in reached(rows)


def test_a_federated_session_of_the_logs_meets_the_trust_of_the_state() -> None:
    subject = f"{ISSUER}|repo:corp/shop:ref:refs/heads/main"
    edges = made(
        issues=[
            issue(
                None,
                ADMIN,
                subject="repo:corp/shop:ref:refs/heads/main",
                issuer=f"arn:aws:iam::1:oidc-provider/{ISSUER}",
            )
        ],
        trust_edges=[state(f"{ISSUER}|repo:corp/*", "oidc_subject", "assumes", ADMIN, "role")],
    )
    assert {(subject, "assumes"), (subject, "meets")} <= {(edge["from_uid"], edge["relation"]) for edge in edges}


def test_trust_in_an_account_needs_the_right_to_assume() -> None:
    edges = made(trust_edges=[state("111111111111", "account", "assumes", ADMIN, "role"),
                              state(ADA, "user", "member_of", "g", "group")])  # fmt: skip
    grant = {"holder_uid": ADA, "effect": "allow", "action": "sts:AssumeRole", "resource": "*", "via": "p",
             "condition": None, "boundary": False, "account_uid": None}  # fmt: skip
    assert reached(walked(edges, ADA, held=[grant]))[ADMIN] == "certain"
    assert ADMIN not in reached(walked(edges, ADA, held=[{**grant, "action": "s3:*"}]))
    assert reached(walked(edges, ADA))[ADMIN] == "not known"


def test_who_leads_to_it_is_told_as_well() -> None:
    edges = made(issues=[issue(ADA, ADMIN)])
    assert set(reached(walked(edges, ADMIN), "reached_by")) == {ADA}


def test_a_job_that_was_handed_secrets_reads_them_under_the_names_of_its_workflow() -> None:
    ref = "corp/shop/.github/workflows/ci.yml@refs/heads/main"
    (edge,) = made(
        log_uses=[
            used(
                "workflows.prepared_workflow_job", "ada", "corp/shop", named='["Actions.NPM"]', workflow=ref, job="ship"
            )
        ]
    )
    assert edge["from_uid"] == "corp/shop/.github/workflows/ci.yml#ship"
    assert edge["to_uid"] == "corp/shop/secrets/NPM"


def test_a_clusters_secret_has_one_name_in_log_and_state() -> None:
    (edge,) = made(
        log_uses=[used("get secrets", "system:serviceaccount:shop:api", "shop/db")],
        trust_edges=[
            state("system:serviceaccount:shop:api", "service_account", "reads_secret", "shop/secrets/db", "secret")
        ],
    )
    assert edge["seen"] == "both"


def test_without_state_the_start_says_so() -> None:
    rows = walked(made(issues=[issue(ADA, ADMIN)]), ADA)
    assert rows[0]["direction"] == "start"
    assert rows[0]["path"].endswith("no captured state names it")


def test_nobody_asked_about_starts_at_the_suspects_a_sessions_key_as_its_identity() -> None:
    key = {"account_uid": None, "credential_uid": "ASIA1", "actor_uid": ADMIN, "actor_type": None, "first_us": 1,
           "last_us": 2, "first_row": 5, "last_row": 6, "events": 1}  # fmt: skip
    edges = made(suspect_credentials=[key], issues=[issue(ADMIN, DEPLOY)])
    given = {
        "trust_graph": edges,
        "suspects": [{"value": "ASIA1", "kind": "credential"}, {"value": "x", "kind": "origin"}],
    }
    rows = paths({name: given.get(name, []) for name in PATHS_AFTER})
    assert {row["subject_uid"] for row in rows} == {ADMIN}


def test_circles_end() -> None:
    edges = made(issues=[issue(ADA, ADMIN), issue(ADMIN, ADA)])
    assert set(reached(walked(edges, ADA))) == {ADMIN}


def test_names_are_shortened_for_reading() -> None:
    assert short(ADMIN) == "role/admin (111111111111)"
    assert secret_name("arn:aws:ssm:eu-west-1:111111111111:parameter/prod/db") == "/prod/db"
