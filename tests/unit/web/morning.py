"""The same incident two days on: questions answered, a play half done, updates sent, gates proven, a review begun."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path

from tests.unit.web.night import Night, begun

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> & \"quoted\" 'words'"
PARTS = {"I1": ("deployments", "infrastructure", "access_grants")}
ACTION = "You need to do nothing now; rotate the API keys of your account if you want to be sure."


def quick(night: Night) -> Night:
    """The same night, with one browser a person: building the site is most of what a page costs in a test."""
    night.client = cache(night.client)  # type: ignore[method-assign]  # for this one night
    return night


def investigated(folder: Path) -> Night:
    """The night with I1 answered but for one part, rival hypotheses weighed, and one told to customers."""
    night = quick(begun(folder))
    do = night.do
    do("mara.lind", "role-assign", role="communications_lead", account="noor.haddad")
    for part in PARTS["I1"]:
        do("idris.okoro", "question-settle", question="I1", part=part, cites=["ev-1"])
    unread = "The vendor answers tomorrow."
    do("idris.okoro", "question-settle", question="I1", part="vendor_changes", standing="unreachable", reason=unread)
    answer = "One deployment on Friday put the key into the repository; see ev-1."
    do("idris.okoro", "question-answer", question="I1", answer=answer, cites=["ev-1", "#3"])
    do("idris.okoro", "question-assign", question="I2", owner="noor.haddad")
    do("idris.okoro", "claim-state", kind="cause", text="A laptop of a developer was taken over.")
    do("idris.okoro", "claim-state", kind="impact", text="Data of no customer was read.")
    do("idris.okoro", "claim-mark", claim="claim-2", cite="ev-1", consistency="consistent")
    do("idris.okoro", "claim-mark", claim="claim-3", cite="ev-1", consistency="inconsistent", note="Other network")
    do("idris.okoro", "claim-mark", claim="claim-4", cite="ev-1", consistency="inconsistent")
    for claim in ("claim-2", "claim-3", "claim-4"):
        do("idris.okoro", "claim-mark", claim=claim, cite="ev-2", consistency="neutral")
    do("mara.lind", "claim-disprove", claim="claim-4", cites=["ev-1"], reason="312 objects were read.")
    return night


def told(folder: Path) -> Night:
    """Responders were told; a text for customers waits for its second approval."""
    night = investigated(folder)
    do = night.do
    soon = night.now + timedelta(minutes=30)
    do("noor.haddad", "update-draft", audience="responders", next_update_at=soon)
    hash_ = night.app.incident(night.incident, night.who("mara.lind")).communications.updates["update-1"].text_hash
    do("mara.lind", "update-approve", update="update-1", text_hash=hash_)
    do("mara.lind", "update-send", update="update-1", where="the room and the bridge call")
    do(
        "noor.haddad", "update-draft", audience="customers", next_update_at=soon, claims=["claim-1"],
        happened="An access key of our payments service was public for some time.",
        affected="312 objects of one bucket were read between 02:51 and 03:05 UTC.", action=ACTION,
    )  # fmt: skip
    do(
        "noor.haddad",
        "update-draft",
        audience="executives",
        next_update_at=soon,
        text="All is fine, nobody was hacked.",
    )
    return night


def recovering(folder: Path) -> Night:
    """Contained and recovering: some gates proven, one waived, the review begun."""
    night = told(folder)
    do = night.do
    night.later(hours=40)
    do("mara.lind", "status-set", status="contained", reason="The key is refused everywhere.")
    do("mara.lind", "status-set", status="recovering", reason="Workloads run with the new key.")
    do("idris.okoro", "cause-identify", statement="A key written into a configuration file.", cites=["ev-2"])
    do("idris.okoro", "path-close", statement="The key is deleted.", cites=["ev-1"])
    do("idris.okoro", "path-verify", statement="The old key was refused at 03:19:22.", cites=["ev-1"])
    do("idris.okoro", "closure-prove", gate="X1", statement="See the commit.", cites=["ev-2"])
    do("idris.okoro", "closure-prove", gate="X2", statement="Refused by the cloud.", cites=["ev-1"])
    do("idris.okoro", "credential-list", name="AWS key of payments")
    do("idris.okoro", "credential-list", name="AWS key of the user backup")
    do("idris.okoro", "credential-settle", credential="credential-1", outcome="revoked", cites=["ev-1"])
    do("idris.okoro", "revalidate-settle", part="artifacts", cites=["ev-2"])
    do("tomas.vega", "closure-waive", gate="X5", reason="The new detection comes with the platform next month.")
    do("tomas.vega", "escalation-decide", escalation="legal", decision="no", reason="No personal data was read.")
    due = night.now + timedelta(hours=20)
    do("tomas.vega", "escalation-decide", escalation="regulatory", decision="yes", to="The authority", due_at=due)
    do("mara.lind", "action-assign", text="Scan every push for keys", owner="idris.okoro", due="2026-12-11")
    do("mara.lind", "review-start")
    do("noor.haddad", "review-answer", prompt="V1", text="The code host saw it first.", cites=["#0"])
    do("noor.haddad", "default-propose", text="Secret scanning is on for every repository", owner="idris.okoro")
    do("idris.okoro", "moment-assert", moment="first_malicious_act", at=night.now - timedelta(hours=41))
    return night
