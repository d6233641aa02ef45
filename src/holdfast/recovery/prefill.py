"""Draft answers to the review prompts, each sentence citing the record. People correct and complete them.

A sentence without anything to cite is left out; where the record holds nothing, the prompt gets no draft.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.kernel.instants import format_instant
from holdfast.recovery.measures import MOMENTS, Measures


@dataclass(frozen=True, slots=True)
class Sentence:
    """One draft sentence."""

    text: str
    citations: tuple[str, ...]
    """As people write them: ``ev-3``, ``#17``."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something of the record with its words."""

    name: str
    """``claim-2``, ``I6``, ``play-1 LS2``."""
    words: str
    citations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the drafts are made from."""

    measures: Measures
    reported_by: Item | None = None
    """Who reported it first, word for word."""
    late: tuple[Item, ...] = ()
    """What came late: updates after their promise, notifications after their time."""
    refuted: tuple[Item, ...] = ()
    """Claims disproved or retracted: the assumptions that were wrong."""
    worked: tuple[Item, ...] = ()
    """Freezes that were ordered and steps of plays that were done."""
    gaps: tuple[Item, ...] = ()
    """Parts and questions that ended as unknown or out of reach, with the reason."""
    improvements: tuple[Item, ...] = ()
    """Proposed defaults and open corrective actions."""


def prefill(facts: Facts) -> dict[str, tuple[Sentence, ...]]:
    """Prompt id (V1 to V6) to its draft sentences; a prompt without material has none."""
    drafts = {
        "V1": _first_signal(facts),
        "V2": _triage(facts),
        "V3": _items(facts.worked, "{name} worked: {words}"),
        "V4": _items(facts.refuted, "{name} was believed and turned out wrong: {words}"),
        "V5": _items(facts.gaps, "{name} could not be told: {words}"),
        "V6": _items(facts.improvements, "{name} is proposed: {words}"),
    }
    return {prompt: tuple(one for one in found if one.citations) for prompt, found in drafts.items()}


def _first_signal(facts: Facts) -> tuple[Sentence, ...]:
    found = [
        Sentence(
            f"{MOMENTS[key]}: {format_instant(moment.at)}, {moment.basis}, asserted by {moment.asserted_by}.",
            () if moment.seq is None else (f"#{moment.seq}",),
        )
        for key, _, moment in facts.measures.moments
        if key in ("first_malicious_act", "first_signal", "detected") and moment is not None
    ]
    if facts.reported_by is not None:
        found.append(
            Sentence(f"It was first reported by: {_sentence(facts.reported_by.words)}", facts.reported_by.citations)
        )
    return tuple(found)


def _triage(facts: Facts) -> tuple[Sentence, ...]:
    moments = {key: moment for key, _, moment in facts.measures.moments}
    found = []
    for span in facts.measures.spans:
        if span.seconds is None or span.backwards:
            continue
        ends = (moments[span.start], moments[span.end])
        cited = tuple(f"#{end.seq}" for end in ends if end is not None and end.seq is not None)
        names = f"{MOMENTS[span.start]} to {MOMENTS[span.end].lower()}"
        found.append(Sentence(f"{names} took {duration(span.seconds)}.", cited))
    return (*found, *_items(facts.late, "{name} came late: {words}"))


def _items(items: Sequence[Item], pattern: str) -> tuple[Sentence, ...]:
    return tuple(
        Sentence(_sentence(pattern.format(name=item.name, words=item.words.strip())), item.citations) for item in items
    )


def _sentence(words: str) -> str:
    bare = words.strip()
    return bare if bare.endswith((".", "!", "?")) else f"{bare}."


def duration(seconds: int) -> str:
    """``2 d 3 h 4 min``; under a minute in seconds."""
    minutes, rest = divmod(seconds, 60)
    if minutes == 0:
        return f"{rest} s"
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
