"""A report in one sentence, as an event, and as what a play step takes from it.

Rules:
1. The sentence says how many places of which kind, what is still there, since when, and first of all what is missing.
2. *Nowhere* is only said together with what was searched; an incomplete search found nothing *so far*.
3. A part of LS2 is done when every target of it was searched completely and nothing of it is out of reach; else it is
   unknown, with the reason. What no target covers is not settled at all. Spellings that no search finds (an own cipher)
   are said in every report and keep no part from being done: the report is what the part cites.
4. An event holds counts, instants and fingerprints: no name, no path, no words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from holdfast.exposure.areas import Area
from holdfast.exposure.places import Place, first_of, spoken, where_still
from holdfast.exposure.report import Report, Searched
from holdfast.exposure.worklist import BASES, window_of
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.parts import Standing

Made = Literal["here", "elsewhere"]
LINES = 40
"""Places that a play step records one by one; the others are counted in a last line."""
_KINDS = {"layer": "image layer", "image history": "image history", "message": "message", "issue": "ticket"}
_FIRST = {
    "pushed": "first pushed",
    "sent": "first sent",
    "published": "first published",
    "committed": "first committed",
}
_REASONS = 3
_PLURALS = {"history": "histories", "repository": "repositories"}


@dataclass(frozen=True, slots=True)
class PartPlan:
    """How one part of LS2 stands by a report."""

    area: Area
    standing: Standing
    reason: str | None


def headline(report: Report, found: Sequence[Place]) -> str:
    """Such as: In 3 repositories and 1 image layer; still at the head of main; first pushed 2 Nov 2026, 14:03 UTC."""
    parts = [_where(report, found)]
    if any(place.still == "head" for place in found):
        parts.append("still " + where_still([ref for place in found for ref in place.heads]))
    elif found and all(place.still in ("history", "unreachable") for place in found):
        parts.append("in older versions only")
    first = first_of(found)
    if first is not None:
        parts.append(f"{_FIRST[first.basis]} {spoken(first.first)}")
    elif found:
        parts.append("since when is not known")
    if not report.complete:
        parts.append("incomplete: " + "; ".join(reasons(report)))
    left = out_of_reach(report)
    if left:
        parts.append("not searched: " + ", ".join(left[:_REASONS]))
    told = "; ".join(parts)
    return f"{told[0].upper()}{told[1:]}."


def out_of_reach(report: Report) -> list[str]:
    """What belongs to the targets and was not searched, each once."""
    return list(dict.fromkeys(words for target in report.targets for words in target.not_searched))


def reasons(report: Report) -> list[str]:
    """Why a report is incomplete, the most frequent first, cut to a few."""
    counts = Counter(f"{fault.target}: {fault.reason}" for fault in report.faults)
    told = [f"{reason}{f' ({count:,} times)' if count > 1 else ''}" for reason, count in counts.most_common(_REASONS)]
    if len(counts) > _REASONS:
        told.append(f"and {len(counts) - _REASONS:,} more reasons")
    return told or ["it was broken off before its end"]


def searched_event(report: Report, found: Sequence[Place], evidence: Mapping[str, str], made: Made) -> list[NewEvent]:
    """The event of a kept report.

    Args:
        report: the report.
        found: its places.
        evidence: ``evidence_id`` and ``sha256`` of the item that holds it.
        made: by this installation, or handed in.
    """
    window = window_of(found)
    data = {
        "evidence_id": evidence["evidence_id"],
        "sha256": evidence["sha256"],
        "made": made,
        "secrets": [one.fingerprint for one in report.secrets],
        "targets": len(report.targets),
        "outcome": "complete" if report.complete else "incomplete",
        "faults": len(report.faults),
        "hits": len(report.hits),
        "by_class": report.by_class,
        "places": len(found),
        "still": sum(place.still in ("head", "there") for place in found),
        "exposed_at": window.begins,
        "basis": window.basis,
        "proof": window.hit,
    }
    return [NewEvent("exposure.searched", data)]


def covered(report: Report, said: Iterable[tuple[Area, int]] = ()) -> dict[Area, list[Searched]]:
    """The targets of each part of LS2: by their kind, and as somebody says.

    Raises:
        BadInputError: a number is none of a target.
    """
    found: dict[Area, list[Searched]] = {}
    for target in report.targets:
        if target.area is not None:
            found.setdefault(target.area, []).append(target)
    for area, number in said:
        if not 1 <= number <= len(report.targets):
            raise BadInputError(
                "exposure-target-unknown",
                "The result was not taken over.",
                why=f"The report has {len(report.targets)} targets, and {number} is none of them.",
                next_step="See their numbers: holdfast exposure list INC",
            )
        if report.targets[number - 1] not in found.setdefault(area, []):
            found[area].append(report.targets[number - 1])
    return found


def parts(report: Report, found: Sequence[Place], said: Iterable[tuple[Area, int]] = ()) -> tuple[PartPlan, ...]:
    """How the parts of LS2 that the run covered stand by it."""
    plans = []
    for area, targets in covered(report, said).items():
        names = {one.target for one in targets}
        count = sum(place.target in names for place in found)
        told = f"Found in {count:,} place{'' if count == 1 else 's'} so far; " if count else "Not found so far; "
        failed = [one for one in targets if not one.complete]
        if failed:
            why = next((one.reason for one in report.faults if one.target == failed[0].target), "broken off")
            reason = f"{told}{len(failed):,} of {len(targets):,} targets were not searched completely: "
            plans.append(PartPlan(area, "unknown", f"{reason}{failed[0].target}: {why}."))
        elif any(one.not_searched for one in targets):
            left = ", ".join(dict.fromkeys(words for one in targets for words in one.not_searched))
            plans.append(PartPlan(area, "unknown", f"{told}not searched: {left[:1_000]}."))
        elif not report.complete and not report.faults:
            plans.append(PartPlan(area, "unknown", f"{told}the search was broken off before its end."))
        else:
            plans.append(PartPlan(area, "done", None))
    return tuple(plans)


def lines(found: Sequence[Place]) -> list[str]:
    """What LS2 records: the earliest exposure with its proof, then one line for each place, the most urgent first."""
    window = window_of(found)
    told = []
    if window.begins is not None:
        exact = "" if window.basis != "committed" else "not later than "
        told.append(f"Earliest exposure: {exact}{spoken(window.begins)}, by {BASES[window.basis]} (hit {window.hit})")
    for place in found[:LINES]:
        since = f"{place.basis} {spoken(place.first)}" if place.first else "since when is not known"
        seen = "exposure not told" if place.visibility == "unknown" else place.visibility.replace("-", " ")
        whole = "" if place.whole else "a piece only, "
        told.append(f"{place.target}: {place.name} ({whole}{place.what}, {_still(place)}, {since}, {seen})")
    if len(found) > LINES:
        told.append(f"And {len(found) - LINES:,} more places, all of them in places.csv of the report")
    return told


def as_json(report: Report, found: Sequence[Place]) -> dict[str, Any]:
    """What a report comes to: the last line, the sentence, and the places."""
    return {"headline": headline(report, found), "end": report.end(), "places": [one.as_json() for one in found]}


def _where(report: Report, found: Sequence[Place]) -> str:
    if not found:
        sure = "nowhere" if report.complete and not out_of_reach(report) else "nowhere so far"
        return f"found {sure} in {_counted(len(report.targets), 'target')}"
    kinds = Counter[str]()
    repositories = {place.target for place in found if place.area == "source_control" and place.whole}
    for place in found:
        if not place.whole:
            kinds["piece"] += 1
        elif place.target not in repositories:
            kinds[_KINDS.get(place.what, place.what)] += 1
    counted = [_counted(len(repositories), "repository")] if repositories else []
    counted += [_counted(count, kind) for kind, count in kinds.items()]
    return "in " + (" and ".join([", ".join(counted[:-1]), counted[-1]]) if len(counted) > 1 else counted[0])


def _still(place: Place) -> str:
    if place.still == "head":
        return where_still(place.heads)
    return {"there": "there when searched", "history": "in older versions", "unreachable": "no ref leads there"}[
        place.still
    ]


def _counted(count: int, thing: str) -> str:
    last = thing.rpartition(" ")[2]
    plural = thing.removesuffix(last) + _PLURALS.get(last, f"{last}s")
    return f"{count:,} {thing if count == 1 else plural}"
