"""Which identities are one person, and of what kind: only by links that records show."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from holdfast.investigation.identity_names import email_of, label, values
from tests.unit.investigation.identity_tables import actor, assumed, key, role, run_people, session_of, user


def hint(uid: str, nameid: str, *, row: int = 5, last: str | None = None) -> dict[str, Any]:
    def detail(name: str) -> str:
        return orjson.dumps({"org": "corp", "external_identity_nameid": name}).decode()

    return {
        "source": "github.audit",
        "actor_uid": uid,
        "detail": detail(nameid),
        "row_id": row,
        "last_detail": detail(last or nameid),
        "last_row": row + 1,
    }


def test_equal_addresses_are_one_person_in_any_case() -> None:
    found = run_people(
        actors=[
            actor("Ada@Corp.example", name="Ada Lind", source="okta.system"),
            actor("ada@corp.example", source="google.workspace"),
        ]
    )
    assert {row["person_uid"] for row in found.values()} == {"ada@corp.example"}
    assert {row["person_name"] for row in found.values()} == {"Ada Lind"}


def test_a_plus_tag_is_part_of_the_address() -> None:
    found = run_people(actors=[actor("ada+test@corp.example"), actor("ada@corp.example")])
    assert len({row["person_uid"] for row in found.values()}) == 2


def test_equal_local_parts_and_names_are_no_link() -> None:
    found = run_people(
        actors=[actor("ada@corp.example"), actor("ada@other.example"), actor("ada", name="ada"), actor(user("ada"))]
    )
    assert len({row["person_uid"] for row in found.values()}) == 4


def test_a_user_named_by_an_address_is_that_person_and_says_why() -> None:
    found = run_people(actors=[actor(user("ada@corp.example"), name="ada@corp.example"), actor("ada@corp.example")])
    assert found[user("ada@corp.example")]["person_uid"] == "ada@corp.example"
    assert found[user("ada@corp.example")]["why"] == "its name is the address"


def test_the_external_identity_beats_an_address_in_the_name() -> None:
    found = run_people(
        actors=[actor("alind-01", name="someone@else.example", source="github.audit"), actor("ada@corp.example")],
        identity_hints=[hint("alind-01", "Ada@corp.example")],
    )
    one = found["alind-01"]
    assert (one["person_uid"], one["row_id"]) == ("ada@corp.example", 5)
    assert "external identity" in one["why"]


def test_an_account_that_several_people_used_is_nobodys() -> None:
    found = run_people(
        actors=[actor("shared"), actor("ada@corp.example"), actor("bob@corp.example")],
        identity_hints=[hint("shared", "ada@corp.example", last="bob@corp.example")],
    )
    assert found["shared"]["person_uid"] == "shared"
    assert found["shared"]["why"].startswith("not one person: tied to ada@corp.example, bob@corp.example")


def test_several_addresses_as_names_of_one_identity_are_no_link() -> None:
    found = run_people(actors=[actor("id1", name="ada@corp.example"), actor("id1", name="bob@corp.example")])
    assert found["id1"]["person_uid"] == "id1"


def test_a_role_is_nobody_whatever_its_sessions_are_called() -> None:
    found = run_people(actors=[actor(role("Admin"), name="ada@corp.example"), actor("ada@corp.example")])
    assert found[role("Admin")]["person_uid"] == role("Admin")


def test_an_identity_spelled_as_a_session_is_whoever_its_chain_leads_to() -> None:
    uid = session_of("Operator", "ada@corp.example")
    found = run_people(
        actors=[actor(uid, kind="unknown", source="k8s.audit"), actor("bob@corp.example")],
        session_keys=[key("ASIA2", role("Operator"), uid)],
        issues=[assumed(1, "bob@corp.example", None, "ASIA2", "Operator", "ada@corp.example")],
    )
    assert found[uid]["person_uid"] == "bob@corp.example"
    assert "leads back to bob@corp.example" in found[uid]["why"]


@pytest.mark.parametrize(
    ("uid", "name", "said", "kind"),
    [
        (user("breakglass-admin"), "breakglass-admin", "unknown", "break_glass"),
        ("emergency@corp.example", None, "human", "break_glass"),
        ("emergency-exit-sensor", None, "workload", "workload"),
        ("emergencyroom", None, "human", "human"),
        ("system:serviceaccount:shop:checkout", None, "unknown", "workload"),
        ("repo:corp/shop:ref:refs/heads/main", None, "unknown", "ci_token"),
        ("x@p.iam.gserviceaccount.com", None, "unknown", "service_account"),
        (f"{user('x')}", None, "root", "root"),
    ],
)
def test_the_kind_is_the_sources_word_refined_by_spelling(uid: str, name: str | None, said: str, kind: str) -> None:
    found = run_people(actors=[actor(uid, kind=said, name=name)])
    assert found[uid]["actor_type"] == kind


def test_break_glass_by_name_is_called_a_guess() -> None:
    found = run_people(actors=[actor(user("break-glass"), kind="unknown")])
    assert "a guess" in found[user("break-glass")]["why"]


@pytest.mark.parametrize(
    ("rhythms", "kind"),
    [
        (["human"], "human"),
        (["automated", "unclear"], "service_account"),
        (["human", "automated"], "unknown"),
        ([], "unknown"),
    ],
)
def test_an_unknown_kind_is_filled_in_by_rhythm_where_it_is_clear(rhythms: list[str], kind: str) -> None:
    told = [{"unit": str(at), "actor_uid": user("x"), "rhythm": one} for at, one in enumerate(rhythms)]
    found = run_people(actors=[actor(user("x"), kind="unknown")], rhythms=told)
    assert found[user("x")]["actor_type"] == kind


def test_our_responders_are_marked_by_any_name() -> None:
    found = run_people(
        actors=[actor(user("dora"), name="dora"), actor("eve")],
        responders=[{"value": "Dora", "from_us": 0, "to_us": 1}],
    )
    assert (found[user("dora")]["ours"], found["eve"]["ours"]) == (True, False)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Ada@Corp.example", "ada@corp.example"),
        ("noreply@corp.example", None),
        ("12345+ada@users.noreply.github.com", None),
        ("ada", None),
        ("arn:aws:sts::1:assumed-role/r/ada@corp.example", None),
        ("Ada Lind <ada@corp.example>", None),
        (None, None),
    ],
)
def test_only_a_whole_address_of_somebody_is_one(text: str | None, address: str | None) -> None:
    assert email_of(text) == address


def test_labels_are_short_and_other_names_stay() -> None:
    assert label(role("path/Admin")) == "role/Admin"
    assert label(session_of("Admin", "x/y")) == "role/Admin"
    assert label("arn:aws:iam::111122223333:root") == "root"
    assert label("ada@corp.example") == "ada@corp.example"


def test_values_are_found_at_any_depth_that_is_sane_and_bad_json_tells_nothing() -> None:
    assert values('{"a":{"k":"1"},"l":[{"k":"2"},{"k":3}]}', "k") == ["1", "2"]
    assert values('{"k":', "k") == []
    assert values(None, "k") == []
    assert values('{"a":' * 50 + '{"k":"1"}' + "}" * 50, "k") == []
