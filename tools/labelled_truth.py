"""Score the investigation on the labelled data beside the project, and write the numbers into the docs.

``python -m tools.labelled_truth`` prints them; ``--write`` puts them into ``docs/investigation/labelled-truth.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tools import truth_sets
from tools.truth_sets import Score

PAGE = Path(__file__).resolve().parent.parent / "docs" / "investigation" / "labelled-truth.md"
BEGIN, END = "<!-- numbers: python -m tools.labelled_truth --write -->", "<!-- end of numbers -->"


def main() -> None:
    """Print, and write when asked."""
    if not truth_sets.DATA.is_dir():
        sys.exit(f"the labelled data is not here: {truth_sets.DATA}")
    told = "\n".join(numbers())
    print(told)
    if "--write" in sys.argv:
        text = PAGE.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n\n{told}\n\n{END}{after}", encoding="utf-8")


def numbers() -> Iterator[str]:
    """Every measurement as Markdown."""
    yield from _invictus()
    yield from _stratus()
    yield from _console()
    yield from _singles()
    yield from _golden()


def _line(name: str, score: Score) -> str:
    return (
        f"| {name} | {score.hits} | {score.false} | {score.precision:.3f} | {score.recall:.3f} "
        f"| {score.false_per_thousand:.2f} |"
    )


def _invictus() -> Iterator[str]:
    found = truth_sets.invictus()
    yield "### One laboratory account (invictus_aws)"
    yield ""
    yield (
        f"{found.events.wanted} events of the attack, {found.events.benign} others (set-up and clean-up by the same "
        "tool and key, and two people)."
    )
    yield ""
    yield "| what is scored | right | false | precision | recall | false per 1,000 benign |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    yield _line("events that are leads", found.events)
    yield _line("rows of I1 and I5 that are leads", found.rows)
    yield ""
    named = [name for name, place in found.techniques.items() if place is not None]
    lost = [name for name, place in found.techniques.items() if place is None]
    yield f"Operations of the attack found among the leads: {len(named)} of {len(found.techniques)}."
    yield f"Not found: {', '.join(lost) or 'none'}."
    yield ""
    yield "False by the label:"
    yield from (f"- {one}" for one in found.false)
    yield ""
    yield "Events of the attack that are no lead, by operation:"
    yield ""
    yield ", ".join(f"{name} {number}" for name, number in sorted(found.missed.items())) + "."
    yield ""


def _stratus() -> Iterator[str]:
    found = truth_sets.stratus()
    right = [name for name, (_, same) in found.items() if same]
    yield "### Each technique for itself (stratus_detonation)"
    yield ""
    yield f"{len(right)} of {len(found)} techniques give a lead of their tactic's category."
    yield f"Without one: {', '.join(sorted(set(found) - set(right))) or 'none'}."
    yield ""


def _console() -> Iterator[str]:
    found = truth_sets.console()
    events, leads = sum(total for total, _ in found.values()), [one for _, some in found.values() for one in some]
    yield "### Human clicks in a web console (console_sessions)"
    yield ""
    share = 1000 * len(leads) / events
    yield f"{len(leads)} leads over {events} events of {len(found)} sessions ({share:.2f} per 1,000):"
    yield ""
    yield from (f"- {one}" for one in leads)
    yield ""


def _singles() -> Iterator[str]:
    total, signals, leads = truth_sets.traildiscover()
    yield "### Single events"
    yield ""
    yield (
        f"TrailDiscover: {total} sample events of operations known from abuse; {signals} are signals, {leads} are "
        "leads by their own record alone."
    )
    yield ""
    yield "| verdicts of panther_tests | events | not read | signal: precision | recall | lead: precision | recall |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for name in truth_sets.VERDICTS:
        one = truth_sets.panther(name)
        yield (
            f"| {name} | {one.events} | {one.unread} | {one.signal.precision:.2f} | {one.signal.recall:.2f} "
            f"| {one.lead.precision:.2f} | {one.lead.recall:.2f} |"
        )
    yield ""


def _golden() -> Iterator[str]:
    yield "### Forged SAML token (otrf/golden_saml), Entra and Office records"
    yield ""
    for one in truth_sets.golden_saml():
        yield f"- {one['operation']}: score {one['score']}{', lead' if one['lead'] else ''}"
    attempts = truth_sets.honey_bucket()
    yield ""
    yield f"Honey bucket (otrf): {attempts[0]} rows read with a mapping of columns, {attempts[1]} signals."


if __name__ == "__main__":
    main()
