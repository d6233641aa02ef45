"""CloudTrail digest chains, validated offline: what the log files' own signer says about them.

How a digest file is signed and chained, and what its hashes are taken of, follows Amazon's description
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html): RSA with
SHA-256 over four lines, which are the end time as spelt, ``bucket/key``, the SHA-256 of the inflated digest file in
hex, and the previous signature in hex or ``null``; hashes of log files are of their inflated content.

Rules:
1. A digest is valid when a captured public key with its fingerprint verifies its signature. The signature comes from
   the object's captured metadata, or from the next digest of the chain when that one is valid itself: so the metadata
   of the newest digest of a chain is enough. Without the key or the signature the standing is ``cannot_tell``.
2. Every hour is walked: the end of one digest is the start of the next. Where it is not, digests are missing, whether
   or not a link happens to lead over the hole (two deleted in a row are still a hole). What lies before the first one
   that was captured is ``before``: nothing is said of it.
3. A chain that starts anew (no previous digest) after an earlier one says that validation or logging was off between.
4. Backfill digests are a chain of their own. They prove files, never that an hour is whole.
5. Each log file that a digest lists is looked for by name and compared; a file of the covered time that no digest lists
   is told as well. Copies under another name are not found, and count as missing.

Not handled here: whether the public keys are Amazon's. They are evidence like the rest, with their own citation.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from holdfast.investigation.activity import Column, place

Row = Mapping[str, Any]

COLUMNS: tuple[Column, ...] = (
    Column("account_uid", "text", "account the digest is about"),
    Column("region", "text", "region of its log files"),
    Column("part", "text", "digest or log_file"),
    Column(
        "standing",
        "text",
        "digest: valid, invalid, missing, off, before; log file: altered, file_missing, unlisted; either: cannot_tell",
    ),
    Column("from_us", "integer", "start of the time it is about: of delivery for a digest, of events for a log file"),
    Column("to_us", "integer", "end of it"),
    Column("backfill", "boolean", "whether it is a backfill digest"),
    Column("files", "integer", "log files that the digest lists"),
    Column("files_ok", "integer", "those that are there, unaltered"),
    Column("name", "text", "file name of the digest or log file"),
    Column("why", "text", "in words"),
    Column("row_id", "integer", "the digest document, or the one after the hole"),
)
AFTER = (
    "cloudtrail_digests",
    "cloudtrail_digest_files",
    "cloudtrail_digest_keys",
    "cloudtrail_digest_signatures",
    "inputs",
)
ALGORITHM = "SHA256withRSA"
_SLACK_US = 1_000_000
_HOUR_US = 3_600_000_000
_LOG_NAME = re.compile(r"(\d{12})_CloudTrail_([a-z0-9-]+)_(\d{8}T\d{4})Z_[^/!]*\.json(?:\.gz)?$")
_EDGE_US = 15 * 60_000_000
"""A log file is listed by the digest of its delivery, minutes after the instant in its name."""


@dataclass(slots=True)
class _Digest:
    """One digest file with what was found out about it."""

    row: Row
    content: str | None
    """SHA-256 of its inflated bytes in hex; none when the ingest did not tell."""
    standing: str = "cannot_tell"
    why: str = ""


def validate(tables: Mapping[str, Sequence[Row]]) -> list[dict[str, Any]]:
    """Rows of the table ``digests``.

    Args:
        tables: the rows of :data:`AFTER`.
    """
    if not tables["cloudtrail_digests"]:
        return []
    inputs = {row["input_no"]: row for row in tables["inputs"]}
    keys = {row["fingerprint"]: row["value"] for row in tables["cloudtrail_digest_keys"] if row["value"]}
    signed = {row["name"]: row["signature"] for row in tables["cloudtrail_digest_signatures"] if row["name"]}
    result: list[dict[str, Any]] = []
    log_files = _LogFiles(tables["inputs"], tables["cloudtrail_digest_files"])
    for chain in _chains(tables["cloudtrail_digests"], inputs):
        _verify(chain, keys, signed)
        result += _holes(chain)
        for digest in chain:
            result += log_files.compare(digest)
    return result + log_files.unlisted(result)


def content_digest(row: Row) -> str | None:
    """SHA-256 of the inflated bytes of an input; of plain JSON it is that of the file itself."""
    found: str | None = row.get("content_sha256")
    if found is None and not str(row["path"]).endswith(".gz"):
        found = row["sha256"]
    return found


def _chains(rows: Iterable[Row], inputs: Mapping[int, Row]) -> list[list[_Digest]]:
    """Digests by chain, oldest first, each file once however often it was copied."""
    chains: dict[tuple[Any, ...], dict[str, _Digest]] = defaultdict(dict)
    for row in sorted(rows, key=lambda row: (row["end_us"], row["row_id"])):
        document = inputs.get(place(row["row_id"])[0])
        digest = _Digest(row, content_digest(document) if document is not None else None)
        chain = chains[(row["account_uid"], row["region"], row["chain"], row["backfill"])]
        known = chain.get(row["key"])
        if known is None:
            chain[row["key"]] = digest
        elif known.content != digest.content:
            known.standing, known.why = "invalid", "two files of this name differ"
    return [list(chain.values()) for _, chain in sorted(chains.items(), key=lambda item: str(item[0]))]


def _verify(chain: Sequence[_Digest], keys: Mapping[str, str], signed: Mapping[str, str]) -> None:
    """Set the standing of each digest, newest first: a valid one lends the previous one its signature."""
    lent: dict[str, tuple[str | None, str | None]] = {}
    for digest in reversed(chain):
        row = digest.row
        name = row["key"].rsplit("/", 1)[-1]
        signature, content = lent.get(row["key"], (None, None))
        if digest.standing != "invalid":
            digest.standing, digest.why = _judge(digest, keys, signed.get(name) or signature)
        if content is not None and digest.content is not None and content != digest.content:
            digest.standing, digest.why = "invalid", "the next digest names another content"
        if digest.standing == "valid" and row["previous_key"]:
            lent[row["previous_key"]] = (row["previous_signature"], row["previous_hash"])


def _judge(digest: _Digest, keys: Mapping[str, str], signature: str | None) -> tuple[str, str]:
    row, why = digest.row, ""
    key = public_key(keys.get(row["fingerprint"], ""))
    if row["algorithm"] not in {ALGORITHM, None}:
        why = f"its signature algorithm {row['algorithm']} is not known here"
    elif row["fingerprint"] not in keys:
        why = f"the public key {row['fingerprint']} was not captured"
    elif key is None:
        why = f"the captured public key {row['fingerprint']} cannot be read"
    if why or key is None or signature is None or digest.content is None:
        missing = (
            "signature was not captured (the object's metadata)" if signature is None else "inflated digest is unknown"
        )
        return "cannot_tell", why or f"its {missing}"
    if not verifies(key, signing_text(row, digest.content), signature):
        return "invalid", "its signature does not verify: it was changed after it was signed"
    return "valid", "signed, unchanged"


def signing_text(row: Row, content_sha256: str) -> bytes:
    """What is signed: end time, place, content and the previous signature, a line each."""
    previous = row["previous_signature"] or "null"
    return f"{row['end_text']}\n{row['bucket']}/{row['key']}\n{content_sha256}\n{previous}".encode()


def public_key(value: str) -> RSAPublicKey | None:
    """The key of a base64 text in DER; none when it is not an RSA key."""
    try:
        key = load_der_public_key(base64.b64decode(value, validate=True))
    except (ValueError, UnsupportedAlgorithm, binascii.Error):
        return None
    return key if isinstance(key, RSAPublicKey) else None


def verifies(key: RSAPublicKey, text: bytes, signature: str) -> bool:
    """Whether a signature in hex is the key's over the text."""
    try:
        key.verify(bytes.fromhex(signature), text, PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature):
        return False
    return True


