from __future__ import annotations

import copy
import itertools
import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import holdfast.incidents
from holdfast.incidents.severity import (
    ANSWERS,
    CIRCUMSTANCES,
    LEVELS,
    Circumstances,
    Condition,
    Level,
    Table,
    assess,
    failing_cases,
    is_worse,
    level_from,
    load,
    peak,
    rank,
    reached,
    worse,
)
from holdfast.kernel.canonical import canonical, digest
from holdfast.kernel.errors import BadInputError

LIBRARY = Path(holdfast.incidents.__file__).parent / "library"
DOCUMENT: dict[str, Any] = tomllib.loads((LIBRARY / "severity.toml").read_text())
TABLE = load(DOCUMENT)
KEYS = [question.key for question in TABLE.questions]
NINE = KEYS[:9]
"""The questions that can change the level; 10 to 12 reach SEV-4, the floor."""

RUNBOOK = {
    "confirmed data exfiltration": "SEV-1",
    "attacker in production": "SEV-1",
    "compromised cloud root/admin": "SEV-1",
    "leaked production secret": "SEV-2",
    "compromised CI token": "SEV-2",
    "exploited internet-facing service": "SEV-2",
    "critical vulnerability with exposure": "SEV-3",
    "suspicious access": "SEV-3",
    "failed control": "SEV-3",
    "non-production secret": "SEV-4",
    "stale access": "SEV-4",
    "informational scanner finding": "SEV-4",
}


def answered(**given_answers: str) -> dict[str, str]:
    return {**dict.fromkeys(KEYS, "no"), **given_answers}


def without(key: str) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    next(row for row in document["escalator"] if row["key"] == key)["enabled"] = False
    return document


class TestRunbookExamples:
    def test_every_example_of_the_runbook_is_a_case_with_its_exact_level(self) -> None:
        cases = {case["example"]: case["level"] for case in TABLE.cases if "runbook" in case}
        assert cases == RUNBOOK

    @pytest.mark.parametrize("contained", [False, True])
    @pytest.mark.parametrize("example", RUNBOOK)
    def test_an_example_gets_its_level_contained_or_not(self, example: str, contained: bool) -> None:
        case = next(case for case in TABLE.cases if case["example"] == example)
        found = assess(TABLE, answered(**case["answers"]), Circumstances(contained=contained))
        assert found.level == RUNBOOK[example]
        assert not found.provisional

    def test_the_table_satisfies_its_own_cases(self) -> None:
        assert failing_cases(TABLE) == []

    def test_a_case_that_is_wrong_is_named(self) -> None:
        document = copy.deepcopy(DOCUMENT)
        document["case"][0]["level"] = "SEV-3"
        assert (
            failing_cases(load(document))
            == ["confirmed data exfiltration: expected SEV-3 by data_left, got SEV-1 by data_left"] * 2
        )

    @pytest.mark.parametrize(
        ("key", "suspected", "confirmed"),
        [
            ("data_left", "SEV-2", "SEV-1"),
            ("attacker_in_production", "SEV-2", "SEV-1"),
            ("cloud_admin", "SEV-2", "SEV-1"),
            ("production_secret", "SEV-3", "SEV-2"),
            ("ci_token", "SEV-3", "SEV-2"),
            ("exploited_service", "SEV-3", "SEV-2"),
            ("critical_vulnerability", "SEV-3", "SEV-3"),
            ("unexplained_access", "SEV-3", "SEV-3"),
            ("failed_control", "SEV-3", "SEV-3"),
            ("non_production_secret", "SEV-4", "SEV-4"),
            ("stale_access", "SEV-4", "SEV-4"),
            ("scanner_finding", "SEV-4", "SEV-4"),
        ],
    )
    def test_each_question_alone_reaches_its_two_levels(self, key: str, suspected: str, confirmed: str) -> None:
        for answer, level in (("suspected", suspected), ("confirmed", confirmed)):
            found = assess(TABLE, answered(**{key: answer}))
            assert (found.level, found.rule) == (level, key)

    def test_question_one_says_that_the_leaked_credential_itself_does_not_count(self) -> None:
        assert "The leaked credential itself does not count" in TABLE.question("data_left").hint


