"""Adds every page to the application: the page modules' routers, the static files, the page of an error."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from holdfast.web import assets, pages, rendering
from holdfast.web.pages.errors import error_page

TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
        ".txt": "text/plain; charset=utf-8",
    }
)
"""Said by us, because the machine's own table may call a script plain text, which browsers then refuse."""


class Cached(StaticFiles):
    """Our own files under an address that names their content, so that browsers may keep them for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or the usual refusal."""
        response = await super().get_response(path, scope)
        ending = "." + path.rpartition(".")[2]
        if ending in TYPES:
            response.headers["content-type"] = TYPES[ending]
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def routers() -> Iterator[APIRouter]:
    """The router of every page module that has one, by name."""
    for found in sorted(pkgutil.iter_modules(pages.__path__), key=lambda module: module.name):
        module = importlib.import_module(f"{pages.__name__}.{found.name}")
        make = getattr(module, "router", None)
        if make is not None:
            yield make()


def add_to(app: FastAPI) -> None:
    """Add the pages."""
    app.state.error_page = error_page
    address = rendering.static_address()
    app.mount(address, Cached(directory=assets.STATIC), name="static")
    for router in routers():
        app.include_router(router, include_in_schema=False)
