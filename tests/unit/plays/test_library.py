"""Every step, part and output of the runbook's plays is in the shipped data, in order."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from holdfast.kernel.errors import BadInputError
from holdfast.plays.definitions import IMPLICIT, load
from holdfast.plays.library import library

from .journal import definition

STEPS = {
    "leaked-secret": ["LS1", "LS2", "LS3", "LS4", "LS5", "LS6"],
    "ci-token": ["CT1", "CT2", "CT3", "CT4", "CT5"],
    "cloud-admin": ["CA1", "CA2", "CA3", "CA4", "CA5"],
}
PARTS = {
    "LS1": ["exact_secret", "scope", "owner", "last_valid_use"],
    "LS2": ["source_control", "ci_logs", "artifact_registries", "chat", "ticket_systems", "paste_locations"],
    "LS3": ["result"],
    "LS4": ["result"],
    "LS5": ["updated", "verified"],
    "LS6": ["result"],
    "CT1": ["token_disabled", "workflows", "repositories", "environments"],
    "CT2": ["workflow_runs", "artifact_uploads", "package_publishes", "deployment_events"],
    "CT3": ["derived_credentials", "environment_secrets"],
    "CT4": ["runner_isolation", "pull_request_triggers", "protected_environments"],
    "CT5": ["rebuilt", "redeployed"],
    "CA1": ["result"],
    "CA2": ["identity_provider_logs", "control_plane_logs"],
    "CA3": [
        "users",
        "keys",
        "roles",
        "policies",
        "network_paths",
        "snapshots",
        "images",
        "forwarding_rules",
    ],
    "CA4": ["access_keys", "oauth_apps", "federated_roles", "ci_secrets"],
    "CA5": ["credentials_rotated", "baseline_validated"],
}
REQUIRED = {
    "LS1": {"fingerprint": "text", "scope": "text", "owner": "account", "last_valid_use": "instant"},
    "LS3": {"procedure": "text", "approved_by": "account", "action": "choice", "at": "instant"},
    "LS4": {"exposed_at": "instant", "revoked_at": "instant", "findings": "text", "logs": "citation"},
    "LS5": {"restarted": "list"},
    "LS6": {"kind": "choice", "action": "text"},
    "CT1": {"disabled_at": "instant", "reach": "list"},
    "CA1": {"measure": "choice", "at": "instant"},
    "CA2": {"from": "instant", "to": "instant"},
}
CHOICES = {
    ("leaked-secret", "LS3", "action"): ["rotated", "revoked"],
    ("leaked-secret", "LS6", "kind"): ["scanning_rule", "secret_manager_reference", "workload_identity"],
    ("cloud-admin", "CA1", "measure"): ["disabled", "restricted", "kept"],
}


def test_the_library_holds_the_three_plays_of_the_runbook() -> None:
    assert set(library()) == set(STEPS)


@pytest.mark.parametrize("key", STEPS)
def test_a_play_has_the_runbooks_steps_in_order(key: str) -> None:
    assert [step.id for step in definition(key).steps] == STEPS[key]


@pytest.mark.parametrize(("key", "step"), [(key, step) for key in STEPS for step in STEPS[key]])
def test_a_step_has_the_runbooks_parts_in_order(key: str, step: str) -> None:
    assert [part.key for part in definition(key).step(step).parts] == PARTS[step]


@pytest.mark.parametrize("step", REQUIRED)
def test_a_step_asks_for_its_typed_outputs(step: str) -> None:
    play = next(definition(key) for key in STEPS if step in STEPS[key])
    required = {
        found.key: found.type for found in play.step(step).outputs if found.required and found.required_if is None
    }
    assert required == REQUIRED[step]


@pytest.mark.parametrize(("key", "step", "output"), CHOICES)
def test_a_choice_offers_what_the_runbook_names(key: str, step: str, output: str) -> None:
    found = definition(key).step(step).output(output)
    assert [choice.key for choice in found.choices] == CHOICES[key, step, output]


def test_exactly_ls3_ct1_and_ca1_destroy_evidence_and_say_what_and_how_to_undo() -> None:
    destroying = {step.id: step for key in STEPS for step in definition(key).steps if step.destroys_evidence}
    assert set(destroying) == {"LS3", "CT1", "CA1"}
    assert all(step.loses and step.undo for step in destroying.values())


def test_every_step_helps_at_night() -> None:
    for key in STEPS:
        for step in definition(key).steps:
            assert step.hints, step.id
            assert step.traps, step.id
            assert all(part.hint for part in step.parts), step.id


def test_a_step_without_named_parts_has_the_single_part_result() -> None:
    assert definition("leaked-secret").step("LS4").parts == (IMPLICIT,)


@pytest.mark.parametrize(
    ("break_it", "place"),
    [
        (lambda document: document.pop("when"), "when"),
        (lambda document: document.update(version=True), "version"),
        (lambda document: document.update(key="Not a key"), "key"),
        (lambda document: document.update(steps=[]), "steps"),
        (lambda document: document.update(extra=1), "extra"),
        (lambda document: document["steps"].__setitem__(1, "LS2"), "steps[1]"),
        (lambda document: document["steps"][1].update(id="LS1"), "steps[1].id"),
        (lambda document: document["steps"][2].update(destroy_evidence=True), "steps[2].destroy_evidence"),
        (lambda document: document["steps"][2].pop("loses"), "steps[2].loses"),
        (lambda document: document["steps"][1]["parts"][3].update(key="Chat!"), "steps[1].parts[3].key"),
        (lambda document: document["steps"][1]["parts"][3].update(key="ci_logs"), "steps[1].parts[3].key"),
        (lambda document: document["steps"][0]["hints"].append(" "), "steps[0].hints[3]"),
        (lambda document: document["steps"][3]["outputs"][0].update(type="moment"), "steps[3].outputs[0].type"),
        (lambda document: document["steps"][3]["outputs"][0].update(window="w"), "steps[3].outputs[0].window"),
        (lambda document: document["steps"][3]["outputs"][1].update(not_before="x"), "steps[3].outputs[1].not_before"),
        (lambda document: document["steps"][2]["outputs"][2].update(instead_of="x"), "steps[2].outputs[2].instead_of"),
        (lambda document: document["steps"][2]["outputs"][3].pop("choices"), "steps[2].outputs[3].choices"),
        (lambda document: document["steps"][4]["outputs"][0].pop("fields"), "steps[4].outputs[0].fields"),
        (
            lambda document: document["steps"][4]["outputs"][0]["fields"][1].update(type="text"),
            "steps[4].outputs[0].fields",
        ),
    ],
)
def test_a_faulty_document_is_refused_at_the_faulty_place(
    break_it: Callable[[dict[str, Any]], object], place: str
) -> None:
    document = copy.deepcopy(dict(library()["leaked-secret"]))
    break_it(document)
    with pytest.raises(BadInputError) as refusal:
        load(document)
    assert refusal.value.code == "library-document-not-valid"
    assert refusal.value.details["place"] == place


@pytest.mark.parametrize("condition", [["measure"], ["measure", "lost"], ["nothing", "kept"]])
def test_a_condition_must_name_a_choice_and_one_of_its_keys(condition: list[str]) -> None:
    document = copy.deepcopy(dict(library()["cloud-admin"]))
    document["steps"][0]["outputs"][1]["required_if"] = condition
    with pytest.raises(BadInputError) as refusal:
        load(document)
    assert str(refusal.value.details["place"]).startswith("steps[0].outputs[1]")
