"""Identities and chains on any graph: no order matters, nothing hangs, nobody is merged without a link."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.investigation.identity_names import email_of
from tests.unit.investigation.identity_tables import (
    actor,
    assumed,
    key,
    role,
    run_people,
    run_sessions,
    run_suspects,
    user,
)

NUMBERS = st.integers(0, 7)
EDGES = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=14, unique=True)
"""Who asked for what: key to key, loops and several askers included."""
NAMES = st.sampled_from(
    [
        "ada",
        "Ada@corp.example",
        "ada@corp.example",
        "ada@other.example",
        "bob@corp.example",
        "noreply@corp.example",
        "bob",
    ]
)


def graph(edges: list[tuple[int, int]]) -> tuple[list[Any], list[Any]]:
    """Keys 0 and 1 are users' own, the rest roles'."""
    owners = [user("u0"), user("u1"), *(role(f"R{at}") for at in range(2, 8))]
    keys = [key(f"K{at}", owners[at], row=100 + at) for at in range(8)]
    issues = [
        assumed(number + 1, owners[asks], f"K{asks}", f"K{made}", f"R{made}")
        for number, (asks, made) in enumerate(edges)
    ]
    return keys, issues


@settings(deadline=None)
@given(EDGES, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(edges: list[tuple[int, int]], chance: Any) -> None:
    keys, issues = graph(edges)
    first = run_sessions(session_keys=keys, issues=issues)
    chance.shuffle(keys)
    chance.shuffle(issues)
    assert run_sessions(session_keys=keys, issues=issues) == first


@settings(deadline=None)
@given(EDGES)
def test_every_chain_ends_and_its_parents_agree(edges: list[tuple[int, int]]) -> None:
    keys, issues = graph(edges)
    found = run_sessions(session_keys=keys, issues=issues)
    assert {f"K{at}" for at in range(8)} <= set(found)
    for row in found.values():
        assert row["ends"] in {"root", "issuer not in the logs", "several issuers", "loop"}
        assert (row["root_uid"] is None) == (row["ends"] in {"issuer not in the logs", "several issuers"})
        parent = found.get(row["parent_key"] or "")
        if parent is not None and row["ends"] != "loop":
            assert row["root_uid"] == parent["root_uid"]
            assert row["depth"] >= parent["depth"]


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, NAMES), max_size=8), st.randoms(use_true_random=False))
def test_nobody_is_merged_without_an_address_in_common(pairs: list[tuple[str, str]], chance: Any) -> None:
    actors = [actor(uid, name=name, row=at) for at, (uid, name) in enumerate(pairs, 1)]
    found = run_people(actors=actors)
    names: dict[str, set[str | None]] = {uid: {email_of(uid)} for uid in found}
    for uid, name in pairs:
        names[uid].add(email_of(name))
    for one, row in found.items():
        for other, second in found.items():
            if one != other and row["person_uid"] == second["person_uid"]:
                assert (names[one] & names[other]) - {None}
    chance.shuffle(actors)
    assert run_people(actors=actors) == found


@settings(deadline=None)
@given(EDGES, st.sets(NUMBERS, max_size=4), st.sets(NUMBERS, max_size=4))
def test_more_subjects_never_clear_anybody(edges: list[tuple[int, int]], few: set[int], more: set[int]) -> None:
    def suspected(numbers: set[int]) -> set[tuple[str, str]]:
        keys, issues = graph(edges)
        names = [f"K{at}" for at in sorted(numbers)]
        none = dict.fromkeys(("actor_uid", "session_uid"))
        hits = [
            {
                "value": name,
                "matched": "credential",
                "credential_uid": name,
                "access": "write",
                "events": 1,
                "row_id": 1,
                **none,
            }
            for name in names
        ]
        found = run_suspects(
            subjects=[{"value": name} for name in names], subject_hits=hits, session_keys=keys, issues=issues
        )
        return {key for key in found if key[0] != "origin"}

    assert suspected(few) <= suspected(few | more)
