"""The claims ledger: facts, hypotheses with the matrix that ranks them, what was given up, corrections owed.

Rules:
1. A hypothesis is never listed with the facts.
2. Ranking counts what speaks against a hypothesis; evidence that bears alike on all of them is marked as idle.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from holdfast.app.state import IncidentState
from holdfast.communications import matrix
from holdfast.communications.matrix import Matrix
from holdfast.communications.state import Audience, Claim, ClaimKind, ClaimStanding, Consistency, Correction, State
from holdfast.kernel.citations import Citation
from holdfast.kernel.texts import Sealed


@dataclass(frozen=True, slots=True)
class ClaimShown:
    """One claim."""

    id: str
    kind: ClaimKind
    text: Sealed
    standing: ClaimStanding
    stated_by: str
    stated_at: datetime
    seq: int
    citations: tuple[Citation, ...]
    reason: Sealed | None
    settled_by: str | None
    settled_at: datetime | None
    settled_seq: int | None
    told: tuple[Audience, ...]
    """Audiences that were sent an update resting on it."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """An open hypothesis with its place in the matrix."""

    claim: ClaimShown
    rank: int
    """1 has the least against it; equal counts share a rank."""
    inconsistent: int
    consistent: int
    neutral: int
    unmarked: int


@dataclass(frozen=True, slots=True)
class Cell:
    """How one citation bears on one hypothesis."""

    claim: str
    consistency: Consistency | None
    """``None`` where nobody has held the two against each other."""
    note: Sealed | None
    by: str | None
    seq: int | None


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One citation against every hypothesis, in the order of their rank."""

    citation: str
    idle: bool
    """Marked alike for all of them: it discriminates nothing."""
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Claims:
    """The whole ledger."""

    facts: tuple[ClaimShown, ...]
    """Newest first."""
    hypotheses: tuple[Hypothesis, ...]
    """Fewest inconsistencies first."""
    given_up: tuple[ClaimShown, ...]
    """Disproved and retracted, newest first."""
    matrix: tuple[MatrixRow, ...]
    best: tuple[str, ...]
    """Ids of the hypotheses that share the first rank, once there is something to rank by."""
    owed: tuple[Correction, ...]
    corrected: tuple[Correction, ...]


def claims(state: IncidentState) -> Claims:
    """The ledger of an incident."""
    told = state.communications
    built = matrix.build(told)
    corrections = list(told.corrections.values())
    return Claims(
        facts=_standing(told, "fact"),
        hypotheses=tuple(
            Hypothesis(_claim(told, one.claim), one.rank, one.inconsistent, one.consistent, one.neutral, one.unmarked)
            for one in built.ranked
        ),
        given_up=_standing(told, "disproved", "retracted"),
        matrix=_rows(told, built),
        best=tuple(one.claim.id for one in built.best()) if built.citations else (),
        owed=tuple(one for one in corrections if one.settled_with is None),
        corrected=tuple(one for one in corrections if one.settled_with is not None),
    )


def _standing(state: State, *standings: ClaimStanding) -> tuple[ClaimShown, ...]:
    found = [claim for claim in state.claims.values() if claim.standing in standings]
    found.sort(key=lambda claim: claim.settled_seq or claim.seq, reverse=True)
    return tuple(_claim(state, claim) for claim in found)


def _claim(state: State, claim: Claim) -> ClaimShown:
    sent = (one.audience for one in state.updates.values() if one.sent_at is not None and claim.id in one.claims)
    return ClaimShown(
        id=claim.id,
        kind=claim.kind,
        text=claim.text,
        standing=claim.standing,
        stated_by=claim.stated_by,
        stated_at=claim.stated_at,
        seq=claim.seq,
        citations=claim.citations,
        reason=claim.reason,
        settled_by=claim.settled_by,
        settled_at=claim.settled_at,
        settled_seq=claim.settled_seq,
        told=tuple(dict.fromkeys(sent)),
    )


def _rows(state: State, built: Matrix) -> tuple[MatrixRow, ...]:
    ids = [one.claim.id for one in built.ranked]
    return tuple(
        MatrixRow(citation, citation in built.idle, tuple(_cell(state, claim_id, citation) for claim_id in ids))
        for citation in built.citations
    )


def _cell(state: State, claim_id: str, citation: str) -> Cell:
    mark = state.marks.get((claim_id, citation))
    if mark is None:
        return Cell(claim_id, None, None, None, None)
    return Cell(claim_id, mark.consistency, mark.note, mark.by, mark.seq)
