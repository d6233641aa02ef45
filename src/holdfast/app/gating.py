"""The freeze gate that pipelines ask (F4): go, frozen, or cannot tell."""

from __future__ import annotations

from typing import Any

from holdfast.app.application import Application
from holdfast.app.authorisation import Viewer
from holdfast.app.ports import RowQuery
from holdfast.incidents import freezing, passes
from holdfast.incidents.freezing import GateAnswer, Origin
from holdfast.kernel.errors import BadInputError, HoldfastError, NotFoundError, RefusedError
from holdfast.kernel.instants import format_instant
from holdfast.ledger.notes import VerifierKey

EXIT_CODES = {"go": 0, "frozen": 10, "unknown": 11}
MOST = 100_000


def ask(app: Application, scope: str) -> GateAnswer:
    """What all freezes in force say about a change to ``scope``; reading only."""
    return freezing.combined(_answers(app, scope))


def ask_with_pass(app: Application, scope: str, token: str, asker: str, viewer: Viewer) -> GateAnswer:
    """Like :func:`ask`, offering a containment pass; its use is recorded when it opened the way.

    ``asker`` is the pipeline's name as the pass was issued to.

    Raises:
        BadInputError: the token is not one of ours, or its signature does not verify.
    """
    plain = ask(app, scope)
    if plain.verdict == "go":
        return plain
    offered = passes.read_token(token)
    keys = [VerifierKey.from_vkey(vkey) for vkey in app.verifier_keys()]
    if not any(key.verifies(offered.body, offered.signature) for key in keys):
        raise BadInputError(
            "pass-not-ours",
            "The containment pass was not accepted.",
            why="Its signature does not verify under any key of this installation.",
            next_step="Ask the commander for a pass: holdfast freeze pass INC --help",
        )
    incident_id = str(offered.payload.get("incident", ""))
    pass_id = str(offered.payload.get("pass_id", ""))
    try:
        others = freezing.combined(_answers(app, scope, leave_out=incident_id))
        if others.verdict != "go":
            # A pass opens its own incident's freezes only, and never makes an unknown into a go.
            return others
        app.dispatcher.internal(
            incident_id,
            viewer,
            lambda work: work.emit_all(passes.use_pass(work.state.incidents.board, pass_id, scope, asker, work.now)),
        )
    except (RefusedError, NotFoundError) as refusal:
        return GateAnswer("frozen", f"{plain.words}; {refusal.why}", until=plain.until, ask=plain.ask)
    return GateAnswer("go", "frozen, opened by a containment pass", passed_by=pass_id)


def as_json(app: Application, answer: GateAnswer) -> dict[str, Any]:
    """The answer for API and CLI."""
    reason = None
    if answer.reason is not None:
        reason = app.texts.read([answer.reason.text_id]).get(answer.reason.text_id)
    return {
        "ask": answer.ask,
        "exit_code": EXIT_CODES[answer.verdict],
        "freeze": answer.freeze_id,
        "incident": answer.incident,
        "passed_by": answer.passed_by,
        "reason": reason,
        "until": None if answer.until is None else format_instant(answer.until),
        "verdict": answer.verdict,
        "words": answer.words,
    }


def _answers(app: Application, scope: str, leave_out: str = "") -> list[GateAnswer]:
    now = app.tools.clock()
    rows = app.record.rows(RowQuery("", format_instant(now), limit=MOST, frozen=True, everything=True))
    answers = (
        [GateAnswer("go", "not frozen")]
        if freezing.is_scope(scope)
        else [GateAnswer("unknown", f"cannot tell: {scope[:60]!r} is not a scope such as prod/payments")]
    )
    for row in rows:
        # A drill must never stop a real pipeline.
        if row.incident_id == leave_out or row.kind == "exercise":
            continue
        try:
            state = app.states.incident(row.incident_id)
        except HoldfastError as error:
            answers.append(GateAnswer("unknown", f"cannot tell: {error.what}"))
            continue
        board = state.incidents.board
        origin = Origin(row.incident_id, row.restricted)
        answers.append(freezing.gate(board.freezes.values(), scope, now, origin))
    return answers
