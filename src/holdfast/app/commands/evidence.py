"""Evidence: adding it, custody, re-verification, legal holds and erasure orders (R4, F5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Protocol

from pydantic import Field, StringConstraints

from holdfast.app.commanding import (
    AccountName,
    Context,
    FreeText,
    IncidentCommand,
    Instant,
    Key,
    Line,
    Prose,
    Sha256,
    numbered,
    use_case,
)
from holdfast.app.exposure_results import SOURCE as EXPOSURE
from holdfast.app.investigation_results import SOURCE as INVESTIGATION
from holdfast.evidence import custody, erasure, manifests
from holdfast.evidence.events import Kind, Outcome, Shortfall
from holdfast.evidence.state import Item
from holdfast.kernel.errors import BadInputError, TooLargeError
from holdfast.kernel.texts import Sealed

EvidenceName = Annotated[str, numbered("ev")]
HoldName = Annotated[str, numbered("hold")]
ErasureName = Annotated[str, numbered("erasure")]
RawName = Annotated[str, FreeText(multiline=True), StringConstraints(min_length=1, max_length=20_000)]
"""A file name or path as it was, hostile ones too: sealed as it is, shown only cleaned."""
MediaType = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,80}$")]
Program = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9._-]{0,39}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+_-]{0,39}$")]
TextName = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,64}$")]

MAX_MANIFEST = 64 << 20
"""Bytes of a capture manifest: about 250,000 files."""
MAX_SIZE = 2**53 - 1
MAX_OFFSET_MS = 10 * 365 * 86_400_000
"""A clock further off than ten years is a broken field, not a clock."""


class EvidenceContext(Context, Protocol):
    """What these handlers need besides: both are answered from what this incident holds."""

    def manifest(self, sha256: str) -> Mapping[str, Any]:
        """The uploaded capture manifest, through ``manifests.parse``; refuses what is none."""
        ...

    def is_own_result(self, sha256: str) -> bool:
        """Whether these bytes are the result of a run of our own that is being kept just now."""
        ...

    def sealed_text(self, text_id: str) -> Sealed:
        """The reference to a sealed text of this incident; refuses an id its record does not hold."""
        ...


class AddEvidence(IncidentCommand):
    """Add uploaded bytes as an item of evidence; you become its custodian."""

    sha256: Sha256 = Field(description="digest the upload answered with")
    size: int = Field(ge=0, le=MAX_SIZE, description="bytes, as uploaded")
    kind: Kind = Field(description="log, screenshot, ticket, command_history, file, folder_manifest, export or other")
    name: RawName = Field(description="original file name, as it was")
    origin: RawName | None = Field(default=None, description="where it came from: host and path, or the query asked")
    media_type: MediaType = Field(default="application/octet-stream", description="what it seems to be")
    source: Key | None = Field(default=None, description="volatile source it came from (F5), such as cloud_audit")
    started: Instant | None = Field(default=None, description="when collecting began, by the collector's clock")
    ended: Instant | None = Field(default=None, description="when collecting ended, by the collector's clock")
    collector: Program = Field(default="holdfast", description="program that collected it")
    collector_version: Version = Field(default="0", description="its version")
    clock_offset_ms: int | None = Field(
        default=None,
        ge=-MAX_OFFSET_MS,
        le=MAX_OFFSET_MS,
        description="collector's clock minus the server's, in milliseconds",
    )
    manifest: Sha256 | None = Field(default=None, description="digest of the uploaded capture manifest")
    shortfalls: list[Shortfall] = Field(default=[], max_length=10, description="why the capture is incomplete")


class ViewEvidence(IncidentCommand):
    """Record that you look at an item of evidence."""

    evidence_id: EvidenceName = Field(description="item, such as ev-3")
    purpose: Line | None = Field(default=None, description="what you look for")


class TransferEvidence(IncidentCommand):
    """Offer an item to another custodian; it stays where it is until they accept."""

    evidence_id: EvidenceName = Field(description="item, such as ev-3")
    to: AccountName = Field(description="who is to hold it")
    reason: Prose | None = Field(default=None, description="why; owed when you are not its custodian")


class AcceptEvidence(IncidentCommand):
    """Take over an item that is offered to you."""

    evidence_id: EvidenceName = Field(description="item, such as ev-3")


class RefuseEvidence(IncidentCommand):
    """Turn down an item that is offered to you, or withdraw your offer."""

    evidence_id: EvidenceName = Field(description="item, such as ev-3")
    reason: Prose = Field(description="why")


class ReverifyEvidence(IncidentCommand):
    """Hash an item's stored bytes again and record whether they still match."""

    evidence_id: EvidenceName = Field(description="item, such as ev-3")


class ExportEvidence(IncidentCommand):
    """Record that items leave Holdfast, to whom and why."""

    evidence: list[EvidenceName] = Field(min_length=1, max_length=10_000, description="items, such as ev-3")
    recipient: Line = Field(description="who receives them")
    purpose: Prose = Field(description="why they leave")


