"""Registries of npm packages: the tarball of every version, and what the registry says of the package itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from holdfast.connectors.registries.fetching import Fetcher, NotFetchedError
from holdfast.connectors.registries.publishing import Artifact, Visit


def visit(visit: Visit, fetcher: Fetcher, path: str) -> None:
    """Search a package: its metadata, which has each version's description and scripts, and each tarball."""
    name = path.strip("/")
    if not name:
        visit.fault("", "no package is named")
        return
    try:
        data, _ = fetcher.document(quote(name, safe="@"), "application/json")
        told = json.loads(data)
    except NotFetchedError as error:
        visit.fault(name, str(error))
        return
    except (ValueError, RecursionError):
        visit.fault(name, "its description cannot be read")
        return
    versions = told.get("versions") if isinstance(told, dict) else None
    if not isinstance(versions, dict):
        visit.fault(name, "its versions are not listed")
        return
    visit.hear(visit.document(data, f"{name} (metadata)", "package"))
    for version, one in versions.items():
        artifact = _tarball(fetcher, name, version, one)
        if artifact is None:
            visit.fault(f"{name}@{version}", "its tarball is not named")
            continue
        found = visit.fetched(fetcher, artifact, "package")
        visit.hear(found[1] if found is not None else [])


def _tarball(fetcher: Fetcher, name: str, version: str, one: object) -> Artifact | None:
    dist = one.get("dist") if isinstance(one, Mapping) else None
    where: Any = dist.get("tarball") if isinstance(dist, Mapping) else None
    if not isinstance(dist, Mapping) or not isinstance(where, str):
        return None
    integrity, old = dist.get("integrity"), dist.get("shasum")
    digest = str(integrity).split()[0] if isinstance(integrity, str) and integrity.strip() else None
    if digest is None and isinstance(old, str):
        digest = _of_hexadecimal(old)
    address = fetcher.absolute(where)
    return Artifact(f"{name}@{version}", address, urlsplit(address).path.rpartition("/")[2], digest)


def _of_hexadecimal(digest: str) -> str | None:
    """The older kind of digest, in the form of the newer one."""
    import base64  # noqa: PLC0415 - of old packages only

    try:
        return f"sha1-{base64.b64encode(bytes.fromhex(digest)).decode()}"
    except ValueError:
        return None
