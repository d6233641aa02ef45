"""Wildcards and verdicts against brute force over all short texts."""

from __future__ import annotations

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from holdfast.investigation.policies import Holder, Question, covers, matches, may, overlaps

ALPHABET = "ab"
TEXTS = ["".join(text) for length in range(5) for text in itertools.product(ALPHABET, repeat=length)]
PATTERNS = st.text(alphabet="ab*?", max_size=4)
SIGNED = st.one_of(PATTERNS, st.lists(st.text(alphabet="ab*?", min_size=1, max_size=3), min_size=1, max_size=2).map(
    lambda parts: "!" + " ".join(parts)
))  # fmt: skip


def meant(pattern: str) -> set[str]:
    """Every short text that the pattern means, by another implementation."""
    if pattern.startswith("!"):
        return set(TEXTS).difference(*(meant(part) for part in pattern[1:].split()))
    spelled = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return {text for text in TEXTS if re.fullmatch(spelled, text)}


@given(SIGNED, st.sampled_from(TEXTS))
def test_a_pattern_means_the_texts_that_its_regular_expression_means(pattern: str, text: str) -> None:
    assert matches(pattern, text) == (text in meant(pattern))


@given(SIGNED, SIGNED)
def test_what_covers_means_everything_that_the_other_means(wide: str, narrow: str) -> None:
    if covers(wide, narrow):
        assert meant(narrow) <= meant(wide)


@given(PATTERNS, PATTERNS)
def test_plain_patterns_overlap_exactly_when_they_share_a_text(one: str, other: str) -> None:
    # Two patterns of at most four characters that share a text share one of at most eight; four suffice without stars.
    shared = bool(meant(one) & meant(other))
    if shared:
        assert overlaps(one, other)
    if not overlaps(one, other):
        assert not shared
    if "*" not in one + other:
        assert overlaps(one, other) == shared


@given(SIGNED, SIGNED)
def test_patterns_said_to_be_apart_share_no_text(one: str, other: str) -> None:
    if not overlaps(one, other):
        assert not meant(one) & meant(other)


GRANTS = st.lists(
    st.fixed_dictionaries(
        {
            "holder_uid": st.sampled_from(["me", "you"]),
            "effect": st.sampled_from(["allow", "deny"]),
            "action": st.sampled_from(["s:a", "s:*", "*", "S:A", "!s:b", "s:b"]),
            "resource": SIGNED.filter(bool),
            "condition": st.sampled_from([None, None, "{}"]),
            "boundary": st.sampled_from([False, False, True]),
            "via": st.sampled_from(["p", "q"]),
        }
    ),
    max_size=5,
)


def reference(action: str, resource: str, grants: list[dict[str, object]]) -> str:
    """The verdict for one action on one resource, written the plain way."""

    def about(grant: dict[str, object]) -> bool:
        pattern = str(grant["action"]).lower()
        named = {"s:a": {"s:a"}, "s:b": {"s:b"}, "s:*": {"s:a", "s:b"}, "*": {"s:a", "s:b"}, "!s:b": {"s:a"}}[pattern]
        return grant["holder_uid"] == "me" and action in named and resource in meant(str(grant["resource"]))

    mine = [grant for grant in grants if about(grant)]
    if any(grant["effect"] == "deny" and grant["condition"] is None for grant in mine):
        return "denied"
    groups = [[grant for grant in mine if not grant["boundary"] and grant["effect"] == "allow"]]
    limits = [
        via for via in ("p", "q") if any(g["boundary"] and g["via"] == via and g["holder_uid"] == "me" for g in grants)
    ]
    groups += [[g for g in mine if g["boundary"] and g["via"] == via and g["effect"] == "allow"] for via in limits]
    if not all(groups):
        return "denied"
    doubtful = any(grant["effect"] == "deny" for grant in mine)
    doubtful = doubtful or any(all(grant["condition"] is not None for grant in group) for group in groups)
    return "conditional" if doubtful else "allowed"


@given(GRANTS, st.sampled_from(["s:a", "s:b"]), st.sampled_from(TEXTS[1:]))
def test_the_verdict_is_that_of_the_plain_reference(
    grants: list[dict[str, object]], action: str, resource: str
) -> None:
    found = may(Holder("me"), Question(action, resource), grants)
    assert found.verdict == reference(action, resource, grants)


@given(GRANTS, st.sampled_from(["s:a", "s:b"]), PATTERNS.filter(bool))
def test_a_pattern_is_said_allowed_or_denied_only_when_each_text_it_means_is(
    grants: list[dict[str, object]], action: str, resource: str
) -> None:
    verdicts = {reference(action, text, grants) for text in meant(resource)}
    found = may(Holder("me"), Question(action, resource), grants).verdict
    if found == "denied":
        assert verdicts <= {"denied"}
    if found == "allowed":
        assert verdicts <= {"allowed"}
