"""What the readers of Microsoft's logs share: one flat view of a record's several spellings, and key identifiers.

The same log is told by Microsoft Graph (``activityDateTime``), by Azure Monitor's diagnostic settings (the Graph object
under ``properties``, beside ``time``, ``category`` and ``resourceId``) and by Log Analytics (``ActivityDateTime``, with
nested columns as JSON text). A view has keys in small letters without underscores; what ``properties`` tells comes
before what stands beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from holdfast.investigation.readers._fields import first, folded, mapping, mappings, text, told, unfolded

_TENANT = re.compile(r"/tenants/([^/]+)", re.IGNORECASE)
_KEY = re.compile(r"KeyIdentifier=([0-9A-Fa-f-]{36})")
MANAGED = "/providers/microsoft.managedidentity/"
"""Part of the resource id of a managed identity, in small letters."""


def view(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record as one flat mapping."""
    outer = folded(record)
    inner = folded(mapping(outer.get("properties")))
    return outer | {key: value for key, value in inner.items() if value not in (None, "", [], {})}


def tenant(flat: Mapping[str, Any]) -> str | None:
    """The tenant: Log Analytics calls the workspace ``TenantId`` and the tenant ``AADTenantId``."""
    named = told(flat.get("aadtenantid"))
    if named is None and (match := _TENANT.search(text(flat.get("resourceid")) or "")):
        return match[1]
    return named or first(flat.get("tenantid"), flat.get("resourcetenantid"), flat.get("hometenantid"))


def changes(value: object) -> dict[str, Any]:
    """``modifiedProperties`` as name to old and new value; JSON text within them is opened."""
    found: dict[str, Any] = {}
    for item in mappings(value):
        part = folded(item)
        name = first(part.get("displayname"), part.get("name"))
        if name is not None and name not in found:
            found[name] = {"old": _opened(part.get("oldvalue")), "new": _opened(part.get("newvalue"))}
    return found


def _opened(value: object) -> object:
    """The value that stands there as JSON text; plain text, which stands in quotes, without them."""
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1]
    return unfolded(value)


def new_keys(changed: Mapping[str, Any]) -> list[str]:
    """Identifiers of keys that a change of ``KeyDescription`` added, in their order."""
    found: list[str] = []
    for name, change in changed.items():
        if "keydescription" in name.replace(" ", "").lower():
            before = set(_KEY.findall(str(change["old"])))
            found += [key for key in _KEY.findall(str(change["new"])) if key not in before and key not in found]
    return found