class PlaceHold(IncidentCommand):
    """Place a legal hold: nothing it covers can be erased while it stands."""

    evidence: list[EvidenceName] = Field(
        default=[], max_length=10_000, description="items to hold; none holds the whole incident, words included"
    )
    reason: Prose = Field(description="what the hold is for")


class ReleaseHold(IncidentCommand):
    """Release a legal hold."""

    hold_id: HoldName = Field(description="hold, such as hold-1")
    reason: Prose = Field(description="why it is no longer needed")


class RequestErasure(IncidentCommand):
    """Ask for an item of evidence, or somebody's words, to be erased for good; a second person decides."""

    target: TextName = Field(description="item (ev-3) or id of the sealed text")
    reason: Prose = Field(description="why it must go")
    legal_basis: Line = Field(description="law, order or policy that demands it")


class ApproveErasure(IncidentCommand):
    """Approve an erasure somebody else asked for: bytes and keys are destroyed, digest and tombstone stay."""

    erasure_id: ErasureName = Field(description="order, such as erasure-1")


class DeclineErasure(IncidentCommand):
    """Decline an erasure, or withdraw the one you asked for."""

    erasure_id: ErasureName = Field(description="order, such as erasure-1")
    reason: Prose = Field(description="why not")


@use_case("evidence add", act="evidence.add", runbook=("R4", "F5"), positional=("sha256",))
def add(command: AddEvidence, ctx: EvidenceContext) -> Mapping[str, Any]:
    """Check that the bytes are there, then record the item."""
    if command.source in (INVESTIGATION, EXPOSURE) and not ctx.is_own_result(command.sha256):
        raise BadInputError(
            "source-reserved",
            "The evidence was not added.",
            why=f"The source {command.source!r} is for what Holdfast's own runs find, so that nobody can forge one.",
            next_step="Name another source, or none; run one with: holdfast investigate --incident INC   "
            "or: holdfast exposure search --incident INC TARGET",
        )
    _check_size(command.sha256, command.size, ctx)
    besides, shortfalls = _contents(command, ctx)
    found = custody.Collected(
        kind=command.kind,
        name=ctx.seal(command.name),
        origin=ctx.seal_or_none(command.origin),
        sha256=command.sha256,
        size=command.size,
        media_type=command.media_type,
        source=command.source,
        collector=command.collector,
        collector_version=command.collector_version,
        started=command.started,
        ended=command.ended,
        clock_offset_ms=command.clock_offset_ms,
        manifest=command.manifest,
        contents=len(besides),
        contents_size=sum(member.size for member in besides),
        shortfalls=(*command.shortfalls, *shortfalls),
    )
    events = custody.collect(ctx.state.evidence, found, ctx.me, ctx.now)
    ctx.emit_all(events)
    return {"evidence_id": events[0].data["evidence_id"]}


@use_case("evidence view", act="evidence.view", runbook=("R4",), positional=("evidence_id",))
def view(command: ViewEvidence, ctx: Context) -> None:
    """Record it; the surface then serves the bytes."""
    ctx.emit_all(custody.view(ctx.state.evidence, command.evidence_id, ctx.seal_or_none(command.purpose)))


@use_case(
    "evidence transfer",
    act="evidence.transfer",
    facet="custody:{evidence_id}",
    runbook=("R4",),
    positional=("evidence_id",),
)
def transfer(command: TransferEvidence, ctx: Context) -> None:
    """First of two steps."""
    custody.kept(ctx.state.evidence, command.evidence_id)
    to = ctx.person(command.to)
    reason = ctx.seal_or_none(command.reason)
    ctx.emit_all(custody.propose_transfer(ctx.state.evidence, command.evidence_id, to, ctx.me, reason))


@use_case(
    "evidence accept",
    act="evidence.accept",
    facet="custody:{evidence_id}",
    runbook=("R4",),
    positional=("evidence_id",),
)
def accept(command: AcceptEvidence, ctx: Context) -> None:
    """Second step: custody changes now."""
    ctx.emit_all(custody.accept_transfer(ctx.state.evidence, command.evidence_id, ctx.me))


@use_case(
    "evidence refuse",
    act="evidence.refuse",
    facet="custody:{evidence_id}",
    runbook=("R4",),
    positional=("evidence_id",),
)
def refuse(command: RefuseEvidence, ctx: Context) -> None:
    """Second step: custody stays."""
    reason = ctx.seal(command.reason)
    ctx.emit_all(custody.refuse_transfer(ctx.state.evidence, command.evidence_id, ctx.me, reason))


@use_case("evidence reverify", act="evidence.reverify", runbook=("R4",), positional=("evidence_id",))
def reverify(command: ReverifyEvidence, ctx: EvidenceContext) -> Mapping[str, Any]:
    """Hash every object of the item again."""
    item = custody.kept(ctx.state.evidence, command.evidence_id)
    events = custody.reverify(ctx.state.evidence, item.id, list(_outcomes(item, ctx)))
    ctx.emit_all(events)
    data = events[0].data
    return {"faults": data["faults"], "objects": data["objects"], "outcome": data["outcome"]}