class TestEscalators:
    def test_a_confirmed_way_in_with_data_suspected_gone_is_sev_1_until_contained(self) -> None:
        for way_in in ("production_secret", "ci_token", "exploited_service"):
            answers = answered(**{way_in: "confirmed", "data_left": "suspected"})
            assert assess(TABLE, answers).rule == "E1"
            assert assess(TABLE, answers).level == "SEV-1"
            assert assess(TABLE, answers, Circumstances(contained=True)).level == "SEV-2"

    def test_a_service_down_with_an_intruder_suspected_is_sev_1_even_contained(self) -> None:
        down = Circumstances(service_down=True, contained=True)
        for sign in ("attacker_in_production", "exploited_service"):
            found = assess(TABLE, answered(**{sign: "suspected"}), down)
            assert (found.level, found.rule) == ("SEV-1", "E2")
        assert assess(TABLE, answered(production_secret="confirmed"), down).level == "SEV-2"

    def test_unexplained_access_by_a_privileged_identity_is_sev_2_until_contained(self) -> None:
        answers = answered(unexplained_access="suspected")
        found = assess(TABLE, answers, Circumstances(identity_privileged=True))
        assert (found.level, found.rule) == ("SEV-2", "E3")
        assert assess(TABLE, answers, Circumstances(identity_privileged=True, contained=True)).level == "SEV-3"

    def test_a_commander_who_judges_customer_harm_likely_makes_it_sev_1(self) -> None:
        found = assess(TABLE, answered(), Circumstances(customer_impact_likely=True, contained=True))
        assert (found.level, found.rule) == ("SEV-1", "E4")

    @pytest.mark.parametrize(
        ("key", "answers", "circumstances", "level_without"),
        [
            ("E1", {"ci_token": "confirmed", "data_left": "suspected"}, {}, "SEV-2"),
            ("E2", {"exploited_service": "suspected"}, {"service_down": True}, "SEV-3"),
            ("E3", {"unexplained_access": "suspected", "failed_control": "confirmed"}, {}, "SEV-3"),
            ("E4", {}, {"customer_impact_likely": True}, "SEV-4"),
        ],
    )
    def test_an_escalator_switched_off_no_longer_raises_and_the_digest_tells(
        self, key: str, answers: dict[str, str], circumstances: dict[str, bool], level_without: str
    ) -> None:
        off = load(without(key))
        found = assess(off, answered(**answers), Circumstances(**circumstances))
        assert assess(TABLE, answered(**answers), Circumstances(**circumstances)).rule == key
        assert found.level == level_without
        assert found.table_digest != TABLE.digest

    def test_an_escalator_that_adds_nothing_is_listed_but_is_not_the_rule(self) -> None:
        found = assess(TABLE, answered(data_left="confirmed", ci_token="confirmed"))
        assert found.rule == "data_left"
        assert [match.rule for match in found.matches] == ["data_left", "ci_token", "E1"]


class TestUnknown:
    def test_unknown_on_a_decisive_question_makes_it_provisional_with_an_open_question(self) -> None:
        found = assess(TABLE, answered(cloud_admin="unknown", ci_token="confirmed"))
        assert found.provisional
        assert found.open_questions == ("cloud_admin",)
        assert found.open_question_minutes == 15

    def test_unknown_on_any_other_question_is_not_provisional(self) -> None:
        assert not assess(TABLE, answered(**dict.fromkeys(KEYS[3:], "unknown"))).provisional

    def test_a_question_not_answered_counts_as_unknown(self) -> None:
        found = assess(TABLE, {})
        assert found.level == "SEV-4"
        assert found.rule == "untriaged"
        assert found.open_questions == ("data_left", "attacker_in_production", "cloud_admin")