def _holes(chain: Sequence[_Digest]) -> list[dict[str, Any]]:
    """What lies between the digests of a chain: files missing, or validation switched off."""
    present = {digest.row["key"] for digest in chain}
    found: list[dict[str, Any]] = []
    before: _Digest | None = None
    for digest in chain:
        row = digest.row
        named, start = row["previous_key"], row["start_us"]
        end = before.row["end_us"] if before is not None else None
        if row["backfill"]:
            if named and named not in present:
                found.append(_between(row, start, row["end_us"], named, "the backfill digest before it is missing"))
        elif end is not None and start - end > _SLACK_US:
            found.append(_hole(row, end, named))
        elif named and named not in present and before is None:
            why = "the digest before the first one captured is not among the inputs"
            found.append({**_between(row, start - _HOUR_US, start, named, why), "standing": "before"})
        elif named and named not in present:
            found.append(_between(row, end or start, row["end_us"], named, "it continues a digest that is not there"))
        before = digest
    return found


def _hole(row: Row, end: int, named: str | None) -> dict[str, Any]:
    start = row["start_us"]
    if named is None:
        why = "the chain starts anew: log file validation or logging was off"
        return {**_between(row, end, start, row["key"], why), "standing": "off"}
    count = max(1, round((start - end) / _HOUR_US))
    words = "1 digest file is missing" if count == 1 else f"about {count} digest files in a row are missing"
    return _between(row, end, start, named, words)


