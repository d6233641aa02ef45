"""Names of identities: addresses, roles, and how a chain calls them."""

from __future__ import annotations

import re
from functools import lru_cache

import orjson

_EMAIL = re.compile(r"[^\s@/:,;<>\"'()]+@[^\s@/:,;<>\"'()]+\.[^\s@/:,;<>\"'().]+")
_NOBODY = re.compile(r"(?i)^(?:[^@]*[-_.+])?(?:no-?reply|do-?not-?reply)@|@users\.noreply\.")
_ROLE = re.compile(r":(?:role|assumed-role)/")
_DEPTH = 6


def email_of(text: str | None) -> str | None:
    """The e-mail address that a text is, in lower case; none when it is anything else or belongs to nobody."""
    if text is None or not _EMAIL.fullmatch(text) or _NOBODY.search(text):
        return None
    return text.lower()


def is_role(uid: str | None) -> bool:
    """Whether an identity is a role, which many may assume."""
    return uid is not None and _ROLE.search(uid) is not None


@lru_cache(maxsize=65_536)
def label(uid: str) -> str:
    """An identity as a chain names it: ``role/Admin``, ``user/ada``, or as it is."""
    head, _, tail = uid.partition(":assumed-role/")
    if tail:
        return f"role/{tail.split('/')[0]}"
    if not head.startswith("arn:"):
        return uid
    resource = uid.split(":", 5)[-1]
    kind, _, path = resource.partition("/")
    return f"{kind}/{path.rsplit('/', 1)[-1]}" if path else resource


def values(document: str | None, key: str) -> list[str]:
    """Every text under a key of a JSON text, at most six levels deep, in order; none for what is not JSON."""
    if not document or key not in document:
        return []
    try:
        level = [orjson.loads(document)]
    except orjson.JSONDecodeError:
        return []
    found: list[str] = []
    for _ in range(_DEPTH):
        mappings = [one for one in level if isinstance(one, dict)]
        found += [one[key] for one in mappings if isinstance(one.get(key), str)]
        inner = [value for one in mappings for value in one.values()]
        inner += [value for one in level if isinstance(one, list) for value in one]
        level = inner
    return found


def is_session(uid: str | None) -> bool:
    """Whether an identity is spelled as the session of a role."""
    return uid is not None and ":assumed-role/" in uid


def session_name(uid: str | None) -> str | None:
    """The name that a role's session was given: what follows the role in ``…:assumed-role/ROLE/NAME``."""
    _, _, tail = (uid or "").partition(":assumed-role/")
    return tail.partition("/")[2] or None


def role_name(uid: str | None) -> str | None:
    """The name of a role, from its own ARN or that of a session, without its path."""
    if uid is None or _ROLE.search(uid) is None:
        return None
    _, _, tail = uid.partition(":assumed-role/")
    return tail.partition("/")[0] if tail else uid.rsplit("/", 1)[-1]
