"""Tells live readers inside this process that something was committed. A hint only: the record is the truth."""

from __future__ import annotations

import threading
from collections.abc import Callable

Listener = Callable[[str, int], None]


class Bus:
    """Publish and subscribe by callable; listeners must be quick and never raise."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener(stream_id, seq)`` after each commit; returns what unsubscribes."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return unsubscribe

    def publish(self, stream_id: str, seq: int) -> None:
        """Tell every listener."""
        for listener in self._listeners:
            listener(stream_id, seq)
