"""A record in memory for one package's fold: events in, newest state out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from holdfast import plays
from holdfast.kernel.citations import Citation
from holdfast.kernel.events import Actor, Event, NewEvent
from holdfast.kernel.ids import TextId
from holdfast.kernel.texts import Sealed
from holdfast.plays import running, stepping
from holdfast.plays.definitions import Output, PlayDefinition, load
from holdfast.plays.library import library
from holdfast.plays.state import Run

START = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)
CITED = (Citation("ev-1", "a" * 64),)
WORDS = Sealed(TextId("txt-1"), "c" * 64)
DIGEST = "d" * 64
BEA = Actor("person", "bea", "passkey")


def definition(key: str) -> PlayDefinition:
    return load(library()[key])


class Journal:
    def __init__(self) -> None:
        self.state = plays.EMPTY
        self.events: list[Event] = []

    @property
    def now(self) -> datetime:
        return START + timedelta(minutes=len(self.events))

    def take(self, new: Iterable[NewEvent]) -> None:
        for event in new:
            seq = len(self.events)
            recorded = Event("INC-1", seq, f"id-{seq}", event.type, 1, self.now, self.now, "observed", BEA, event.data)
            recorded.canonical()  # what cannot be recorded is not taken
            self.events.append(recorded)
            self.state = plays.apply(self.state, recorded)

    def start(self, key: str) -> Run:
        self.take(running.start(self.state, definition(key), DIGEST, None))
        return list(self.state.runs.values())[-1]

    def run(self, play_id: str = "play-1") -> Run:
        return self.state.runs[play_id]

    def settle_parts(self, play: PlayDefinition, step_id: str, play_id: str = "play-1") -> None:
        step = play.step(step_id)
        for part in step.parts:
            self.take(stepping.settle(self.run(play_id), step, stepping.Settling(part.key, "done", CITED)))

    def record_outputs(self, play: PlayDefinition, step_id: str, play_id: str = "play-1") -> None:
        step = play.step(step_id)
        for output in step.outputs:
            if output.required and output.required_if is None:
                self.take(stepping.record(self.run(play_id), step, offer_for(output), self.now))

    def prepare(self, play: PlayDefinition, step_id: str, play_id: str = "play-1") -> None:
        self.settle_parts(play, step_id, play_id)
        self.record_outputs(play, step_id, play_id)


def offer_for(output: Output, at: str = "2026-11-22T21:00:00Z") -> stepping.Offer:
    value = {
        "text": WORDS,
        "instant": at,
        "account": "amir",
        "citation": None,
        "choice": output.choices[0].key if output.choices else None,
        "list": WORDS,
    }[output.type]
    cites = CITED if output.type in ("citation", "list") else ()
    return stepping.Offer(output.key, value, cites)