def _between(row: Row, start: int, end: int, name: str, why: str) -> dict[str, Any]:
    return {
        "account_uid": row["account_uid"],
        "region": row["region"],
        "part": "digest",
        "standing": "missing",
        "from_us": start,
        "to_us": end,
        "backfill": row["backfill"],
        "files": None,
        "files_ok": None,
        "name": name.rsplit("/", 1)[-1],
        "why": why,
        "row_id": row["row_id"],
    }


class _LogFiles:
    """The log files among the inputs, beside those that digests list."""

    def __init__(self, inputs: Sequence[Row], listed: Sequence[Row]) -> None:
        self._copies: dict[str, list[Row]] = defaultdict(list)
        for row in inputs:
            self._copies[re.split(r"[/!]", row["path"])[-1].removesuffix(".gz")].append(row)
        self._of: dict[int, list[Row]] = defaultdict(list)
        self._listed: set[str] = set()
        for row in listed:
            self._of[row["digest_row"]].append(row)
            if row["key"]:
                self._listed.add(row["key"].rsplit("/", 1)[-1].removesuffix(".gz"))

    def compare(self, digest: _Digest) -> list[dict[str, Any]]:
        """The digest's own row, and one for each kind of fault of its log files."""
        row = digest.row
        told = [(one, *self._standing(one)) for one in self._of[row["row_id"]]]
        good = sum(standing == "ok" for _, standing, _ in told)
        own = _between(row, row["start_us"], row["end_us"], row["key"], digest.why)
        own.update(standing=digest.standing, files=row["files"], files_ok=good)
        return [own, *(self._fault(row, one, standing, why) for one, standing, why in told if standing != "ok")]

    def _standing(self, listed: Row) -> tuple[str, str]:
        name = (listed["key"] or "").rsplit("/", 1)[-1]
        copies = self._copies.get(name.removesuffix(".gz"), [])
        if not copies:
            return "file_missing", "the digest lists it, and it is not among the inputs"
        contents = [content_digest(copy) for copy in copies]
        if any(content is not None and content != listed["hash"] for content in contents):
            return "altered", "its content is not what the digest says: it was changed after delivery"
        if any(content is None for content in contents) or listed["algorithm"] not in {"SHA-256", None}:
            return "cannot_tell", "the digest of its inflated content is not there"
        return "ok", ""

    @staticmethod
    def _fault(row: Row, listed: Row, standing: str, why: str) -> dict[str, Any]:
        oldest, newest = listed["oldest_us"], listed["newest_us"]
        found = _between(row, row["start_us"], row["end_us"], listed["key"] or "", why)
        if oldest is not None and newest is not None:
            found.update(from_us=oldest, to_us=newest + 1)
        return {**found, "part": "log_file", "standing": standing}

    def unlisted(self, judged: Sequence[Row]) -> list[dict[str, Any]]:
        """Log files of a time that valid digests cover, which none of them lists: added later, or renamed."""
        covered: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in judged:
            if row["part"] == "digest" and row["standing"] == "valid" and not row["backfill"]:
                covered[(row["account_uid"], row["region"])].append(row)
        found: list[dict[str, Any]] = []
        for name, copies in sorted(self._copies.items()):
            match = _LOG_NAME.search(name)
            if match is None or name in self._listed:
                continue
            instant = _name_instant(match.group(3))
            spans = covered.get((match.group(1), match.group(2)), [])
            over = [row for row in spans if instant is not None and row["from_us"] <= instant < row["to_us"]]
            if over and instant is not None and _inside(spans, instant):
                why = "no digest lists it: it was added or renamed after delivery"
                found.append(
                    {
                        **over[0],
                        "part": "log_file",
                        "standing": "unlisted",
                        "name": copies[0]["path"],
                        "why": why,
                        "files": None,
                        "files_ok": None,
                    }
                )
        return found


def _inside(spans: Sequence[Row], instant: int) -> bool:
    """Whether the time around an instant is covered too, so that a file of it would be listed."""
    return all(
        any(row["from_us"] <= near < row["to_us"] + _SLACK_US for row in spans)
        for near in (instant - _EDGE_US, instant + _EDGE_US)
    )


def _name_instant(text: str) -> int | None:
    try:
        moment = datetime.strptime(text, "%Y%m%dT%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * 1_000_000
