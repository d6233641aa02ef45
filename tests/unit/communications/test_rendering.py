from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from holdfast.communications.rendering import (
    CONTENTS,
    HYPOTHESES_HEADING,
    LABELS,
    NOTHING_CONFIRMED,
    ClaimLine,
    UpdateInput,
    contents_of,
    fields_of,
    known_impact,
    one_line,
    render_customers,
    render_update,
    zoned,
)

STARTED = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)
FACT = ClaimLine("claim-1", "impact", "fact", "312 objects were read")
GUESS = ClaimLine("claim-2", "impact", "hypothesis", "Backups were read too")


def given_update(**changes: object) -> UpdateInput:
    values: dict[str, object] = {
        "audience": "responders",
        "incident": "AWS key of payments is public",
        "severity": "SEV-1",
        "status": "investigating",
        "started": STARTED,
        "commander": "asmith",
        "claims": (FACT, GUESS),
        "actions": (("ben", "rotate the key"), ("cem", "export the logs")),
        "next_update": STARTED.replace(hour=4, minute=0),
    }
    return UpdateInput(**(values | changes))  # type: ignore[arg-type]


def test_an_update_is_the_eight_fields_exactly() -> None:
    text = render_update(given_update(claims=(FACT,)))
    assert text == (
        "Incident: AWS key of payments is public\n"
        "Severity: SEV-1\n"
        "Status: Investigating\n"
        "Started: 2026-11-23 03:07 UTC\n"
        "Commander: asmith\n"
        "Known impact: 312 objects were read.\n"
        "Current actions: ben: rotate the key; cem: export the logs\n"
        "Next update: 2026-11-23 04:00 UTC\n"
    )


def test_without_confirmed_impact_it_says_so() -> None:
    cause = ClaimLine("claim-3", "cause", "fact", "A key leaked")
    assert fields_of(render_update(given_update(claims=(GUESS, cause))))["Known impact"] == NOTHING_CONFIRMED


def test_hypotheses_are_in_a_labelled_block_for_responders_only() -> None:
    assert f"\n{HYPOTHESES_HEADING}\n- claim-2: Backups were read too\n" in render_update(given_update())
    for audience in ("executives", "customers"):
        assert "Backups" not in render_update(given_update(audience=audience))


def test_a_vacant_command_and_a_last_update_are_said_in_words() -> None:
    fields = fields_of(render_update(given_update(commander=None, actions=(), next_update=None)))
    assert fields["Commander"] == "None: command is vacant"
    assert fields["Current actions"] == "None assigned"
    assert fields["Next update"] == "None: this is the last update"


def test_times_in_another_zone_show_offset_and_name() -> None:
    assert zoned(STARTED, ZoneInfo("Europe/Berlin")) == "2026-11-23 04:07 +01:00 (CET)"


WORDS = st.text(min_size=1, max_size=60)
CLAIMS = st.lists(
    st.builds(
        ClaimLine,
        st.just("claim-1"),
        st.sampled_from(["impact", "cause", "scope", "actor", "other"]),
        st.sampled_from(["hypothesis", "fact", "disproved", "retracted"]),
        WORDS,
    ),
    max_size=8,
)


@given(CLAIMS)
def test_known_impact_never_contains_an_unconfirmed_claim(claims: list[ClaimLine]) -> None:
    facts = [claim for claim in claims if claim.standing == "fact" and claim.kind == "impact"]
    assert known_impact(claims) == known_impact(facts)
    if not facts:
        assert known_impact(claims) == NOTHING_CONFIRMED


@given(WORDS, WORDS, WORDS, CLAIMS)
def test_no_value_can_pass_for_a_field(incident: str, commander: str, action: str, claims: list[ClaimLine]) -> None:
    given = given_update(
        audience="executives", incident=incident, commander=commander, actions=(("ben", action),), claims=tuple(claims)
    )
    lines = render_update(given).rstrip("\n").split("\n")
    assert [line.split(":")[0] for line in lines] == list(LABELS)
    assert lines[0] == f"Incident: {one_line(incident)}"


def test_the_customer_text_has_its_four_contents() -> None:
    text = render_customers("A key leaked.", "Order files.", "Nothing for now.", STARTED)
    assert contents_of(text) == {
        CONTENTS[0]: "A key leaked.",
        CONTENTS[1]: "Order files.",
        CONTENTS[2]: "Nothing for now.",
        CONTENTS[3]: "By 2026-11-23 03:07 UTC.",
    }


def test_headings_are_found_with_marks_colons_and_any_case() -> None:
    text = "## What happened:\nA key leaked.\n\n**what you should do**\nNothing."
    assert contents_of(text) == {"What happened": "A key leaked.", "What you should do": "Nothing."}
