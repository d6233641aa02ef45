from __future__ import annotations

from datetime import timedelta

from holdfast.incidents import brief, judging
from holdfast.incidents.brief import BriefInput, RunningClock, SentUpdate

from .folding import declared, words

HEADINGS = [
    "State",
    "Confirmed facts",
    "Open hypotheses",
    "Disproved hypotheses",
    "Last customer update",
    "Running clocks",
    "Pending approvals",
    "Tasks under way",
    "Freezes in force",
    "Missing",
]


def sections(text: str) -> dict[str, list[str]]:
    _, *blocks = text.split("\n\n")
    return {block.split("\n")[0]: block.split("\n")[1:] for block in blocks}


def test_the_brief_has_its_sections_in_order_and_says_what_there_is_none_of() -> None:
    story = declared()
    found = sections(brief.write(story.state, BriefInput(name="AWS key is public"), story.now))
    assert list(found) == HEADINGS
    assert found["Last customer update"] == ["- none was sent"]
    assert found["Open hypotheses"] == ["- none"]
    assert "- Severity SEV-2, peak SEV-2; status investigating for 0 min" in found["State"]
    assert "- Commander asmith (acting)" in found["State"]


def test_the_brief_tells_what_the_next_commander_needs() -> None:
    story = declared(kind="exercise")
    story.tell("asmith", judging.propose_lower(story.state, "SEV-3", words("why"), "asmith"))
    story.later(hours=3, minutes=50)
    more = BriefInput(
        name="AWS key is public",
        open_hypotheses=["claim-2: backup user was created by the actor"],
        disproved_hypotheses=["claim-1: the key was in an image"],
        last_customer_update=SentUpdate(story.now - timedelta(minutes=30), "We are looking into it."),
        clocks=[
            RunningClock("Next update to customers", story.now + timedelta(minutes=10)),
            RunningClock("First 15 minutes", story.now - timedelta(hours=3)),
        ],
        pending_approvals=["update-2 to customers"],
    )
    found = sections(brief.write(story.state, more, story.now))
    assert found["State"][0] == "- AWS key is public (EXERCISE)"
    assert found["Open hypotheses"] == ["- claim-2: backup user was created by the actor"]
    assert found["Disproved hypotheses"] == ["- claim-1: the key was in an image"]
    assert found["Last customer update"] == ["- sent 2026-11-23T06:27:00.000Z (30 min ago): We are looking into it."]
    assert found["Running clocks"][0] == "- First 15 minutes: due 2026-11-23T03:57:00.000Z, OVERDUE"
    assert found["Pending approvals"] == [
        "- lowering the severity to SEV-3, proposed by asmith",
        "- update-2 to customers",
    ]
    assert any(line.startswith("- Nobody has said") and line.endswith("(for 3 h 50 min)") for line in found["Missing"])
