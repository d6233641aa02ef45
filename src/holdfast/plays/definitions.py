"""The grammar of plays: a document read strictly into a definition.

A document (see the files in ``library/``) has ``key``, ``name``, ``version``, ``when`` and ``steps``; a
step has ``id``, ``name``, ``why``, hints, traps, ``parts`` and typed ``outputs``. Output types:

========  =======================================================  =====================
type      what a person gives                                      what the event holds
========  =======================================================  =====================
text      words                                                    a sealed reference
instant   RFC 3339 text with a zone, never in the future           the instant in UTC
account   an account that exists and may see the incident          the account's name
citation  one or more of ``ev-3``, ``#17``                          citations
choice    one of the keys in ``choices``                           the key
list      again and again: one value and its citations             an object of its fields
========  =======================================================  =====================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from holdfast.kernel.documents import Table, fault
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.parts import Part

OutputType = Literal["text", "instant", "account", "citation", "choice", "list"]
OUTPUT_TYPES: tuple[OutputType, ...] = get_args(OutputType)
IMPLICIT = Part("result", "Result", "Cite what shows that this step was carried out.")
"""The one part of a step without named parts."""
_KEY = r"[a-z][a-z0-9_]{0,39}"
_STEP = r"[A-Z]{2,4}[1-9][0-9]?"
_ITEM_TYPES = ("text", "citation")


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a choice output."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Output:
    """The definition of an output."""

    key: str
    name: str
    type: OutputType
    hint: str = ""
    required: bool = True
    choices: tuple[Choice, ...] = ()
    """For a choice."""
    fields: tuple[Output, ...] = ()
    """For a list: at most one text and one citation field, each needed in every item."""
    instead_of: str | None = None
    """Recording this one satisfies that one (an owner without an account, say)."""
    required_if: tuple[str, str] | None = None
    """(choice output, its key): required only then."""
    not_before: str | None = None
    """For an instant: never earlier than that output of the same step."""
    window: str | None = None
    """For an instant with ``not_before``: name of the derived number of seconds between the two."""


@dataclass(frozen=True, slots=True)
class Step:
    """The definition of a step."""

    id: str
    """The runbook's id, for example ``LS3``."""
    name: str
    why: str
    hints: tuple[str, ...]
    traps: tuple[str, ...]
    parts: tuple[Part, ...]
    """Never empty: see :data:`IMPLICIT`."""
    outputs: tuple[Output, ...]
    destroys_evidence: bool = False
    loses: str = ""
    """What evidence the step destroys."""
    undo: str = ""
    """How to take the step back, or that it cannot be."""

    def output(self, key: str) -> Output:
        """The definition of an output.

        Raises:
            BadInputError: the step has no such output; the error lists those it has.
        """
        for output in self.outputs:
            if output.key == key:
                return output
        known = ", ".join(output.key for output in self.outputs) or "none"
        raise BadInputError(
            "output-unknown",
            f"Step {self.id} has no output {key!r}.",
            why=f"Its outputs are: {known}.",
            next_step="Name one of those.",
        )


@dataclass(frozen=True, slots=True)
class PlayDefinition:
    """A play."""

    key: str
    name: str
    version: int
    when: str
    steps: tuple[Step, ...]

    def step(self, step: str) -> Step:
        """The definition of a step.

        Raises:
            BadInputError: the play has no such step; the error lists those it has.
        """
        for found in self.steps:
            if found.id == step:
                return found
        raise BadInputError(
            "step-unknown",
            f"The play {self.key} has no step {step}.",
            why=f"Its steps are {', '.join(found.id for found in self.steps)}.",
            next_step="Name one of those.",
        )

    def before(self, step: str) -> tuple[Step, ...]:
        """The steps that come before one, in order."""
        found = self.step(step)
        return self.steps[: self.steps.index(found)]


def load(document: Mapping[str, Any]) -> PlayDefinition:
    """The play from its document.

    Raises:
        BadInputError: ``library-document-not-valid``, naming the faulty place.
    """
    table = Table(document, "")
    steps = tuple(_step(found) for found in table.tables("steps"))
    play = PlayDefinition(
        key=table.text("key", r"[a-z][a-z0-9-]{1,39}"),
        name=table.text("name"),
        version=table.positive("version"),
        when=table.text("when"),
        steps=steps,
    )
    table.finish()
    if not steps:
        raise fault("steps", "a play needs at least one step")
    _distinct([step.id for step in steps], "steps", "id")
    return play