class TestReason:
    def test_the_reason_names_the_question_and_the_answer(self) -> None:
        found = assess(TABLE, answered(production_secret="confirmed"))
        assert found.reason == "SEV-2 by question 4: a production secret left its trust boundary (confirmed)."

    def test_the_reason_names_the_escalator(self) -> None:
        found = assess(TABLE, answered(), Circumstances(customer_impact_likely=True))
        assert found.reason == ("SEV-1 by escalator E4: the commander judges a compromise that harms customers likely.")

    def test_the_reason_says_what_is_still_provisional(self) -> None:
        assert assess(TABLE, answered(data_left="unknown")).reason.endswith(
            "; provisional until question 1 can be answered."
        )
        assert assess(TABLE, {}).reason.endswith("; provisional until questions 1, 2 and 3 can be answered.")

    def test_an_assessment_is_recordable_and_carries_version_and_digest(self) -> None:
        recorded = assess(TABLE, answered(ci_token="confirmed")).as_json()
        assert digest(recorded)
        assert recorded["table_version"] == 1
        assert recorded["table_digest"] == digest(DOCUMENT)

    def test_a_table_read_back_from_its_pinned_bytes_is_the_same_table(self) -> None:
        assert load(json.loads(canonical(DOCUMENT))) == TABLE


class TestLevels:
    def test_sev_1_is_the_worst(self) -> None:
        assert [rank(level) for level in LEVELS] == [1, 2, 3, 4]
        assert worse("SEV-3", "SEV-1") == "SEV-1"
        assert is_worse("SEV-1", "SEV-2")
        assert not is_worse("SEV-2", "SEV-2")
        assert peak(["SEV-3", "SEV-2", "SEV-4"]) == "SEV-2"

    def test_every_level_has_a_meaning_and_a_target_in_words(self) -> None:
        assert [TABLE.meaning(level).runbook for level in LEVELS] == ["S1", "S2", "S3", "S4"]
        assert TABLE.meaning("SEV-1").target == "Incident command at once."

    def test_a_level_that_does_not_exist_is_refused(self) -> None:
        assert level_from("SEV-2") == "SEV-2"
        with pytest.raises(BadInputError, match="not a severity"):
            level_from("SEV-5")


class TestRefusals:
    def test_an_answer_to_a_question_the_table_does_not_have_is_refused(self) -> None:
        with pytest.raises(BadInputError) as refused:
            assess(TABLE, {"weather": "confirmed"})
        assert refused.value.code == "question-unknown"

    def test_an_answer_that_is_not_one_of_the_four_is_refused(self) -> None:
        with pytest.raises(BadInputError) as refused:
            assess(TABLE, {"data_left": "maybe"})
        assert refused.value.code == "answer-unknown"

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            (lambda d: d["question"][0].update(suspected="SEV-1", confirmed="SEV-2"), "rated worse"),
            (lambda d: d["question"][1].update(key="data_left"), "used twice"),
            (lambda d: d["question"].reverse(), "numbered in order"),
            (lambda d: d["level"].pop(), "four levels"),
            (lambda d: d["escalator"][0]["all"][1][0].update(question="weather"), "does not have"),
            (lambda d: d["escalator"][0]["all"][1][0].update(at_least="no"), "no or unknown"),
            (lambda d: d["escalator"][0].update(all=[]), "never reached"),
            (lambda d: d["circumstance"].pop(), "circumstances"),
            (lambda d: d["untriaged"].update(level="SEV-1"), "SEV-4"),
            (lambda d: d.pop("question"), "question"),
            (lambda d: d.update(schema=2), "schema"),
        ],
    )
    def test_a_table_that_cannot_be_trusted_is_not_loaded(
        self, change: Callable[[dict[str, Any]], object], why: str
    ) -> None:
        document = copy.deepcopy(DOCUMENT)
        change(document)
        with pytest.raises(BadInputError, match=why) as refused:
            load(document)
        assert refused.value.code == "severity-table-invalid"


# Every combination at once. Bit i of a set stands for combination i: two binary digits of i for each of the nine
# questions that change the level (no, unknown, suspected, confirmed), then one for each of the four circumstances:
# 4**9 * 2**4 = 4,194,304 combinations. The sets are computed by the code that `assess` runs on one combination.
WIDTH = 4 ** len(NINE) * 2 ** len(CIRCUMSTANCES)
EVERYTHING = (1 << WIDTH) - 1


def digits(position: int, base: int, value: int) -> int:
    """The set of combinations whose digit of ``base`` at binary ``position`` is ``value``."""
    run = 1 << position
    pattern = ((1 << run) - 1) << (run * value)
    span = run * base
    while span < WIDTH:
        pattern |= pattern << span
        span *= 2
    return pattern


