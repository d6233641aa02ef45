"""Secrets are replaced before a row is made: requests, responses and details keep their shape, not their secrets.

Rules:
1. Text or a number under a key whose name tells a secret becomes ``[redacted <key>]``; lists of them likewise. Objects
   are looked into, for an ``authorization`` of Azure is no header; true, false and null stay.
2. Ids that only name a credential stay (``accessKeyId``, ``tokenId``, hashes of tokens): an investigation follows them.
3. Tokens that mark a place in a list or make a request idempotent stay (``nextToken``, ``clientToken``).
4. A pair ``{"name": "DB_PASSWORD", "value": …}`` counts as a key with its value, as containers write environments.
5. The same in text: JSON within text, ``key=value``, headers, and secrets that can be told by their form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from holdfast.investigation.framing import Value, loads

NAMES: Mapping[str, str] = {
    "sessiontoken": "temporary credentials of a cloud",
    "securitytoken": "older name of a session token, also as X-Amz-Security-Token",
    "secretaccesskey": "long-lived or temporary secret of a cloud",
    "secretstring": "content of a secret",
    "secretbinary": "content of a secret",
    "secretvalue": "content of a secret",
    "secrettext": "secret of an app registration, told once",
    "password": "also as an ending: masterUserPassword, old_password",
    "passwd": "password",
    "passphrase": "of a private key",
    "passwordhash": "can be guessed at offline",
    "clientsecret": "of an OAuth client",
    "sharedsecret": "of a link or a webhook",
    "webhooksecret": "of a webhook",
    "appsecret": "of an application",
    "accesstoken": "bearer of a session",
    "refreshtoken": "starts sessions",
    "idtoken": "signed statement of who someone is, usable until it expires",
    "bearertoken": "bearer of a session",
    "authtoken": "bearer of a session or of a cache",
    "oauthtoken": "bearer of a session",
    "apitoken": "of a programme",
    "personalaccesstoken": "of a person's programmes",
    "privatetoken": "access token of GitLab",
    "jobtoken": "of a CI job",
    "runnertoken": "of a CI runner",
    "registrationtoken": "enrols a CI runner",
    "webidentitytoken": "exchanged for a role session",
    "samlassertion": "exchanged for a role session",
    "samlresponse": "exchanged for a session",
    "signintoken": "opens a console session",
    "authorizationtoken": "of a package registry",
    "authorization": "header that authenticates",
    "setcookie": "header that starts a session",
    "cookie": "header that authenticates",
    "privatekey": "of a certificate or a key pair",
    "privatekeydata": "of a service account",
    "keymaterial": "private half of a key pair, told once",
    "apikey": "of a programme",
    "apisecret": "of a programme",
    "secretkey": "of a programme",
    "accountkey": "of a storage account",
    "connectionstring": "carries an account's key",
    "plaintext": "what a key service was given or gave back",
    "xamzsignature": "of a signed link, usable until it expires",
    "onetimepassword": "second factor",
    "recoverycode": "stands for a second factor",
    "recoverycodes": "stand for a second factor",
    "backupcodes": "stand for a second factor",
    "resettoken": "sets a new password",
    "activationtoken": "sets a first password",
}
"""Names of keys in small letters without separators, each with the reason; each counts as an ending too
(``masterUserPassword``, ``GITHUB_ACCESS_TOKEN``)."""

KEPT = frozenset({"secretkeyref", "noauthorization", "subjectfromwebidentitytoken"})
"""Names that end like a secret and are none: the last one says whose a token was, which chains of sessions need."""

_SEPARATORS = str.maketrans("", "", "-_. ")
_NAME = "(?:" + "|".join("[-_. ]?".join(name) for name in sorted(NAMES, key=len, reverse=True)) + ")"
_FORMS: Mapping[str, str] = {
    "jwt": r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
    "github token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})",
    "gitlab token": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "bearer": r"\b[Bb]earer +[A-Za-z0-9._~+/-]{16,}=*",
}
"""Secrets that are told by their form, wherever they stand."""

SUSPECT = (
    f"(?i:{_NAME})\\\\*[\"']?\\s*[:=,}}]|eyJ[A-Za-z0-9_-]{{8}}|PRIVATE KEY---|gh[pousr]_[A-Za-z0-9]{{36}}|github_pat_"
    "|glpat-|xox[abprs]-|[Bb]earer +[A-Za-z0-9]"
)
"""Finds text that may hold a secret. Written so that RE2 understands it too, which looks through a column at once."""

_STEMS = (
    *("passw", "passphrase", "secret", "token", "authorization", "cookie", "private", "key", "connection", "saml"),
    *(
        "plaintext",
        "signature",
        "recovery",
        "backup",
        "bearer",
        "eyj",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "xox",
    ),
)
"""One of them is in every text that may hold a secret, in small letters: cheaper to look for than the names."""
_FORM = tuple((re.compile(form), f"[redacted {name}]") for name, form in _FORMS.items())
_NAMED = re.compile(r"(?<![\w.\-])([\w.\-]{2,120}+)\\*[\"']?\s{0,9}+[:=]\s{0,9}+")
_QUOTE = re.compile(r"\\*[\"']")
_BARE = re.compile(r"(?:Basic|Bearer|Digest|Negotiate|AWS4-HMAC-SHA256) [^\"'\\]++|[^\s,;&\"'\\}\]]++")
_CLOSING = {quote: re.compile(rf"(?<!\\){quote}") for quote in "\"'"}
"""A name with what comes before its value, and a value. No part gives back what it took: text is run through once."""


def is_secret(name: str) -> bool:
    """Whether a key of this name holds a secret (rules 1 to 3)."""
    bare = name.translate(_SEPARATORS).lower()
    return bare.endswith(_ENDINGS) and bare not in KEPT


_ENDINGS = tuple(NAMES)


def redacted(text: str) -> str:
    """The text without its secrets: JSON stays JSON."""
    small = text.lower()
    if not any(stem in small for stem in _STEMS):
        return text
    if text[:1] in {"{", "["}:
        try:
            told = loads(text)
            clean = without_secrets(told)
            return text if clean == told else orjson.dumps(clean).decode()
        except (ValueError, TypeError, RecursionError):
            pass
    return _plain(text)


def without_secrets(value: Value, depth: int = 0) -> Value:
    """The same value with every secret replaced.

    Raises:
        RecursionError: it is nested more than 200 deep.
    """
    if depth > 200:  # noqa: PLR2004 - deeper than any writer of JSON here goes
        raise RecursionError("nested too deeply")
    if isinstance(value, dict):
        return _object(value, depth)
    if isinstance(value, list):
        return [without_secrets(one, depth + 1) for one in value]
    if isinstance(value, str):
        return redacted(value)
    return value


def _object(value: dict[str, Any], depth: int) -> dict[str, Any]:
    told = {
        key: _replaced(key, inner) if is_secret(key) else without_secrets(inner, depth + 1)
        for key, inner in value.items()
    }
    named = value.get("name", value.get("key", value.get("Name", value.get("Key"))))
    if isinstance(named, str) and is_secret(named):
        told.update({key: _replaced(named, value[key]) for key in ("value", "Value") if key in value})
    return told


def _replaced(name: str, value: Value) -> Value:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list):
        return [_replaced(name, one) for one in value]
    if isinstance(value, dict):
        return without_secrets(value, 1)
    return f"[redacted {name}]"


def _plain(text: str) -> str:
    for form, instead in _FORM:
        text = form.sub(instead, text)
    parts: list[str] = []
    at = done = 0
    while (named := _NAMED.search(text, at)) is not None:
        at = named.end()
        end, quote = _value(text, at) if is_secret(named[1]) else (at, "")
        if end == at or text.startswith("[redacted", at):
            continue
        parts += [text[done:at], f"{quote}[redacted {named[1]}]{quote}"]
        at = done = end
    return "".join(parts) + text[done:]


def _value(text: str, at: int) -> tuple[int, str]:
    """Where the value that begins here ends, and its quote; one whose quote is never closed ends with the text."""
    quoted = _QUOTE.match(text, at)
    if quoted is None:
        bare = _BARE.match(text, at)
        return (bare.end() if bare else at), ""
    quote, start = quoted.group(), quoted.end()
    if len(quote) > 1:
        found = text.find(quote, start)
        return (found + len(quote) if found >= 0 else len(text)), quote
    closing = _CLOSING[quote].search(text, start)
    return (closing.end() if closing else len(text)), quote
