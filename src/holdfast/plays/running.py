"""Starting, finding and abandoning runs of plays (runbook LS, CT, CA)."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.kernel.errors import NotFoundError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.parts import Settled
from holdfast.kernel.texts import Sealed
from holdfast.plays.definitions import PlayDefinition
from holdfast.plays.state import Run, State, StepStanding


def start(state: State, definition: PlayDefinition, digest: str, subject: Sealed | None) -> list[NewEvent]:
    """Start a run bound to the pinned definition. The same play may run twice, for two secrets say."""
    data = {
        "play_id": state.next_id,
        "play": definition.key,
        "name": definition.name,
        "version": definition.version,
        "definition": digest,
        "subject": None if subject is None else subject.as_json(),
    }
    return [NewEvent("play.started", data)]


def run_named(state: State, play_id: str) -> Run:
    """The run with an id.

    Raises:
        NotFoundError: there is none; the error lists those there are.
    """
    if play_id not in state.runs:
        known = ", ".join(state.runs) or "none"
        raise NotFoundError(
            "play-not-started",
            f"There is no {play_id} in this incident.",
            why=f"Plays started so far: {known}.",
            next_step="Name one of those, or start one: holdfast play start INC leaked-secret",
        )
    return state.runs[play_id]


def working(run: Run) -> Run:
    """The run, unless it was abandoned.

    Raises:
        RefusedError: it was abandoned.
    """
    if run.standing == "abandoned":
        raise RefusedError(
            "play-abandoned",
            f"Nothing is changed in {run.id}.",
            why="It was abandoned, and what was done in it stays as it is.",
            next_step=f"Start it anew: holdfast play start INC {run.key}",
        )
    return run


def abandon(run: Run, definition: PlayDefinition, reason: Sealed) -> list[NewEvent]:
    """Give up a run that is not complete; what was done stays in the record.

    Raises:
        RefusedError: it is complete, or abandoned already.
    """
    if working(run).standing == "completed":
        raise RefusedError(
            "play-completed",
            f"{run.id} is not abandoned.",
            why="It is complete: no step is left to give up.",
            next_step=f"To work on a step again: holdfast step reopen INC {run.id} {definition.steps[0].id} --reason …",
        )
    left = [step.id for step in definition.steps if run.step(step.id).standing == "open"]
    return [NewEvent("play.abandoned", {"play_id": run.id, "reason": reason.as_json(), "steps_open": left})]


def completion(run: Run, definition: PlayDefinition, step: str, standing: StepStanding) -> list[NewEvent]:
    """The event that completes the run once ``step`` has this standing, or nothing."""
    standings = {found.id: run.step(found.id).standing for found in definition.steps} | {step: standing}
    if "open" in standings.values():
        return []
    done = [found for found in definition.steps if standings[found.id] == "done"]
    gaps = sum(not_done(run.step(found.id).parts.values()) for found in done)
    data = {
        "play_id": run.id,
        "steps_done": len(done),
        "steps_skipped": len(standings) - len(done),
        "parts_not_done": gaps,
    }
    return [NewEvent("play.completed", data)]


def not_done(parts: Iterable[Settled]) -> int:
    """How many settled parts are unknown, unreachable or not applicable."""
    return sum(part.standing != "done" for part in parts)
