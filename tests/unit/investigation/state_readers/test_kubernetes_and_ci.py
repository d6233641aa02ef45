"""Kubernetes objects and CI configuration become rows; no value of a secret does."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from holdfast.investigation.captured import Origin
from tests.unit.investigation.state_readers.test_aws import edges, gaps, items, read

WORKFLOW = """
on: [push, pull_request_target]
permissions: {contents: read, id-token: write}
env: {TOKEN: "${{ secrets.ORG_TOKEN }}"}
jobs:
  build:
    runs-on: [self-hosted, linux]
    steps:
      - uses: actions/checkout@8ade135a41bc03ea155e62e844d188df1ea18608
      - uses: other/thing@v1
      - run: echo "${{ secrets['NPM_TOKEN'] }}"
  deploy:
    runs-on: ubuntu-latest
    environment: {name: prod}
    permissions: write-all
    container: {image: "ghcr.io/corp/tool:1"}
    steps: [{run: "true", env: {ALL: "${{ toJSON(secrets) }}"}}]
"""


def kubernetes(text: str) -> dict[str, Any]:
    found = read(yaml.safe_load(text))
    assert "hunter2" not in str(found)
    return found


def test_a_workload_tells_every_way_it_takes_a_secret() -> None:
    found = kubernetes("""
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  template:
    spec:
      serviceAccountName: api
      imagePullSecrets: [{name: pull}]
      initContainers: [{name: i, image: "init@sha256:abc", envFrom: [{secretRef: {name: all}}]}]
      containers:
      - name: c
        image: corp/api:1.2
        env: [{name: PW, valueFrom: {secretKeyRef: {name: db, key: password}}}, {name: X, value: hunter2}]
      volumes:
      - {name: a, secret: {secretName: tls}}
      - {name: b, projected: {sources: [{secret: {name: extra}}]}}
      - {name: d, csi: {driver: x, volumeAttributes: {secretProviderClass: vault}}}
""")
    job = "shop/deployments/api"
    assert {
        (job, "runs_as", "system:serviceaccount:shop:api"),
        *((job, "reads_secret", f"shop/secrets/{name}") for name in ("pull", "all", "db", "tls", "extra")),
        (job, "reads_secret", "shop/secretproviderclasses/vault"),
        (job, "pulls", "corp/api:1.2"),
        (job, "pulls", "init@sha256:abc"),
    } <= edges(found)
    assert ("corp/api:1.2", "pinned", "false") in items(found)


def test_a_scheduled_job_and_a_pod_are_workloads_too() -> None:
    found = kubernetes("""
apiVersion: v1
kind: List
items:
- apiVersion: batch/v1
  kind: CronJob
  metadata: {name: nightly, namespace: shop}
  spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: i}]}}}}}
- apiVersion: v1
  kind: Pod
  metadata: {name: one}
  spec: {hostPID: true, containers: [{name: c, image: i, securityContext: {privileged: true}}]}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: c}
""")
    assert ("shop/cronjobs/nightly", "pulls", "i") in edges(found)
    assert {("default/pods/one", "privileged", "true"), ("default/pods/one", "host_pid", "true")} <= items(found)
    assert "1 of this kind" in gaps(found)


def test_secrets_are_kept_by_name_and_key_only() -> None:
    found = kubernetes("""
apiVersion: v1
kind: SecretList
metadata: {continue: "abc"}
items:
- metadata: {name: db, namespace: shop, annotations: {kubernetes.io/service-account.name: robot}}
  type: kubernetes.io/service-account-token
  data: {password: hunter2}
""")
    assert ("shop/secrets/db", "keys", '["password"]') in items(found)
    assert ("shop/secrets/db", "signs_in_as", "system:serviceaccount:shop:robot") in edges(found)
    assert "truncated" in gaps(found)


def test_bindings_give_roles_and_cloud_roles_to_accounts() -> None:
    found = kubernetes("""
apiVersion: v1
kind: List
items:
- kind: ClusterRole
  metadata: {name: reader}
  rules:
  - {apiGroups: [""], resources: [secrets], verbs: [list]}
  - {apiGroups: [apps], resources: [deployments], verbs: [patch]}
- kind: RoleBinding
  metadata: {name: b, namespace: shop}
  roleRef: {kind: ClusterRole, name: reader}
  subjects: [{kind: ServiceAccount, name: api}, {kind: User, name: ada}]
- kind: ClusterRoleBinding
  metadata: {name: top}
  roleRef: {kind: ClusterRole, name: cluster-admin}
  subjects: [{kind: Group, name: "system:masters"}]
