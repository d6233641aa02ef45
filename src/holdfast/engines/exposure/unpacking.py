"""Bytes that may be containers of containers: searched as they are, and searched as what they hold.

Rules:
1. Every container's own bytes are matched, too: comments, extra fields, gaps and what was put after its end.
2. Whatever is not opened or cannot be read on is a fault with its reason; everything before it is searched.
3. Nothing is written to disk. What has to be read from its end is held in memory, up to a limit.
4. A tar is matched as one stream; its members are walked to name a match and to find containers among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from holdfast.engines.exposure.limits import Limits, StoppedError
from holdfast.engines.exposure.opening import Encoded
from holdfast.engines.exposure.running import Run, Where, Wishes
from holdfast.engines.exposure.stream import GATES, Stream, make
from holdfast.engines.exposure.streams import PIECE, Sought, pieces
from holdfast.exposure import containers, encoded, matching
from holdfast.exposure.matching import Matcher
from holdfast.exposure.query import Query
from holdfast.exposure.unpacked import Found
from holdfast.exposure.zips import Held, Reader

__all__ = ["Wishes", "is_container", "search_bytes", "search_encoded", "search_reader", "search_stream"]

is_container = containers.container
"""Name of the container that the first 512 bytes begin; see :func:`holdfast.exposure.containers.container`."""
NO_WISHES = Wishes()


def search_bytes(
    data: bytes | bytearray | memoryview, query: Query, matcher: Matcher, limits: Limits, wishes: Wishes = NO_WISHES
) -> Found:
    """Search bytes in memory. Never raises for what they hold.

    Args:
        data: all of them.
        query: what for.
        matcher: of the query's anchors.
        limits: what it may cost.
        wishes: what else is to be told.
    """
    return search_reader(Held(data), query, matcher, limits, wishes)


def search_reader(reader: Reader, query: Query, matcher: Matcher, limits: Limits, wishes: Wishes = NO_WISHES) -> Found:
    """Search bytes that can be read at any place, such as a file's; a zip among them is never held in memory."""
    run = _run(query, matcher, limits, wishes)
    outermost = Stream(run, Where(), matched=True, reader=reader)
    at = 0

    def feed() -> None:
        nonlocal at
        while piece := reader.read(at, PIECE):
            at += len(piece)
            run.read_from = at
            outermost.feed(piece)
            if not piece[-1] and (after := reader.after_hole(at)) > at:
                outermost.skip(after - at)
                at = after
        outermost.close()

    return _searched(run, feed)


def search_stream(
    chunks: Iterable[bytes], query: Query, matcher: Matcher, limits: Limits, wishes: Wishes = NO_WISHES
) -> Found:
    """Search bytes that come once. What the iterable itself raises is the caller's."""
    run = _run(query, matcher, limits, wishes)
    outermost = run.stream(Where())

    def feed() -> None:
        for piece in pieces(chunks):
            run.read_from += len(piece)
            outermost.feed(piece)
        outermost.close()

    return _searched(run, feed)


def search_encoded(data: bytes, query: Query, matcher: Matcher, limits: Limits) -> Found:
    """Search the archives that a text holds in base64, and nothing else of it.

    For whoever matches texts by other means: :data:`holdfast.exposure.encoded.LITERALS` tell when to ask.
    """
    run = _run(query, matcher, limits, NO_WISHES)
    run.read_from = len(data)
    passed = 0
    try:
        for number, end in run.gates.matcher.find(data):
            start = end - len(GATES[number])
            if start < passed or number >= len(encoded.LITERALS):
                continue
            one = Encoded(run, Where((f"(base64 at {start})",), "base64", 1))
            one.feed(data[start:])
            if one.took:
                passed = start + one.took
            one.close()
    except StoppedError as stop:
        _stop(run, stop)
    return run.found


def _run(query: Query, matcher: Matcher, limits: Limits, wishes: Wishes) -> Run:
    return Run(query, Sought(matcher), _gates(matcher.plain), limits, make, wishes)


def _searched(run: Run, feed: Callable[[], None]) -> Found:
    try:
        feed()
    except StoppedError as stop:
        _stop(run, stop)
    run.found.read = run.read_from
    return run.found


def _stop(run: Run, stop: StoppedError) -> None:
    """Match what has already passed, innermost first, and tell why there is no more."""
    run.stopped = True
    for window in run.windows[::-1]:
        window.flush()
    run.found.faults.append(((), str(stop)))


@cache
def _gates(plain: bool) -> Sought:  # noqa: FBT001 - a key of the cache
    return Sought(matching.matcher(GATES, plain=plain))
