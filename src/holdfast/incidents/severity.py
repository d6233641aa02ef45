"""Severity by decision table: answers in, level and the rule that gave it out (runbook S1 to S4).

The table is a document (``library/severity.toml``) pinned by digest in each incident. Rules:

1. The level is the worst that any suspected or confirmed answer, or any enabled escalator, reaches.
2. Unknown never changes the level. Unknown on a *decisive* question makes it provisional and leaves an open question.
3. Nothing reached is SEV-4, untriaged: there is always exactly one level.
4. Making an answer worse never makes the level better: ``load`` refuses a table in which it could.

Not handled here: declaring, raising and lowering. A declared severity falls only by the commander's decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from holdfast.kernel.canonical import digest
from holdfast.kernel.errors import BadInputError

Level = Literal["SEV-1", "SEV-2", "SEV-3", "SEV-4"]
LEVELS: tuple[Level, ...] = ("SEV-1", "SEV-2", "SEV-3", "SEV-4")
"""Worst first."""

Answer = Literal["no", "unknown", "suspected", "confirmed"]
ANSWERS: tuple[Answer, ...] = ("no", "unknown", "suspected", "confirmed")
"""In the order in which an answer gets worse."""

UNTRIAGED = "untriaged"
"""The rule named when nothing in the table applies."""


def level_from(text: object) -> Level:
    """The level of that name.

    Raises:
        BadInputError: there is none (``severity-unknown``).
    """
    for level in LEVELS:
        if level == text:
            return level
    raise BadInputError(
        "severity-unknown",
        f"{str(text)[:40]!r} is not a severity.",
        why="The severities are " + ", ".join(LEVELS) + ".",
        next_step="Name one of those.",
    )


def rank(level: Level) -> int:
    """1 for SEV-1 (the worst) to 4 for SEV-4."""
    return LEVELS.index(level) + 1


def worse(first: Level, second: Level) -> Level:
    """The worse of the two: SEV-1 is worse than SEV-2."""
    return min(first, second, key=rank)


def is_worse(first: Level, second: Level) -> bool:
    """Whether ``first`` is strictly worse than ``second``."""
    return rank(first) < rank(second)


def peak(levels: Iterable[Level]) -> Level:
    """The worst of at least one level: duties follow it."""
    return min(levels, key=rank)


@dataclass(frozen=True, slots=True)
class LevelMeaning:
    """What a level means (S1 to S4)."""

    name: Level
    runbook: str
    meaning: str
    target: str
    """The response target in words; :mod:`holdfast.incidents.targets` computes it."""


@dataclass(frozen=True, slots=True)
class Question:
    """One row of the table."""

    key: str
    number: int
    """1 to 12, the order in which they are asked and in which the first match names the rule."""
    wording: str
    hint: str
    statement: str
    """What a suspected or confirmed answer states, for the reason sentence."""
    suspected: Level
    confirmed: Level
    decisive: bool
    """Whether unknown makes the level provisional (questions 1 to 3)."""


class Condition(NamedTuple):
    """One condition of an escalator: a question answered at least so, or a circumstance that is so."""

    question: str | None
    at_least: Answer
    circumstance: str | None
    is_so: bool


@dataclass(frozen=True, slots=True)
class Escalator:
    """Raises the level when every clause holds; a clause holds when any of its conditions does."""

    key: str
    name: str
    level: Level
    enabled: bool
    statement: str
    clauses: tuple[tuple[Condition, ...], ...]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else the level depends on. The neutral circumstances are all false."""

    contained: bool = False
    service_down: bool = False
    identity_privileged: bool = False
    customer_impact_likely: bool = False
    """The commander's judgement: a customer-impacting compromise is likely (S1)."""

    def as_json(self) -> dict[str, bool]:
        """As an event records them."""
        return {key: getattr(self, key) for key in CIRCUMSTANCES}


CIRCUMSTANCES: tuple[str, ...] = ("contained", "service_down", "identity_privileged", "customer_impact_likely")
NEUTRAL = Circumstances()


@dataclass(frozen=True, slots=True)
class Table:
    """A checked decision table."""

    version: int
    digest: str
    """SHA-256 of the document's canonical bytes, as pinned in an incident."""
    levels: tuple[LevelMeaning, ...]
    questions: tuple[Question, ...]
    circumstances: Mapping[str, str]
    """Key to wording."""
    escalators: tuple[Escalator, ...]
    untriaged: str
    """The statement when nothing applies."""
    open_question_minutes: int
    """How soon an open decisive question is due."""
    cases: tuple[Mapping[str, Any], ...] = field(repr=False)

    def question(self, key: str) -> Question:
        """The question of that key.

        Raises:
            BadInputError: the table has none (``question-unknown``).
        """
        for question in self.questions:
            if question.key == key:
                return question
        raise BadInputError(
            "question-unknown",
            f"The severity table has no question {key[:40]!r}.",
            why="Its questions are " + ", ".join(question.key for question in self.questions) + ".",
            next_step="Answer one of those.",
        )

    def meaning(self, level: Level) -> LevelMeaning:
        """What the level means."""
        return next(item for item in self.levels if item.name == level)