- kind: ServiceAccount
  metadata: {name: api, namespace: shop, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/r"}}
""")
    held = {(grant["action"], grant["resource"], grant["access_level"]) for grant in found["grants"]}
    assert {("secrets:list", "*/*", "read"), ("deployments.apps:patch", "*/*", "write"), ("*:*", "*/*", "all")} <= held
    account = "system:serviceaccount:shop:api"
    assert {(account, "attached", "clusterroles/reader"), (account, "assumes", "arn:aws:iam::1:role/r")} <= edges(found)
    assert {edge["condition"] for edge in found["trust_edges"] if edge["from_uid"] == "ada"} == {'{"namespace":"shop"}'}


def test_outside_secrets_and_certificates_of_ways_in_are_told() -> None:
    found = kubernetes("""
apiVersion: v1
kind: List
items:
- kind: ExternalSecret
  metadata: {name: db, namespace: shop}
  spec:
    secretStoreRef: {name: aws}
    target: {name: db-copy}
    data: [{remoteRef: {key: prod/db}}]
    dataFrom: [{extract: {key: prod/all}}]
- kind: SecretProviderClass
  metadata: {name: vault, namespace: shop}
  spec: {provider: vault, parameters: {objects: "- x"}, secretObjects: [{secretName: mirrored}]}
- kind: Ingress
  metadata: {name: web, namespace: shop}
  spec: {tls: [{hosts: [a.example], secretName: tls}], rules: [{host: a.example}]}
""")
    assert {
        ("shop/secrets/db-copy", "copied_from", "prod/db"),
        ("shop/secrets/db-copy", "copied_from", "prod/all"),
        ("shop/secrets/mirrored", "copied_from", "shop/secretproviderclasses/vault"),
        ("shop/ingresses/web", "reads_secret", "shop/secrets/tls"),
    } <= edges(found)
    assert "text of its provider" in gaps(found)


def test_a_workflow_tells_secrets_subjects_actions_and_runners_by_job() -> None:
    origin = Origin("repos/corp/shop/.github/workflows/ci.yml", 7, None)
    found = read(yaml.safe_load(WORKFLOW), origin)
    build, deploy = (f"corp/shop/.github/workflows/ci.yml#{name}" for name in ("build", "deploy"))
    issuer = "token.actions.githubusercontent.com"
    assert {
        (build, "reads_secret", "corp/shop/secrets/ORG_TOKEN"),
        (build, "reads_secret", "corp/shop/secrets/NPM_TOKEN"),
        (build, "presents", f"{issuer}|repo:corp/shop:*"),
        (deploy, "presents", f"{issuer}|repo:corp/shop:environment:prod"),
        (build, "uses_action", "other/thing@v1"),
        (deploy, "pulls", "ghcr.io/corp/tool:1"),
    } <= edges(found)
    assert {
        (build, "self_hosted", "true"),
        ("other/thing@v1", "pinned", "false"),
        ("actions/checkout@8ade135a41bc03ea155e62e844d188df1ea18608", "pinned", "true"),
        ("corp/shop/.github/workflows/ci.yml", "started_by_outsiders", '["pull_request_target"]'),
    } <= items(found)
    assert "may receive any" in gaps(found)
    assert {(grant["holder_uid"], grant["action"]) for grant in found["grants"]} >= {
        (build, "contents:read"),
        (deploy, "*:write"),
    }


def test_a_workflow_without_permissions_or_repository_says_what_it_does_not_tell() -> None:
    found = read({True: "push", "jobs": {"a": {"runs-on": "x", "steps": []}, "b": 5}}, Origin("ci.yml", 7, None))
    assert "the repository's default holds" in gaps(found)
    assert "which repository" in gaps(found)
    assert "not a table" in gaps(found)


def test_answers_of_the_github_api_tell_keys_secrets_environments_and_rules() -> None:
    keys = read([{"id": 1, "key": "ssh-ed25519 AAAA", "url": "https://api.github.com/repos/corp/shop/keys/1",
                  "title": "ci", "verified": True, "read_only": False}])  # fmt: skip
    assert ("corp/shop/keys/1", "may_write", "corp/shop") in edges(keys)
    secrets = read({"total_count": 2, "secrets": [{"name": "NPM", "updated_at": "2026-01-01T00:00:00Z"}]})
    assert ("secrets/NPM", "updated", "2026-01-01T00:00:00Z") in items(secrets)
    assert "1 of 2" in gaps(secrets)
    rules = read({"name": "main", "source": "corp/shop", "target": "branch", "enforcement": "disabled", "rules": []})
    assert ("corp/shop/rulesets/main", "enforcement", "disabled") in items(rules)
    environment = read({"total_count": 1, "environments": [{"name": "prod", "protection_rules": []}]})
    assert ("prod", "protection", "none") in items(environment)


def test_a_gitlab_pipeline_tells_variables_it_does_not_define() -> None:
    found = read(
        yaml.safe_load("""
include: [{project: corp/templates, file: /x.yml}]
stages: [deploy]
variables: {REGION: eu}
release:
  stage: deploy
  image: corp/deploy:2
  script: ["push $REGISTRY_PASSWORD $REGION $CI_JOB_TOKEN ${AWS_SECRET}"]
  id_tokens: {ID: {aud: https://sts.example}}
"""),
        Origin("captures/corp/site/.gitlab-ci.yml", 7, None),
    )
    job = "corp/site/.gitlab-ci.yml#release"
    secrets = {end for start, relation, end in edges(found) if relation == "reads_secret" and start == job}
    assert secrets == {"corp/site/variables/REGISTRY_PASSWORD", "corp/site/variables/AWS_SECRET"}
    assert (job, "presents", "*|project_path:corp/site:*") in edges(found)
    assert "includes corp/templates" in gaps(found)


def test_answers_of_the_gitlab_api_keep_no_value() -> None:
    found = read([{"key": "PW", "value": "hunter2", "variable_type": "env_var", "masked": False, "protected": True}])
    assert ("variables/PW", "masked", "false") in items(found)
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    "odd", [{"apiVersion": "audit.k8s.io/v1", "kind": "Event", "metadata": {}}, {"jobs": {}}, {"on": 1}]
)
def test_events_and_half_documents_are_nobodys(odd: Any) -> None:
    from holdfast.investigation.captured import shipped

    assert [reader.key for reader in shipped() if reader.recognises(odd)] == []
