"""A play step takes an exposure report: its parts by what was searched, its outputs by what was found (LS2, LS4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Protocol

from pydantic import Field, StringConstraints

from holdfast.app.commanding import Context, IncidentCommand, numbered, use_case
from holdfast.app.definitions import play_definition
from holdfast.app.exposure_results import Result
from holdfast.exposure.areas import AREAS, Area
from holdfast.exposure.summary import lines, parts
from holdfast.kernel.citations import Citation
from holdfast.kernel.instants import parse_instant
from holdfast.kernel.parts import open_parts
from holdfast.kernel.texts import Sealed
from holdfast.plays import running, stepping
from holdfast.plays.definitions import PlayDefinition
from holdfast.plays.state import Run

PlayId = Annotated[str, numbered("play")]
EvidenceName = Annotated[str, numbered("ev")]
Cover = Annotated[str, StringConstraints(pattern=rf"^({'|'.join(AREAS)})=[1-9][0-9]{{0,5}}$")]
"""A part of LS2 and the number of a target in the report: ``ci_logs=3``."""
SEARCH = "LS2"
CHECK = "LS4"


class ExposureContext(Context, Protocol):
    """What this handler needs besides."""

    def exposure_result(self, evidence_id: str) -> Result:
        """The report kept in an item of this incident; refuses an item that is none."""
        ...


class AdoptExposure(IncidentCommand):
    """Take an exposure report into the play: settle the parts of LS2 that it covers, record places and window."""

    play_id: PlayId = Field(description="play-1, as started")
    evidence: EvidenceName = Field(description="report of the exposure search, such as ev-9")
    covers: list[Cover] = Field(
        default=[],
        max_length=1_000,
        description="what a target is, where its kind does not tell: PART=NUMBER, such as ci_logs=3",
    )


@use_case(
    "exposure adopt",
    act="exposure.adopt",
    facet=f"step:{{play_id}}:{SEARCH}",
    runbook=("LS2", "LS4"),
    positional=("play_id",),
)
def adopt_exposure(command: AdoptExposure, ctx: ExposureContext) -> Mapping[str, Any]:
    """Settle what is open and covered by the report; what somebody settled by hand stays as it is."""
    result = ctx.exposure_result(command.evidence)
    cites = ctx.cite([command.evidence])
    settled = _settle(command, ctx, result, cites)
    recorded = _record_places(command, ctx, result, cites)
    exposed_at = _record_window(command, ctx, result)
    run, definition = _bound(ctx, command.play_id)
    left = [part.key for part in open_parts(definition.step(SEARCH).parts, run.step(SEARCH).parts)]
    return {"settled": settled, "places": recorded, "exposed_at": exposed_at, "open_parts": left}


def _settle(command: AdoptExposure, ctx: ExposureContext, result: Result, cites: Sequence[Citation]) -> dict[str, str]:
    run, definition = _bound(ctx, command.play_id)
    step = definition.step(SEARCH)
    still_open = {part.key for part in open_parts(step.parts, run.step(SEARCH).parts)}
    settled: dict[str, str] = {}
    for plan in parts(result.report, result.places, map(_cover, command.covers)):
        if plan.area in still_open:
            cited = tuple(cites) if plan.standing == "done" else ()
            settling = stepping.Settling(plan.area, plan.standing, cited, ctx.seal_or_none(plan.reason))
            ctx.emit_all(stepping.settle(run, step, settling))
            settled[plan.area] = plan.standing
    return settled


def _record_places(command: AdoptExposure, ctx: ExposureContext, result: Result, cites: Sequence[Citation]) -> int:
    """One item for each place that is not recorded yet in the same words."""
    recorded = 0
    run, _ = _bound(ctx, command.play_id)
    values = [item.value for item in run.step(SEARCH).outputs.get("places", ())]
    known = {
        ctx.read(words) for value in values if isinstance(value, Mapping) for words in value.values()
        if isinstance(words, Sealed)
    }  # fmt: skip
    for line in lines(result.places):
        if line not in known:
            run, definition = _bound(ctx, command.play_id)
            offer = stepping.Offer("places", ctx.seal(line), tuple(cites))
            ctx.emit_all(stepping.record(run, definition.step(SEARCH), offer, ctx.now))
            recorded += 1
    return recorded


def _record_window(command: AdoptExposure, ctx: ExposureContext, result: Result) -> str | None:
    """Where LS4's window begins, unless somebody said so before, or it cannot be: it would begin after its end."""
    begins = result.worklist.window.begins
    run, definition = _bound(ctx, command.play_id)
    state = run.step(CHECK)
    if begins is None or state.standing != "open" or state.outputs.get("exposed_at"):
        return None
    ends = state.outputs.get("revoked_at")
    until = min(ctx.now, parse_instant(str(ends[-1].value))) if ends else ctx.now
    if parse_instant(begins) > until:
        return None
    ctx.emit_all(stepping.record(run, definition.step(CHECK), stepping.Offer("exposed_at", begins), ctx.now))
    return begins


def _cover(text: str) -> tuple[Area, int]:
    area, _, number = text.partition("=")
    return next(one for one in AREAS if one == area), int(number)


def _bound(ctx: Context, play_id: str) -> tuple[Run, PlayDefinition]:
    """The run as it is now, and the pinned definition it is bound to."""
    run = running.run_named(ctx.state.plays, play_id)
    return run, play_definition(ctx, run.digest)
