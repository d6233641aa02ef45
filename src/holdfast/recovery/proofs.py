"""Deciders of what the gates X1 to X5 rest on: cause, path, credentials, revalidation, monitoring, watch period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from holdfast.kernel.citations import Citation, citations_json
from holdfast.kernel.errors import BadInputError, NotFoundError, RefusedError
from holdfast.kernel.events import Basis, NewEvent
from holdfast.kernel.instants import format_instant
from holdfast.kernel.parts import Standing, part_named, settlement
from holdfast.kernel.texts import Sealed
from holdfast.recovery.catalogue import revalidation_parts
from holdfast.recovery.state import CredentialOutcome, MomentKey, State


def identify_cause(statement: Sealed, citations: Iterable[Citation]) -> list[NewEvent]:
    """The root cause, citing what shows it. Raises ``BadInputError`` without a citation."""
    cited = need_citations(citations, "The root cause is not recorded as identified")
    return [NewEvent("cause.identified", {"statement": statement.as_json(), "citations": cited})]


def unknown_cause(rationale: Sealed, citations: Iterable[Citation] = ()) -> list[NewEvent]:
    """The root cause as unknown, with the rationale."""
    data = {"rationale": rationale.as_json(), "citations": citations_json(citations)}
    return [NewEvent("cause.unknown", data)]


def close_path(statement: Sealed, citations: Iterable[Citation]) -> list[NewEvent]:
    """The attack path closed; voids an earlier verification. Raises ``BadInputError`` without a citation."""
    cited = need_citations(citations, "The attack path is not recorded as closed")
    return [NewEvent("path.closed", {"statement": statement.as_json(), "citations": cited})]


def verify_path(state: State, statement: Sealed, citations: Iterable[Citation]) -> list[NewEvent]:
    """The attack path verified closed.

    Raises:
        RefusedError: nobody has recorded it as closed.
        BadInputError: nothing is cited.
    """
    if state.path_closed is None:
        raise RefusedError(
            "path-not-closed",
            "The attack path is not verified.",
            why="Nobody has recorded that it is closed; closing and verifying are two steps.",
            next_step="First: holdfast path close INC STATEMENT --cites ev-1",
        )
    cited = need_citations(citations, "The attack path is not verified")
    return [NewEvent("path.verified", {"statement": statement.as_json(), "citations": cited})]


def list_credential(state: State, name: Sealed) -> list[NewEvent]:
    """One more affected credential, by name."""
    credential_id = f"credential-{len(state.credentials) + 1}"
    return [NewEvent("credential.listed", {"credential_id": credential_id, "name": name.as_json()})]


def settle_credential(
    state: State,
    credential_id: str,
    outcome: CredentialOutcome,
    citations: Iterable[Citation],
    reason: Sealed | None,
) -> list[NewEvent]:
    """Rotated or revoked with a citation, or not needed with a reason; settling again replaces it.

    Raises:
        NotFoundError: no such credential.
        BadInputError: the citation or the reason is missing.
    """
    if credential_id not in state.credentials:
        raise NotFoundError(
            "credential-not-found",
            f"There is no {credential_id} in this incident.",
            why=f"The record lists {len(state.credentials)} affected credentials.",
            next_step="List it first: holdfast credential list INC NAME",
        )
    cited = citations_json(citations)
    if outcome == "not_needed":
        if reason is None:
            raise BadInputError(
                "credential-needs-reason",
                f"{credential_id} is not settled.",
                why="Not needed takes a reason, so that the review can tell why.",
                next_step="Say why: --reason TEXT",
            )
    elif not cited:
        need_citations((), f"{credential_id} is not settled")
    data = {
        "credential_id": credential_id,
        "outcome": outcome,
        "citations": cited,
        "reason": None if reason is None else reason.as_json(),
    }
    return [NewEvent("credential.settled", data)]


def no_credentials(state: State, reason: Sealed, citations: Iterable[Citation]) -> list[NewEvent]:
    """No credential was affected, citing what was examined.

    Raises:
        RefusedError: some are listed.
        BadInputError: nothing is cited.
    """
    if state.credentials:
        raise RefusedError(
            "credentials-listed",
            "That no credential was affected is not recorded.",
            why=f"{len(state.credentials)} are listed as affected.",
            next_step="Settle each: holdfast credential settle INC credential-1 not_needed --reason TEXT",
        )
    cited = need_citations(citations, "That no credential was affected is not recorded")
    return [NewEvent("credential.none_affected", {"reason": reason.as_json(), "citations": cited})]


def revalidate(part: str, standing: Standing, citations: Iterable[Citation], reason: Sealed | None) -> list[NewEvent]:
    """Settle artifacts, images or deployments (X4).

    Raises:
        BadInputError: no such part, done without a citation, or otherwise without a reason.
    """
    part_named(revalidation_parts(), part, "X4")
    return [NewEvent("revalidation.part_settled", settlement(part, standing, citations, reason))]


def monitor(state: State, indicator: Sealed, where: Sealed, citations: Iterable[Citation]) -> list[NewEvent]:
    """Something watches for one indicator. Raises ``BadInputError`` without a citation."""
    data = {
        "indicator_id": f"indicator-{len(state.indicators) + 1}",
        "indicator": indicator.as_json(),
        "where": where.as_json(),
        "citations": need_citations(citations, "The monitoring is not recorded"),
    }
    return [NewEvent("indicator.monitored", data)]


def start_watch(state: State, until: datetime, what: Sealed, *, now: datetime) -> list[NewEvent]:
    """Start a watch period.

    Raises:
        RefusedError: one is running.
        BadInputError: its end has passed.
    """
    if state.watch is not None and state.watch.ended_at is None:
        raise RefusedError(
            "watch-running",
            "No watch period was started.",
            why=f"One is running until {format_instant(state.watch.until)}.",
            next_step="End it first: holdfast watch end INC OUTCOME",
        )
    if until <= now:
        raise BadInputError(
            "watch-ends-in-past",
            "No watch period was started.",
            why="Its end has passed.",
            next_step="Give a later end: --until 2026-12-07T09:00:00Z",
        )
    return [NewEvent("watch.started", {"until": format_instant(until), "what": what.as_json()})]


def end_watch(state: State, outcome: Sealed, *, now: datetime) -> list[NewEvent]:
    """End the watch period, saying what was seen; ending early is recorded as early.

    Raises:
        RefusedError: none is running.
    """
    if state.watch is None or state.watch.ended_at is not None:
        raise RefusedError(
            "watch-not-running",
            "No watch period was ended.",
            why="None is running.",
            next_step="Start one: holdfast watch start INC WHAT --until 2026-12-07T09:00:00Z",
        )
    return [NewEvent("watch.ended", {"outcome": outcome.as_json(), "early": now < state.watch.until})]


@dataclass(frozen=True, slots=True)
class Known:
    """How an asserted time is known."""

    how: Basis
    citations: tuple[Citation, ...] = ()
    reason: Sealed | None = None


def assert_moment(moment: MomentKey, at: datetime, known: Known, *, now: datetime) -> list[NewEvent]:
    """Assert when something happened that the record cannot know by itself.

    Raises:
        BadInputError: in the future, or evidenced without a citation.
    """
    if at > now:
        raise BadInputError(
            "moment-in-future",
            "The time is not recorded.",
            why="It lies in the future.",
            next_step="Check the date and the zone, for example 2026-11-23T03:07:00Z.",
        )
    cited = citations_json(known.citations)
    if known.how == "evidenced" and not cited:
        need_citations((), "The time is not recorded as evidenced")
    data = {
        "moment": moment,
        "at": format_instant(at),
        "how": known.how,
        "citations": cited,
        "reason": None if known.reason is None else known.reason.as_json(),
    }
    return [NewEvent("moment.asserted", data, occurred_at=at, basis=known.how)]


def need_citations(citations: Iterable[Citation], refused: str) -> list[dict[str, object]]:
    """The citations as an event holds them.

    Raises:
        BadInputError: there is none; ``refused`` says what was not done.
    """
    cited = citations_json(citations)
    if not cited:
        raise BadInputError(
            "needs-citation",
            f"{refused}.",
            why="It needs at least one citation: an evidence item (ev-3) or an entry of the record (#17).",
            next_step="Capture or find what shows it, and cite that: --cites ev-3",
        )
    return cited