@use_case("evidence export", act="evidence.export", runbook=("R4",), positional=("evidence",))
def export(command: ExportEvidence, ctx: Context) -> None:
    """Record it."""
    recipient, purpose = ctx.seal(command.recipient), ctx.seal(command.purpose)
    ctx.emit_all(custody.export(ctx.state.evidence, command.evidence, recipient, purpose))


@use_case("hold place", act="hold.place", facet="hold", runbook=("R4", "R5"))
def place_hold(command: PlaceHold, ctx: Context) -> Mapping[str, Any]:
    """Place it."""
    events = erasure.place_hold(ctx.state.evidence, command.evidence, ctx.seal(command.reason))
    ctx.emit_all(events)
    return {"hold_id": events[0].data["hold_id"]}


@use_case("hold release", act="hold.release", facet="hold", runbook=("R4", "R5"), positional=("hold_id",))
def release_hold(command: ReleaseHold, ctx: Context) -> None:
    """Release it."""
    ctx.emit_all(erasure.release_hold(ctx.state.evidence, command.hold_id, ctx.seal(command.reason)))


@use_case("erasure request", act="erasure.request", runbook=("R4", "R5"), positional=("target",))
def request_erasure(command: RequestErasure, ctx: EvidenceContext) -> Mapping[str, Any]:
    """Ask for it."""
    reason, basis = ctx.seal(command.reason), ctx.seal(command.legal_basis)
    state = ctx.state.evidence
    if command.target.startswith("ev-"):
        events = erasure.request_evidence(state, command.target, reason, basis)
    else:
        events = erasure.request_text(state, ctx.sealed_text(command.target), reason, basis)
    ctx.emit_all(events)
    return {"erasure_id": events[0].data["erasure_id"]}


@use_case(
    "erasure approve",
    act="erasure.approve",
    facet="erasure:{erasure_id}",
    runbook=("R4", "R5"),
    positional=("erasure_id",),
)
def approve_erasure(command: ApproveErasure, ctx: Context) -> Mapping[str, Any]:
    """Approve it; the bytes and keys are destroyed once the events are durable."""
    events = erasure.approve(ctx.state.evidence, command.erasure_id, ctx.me)
    ctx.emit_all(events)
    return {
        "erased_evidence": [event.data["evidence_id"] for event in events if event.type == "evidence.erased"],
        "erased_texts": [event.data["text_id"] for event in events if event.type == "text.erased"],
    }


@use_case(
    "erasure decline",
    act="erasure.decline",
    facet="erasure:{erasure_id}",
    runbook=("R4", "R5"),
    positional=("erasure_id",),
)
def decline_erasure(command: DeclineErasure, ctx: Context) -> None:
    """Decline it."""
    ctx.emit_all(erasure.decline(ctx.state.evidence, command.erasure_id, ctx.seal(command.reason)))


def _contents(command: AddEvidence, ctx: EvidenceContext) -> tuple[tuple[manifests.Member, ...], tuple[Shortfall, ...]]:
    """What the manifest names besides the item itself, all of it uploaded, and why the capture is incomplete."""
    if command.manifest is None:
        return (), ()
    if ctx.uploaded(command.manifest) > MAX_MANIFEST:
        raise TooLargeError(
            "manifest-too-large",
            "The evidence was not added.",
            why=f"Its capture manifest is larger than {MAX_MANIFEST} bytes.",
            next_step="Capture the folder in parts.",
        )
    document = ctx.manifest(command.manifest)
    named = manifests.members(document)
    if command.sha256 != command.manifest and command.sha256 not in {member.sha256 for member in named}:
        raise BadInputError(
            "manifest-of-another",
            "The evidence was not added.",
            why="Its capture manifest does not speak of these bytes.",
            next_step="Send the manifest that was made with the capture.",
        )
    besides = tuple(member for member in named if member.sha256 != command.sha256)
    for member in besides:
        _check_size(member.sha256, member.size, ctx)
    return besides, manifests.shortfalls(document)


def _check_size(sha256: str, size: int, ctx: Context) -> None:
    uploaded = ctx.uploaded(sha256)
    if uploaded != size:
        raise BadInputError(
            "object-size-differs",
            "The evidence was not added.",
            why=f"The object {sha256[:12]}… has {uploaded} bytes, and {size} were announced.",
            next_step="Capture it again.",
        )


def _outcomes(item: Item, ctx: EvidenceContext) -> Iterator[Outcome]:
    """How the item's bytes, its manifest and what that names are found; a broken manifest names nothing."""
    yield ctx.verify_object(item.sha256)
    if item.manifest is None:
        return
    manifest = ctx.verify_object(item.manifest)
    if item.manifest != item.sha256:
        yield manifest
    if manifest == "matches":
        named = manifests.objects(item.sha256, item.manifest, ctx.manifest(item.manifest))
        yield from (ctx.verify_object(digest) for digest in named if digest not in (item.sha256, item.manifest))
