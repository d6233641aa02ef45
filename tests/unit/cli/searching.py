"""``holdfast exposure`` as somebody types it, with what is found scripted."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

import typer
from click.testing import Result
from typer.testing import CliRunner

from holdfast.app.ports_exposure import Listener, Target
from holdfast.cli import exposure
from holdfast.exposure.query import Query
from holdfast.exposure.results import Fault, Hit, Provenance, Totals, Touch

VALUE = secrets.token_hex(20)
THEN = "2026-01-02T03:04:05Z"
TOUCH = Touch("cd" * 20, "Ann Lee <ann@example.org>", THEN, "Ann Lee <ann@example.org>", THEN, "2026-01-03T00:00:00Z")
STORY = Provenance(
    paths=("deploy/prod.env", "old/prod.env"),
    paths_total=2,
    first=TOUCH,
    heads=("HEAD", "refs/heads/main", "refs/heads/next"),
    heads_total=5,
    reach="reachable",
    at_head=True,
)
Script = Callable[[Target, Query, Listener], Totals]


def place(target: Target, **more: Any) -> Hit:
    fields: dict[str, Any] = {"object": "ab" * 20, "path": "deploy/prod.env", "line": 3, "end": 40, **more}
    return Hit(
        target.shown, fields.pop("kind", "blob"), fields.pop("form", "raw"), fields.pop("cls", "exact"), **fields
    )


def one_hit(target: Target, query: Query, listener: Listener) -> Totals:
    listener.hit(place(target, provenance=STORY))
    return Totals(objects=12, bytes_read=1_000, bytes_inflated=5_000_000)


def nothing(target: Target, query: Query, listener: Listener) -> Totals:
    return Totals(files=1, bytes_inflated=10)


def unreadable(target: Target, query: Query, listener: Listener) -> Totals:
    listener.fault(Fault(target.shown, "pack-1", "truncated"))
    return Totals()


class Scripted:
    def __init__(self, script: Script) -> None:
        self.search = script


def typed(*words: str, said: str | bytes | None = f"{VALUE}\n") -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    group = typer.Typer()
    exposure.add_to(group)
    app.add_typer(group, name="exposure")
    ended = CliRunner().invoke(app, ["exposure", *words], input=said)
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert VALUE not in ended.output
    assert VALUE[:16] not in ended.output
    return ended


def lines(ended: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.stdout.splitlines()]


Use = Callable[[Script], None]
