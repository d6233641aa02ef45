"""Indexes of Python packages: every file of every version of a project.

By the simple repository interface, as JSON or as pages; devpi keeps it under ``+simple``.

Rules:
1. Files that were withdrawn are read as well: whoever has their address still gets them.
2. A file whose index tells no digest is searched, and its own digest is told.
"""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from holdfast.connectors.registries.fetching import Fetcher, NotFetchedError
from holdfast.connectors.registries.publishing import Artifact, Visit

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.5, text/html;q=0.3"
_FILE = re.compile(r"\.(?:whl|tar\.gz|zip|tar\.bz2|tar\.xz|tgz|egg|exe|msi|rpm|deb|tar\.Z|tar)$", re.IGNORECASE)
_VERSION = re.compile(r"-(\d[^-]*?)(?:-.*)?(?:\.whl|\.tar\.\w+|\.zip|\.tgz|\.egg)$")


def visit(visit: Visit, fetcher: Fetcher, path: str) -> None:
    """Search a project; or every project of an index, when the path ends with a slash."""
    index, _, project = path.rpartition("/")
    if project:
        _project(visit, fetcher, index, project)
        return
    for name in _projects(visit, fetcher, index):
        _project(visit, fetcher, index, name)


def _project(visit: Visit, fetcher: Fetcher, index: str, project: str) -> None:
    normal = re.sub(r"[-_.]+", "-", project).lower()
    reason = ""
    for root in _roots(index):
        where = f"{root}{normal}/"
        try:
            data, headers = fetcher.document(where, _ACCEPT)
        except NotFetchedError as error:
            reason = reason or str(error)
            continue
        artifacts = _files(data, headers.get("content-type", ""), fetcher.absolute(where), project)
        if artifacts:
            for artifact in artifacts:
                found = visit.fetched(fetcher, artifact, "package")
                visit.hear(found[1] if found is not None else [])
            visit.hear(visit.document(data, f"{project} (list of files)", "package"))
            return
    visit.fault(project, f"no files of it are listed{f': {reason}' if reason else ''}")


def _projects(visit: Visit, fetcher: Fetcher, index: str) -> list[str]:
    reason = ""
    for root in _roots(index):
        try:
            data, headers = fetcher.document(root, _ACCEPT)
        except NotFetchedError as error:
            reason = reason or str(error)
            continue
        if "json" in headers.get("content-type", ""):
            names = [one.get("name") for one in _parsed(data).get("projects", ()) if isinstance(one, dict)]
        else:
            links = [urlsplit(urljoin(fetcher.absolute(root), link)).path for link, _ in _links(data)]
            names = [path.rstrip("/").rpartition("/")[2] for path in links if path.endswith("/")]
        if names:
            return [unquote(name) for name in names if isinstance(name, str)]
    visit.fault(index, f"its projects are not listed{f': {reason}' if reason else ''}")
    return []


def _roots(index: str) -> tuple[str, ...]:
    """Where the interface may be below an address."""
    root = f"{index}/" if index else ""
    return (root,) if index.endswith("simple") else (f"{root}+simple/", f"{root}simple/", root)


def _files(data: bytes, kind: str, where: str, project: str) -> list[Artifact]:
    if "json" in kind:
        told = _parsed(data).get("files", ())
        files = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
        return [_of_json(one, where, project) for one in files if isinstance(one.get("url"), str)]
    return [_of_link(link, where, project) for link, _ in _links(data) if _FILE.search(urlsplit(link).path)]


def _of_json(one: dict[str, Any], where: str, project: str) -> Artifact:
    hashes = one.get("hashes")
    told = hashes.get("sha256") if isinstance(hashes, dict) else None
    address, fragment = urldefrag(urljoin(where, one["url"]))
    digest = f"sha256:{told.lower()}" if isinstance(told, str) else _fragment(fragment)
    file = str(one.get("filename") or urlsplit(address).path.rpartition("/")[2])
    return Artifact(_named(project, file), address, file, digest)


def _of_link(link: str, where: str, project: str) -> Artifact:
    address, fragment = urldefrag(urljoin(where, link))
    file = unquote(urlsplit(address).path.rpartition("/")[2])
    return Artifact(_named(project, file), address, file, _fragment(fragment))


def _fragment(fragment: str) -> str | None:
    name, _, value = fragment.partition("=")
    return f"sha256:{value.lower()}" if name == "sha256" and value else None


def _named(project: str, file: str) -> str:
    found = _VERSION.search(file)
    return f"{project} {found[1]}" if found else project


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "a" and told.get("href"):
            self.found.append((str(told["href"]), "data-yanked" in told))


def _links(data: bytes) -> list[tuple[str, bool]]:
    """Addresses that a page links to, and whether each was withdrawn."""
    page = _Links()
    page.feed(data.decode("utf-8", "replace"))
    return page.found