class Match(NamedTuple):
    """One rule that applies, and the level it reaches."""

    rule: str
    """A question's key or an escalator's."""
    level: Level
    statement: str
    answer: Answer | None
    """The answer that matched; ``None`` for an escalator."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the table says. A proposal: a declared severity falls only by the commander's decision."""

    level: Level
    rule: str
    """The first rule, top down, that reaches the level: a question's key, an escalator's, or ``untriaged``."""
    matches: tuple[Match, ...]
    """Every rule that applies, questions first, each in the table's order."""
    provisional: bool
    open_questions: tuple[str, ...]
    """Keys of decisive questions answered unknown; each needs an owner."""
    open_question_minutes: int
    table_version: int
    table_digest: str
    reason: str
    """One sentence for the timeline and the header."""

    def as_json(self) -> dict[str, Any]:
        """As an event records it."""
        return {
            "level": self.level,
            "rule": self.rule,
            "matches": [match.rule for match in self.matches],
            "provisional": self.provisional,
            "open_questions": list(self.open_questions),
            "table_version": self.table_version,
            "table_digest": self.table_digest,
            "reason": self.reason,
        }


def load(document: Mapping[str, Any]) -> Table:
    """The table from its parsed document.

    Raises:
        BadInputError: a field is missing, a name is used twice or unknown, or the table could rate a worse
            answer as a lower severity (``severity-table-invalid``).
    """
    try:
        table = _table(document)
        _check(table)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(
            "severity-table-invalid",
            "The severity table cannot be used.",
            why=f"{type(error).__name__}: {error}.",
            next_step="Correct the document; library/severity.toml shows the form.",
        ) from error
    return table


def assess(table: Table, answers: Mapping[str, str], circumstances: Circumstances = NEUTRAL) -> Assessment:
    """The level these answers reach, and why. A question not answered counts as unknown.

    Args:
        table: from :func:`load`.
        answers: question key to ``no``, ``unknown``, ``suspected`` or ``confirmed``.
        circumstances: what else is known.

    Raises:
        BadInputError: an answer to a question the table does not have, or not one of the four answers.
    """
    given = _given(table, answers)
    matches = tuple(
        Match(rule, level, statement, given.get(rule))
        for rule, level, statement, holds in reached(table, _truth(given, circumstances), 1)
        if holds
    )
    fired = min(matches, key=lambda match: rank(match.level), default=None)
    level: Level = "SEV-4" if fired is None else fired.level
    unknown = tuple(q.key for q in table.questions if q.decisive and given.get(q.key, "unknown") == "unknown")
    return Assessment(
        level=level,
        rule=UNTRIAGED if fired is None else fired.rule,
        matches=matches,
        provisional=bool(unknown),
        open_questions=unknown,
        open_question_minutes=table.open_question_minutes,
        table_version=table.version,
        table_digest=table.digest,
        reason=_reason(table, level, fired, unknown),
    )


def reached(table: Table, truth: Callable[[Condition], int], everything: int) -> list[tuple[str, Level, str, int]]:
    """Where each rule of the table holds: rule, level, statement and a bit set, in the table's order.

    One bit stands for one combination of answers and circumstances. :func:`assess` asks about a single one
    (``everything`` is 1); the exhaustive test asks about all 4,194,304 at once, through this same code.

    Args:
        table: the table.
        truth: the bit set of combinations in which a condition holds.
        everything: the bit set of all combinations.
    """
    found: list[tuple[str, Level, str, int]] = []
    for question in table.questions:
        confirmed = truth(Condition(question.key, "confirmed", None, is_so=True))
        at_least_suspected = truth(Condition(question.key, "suspected", None, is_so=True))
        found.append((question.key, question.confirmed, question.statement, confirmed))
        found.append((question.key, question.suspected, question.statement, at_least_suspected & ~confirmed))
    for escalator in table.escalators:
        if not escalator.enabled:
            continue
        holds = everything
        for clause in escalator.clauses:
            either = 0
            for condition in clause:
                either |= truth(condition)
            holds &= either
        found.append((escalator.key, escalator.level, escalator.statement, holds))
    return found


def failing_cases(table: Table) -> list[str]:
    """The table's own cases that it does not satisfy, each as a sentence; the runbook's also when contained."""
    failures = []
    for case in table.cases:
        stated = Circumstances(**case.get("circumstances", {}))
        tried = [stated, Circumstances(contained=True)] if "runbook" in case else [stated]
        for circumstances in tried:
            found = assess(table, case["answers"], circumstances)
            if (found.level, found.rule) != (case["level"], case["rule"]):
                failures.append(
                    f"{case['example']}: expected {case['level']} by {case['rule']}, got {found.level} by {found.rule}"
                )
    return failures


