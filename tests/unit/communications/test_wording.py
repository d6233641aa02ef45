from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.communications.rendering import ClaimLine, UpdateInput, known_impact, render_customers, render_update
from holdfast.communications.wording import Subject, blocking, describe, reading_grade, review, rules

CASES = [
    pytest.param(rule.id, rule.audiences[0], text, hit, id=f"{rule.id}-{'hit' if hit else 'pass'}-{number}")
    for rule in rules()
    for hit, texts in ((True, rule.hits), (False, rule.passes))
    for number, text in enumerate(texts)
]
FACT = ClaimLine("claim-1", "impact", "fact", "312 objects were read")
GUESS = ClaimLine("claim-2", "impact", "hypothesis", "Backups were read too")


def found(text: str, audience: str = "customers", **around: object) -> set[str]:
    return {finding.rule for finding in review(Subject(text, audience, **around))}  # type: ignore[arg-type]


@pytest.mark.parametrize(("rule", "audience", "text", "hit"), CASES)
def test_each_rule_holds_in_its_own_cases(rule: str, audience: str, text: str, hit: bool) -> None:
    assert (rule in found(text, audience)) is hit


def test_every_pattern_rule_brings_cases_and_every_rule_a_unique_name() -> None:
    assert all(rule.hits and rule.passes for rule in rules() if rule.pattern is not None)
    assert len({rule.id for rule in rules()}) == len(rules())
    assert all((rule.pattern is None) != (rule.check is None) for rule in rules())


def c1(**changes: object) -> str:
    values: dict[str, object] = {
        "audience": "responders",
        "incident": "payments key",
        "severity": "SEV-2",
        "status": "contained",
        "started": datetime(2026, 11, 23, 3, 7, tzinfo=UTC),
        "commander": "asmith",
        "claims": (FACT, GUESS),
        "actions": (),
        "next_update": datetime(2026, 11, 23, 4, 0, tzinfo=UTC),
    }
    return render_update(UpdateInput(**(values | changes)))  # type: ignore[arg-type]


def test_the_shipped_template_raises_nothing_that_blocks() -> None:
    assert blocking(review(Subject(c1(), "responders", known_impact=known_impact([FACT])))) == ()


def test_a_missing_field_or_two_swapped_ones_block() -> None:
    text = c1()
    assert "update-fields" in found(text.replace("Commander: asmith\n", ""), "responders")
    assert "update-fields" in found(text.replace("asmith", ""), "responders")
    lines = text.splitlines()
    lines[0], lines[1] = lines[1], lines[0]
    assert "update-fields" in found("\n".join(lines), "responders")


def test_known_impact_edited_by_hand_blocks() -> None:
    text = c1().replace("312 objects were read.", "312 objects were read. Backups too.")
    assert "known-impact" in found(text, "responders", known_impact=known_impact([FACT]))
    assert "known-impact" not in found(c1(), "responders", known_impact=known_impact([FACT]))


def test_a_text_that_names_another_time_than_its_promise_is_warned_about() -> None:
    assert "promise" not in found(c1(), "responders", promise="2026-11-23 04:00 UTC")
    assert "promise" in found(c1(), "responders", promise="2026-11-23 05:00 UTC")
    customers = render_customers("A key leaked.", "Order files.", "Nothing.", None)
    assert "promise" in found(customers, promise="2026-11-23 05:00 UTC")


def test_a_customer_text_without_its_contents_blocks_and_says_which() -> None:
    text = render_customers("We found a leaked key.", "Order files.", " ", None)
    (finding,) = blocking(review(Subject(text, "customers")))
    assert finding.rule == "customer-contents"
    assert "What you should do" in finding.why


def test_withheld_names_block_in_outward_text_whatever_their_case_and_spacing() -> None:
    assert "names" in found("We spoke with jane  ROE.", withheld=("Jane Roe",))
    assert "names" not in found("We spoke with Janet Roebuck.", withheld=("Jane Roe",))
    assert "names" not in found("We spoke with Jane Roe.", "responders", withheld=("Jane Roe",))


def test_words_of_an_unconfirmed_claim_block_in_outward_text() -> None:
    assert "unconfirmed" in found("It seems that backups were\nread too.", unconfirmed=(GUESS.text,))
    assert "unconfirmed" not in found("It seems fine.", unconfirmed=(GUESS.text,))


def test_a_long_sentence_is_warned_about_where_it_stands() -> None:
    text = "Short one. " + " ".join(["word"] * 26) + "."
    finding = next(finding for finding in review(Subject(text, "executives")) if finding.rule == "long-sentence")
    assert text[finding.span[0] : finding.span[1]].startswith("word")


def test_acronyms_are_explained_once() -> None:
    assert "acronym" in found("The IAM role changed.")
    assert "acronym" not in found("Identity and access management (IAM) changed. The IAM role too. It was 03:07 UTC.")


def test_the_reading_grade_rises_with_long_words() -> None:
    easy = "We found a key. We took it away. All is well now."
    hard = (
        "Organisational infrastructure deteriorated considerably. Unauthorised administrative authentication "
        "proliferated internationally. Comprehensive rehabilitation necessitates extraordinary coordination."
    )
    assert reading_grade("Too short.") is None
    assert (reading_grade(easy) or 0) < 5
    assert (reading_grade(hard) or 0) > 12
    assert "hard-to-read" in found(hard)


def test_findings_do_not_repeat_what_they_found() -> None:
    findings = review(Subject("Key AKIAIOSFODNN7EXAMPLE leaked.", "executives"))
    assert "AKIAIOSFODNN7EXAMPLE" not in str(describe(findings))
    assert findings[0].severity == "block"


@given(st.text(max_size=400), st.sampled_from(["responders", "executives", "customers"]))
def test_any_text_can_be_reviewed(text: str, audience: str) -> None:
    for finding in review(Subject(text, audience, ("a",), (text,), "")):  # type: ignore[arg-type]
        assert 0 <= finding.span[0] <= finding.span[1] <= len(text)