def _step(table: Table) -> Step:
    parts = tuple(_part(found) for found in table.tables("parts"))
    outputs = tuple(_output(found) for found in table.tables("outputs"))
    step = Step(
        id=table.text("id", _STEP),
        name=table.text("name"),
        why=table.text("why"),
        hints=table.texts("hints"),
        traps=table.texts("traps"),
        parts=parts or (IMPLICIT,),
        outputs=outputs,
        destroys_evidence=table.flag_or("destroys_evidence", otherwise=False),
        loses=table.text_or("loses", ""),
        undo=table.text_or("undo", ""),
    )
    table.finish()
    if step.destroys_evidence and not (step.loses and step.undo):
        raise fault(table.at("loses"), "a step that destroys evidence says what is lost and how to undo it")
    _distinct([part.key for part in parts], table.at("parts"), "key")
    _distinct([output.key for output in outputs], table.at("outputs"), "key")
    for index, output in enumerate(outputs):
        _check_references(output, outputs[:index], f"{table.at('outputs')}[{index}]")
    return step


def _part(table: Table) -> Part:
    part = Part(table.text("key", _KEY), table.text("name"), table.text_or("hint", ""))
    table.finish()
    return part


def _output(table: Table) -> Output:
    kind = table.text("type")
    if kind not in OUTPUT_TYPES:
        raise fault(table.at("type"), f"{kind!r} is none of {', '.join(OUTPUT_TYPES)}")
    output = Output(
        key=table.text("key", _KEY),
        name=table.text("name"),
        type=kind,
        hint=table.text_or("hint", ""),
        required=table.flag_or("required", otherwise=True),
        choices=tuple(_choice(found) for found in table.tables("choices")),
        fields=tuple(_output(found) for found in table.tables("fields")),
        instead_of=table.text_or("instead_of", "") or None,
        required_if=_condition(table),
        not_before=table.text_or("not_before", "") or None,
        window=table.text_or("window", "") or None,
    )
    table.finish()
    if bool(output.choices) != (kind == "choice"):
        raise fault(table.at("choices"), "exactly the outputs of type choice have choices")
    _distinct([choice.key for choice in output.choices], table.at("choices"), "key")
    _check_fields(output, table)
    return output


def _choice(table: Table) -> Choice:
    choice = Choice(table.text("key", _KEY), table.text("name"))
    table.finish()
    return choice


def _condition(table: Table) -> tuple[str, str] | None:
    conditions = table.texts("required_if")
    if not conditions:
        return None
    if len(conditions) != 2:  # noqa: PLR2004  # a pair
        raise fault(table.at("required_if"), "it is a choice output and one of its keys")
    return conditions[0], conditions[1]


def _check_fields(output: Output, table: Table) -> None:
    if bool(output.fields) != (output.type == "list"):
        raise fault(table.at("fields"), "exactly the outputs of type list have fields")
    kinds = [found.type for found in output.fields]
    # One command gives one value and its citations, so an item holds at most one of each.
    if len(set(kinds)) != len(kinds) or not set(kinds) <= set(_ITEM_TYPES):
        raise fault(table.at("fields"), "an item holds at most one text and one citation field")
    _distinct([found.key for found in output.fields], table.at("fields"), "key")


def _check_references(output: Output, earlier: Iterable[Output], place: str) -> None:
    known = {found.key: found for found in earlier}
    if output.instead_of is not None and output.instead_of not in known:
        raise fault(f"{place}.instead_of", f"no output {output.instead_of!r} stands before it")
    if output.required_if is not None:
        choice, value = output.required_if
        if choice not in known or value not in {found.key for found in known[choice].choices}:
            raise fault(f"{place}.required_if", f"no choice {choice!r} with a key {value!r} stands before it")
    if output.not_before is not None:
        other = known.get(output.not_before)
        if output.type != "instant" or other is None or other.type != "instant":
            raise fault(f"{place}.not_before", "it links two outputs of type instant, the earlier one first")
    elif output.window is not None:
        raise fault(f"{place}.window", "only an output with not_before has a window")


def _distinct(keys: list[str], place: str, what: str) -> None:
    for index, key in enumerate(keys):
        if key in keys[:index]:
            raise fault(f"{place}[{index}].{what}", f"{key!r} is there twice")