def _given(table: Table, answers: Mapping[str, str]) -> dict[str, Answer]:
    given: dict[str, Answer] = {}
    for key, value in answers.items():
        table.question(key)
        given[key] = _answer(value)
    return given


def _answer(value: str) -> Answer:
    for answer in ANSWERS:
        if answer == value:
            return answer
    raise BadInputError(
        "answer-unknown",
        f"{str(value)[:40]!r} is not an answer to a severity question.",
        why="The answers are " + ", ".join(ANSWERS) + ".",
        next_step="Give one of those.",
    )


def _truth(given: Mapping[str, Answer], circumstances: Circumstances) -> Callable[[Condition], int]:
    def truth(condition: Condition) -> int:
        if condition.circumstance is not None:
            return int(getattr(circumstances, condition.circumstance) is condition.is_so)
        answer = given.get(condition.question or "", "unknown")
        return int(ANSWERS.index(answer) >= ANSWERS.index(condition.at_least))

    return truth


def _reason(table: Table, level: Level, fired: Match | None, unknown: tuple[str, ...]) -> str:
    if fired is None:
        sentence = f"{level}: {table.untriaged}"
    elif fired.answer is None:
        sentence = f"{level} by escalator {fired.rule}: {fired.statement}"
    else:
        number = table.question(fired.rule).number
        sentence = f"{level} by question {number}: {fired.statement} ({fired.answer})"
    if unknown:
        numbers = [str(table.question(key).number) for key in unknown]
        listed = " and ".join([", ".join(numbers[:-1]), numbers[-1]] if numbers[1:] else numbers)
        sentence += f"; provisional until question{'s' if numbers[1:] else ''} {listed} can be answered"
    return sentence + "."


def _table(document: Mapping[str, Any]) -> Table:
    if document["schema"] != 1:
        msg = f"schema {document['schema']!r} is not known"
        raise ValueError(msg)
    if document["untriaged"]["level"] != LEVELS[-1]:
        msg = "what nothing applies to is SEV-4"
        raise ValueError(msg)
    return Table(
        version=document["version"],
        digest=digest(document),
        levels=tuple(
            LevelMeaning(level_from(row["name"]), row["runbook"], row["meaning"], row["target"])
            for row in document["level"]
        ),
        questions=tuple(_question(row) for row in document["question"]),
        circumstances={row["key"]: row["wording"] for row in document["circumstance"]},
        escalators=tuple(_escalator(row) for row in document["escalator"]),
        untriaged=document["untriaged"]["statement"],
        open_question_minutes=document["open_question_minutes"],
        cases=tuple(document["case"]),
    )


def _question(row: Mapping[str, Any]) -> Question:
    return Question(
        key=row["key"],
        number=row["number"],
        wording=row["wording"],
        hint=row["hint"],
        statement=row["statement"],
        suspected=level_from(row["suspected"]),
        confirmed=level_from(row["confirmed"]),
        decisive=row.get("decisive", False),
    )


def _escalator(row: Mapping[str, Any]) -> Escalator:
    return Escalator(
        key=row["key"],
        name=row["name"],
        level=level_from(row["level"]),
        enabled=row["enabled"],
        statement=row["statement"],
        clauses=tuple(tuple(_condition(condition) for condition in clause) for clause in row["all"]),
    )


def _condition(row: Mapping[str, Any]) -> Condition:
    if "question" in row:
        return Condition(row["question"], _answer(row["at_least"]), None, is_so=True)
    return Condition(None, "no", row["circumstance"], is_so=row["is"])


def _check(table: Table) -> None:
    """What makes the table total and monotone; the exhaustive test proves it from outside."""
    keys = [question.key for question in table.questions]
    names = [*keys, *(escalator.key for escalator in table.escalators), UNTRIAGED]
    conditions = [condition for escalator in table.escalators for clause in escalator.clauses for condition in clause]
    complaints = {
        "a key is used twice": len(set(names)) != len(names),
        "the four levels are not listed worst first": tuple(item.name for item in table.levels) != LEVELS,
        "the questions are not numbered in order": [q.number for q in table.questions] != list(range(1, len(keys) + 1)),
        "a suspected answer is rated worse than a confirmed one": any(
            is_worse(q.suspected, q.confirmed) for q in table.questions
        ),
        "the circumstances are not " + ", ".join(CIRCUMSTANCES): tuple(table.circumstances) != CIRCUMSTANCES,
        "an escalator is never reached": any(not e.clauses or not all(e.clauses) for e in table.escalators),
        "an escalator asks about something the table does not have": any(
            condition.question not in keys
            if condition.circumstance is None
            else condition.circumstance not in CIRCUMSTANCES
            for condition in conditions
        ),
        "an escalator turns on an answer of no or unknown": any(
            condition.question is not None and condition.at_least in ("no", "unknown") for condition in conditions
        ),
    }
    for complaint, is_so in complaints.items():
        if is_so:
            raise ValueError(complaint)
