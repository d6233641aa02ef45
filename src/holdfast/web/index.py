"""Finds the route of a request by its shape, where the router would try some two hundred in turn.

Placed first among the routes. What it does not find is left to the routes after it, so that refusals
(no such path, wrong method) stay the framework's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

Shape = tuple[str, int, str]
_FOUND = "holdfast.route"


class Index(BaseRoute):
    """Routes by method, number of segments and last segment (``*`` where that is a parameter)."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        """Index every plain route there is."""
        self._routes: dict[Shape, list[Route]] = defaultdict(list)
        for route in routes:
            if isinstance(route, Route):
                last = route.path.rpartition("/")[2]
                for method in route.methods or ():
                    self._routes[method, route.path.count("/"), "*" if "{" in last else last].append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The first route of that shape that matches in full."""
        if scope["type"] != "http":
            return Match.NONE, {}
        path: str = scope["path"]
        for last in (path.rpartition("/")[2], "*"):
            for route in self._routes.get((scope["method"], path.count("/"), last), ()):
                match, child = route.matches(scope)
                if match == Match.FULL:
                    child[_FOUND] = route
                    return match, child
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the route found."""
        await scope[_FOUND].handle(scope, receive, send)
