"""Typed outputs: reading what was given for one, placing it, and telling what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from holdfast.kernel.canonical import Json
from holdfast.kernel.citations import Citation, citations_json
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.instants import format_instant, parse_instant, to_utc
from holdfast.kernel.texts import Sealed
from holdfast.plays.definitions import Output, Step
from holdfast.plays.state import StepState

Given = str | Sealed | None
"""A value as the handler hands it over: sealed words where :func:`takes_words`, plain text otherwise."""


def takes_words(output: Output) -> bool:
    """Whether the value given for it is a person's words, to be sealed."""
    return output.type == "text" or any(field.type == "text" for field in output.fields)


def read(output: Output, given: Given, citations: Iterable[Citation], now: datetime) -> Json:
    """The JSON value an event holds for what was given.

    Raises:
        BadInputError: something is missing, too much, in the future, or not one of the choices.
    """
    cited = citations_json(citations)
    _check_shape(output, given, cited)
    if output.type == "citation":
        return cited
    if output.type == "list":
        return {field.key: _words(given) if field.type == "text" else cited for field in output.fields}
    if output.type == "text":
        return _words(given)
    text = str(given).strip()
    if output.type == "instant":
        return _instant(output, text, now)
    if output.type == "choice":
        return _choice(output, text)
    return text


def check_order(step: Step, state: StepState, output: Output, value: str) -> None:
    """Refuse an instant that is earlier than one it may not precede, whichever was recorded first.

    Raises:
        BadInputError: naming both outputs and both instants.
    """
    for later in step.outputs:
        if later.not_before is None or output.key not in (later.key, later.not_before):
            continue
        earlier = step.output(later.not_before)
        first = value if output is earlier else _text(state, earlier)
        second = value if output is later else _text(state, later)
        if first and second and parse_instant(second) < parse_instant(first):
            raise BadInputError(
                "instants-out-of-order",
                f"{output.name} is not recorded.",
                why=f"{later.name} ({second}) cannot come before {earlier.name.lower()} ({first}).",
                next_step="Correct whichever is wrong, then record it again.",
            )


def missing(step: Step, state: StepState) -> tuple[Output, ...]:
    """The required outputs that are not recorded, in order."""
    return tuple(output for output in step.outputs if _is_needed(step, state, output))


def derived(step: Step, state: StepState) -> dict[str, int]:
    """The windows between recorded instants, in whole seconds, by name."""
    windows: dict[str, int] = {}
    for output in step.outputs:
        if output.window is None or output.not_before is None:
            continue
        first, second = _text(state, step.output(output.not_before)), _text(state, output)
        if first and second:
            windows[output.window] = int((parse_instant(second) - parse_instant(first)).total_seconds())
    return windows


def _text(state: StepState, output: Output) -> str:
    items = state.outputs.get(output.key)
    return str(items[-1].value) if items else ""


def _is_needed(step: Step, state: StepState, output: Output) -> bool:
    if not output.required or state.outputs.get(output.key):
        return False
    if output.required_if is not None:
        choice, key = output.required_if
        if _text(state, step.output(choice)) != key:
            return False
    return not any(other.instead_of == output.key and state.outputs.get(other.key) for other in step.outputs)


def _check_shape(output: Output, given: Given, cited: list[dict[str, Any]]) -> None:
    kinds = {field.type for field in output.fields} if output.type == "list" else {output.type}
    wants_value, wants_cites = bool(kinds - {"citation"}), "citation" in kinds
    if wants_value and (given is None or (isinstance(given, str) and not given.strip())):
        raise _unfit(output, "it needs a value", "Add it: --value …")
    if not wants_value and given is not None:
        raise _unfit(output, "it takes citations only", "Leave the value out and cite: --cites ev-3")
    if wants_cites and not cited:
        raise _unfit(output, "it needs at least one citation as proof", "Cite evidence or the record: --cites ev-3")
    if not wants_cites and cited:
        raise _unfit(output, "it takes no citations", "Leave them out; cite when settling the step's parts.")


def _words(given: Given) -> dict[str, str]:
    if not isinstance(given, Sealed):
        msg = "words are sealed before they reach the domain"
        raise TypeError(msg)
    return given.as_json()


def _instant(output: Output, text: str, now: datetime) -> str:
    moment = parse_instant(text)
    if moment > to_utc(now):
        raise _unfit(
            output,
            f"{format_instant(moment)} lies in the future: it is {format_instant(now)}",
            "Give the instant at which it happened, with its zone.",
        )
    return format_instant(moment)


def _choice(output: Output, text: str) -> str:
    keys = [choice.key for choice in output.choices]
    if text not in keys:
        raise _unfit(output, f"it is one of {', '.join(keys)}", f"Give one of those: --value {keys[0]}")
    return text


def _unfit(output: Output, why: str, next_step: str) -> BadInputError:
    return BadInputError(
        "output-not-understood",
        f"{output.name} ({output.key}) is not recorded.",
        why=f"As an output of type {output.type}, {why}.",
        next_step=next_step,
    )