ANSWERED = {
    (key, answer): digits(2 * index, 4, value) for index, key in enumerate(NINE) for value, answer in enumerate(ANSWERS)
}
HOLDS = {
    (key, so): digits(2 * len(NINE) + index, 2, int(so))
    for index, key in enumerate(CIRCUMSTANCES)
    for so in (False, True)
}


def truth(condition: Condition) -> int:
    if condition.circumstance is not None:
        return HOLDS[condition.circumstance, condition.is_so]
    if condition.question not in NINE:
        return 0
    worst = ANSWERS[ANSWERS.index(condition.at_least) :]
    return ANSWERED[condition.question, worst[0]] | (ANSWERED[condition.question, worst[1]] if worst[1:] else 0)


def at_least(table: Table) -> dict[Level, int]:
    """For each level, the combinations rated that level or worse."""
    sets = dict.fromkeys(LEVELS, 0)
    for _rule, level, _statement, where in reached(table, truth, EVERYTHING):
        for lesser in LEVELS[rank(level) - 1 :]:
            sets[lesser] |= where
    sets["SEV-4"] = EVERYTHING
    return sets


SWITCHED_OFF = [off for count in range(1, 5) for off in itertools.combinations(["E1", "E2", "E3", "E4"], count)]


class TestEveryCombination:
    SETS = at_least(TABLE)

    def test_the_answers_and_circumstances_are_laid_out_without_gap_or_overlap(self) -> None:
        assert WIDTH == 4_194_304
        for key in NINE:
            assert sum(ANSWERED[key, answer] for answer in ANSWERS) == EVERYTHING
        for key in CIRCUMSTANCES:
            assert HOLDS[key, True] ^ HOLDS[key, False] == EVERYTHING

    def test_every_combination_has_exactly_one_level_and_every_level_occurs(self) -> None:
        exact = [self.SETS["SEV-1"]]
        exact += [self.SETS[level] & ~self.SETS[above] for above, level in itertools.pairwise(LEVELS)]
        assert sum(group.bit_count() for group in exact) == WIDTH
        assert all(group for group in exact)

    def test_a_worse_answer_never_lowers_the_level_in_any_combination(self) -> None:
        for index, key in enumerate(NINE):
            step = 4**index
            for answer in ANSWERS[:-1]:
                for rated in self.SETS.values():
                    moved = (rated & ANSWERED[key, answer]) << step
                    assert moved & ~rated == 0, (key, answer)

    def test_unknown_and_no_are_rated_alike_in_every_combination(self) -> None:
        for index, key in enumerate(NINE):
            for rated in self.SETS.values():
                assert (rated & ANSWERED[key, "no"]) << 4**index == rated & ANSWERED[key, "unknown"]

    def test_containment_never_raises_and_other_circumstances_never_lower_in_any_combination(self) -> None:
        for index, key in enumerate(CIRCUMSTANCES):
            step = 1 << (2 * len(NINE) + index)
            for rated in self.SETS.values():
                before = (rated & HOLDS[key, False]) << step
                after = rated & HOLDS[key, True]
                assert (after & ~before if key == "contained" else before & ~after) == 0, key

    @pytest.mark.parametrize("off", SWITCHED_OFF)
    def test_switching_escalators_off_only_ever_lowers(self, off: tuple[str, ...]) -> None:
        document = copy.deepcopy(DOCUMENT)
        for row in document["escalator"]:
            row["enabled"] = row["key"] not in off
        sets = at_least(load(document))
        for level in LEVELS:
            assert sets[level] & ~self.SETS[level] == 0

    def test_an_independent_reading_of_the_rules_agrees_in_every_combination(self) -> None:
        def s(number: int) -> int:
            return ANSWERED[NINE[number - 1], "suspected"] | ANSWERED[NINE[number - 1], "confirmed"]

        def c(number: int) -> int:
            return ANSWERED[NINE[number - 1], "confirmed"]

        uncontained = HOLDS["contained", False]
        sev_1 = c(1) | c(2) | c(3)
        sev_1 |= (c(4) | c(5) | c(6)) & s(1) & uncontained
        sev_1 |= HOLDS["service_down", True] & (s(2) | s(6))
        sev_1 |= HOLDS["customer_impact_likely", True]
        sev_2 = sev_1 | s(1) | s(2) | s(3) | c(4) | c(5) | c(6)
        sev_2 |= s(8) & uncontained & (c(9) | HOLDS["identity_privileged", True])
        sev_3 = sev_2 | s(4) | s(5) | s(6) | s(7) | s(8) | s(9)
        assert {"SEV-1": sev_1, "SEV-2": sev_2, "SEV-3": sev_3, "SEV-4": EVERYTHING} == self.SETS

    def test_assess_itself_agrees_with_the_sets_on_a_covering_of_pairs_and_triples(self) -> None:
        # Every choice of up to three questions at every answer, in all sixteen circumstances: no escalator reads more.
        for chosen in itertools.combinations(range(len(NINE)), 3):
            for values in itertools.product((0, 2, 3), repeat=3):
                index = sum(value << (2 * position) for position, value in zip(chosen, values, strict=True))
                bits = (index * 2654435761 >> 7) & 15  # spreads the circumstances over the choices
                self.check(index, bits)
        for bits, pair in itertools.product(range(16), itertools.combinations(range(len(NINE)), 2)):
            for values in itertools.product(range(4), repeat=2):
                self.check(sum(value << (2 * position) for position, value in zip(pair, values, strict=True)), bits)

    def check(self, index: int, bits: int) -> None:
        answers = {key: ANSWERS[index >> (2 * place) & 3] for place, key in enumerate(NINE)}
        circumstances = {key: bool(bits >> place & 1) for place, key in enumerate(CIRCUMSTANCES)}
        whole = index | bits << (2 * len(NINE))
        expected = next(level for level in LEVELS if whole in LOOKUP[level])
        assert assess(TABLE, answers, Circumstances(**circumstances)).level == expected


