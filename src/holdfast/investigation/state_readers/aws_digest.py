"""CloudTrail's proof of its own files: digest files, the public keys that sign them, and the signatures beside them.

Three kinds of documents, none of which proves anything alone; ``investigation.digests`` puts them together:

- the digest file that a trail with log file validation delivers each hour;
- the public keys, as ``ListPublicKeys`` gives them (``aws cloudtrail list-public-keys``);
- the metadata of a digest object, as ``HeadObject`` gives it (``aws s3api head-object``), which holds the signature.
  The object is named in the document (``Key``) or by the file's own path, which then contains the digest file's name.

Format: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from holdfast.investigation.activity import Column
from holdfast.investigation.captured import Origin, StateReader
from holdfast.investigation.reading import Proof, UnreadableError

_ROW = Column("row_id", "integer", "the document it comes from, as a row id")

DIGESTS = (
    Column("key", "text", "object key of the digest file, as it names itself"),
    Column("bucket", "text", "bucket of it"),
    Column("account_uid", "text", "account whose log files it lists"),
    Column("region", "text", "region of the log files"),
    Column("chain", "text", "file name without its instant: digest files of one trail and region are a chain"),
    Column("backfill", "boolean", "whether it was delivered later, for log files that its hour's digest did not list"),
    Column("start_us", "integer", "start of the time of delivery it covers"),
    Column("end_us", "integer", "end of it"),
    Column("end_text", "text", "the end as the document spells it: it is part of what is signed"),
    Column("algorithm", "text", "signature algorithm it names"),
    Column("fingerprint", "text", "fingerprint of the public key"),
    Column("previous_key", "text", "object key of the digest file before it; null at the start of a chain"),
    Column("previous_hash", "text", "SHA-256 of that file's content, in hex"),
    Column("previous_signature", "text", "signature of that file, in hex"),
    Column("files", "integer", "log files it lists"),
    _ROW,
)
FILES = (
    Column("digest_row", "integer", "row id of the digest file that lists it"),
    Column("key", "text", "object key of the log file"),
    Column("hash", "text", "SHA-256 of its inflated content, in hex"),
    Column("algorithm", "text", "hash algorithm it names"),
    Column("oldest_us", "integer", "earliest event in it"),
    Column("newest_us", "integer", "latest event in it"),
    _ROW,
)
KEYS = (
    Column("fingerprint", "text", "fingerprint of the public key"),
    Column("value", "text", "the key: PKCS #1 in DER, base64"),
    Column("from_us", "integer", "since when it signs"),
    Column("to_us", "integer", "until when"),
    _ROW,
)
SIGNATURES = (
    Column("name", "text", "file name of the digest file it belongs to; null when nothing tells"),
    Column("signature", "text", "the signature in hex"),
    Column("algorithm", "text", "signature algorithm"),
    _ROW,
)

_NAME = re.compile(r"(\d{12}_CloudTrail-Digest_.+?_\d{8}T\d{6}Z(?:_backfill)?\.json\.gz)")
_REGION = re.compile(r"/CloudTrail-Digest/([a-z0-9-]+)/")
_INSTANT = re.compile(r"_\d{8}T\d{6}Z(?:_backfill)?\.json\.gz$")
_PAGE = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html"
_FAR = 1e12
"""Seconds since 1970 that no calendar here reaches."""
_PROOF = Proof("vendor_schema", _PAGE)


def instant_us(value: object) -> int | None:
    """Microseconds since 1970 of an ISO instant or of seconds since 1970; none when it is neither."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return int(aware.timestamp()) * 1_000_000 + aware.microsecond
        if isinstance(value, int | float) and not isinstance(value, bool):
            return int(value * 1_000_000) if abs(value) < _FAR else None
    except (ValueError, OverflowError):
        return None
    return None


def _is_digest(document: Any) -> bool:  # noqa: ANN401 - a parsed document can be anything
    return isinstance(document, Mapping) and {"digestS3Object", "digestEndTime", "logFiles"} <= document.keys()


