"""The competing-hypotheses matrix: which hypothesis has the least evidence against it.

After Heuer's analysis of competing hypotheses: a hypothesis is not ranked by what fits it, because most
evidence fits several, but by what does not. Evidence that bears alike on all of them decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.communications.state import Claim, ClaimKind, Consistency, State

_FEWEST_TO_COMPARE = 2


@dataclass(frozen=True, slots=True)
class Ranked:
    """One hypothesis with its counts."""

    claim: Claim
    inconsistent: int
    consistent: int
    neutral: int
    unmarked: int
    """Citations of the matrix nobody has held against it yet."""
    rank: int
    """1 is the best; equal counts share a rank."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """The whole matrix."""

    ranked: tuple[Ranked, ...]
    """Fewest inconsistencies first, then by the number of the claim."""
    citations: tuple[str, ...]
    """Every citation marked against one of them, as people write it."""
    idle: tuple[str, ...]
    """Citations marked alike for every hypothesis: they discriminate nothing."""

    def best(self) -> tuple[Ranked, ...]:
        """The hypotheses that share the first rank."""
        return tuple(one for one in self.ranked if one.rank == 1)


def build(state: State, kind: ClaimKind | None = None) -> Matrix:
    """The matrix over the hypotheses that still stand, of one kind or of all."""
    claims = [claim for claim in state.claims.values() if claim.standing == "hypothesis" and kind in (None, claim.kind)]
    ids = {claim.id for claim in claims}
    citations = tuple(dict.fromkeys(citation for claim_id, citation in state.marks if claim_id in ids))
    rows = [(claim, [_mark(state, claim, citation) for citation in citations]) for claim in claims]
    rows.sort(key=lambda row: (row[1].count("inconsistent"), row[0].seq))
    ranked: list[Ranked] = []
    for claim, marks in rows:
        against = marks.count("inconsistent")
        same = ranked[-1].rank if ranked and ranked[-1].inconsistent == against else len(ranked) + 1
        ranked.append(
            Ranked(claim, against, marks.count("consistent"), marks.count("neutral"), marks.count(None), same)
        )
    return Matrix(tuple(ranked), citations, _idle(state, claims, citations))


def _mark(state: State, claim: Claim, citation: str) -> Consistency | None:
    mark = state.marks.get((claim.id, citation))
    return None if mark is None else mark.consistency


def _idle(state: State, claims: list[Claim], citations: tuple[str, ...]) -> tuple[str, ...]:
    if len(claims) < _FEWEST_TO_COMPARE:
        return ()
    found = []
    for citation in citations:
        marks = {_mark(state, claim, citation) for claim in claims}
        if len(marks) == 1 and None not in marks:
            found.append(citation)
    return tuple(found)
