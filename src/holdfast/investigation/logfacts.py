"""What is known of each log beforehand: what it records by default, how long it is kept, how to get what is missing.

Read from ``library/retention.toml``, where every number has its source. A log that is not there is judged by what it
told; nothing is assumed of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from holdfast.kernel.documents import Table, fault

RECORDED = ("always", "optional")


@dataclass(frozen=True, slots=True)
class Stream:
    """Event classes that are recorded and delivered together."""

    classes: tuple[str, ...]
    """The first one leads: it stands for the others where they told nothing."""
    optional: bool = False
    """Whether somebody has to switch it on."""
    retention_days: int | None = None
    """How long the provider keeps it; none when it is kept as long as its owner wants."""
    enable: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one log."""

    source: str
    title: str
    export: str
    """How to get it again; ``{account}`` and ``{region}`` are filled in."""
    proof: str
    """How to get what proves it complete; empty when nothing does."""
    streams: tuple[Stream, ...]

    def stream(self, event_class: str) -> Stream:
        """The stream of a class; a class that is not known is a stream of its own."""
        return next((found for found in self.streams if event_class in found.classes), Stream((event_class,)))


def parse(document: Mapping[str, Any]) -> Mapping[str, Facts]:
    """Facts by source.

    Raises:
        BadInputError: the document is not valid.
    """
    table = Table(document, "")
    table.text("format", "log-facts")
    table.positive("version")
    found = [_facts(one) for one in table.tables("sources")]
    table.finish()
    return {facts.source: facts for facts in found}


@cache
def known() -> Mapping[str, Facts]:
    """The shipped facts."""
    file = files("holdfast.investigation").joinpath("library/retention.toml")
    return parse(tomllib.loads(file.read_text(encoding="utf-8")))


def facts_of(source: str) -> Facts:
    """What is known of a source; for one that is not listed, only that it can be exported again."""
    found = known().get(source)
    return found or Facts(source, source, f"export {source} again for the missing hours", "", ())


def retention_days(source: str, event_class: str, readers: Iterable[str]) -> int | None:
    """How long the provider keeps this class, by the way it was exported; none when there is no limit or none known.

    Args:
        source: the log.
        event_class: the class of events.
        readers: keys of the readers that read it. A limit of one way to export (``source+way``) counts only when every
            input came that way.
    """
    ways = set(readers)
    if ways and all(way != source and way in known() for way in ways):
        limits = [known()[way].stream(event_class).retention_days for way in ways]
        return None if None in limits else max(limit for limit in limits if limit is not None)
    return facts_of(source).stream(event_class).retention_days


def _facts(table: Table) -> Facts:
    facts = Facts(
        source=table.text("source"),
        title=table.text("title"),
        export=table.text("export"),
        proof=table.text_or("proof", ""),
        streams=tuple(_stream(one) for one in table.tables("streams")),
    )
    table.text("reference", r"https://\S+")
    table.finish()
    return facts


def _stream(table: Table) -> Stream:
    recorded = table.text("recorded")
    if recorded not in RECORDED:
        raise fault(table.at("recorded"), f"{recorded!r} is not one of {', '.join(RECORDED)}")
    days = table.mapping("kept").get("days")
    if days is not None and (not isinstance(days, int) or days < 1):
        raise fault(table.at("kept.days"), "it is not a whole number from 1 up")
    stream = Stream(table.texts("classes"), recorded == "optional", days, table.text("enable"))
    table.finish()
    return stream