def _digest(document: Any, origin: Origin) -> Mapping[str, Iterable[Mapping[str, Any]]]:  # noqa: ANN401 - a parsed document
    key = _text(document.get("digestS3Object"))
    start, end = instant_us(document.get("digestStartTime")), instant_us(document.get("digestEndTime"))
    listed = document.get("logFiles")
    if key is None or start is None or end is None or not isinstance(listed, list):
        raise UnreadableError("digest file without its name, its times or its list")
    region = _REGION.search(key)
    row = {
        "key": key,
        "bucket": _text(document.get("digestS3Bucket")),
        "account_uid": _text(document.get("awsAccountId")),
        "region": region.group(1) if region else None,
        "chain": _INSTANT.sub("", key.rsplit("/", 1)[-1]),
        "backfill": key.endswith("_backfill.json.gz"),
        "start_us": start,
        "end_us": end,
        "end_text": _text(document.get("digestEndTime")),
        "algorithm": _text(document.get("digestSignatureAlgorithm")),
        "fingerprint": _text(document.get("digestPublicKeyFingerprint")),
        "previous_key": _text(document.get("previousDigestS3Object")),
        "previous_hash": _text(document.get("previousDigestHashValue")),
        "previous_signature": _text(document.get("previousDigestSignature")),
        "files": len(listed),
        "row_id": origin.row_id,
    }
    files = [_file(one, origin.row_id) for one in listed if isinstance(one, Mapping)]
    return {"cloudtrail_digests": [row], "cloudtrail_digest_files": files}


def _file(found: Mapping[str, Any], row_id: int) -> dict[str, Any]:
    return {
        "digest_row": row_id,
        "key": _text(found.get("s3Object")),
        "hash": _text(found.get("hashValue")),
        "algorithm": _text(found.get("hashAlgorithm")),
        "oldest_us": instant_us(found.get("oldestEventTime")),
        "newest_us": instant_us(found.get("newestEventTime")),
        "row_id": row_id,
    }


def _is_keys(document: Any) -> bool:  # noqa: ANN401 - a parsed document can be anything
    return isinstance(document, Mapping) and isinstance(document.get("PublicKeyList"), list)


def _keys(document: Any, origin: Origin) -> Mapping[str, Iterable[Mapping[str, Any]]]:  # noqa: ANN401 - a parsed document
    found = [
        {
            "fingerprint": _text(one.get("Fingerprint")),
            "value": _text(one.get("Value")),
            "from_us": instant_us(one.get("ValidityStartTime")),
            "to_us": instant_us(one.get("ValidityEndTime")),
            "row_id": origin.row_id,
        }
        for one in document["PublicKeyList"]
        if isinstance(one, Mapping)
    ]
    return {"cloudtrail_digest_keys": found}


def _signature_of(document: Any) -> tuple[str, str | None] | None:  # noqa: ANN401 - a parsed document can be anything
    if not isinstance(document, Mapping):
        return None
    for holder in (document.get("Metadata"), document):
        if isinstance(holder, Mapping):
            lower = {str(name).lower().removeprefix("x-amz-meta-"): value for name, value in holder.items()}
            signature = _text(lower.get("signature"))
            if signature is not None and "signature-algorithm" in lower:
                return signature, _text(lower["signature-algorithm"])
    return None


def _signatures(document: Any, origin: Origin) -> Mapping[str, Iterable[Mapping[str, Any]]]:  # noqa: ANN401 - a parsed document
    found = _signature_of(document)
    if found is None:
        raise UnreadableError("object metadata without a signature")
    named = _NAME.search(_text(document.get("Key")) or "") or _NAME.search(origin.path)
    row = {
        "name": named.group(1) if named else None,
        "signature": found[0],
        "algorithm": found[1],
        "row_id": origin.row_id,
    }
    return {"cloudtrail_digest_signatures": [row]}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


READERS = (
    StateReader(
        key="aws.cloudtrail_digest",
        title="CloudTrail digest file",
        proof=_PROOF,
        recognises=_is_digest,
        tables=_digest,
        kind="digest",
        columns={"cloudtrail_digests": DIGESTS, "cloudtrail_digest_files": FILES},
    ),
    StateReader(
        key="aws.cloudtrail_keys",
        title="CloudTrail public keys (ListPublicKeys)",
        proof=Proof(
            "vendor_schema", "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html"
        ),
        recognises=_is_keys,
        tables=_keys,
        kind="digest",
        columns={"cloudtrail_digest_keys": KEYS},
    ),
    StateReader(
        key="aws.cloudtrail_digest_metadata",
        title="Object metadata of a CloudTrail digest file (HeadObject)",
        proof=_PROOF,
        recognises=lambda document: _signature_of(document) is not None,
        tables=_signatures,
        kind="digest",
        columns={"cloudtrail_digest_signatures": SIGNATURES},
    ),
)
