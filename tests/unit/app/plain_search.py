"""A searcher for tests of what lies around one: it reads files as they are and confirms by the query, nothing more."""

from __future__ import annotations

import time
from pathlib import Path

from holdfast.app.exposing import Means
from holdfast.app.ports_exposure import Listener, Target
from holdfast.exposure.matching import matcher
from holdfast.exposure.query import Query
from holdfast.exposure.results import Fault, Hit, Totals

BROKEN = "broken"
"""A file of this name cannot be looked into."""


class PlainSearcher:
    """Files and folders."""

    def search(self, target: Target, query: Query, listener: Listener) -> Totals:
        where = Path(target.where)
        files = sorted(one for one in where.rglob("*") if one.is_file()) if where.is_dir() else [where]
        totals = Totals()
        for number, file in enumerate(files):
            name = str(file.relative_to(where)) if where.is_dir() else file.name
            listener.progress(number, len(files), str(file))
            if file.name == BROKEN:
                listener.fault(Fault(target.shown, name, "truncated"))
                continue
            data = file.read_bytes()
            for match in query.confirm(data, matcher(query.anchors, plain=True).find(data)):
                listener.hit(
                    Hit(
                        target.shown, "file", match.form, match.cls, match.secret, path=name, start=match.start,
                        end=match.end, line=data.count(b"\n", 0, match.start) + 1,
                    )
                )  # fmt: skip
            totals += Totals(files=1, bytes_read=len(data), bytes_inflated=len(data), bytes_matched=len(data))
        return totals


def plain_means() -> Means:
    """What a search with it is made with."""
    return Means(lambda _target: PlainSearcher(), lambda: "plain", time.monotonic, time.process_time)
