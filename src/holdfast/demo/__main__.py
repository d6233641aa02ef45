"""``python -m holdfast.demo [--exit] [--pace SECONDS]``.

Exit codes: 0 played to its end; the code of the error otherwise (``holdfast exit-codes``); 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType

from holdfast.demo import closing, finding_out, first_minutes, getting_out, packing
from holdfast.demo.people import ADMINISTRATOR, PARTS, PIPELINE, Cast, gather
from holdfast.demo.server import Place, Server, prepare
from holdfast.demo.story import Scene, Show
from holdfast.demo.story import prepare as prepare_story
from holdfast.demo.telling import Teller
from holdfast.kernel.errors import DamagedError, HoldfastError

PACE = 1.1
"""Seconds to read one sentence; with it the story takes some two minutes."""

SCENES: tuple[Scene, ...] = (
    Scene("An alert at night", "F1 F2 F3 S2 R1 to R5", first_minutes.declare),
    Scene("A slip", "sealed text", first_minutes.slip),
    Scene("Freeze", "F4", first_minutes.freeze),
    Scene("Evidence first", "F5 R4", first_minutes.capture),
    Scene("Which key, exactly", "LS1", finding_out.pin_down),
    Scene("Where it got to", "LS2", finding_out.search),
    Scene("Who used it", "I2 I4 S1 F3", finding_out.use),
    Scene("What we know, and what we only think", "C1 C2", finding_out.claims),
    Scene("Seven questions, six for now", "I1 to I6", finding_out.questions),
    Scene("Who does what", "C1 R1", finding_out.tasks),
    Scene("The first containment", "F6", getting_out.decide),
    Scene("Contain", "LS3 F4 F5", getting_out.contain),
    Scene("The window, and the workloads", "LS4 LS5 I7", getting_out.window),
    Scene("Telling others", "C1 C2", getting_out.tell),
    Scene("Handover in the morning", "R1", getting_out.hand_over),
    Scene("So that it does not happen again", "LS6", closing.prevent),
    Scene("Proof that it is over", "X1 to X5", closing.technical),
    Scene("Duties", "R5 X6 X7", closing.duties),
    Scene("Looking back", "V1 to V6 X8", closing.review),
    Scene("Closed", "X1 to X8", closing.close),
)


def main(arguments: list[str] | None = None) -> int:
    """Play the demo; its exit code."""
    chosen = _options(arguments)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _as_interrupt)
    teller = Teller(0.0 if chosen.exit else chosen.pace, len(SCENES) + 2)
    try:
        with teller:
            _introduce(teller)
            place = prepare(Path.cwd(), os.environ)
            with Server(place) as server:
                cast = gather(place, server.first_link)
                try:
                    file = _play(teller, place, cast)
                    if not chosen.exit:
                        _stay(teller, cast, server, file)
                finally:
                    cast.close()
    except HoldfastError as error:
        teller.failed(error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the rim: whatever it was, the audience gets words and not a traceback
        teller.failed(_unforeseen(error))
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; the demo's server is stopped.\n")
        return 130
    teller.last_line(f"pack: {file}")
    return 0


def _play(teller: Teller, place: Place, cast: Cast) -> Path:
    teller.plain(f"Holdfast serves {place.settings.url}; its data is in {place.folder}.")
    teller.scene("The people", "R1 to R5")
    for part in PARTS:
        teller.introduce(part.account, part.what)
    teller.introduce(PIPELINE, "a pipeline, with a token that can ask the freeze gate and nothing else")
    teller.introduce("auditor", "has no account here")
    teller.scene_over()
    show: Show = prepare_story(teller, cast, place)
    for scene in SCENES:
        teller.scene(scene.title, scene.ids)
        scene.play(show)
        teller.scene_over()
    teller.scene("One file for the auditor", "pack and verify")
    file = packing.pack(show)
    teller.scene_over()
    return file


VISITOR = "visitor"
"""Who looks around afterwards: an account of their own, so that nothing they do is said to be ana's."""


def _stay(teller: Teller, cast: Cast, server: Server, file: Path) -> None:
    """Leave the server up until Ctrl-C, which is how it is meant to end."""
    ana = cast.people[ADMINISTRATOR]
    roles = {"account": VISITOR, "roles": ["administrator", "responder"], "qualified": ["commander", "business_owner"]}
    invitation = ana.sends("/account/add", roles).result["invitation"]
    incident = ana.incident
    url = cast.place.settings.url
    teller.plain()
    teller.plain(f"The server stays up: {url}/incidents/{incident}")
    teller.plain(f"Sign in as {VISITOR}, once, within 24 hours: {url}/welcome#{invitation}")
    teller.plain(f"The pack: {file}")
    teller.plain("Ctrl-C stops the server.")
    try:
        server.wait()
    except KeyboardInterrupt:
        teller.plain("Stopped.")


def _introduce(teller: Teller) -> None:
    teller.plain("A leaked key, from the alert to the closed review.")
    teller.plain(
        "Real: the server, the API, the git repository and the search in it, the log files and the counting in"
    )
    teller.plain(
        "them, the gate, the pack and both verifiers. Acted: the people, the cloud, and how quickly it all goes."
    )


def _unforeseen(error: Exception) -> DamagedError:
    place = traceback.extract_tb(error.__traceback__)[-1]
    return DamagedError(
        "demo-unforeseen",
        "The demo stopped; its server is stopped too.",
        why=f"Something unforeseen happened: {type(error).__name__} at {Path(place.filename).name}:{place.lineno}.",
        next_step="Run it again; if it stays, keep demo-data for whoever looks into it.",
    )


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m holdfast.demo", description="Play a leaked-secret incident.")
    parser.add_argument("--exit", action="store_true", help="play without pauses, stop the server, and end")
    parser.add_argument("--pace", type=float, default=PACE, help=f"seconds to read one sentence ({PACE})")
    return parser.parse_args(arguments)


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
