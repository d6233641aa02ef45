"""A leak as a search would tell it: repositories, an image, a chat, a log; made up, with no secret in it."""

from __future__ import annotations

from holdfast.exposure.report import Named, Report, Searched
from holdfast.exposure.results import Fault, Hit, Provenance, Totals, Touch

MARK = "5f0c1a9be2d47386"
REPOSITORY = "acme/payments.git"


def oid(number: int) -> str:
    return f"{number:040x}"


def touch(number: int, made: str, pushed: str | None = None) -> Touch:
    who = "Ben Ortiz <ben@acme.example>"
    return Touch(oid(number), who, made, who, made, pushed, "ben" if pushed else None)


def in_git(number: int, path: str, first: Touch | None, **more: object) -> Hit:
    """A hit in a file of the repository; ``more`` is of the provenance, or of the hit."""
    of_hit: dict[str, object] = {
        name: more.pop(name) for name in ("form", "cls", "kind", "visibility", "target") if name in more
    }
    known: dict[str, object] = {"paths": (path,), "paths_total": 1, "first": first, "reach": "reachable", **more}
    fields: dict[str, object] = {"target": REPOSITORY, "kind": "blob", "form": "raw", "cls": "exact", **of_hit}
    return Hit(
        **fields,  # type: ignore[arg-type]
        object=oid(number + 1000),
        path=path,
        line=7,
        start=120,
        end=160,
        provenance=Provenance(**known),  # type: ignore[arg-type]
    )


HEAD = in_git(
    1, "config/settings.py", touch(1, "2026-11-02T13:58:00Z", "2026-11-02T14:03:00Z"), visibility="public",
    heads=("refs/heads/main", "refs/heads/release"), heads_total=2, refs=("refs/heads/main",), refs_total=5,
    at_head=True,
)  # fmt: skip
OLD = in_git(
    2, "deploy/values.yaml", touch(2, "2026-11-04T09:12:00+01:00"), visibility="public", form="base64", cls="encoded",
    last=touch(3, "2026-11-09T16:40:00Z"), refs=("refs/heads/main",), refs_total=5,
)  # fmt: skip
LOST = in_git(4, "notes.txt", touch(4, "2026-11-05T08:00:00Z"), visibility="public", reach="unreachable")
INTERNAL = in_git(
    5, "jobs/sync.sh", touch(5, "2026-11-06T10:00:00Z"), target="acme/tools.git", visibility="internal",
    heads=("refs/heads/main",), heads_total=1, refs_total=1,
)  # fmt: skip
LAYER = Hit(
    "registry.acme.example/payments", "layer", "raw", "exact", path="app/settings.py", inner=("app/settings.py",),
    visibility="internal", artifact="payments:1.4.2", digest="sha256:" + "ab" * 32,
    about=(("created", "2026-11-10T07:30:00Z"),),
)  # fmt: skip
MESSAGE = Hit(
    "chat-export.zip", "message", "json", "encoded", inner=("general/2026-11-11.json",), visibility="internal",
    about=(("channel", "#deploys"), ("author", "cem"), ("sent", "2026-11-11T18:22:00Z")),
)  # fmt: skip
LOG = Hit("ci-logs", "file", "url", "encoded", path="run-4711/attempt-1.log", line=88, visibility="unknown")
PIECE = Hit("chat-export.zip", "message", "raw", "partial", inner=("random/2026-11-12.json",), visibility="internal")
FAULT = Fault("chat-export.zip", "dm/2026-11-12.json", "truncated")

TARGETS = (
    Searched(REPOSITORY, "git", "source_control", "public"),
    Searched("acme/tools.git", "git", "source_control", "internal"),
    Searched("registry.acme.example/payments", "image", "artifact_registries", "internal"),
    Searched("chat-export.zip", "chat", "chat", "internal", complete=False),
    Searched("ci-logs"),
)
REPORT = Report(
    hits=(HEAD, OLD, LOST, INTERNAL, LAYER, MESSAGE, LOG, PIECE),
    faults=(FAULT,),
    targets=TARGETS,
    secrets=(Named(0, MARK, "AWS key of payments"),),
    totals=Totals(
        objects=120_000, files=340, bytes_read=8_000_000, bytes_inflated=90_000_000, bytes_matched=70_000_000
    ),
    complete=False,
    seconds=4.2,
    engine="fast",
    searched_forms=("raw", "base64", "url"),
    not_searched=(),
)


def many(count: int) -> Report:
    """As many places in forty repositories."""
    days = [f"2026-{1 + number % 11:02d}-{1 + number % 28:02d}T10:00:00Z" for number in range(count)]
    hits = tuple(
        in_git(
            number, f"src/file{number}.py", touch(number, day), target=f"acme/repo{number % 40}.git",
            visibility="internal",
        )
        for number, day in enumerate(days)
    )  # fmt: skip
    targets = tuple(
        Searched(name, "git", "source_control", "internal") for name in dict.fromkeys(hit.target for hit in hits)
    )
    return Report(hits, (), targets, (Named(0, MARK),))
