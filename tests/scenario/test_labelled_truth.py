"""Signals and leads against labels that others gave, with the telling names of programs blanked."""

from __future__ import annotations

import pytest
from tools import truth_sets

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not truth_sets.DATA.is_dir(), reason=f"the labelled data is not beside the project: {truth_sets.DATA}"
    ),
]


def test_programs_names_are_blanked_everywhere() -> None:
    record = {"userAgent": "tool", "more": [{"user_agent": "tool", "userIdentity": {"UserAgent": "tool"}}], "a": "b"}
    assert truth_sets.blanked(record) == {
        "userAgent": "",
        "more": [{"user_agent": "", "userIdentity": {"UserAgent": ""}}],
        "a": "b",
    }


def test_every_attack_of_the_laboratory_account_is_found_with_few_false_leads() -> None:
    found = truth_sets.invictus()
    assert [name for name, place in found.techniques.items() if place is None] == []
    assert len(found.techniques) >= 25
    assert found.events.false_per_thousand < 1
    assert found.events.precision > 0.95
    assert found.events.recall > 0.45
    assert found.rows.precision > 0.9


def test_every_technique_for_itself_gives_a_lead_of_its_kind() -> None:
    found = truth_sets.stratus()
    assert len(found) == 21
    assert [name for name, (leads, same) in found.items() if not (leads and same)] == []


def test_human_clicks_give_nearly_no_leads() -> None:
    found = truth_sets.console()
    events = sum(total for total, _ in found.values())
    leads = [one for _, some in found.values() for one in some]
    assert events > 3_000
    assert 1000 * len(leads) / events < 2
    assert not [one for one in leads if one.startswith(("Describe", "List", "Get"))]


def test_the_forged_token_scenario_shows_the_new_credential() -> None:
    leads = {one["operation"] for one in truth_sets.golden_saml() if one["lead"]}
    assert {name.partition(" ")[2].partition(" ")[0] for name in leads} == {"application", "delegated"}