class BitSet:
    """Membership in a set of combinations without shifting four million bits each time."""

    def __init__(self, bits: int) -> None:
        self.bytes = bits.to_bytes(WIDTH // 8, "little")

    def __contains__(self, index: int) -> bool:
        return bool(self.bytes[index >> 3] >> (index & 7) & 1)


LOOKUP: Mapping[Level, BitSet] = {level: BitSet(bits) for level, bits in TestEveryCombination.SETS.items()}

any_answers = st.fixed_dictionaries({key: st.sampled_from(ANSWERS) for key in KEYS})
any_circumstances = st.builds(Circumstances, *[st.booleans()] * 4)


class TestProperties:
    @given(any_answers, any_circumstances)
    def test_assess_agrees_with_the_sets_whatever_the_answers(
        self, answers: dict[str, str], circumstances: Circumstances
    ) -> None:
        index = sum(ANSWERS.index(answers[key]) << (2 * place) for place, key in enumerate(NINE))  # type: ignore[arg-type]
        index |= sum(getattr(circumstances, key) << (18 + place) for place, key in enumerate(CIRCUMSTANCES))
        expected = next(level for level in LEVELS if index in LOOKUP[level])
        found = assess(TABLE, answers, circumstances)
        assert found.level == expected
        assert found == assess(TABLE, dict(reversed(answers.items())), circumstances)

    @given(any_answers, any_circumstances)
    def test_the_rule_fired_reaches_the_level_and_is_the_first_to_do_so(
        self, answers: dict[str, str], circumstances: Circumstances
    ) -> None:
        found = assess(TABLE, answers, circumstances)
        reaching = [match.rule for match in found.matches if match.level == found.level]
        assert found.rule == (reaching[0] if reaching else "untriaged")
        assert all(not is_worse(match.level, found.level) for match in found.matches)

    @given(any_answers, any_circumstances, st.sampled_from(KEYS))
    def test_forgetting_that_an_answer_was_no_changes_only_how_provisional_it_is(
        self, answers: dict[str, str], circumstances: Circumstances, key: str
    ) -> None:
        answers[key] = "no"
        known = assess(TABLE, answers, circumstances)
        unknown = assess(TABLE, {**answers, key: "unknown"}, circumstances)
        assert (known.level, known.rule, known.matches) == (unknown.level, unknown.rule, unknown.matches)
        assert (key in unknown.open_questions) == (key in KEYS[:3])
