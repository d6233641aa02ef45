"""Synthetic digest chains, signed with an RSA key of our own: nothing here was made by Amazon."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from holdfast.investigation.activity import row_id
from holdfast.investigation.captured import Origin, shipped
from holdfast.investigation.digests import AFTER, validate

ACCOUNT, REGION, BUCKET = "111122223333", "eu-west-1", "synthetic-bucket"
START = datetime(2024, 1, 2, 0, 1, 31, tzinfo=UTC)


@cache
def key(name: str) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def public_keys(*names: str) -> dict[str, Any]:
    """What ``ListPublicKeys`` would give for our keys."""
    found = []
    for name in names:
        value = key(name).public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
        found.append(
            {
                "Value": base64.b64encode(value).decode(),
                "ValidityStartTime": "2023-12-01T00:00:00+00:00",
                "ValidityEndTime": 1711000000.0,
                "Fingerprint": hashlib.md5(value, usedforsecurity=False).hexdigest(),
            }
        )
    return {"PublicKeyList": found}


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Chain:
    """Hourly digests of one trail, each with its log files; then what an investigator would hold of them."""

    hours: int = 6
    files: int = 2
    backfill_at: int | None = None
    rotate_at: int | None = None
    restart_at: int | None = None
    content: Callable[[str], bytes] | None = None
    """What a log file of that name holds."""
    inputs: list[dict[str, Any]] = field(default_factory=list)
    documents: list[tuple[str, Any, bytes]] = field(default_factory=list)
    signatures: dict[str, str] = field(default_factory=dict)
    logs: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        previous: tuple[str, bytes, str] | None = None
        for number in range(self.hours):
            if number == self.restart_at:
                previous = None
            signer = "second" if self.rotate_at is not None and number >= self.rotate_at else "first"
            previous = self._digest(START + timedelta(hours=number), previous, signer)
        if self.backfill_at is not None:
            self._digest(START + timedelta(hours=self.backfill_at), None, "first", suffix="_backfill")

    def _digest(
        self, start: datetime, previous: tuple[str, bytes, str] | None, signer: str, suffix: str = ""
    ) -> tuple[str, bytes, str]:
        end = start + timedelta(hours=1)
        place = f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/{end:%Y/%m/%d}"
        name = f"{place}/{ACCOUNT}_CloudTrail-Digest_{REGION}_main_{REGION}_{end:%Y%m%dT%H%M%SZ}{suffix}.json.gz"
        listed = [self._log(start + timedelta(minutes=20 * (number + 1)), suffix) for number in range(self.files)]
        document = {
            "awsAccountId": ACCOUNT,
            "digestStartTime": iso(start),
            "digestEndTime": iso(end),
            "digestS3Bucket": BUCKET,
            "digestS3Object": name,
            "digestPublicKeyFingerprint": public_keys(signer)["PublicKeyList"][0]["Fingerprint"],
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": iso(end),
            "oldestEventTime": iso(start),
            "previousDigestS3Bucket": BUCKET if previous else None,
            "previousDigestS3Object": previous[0] if previous else None,
            "previousDigestHashValue": hashlib.sha256(previous[1]).hexdigest() if previous else None,
            "previousDigestHashAlgorithm": "SHA-256" if previous else None,
            "previousDigestSignature": previous[2] if previous else None,
            "logFiles": listed,
        }
        content = orjson.dumps(document)
        text = "\n".join(
            [
                iso(end),
                f"{BUCKET}/{name}",
                hashlib.sha256(content).hexdigest(),
                previous[2] if previous else "null",
            ]
        )
        signature = key(signer).sign(text.encode(), PKCS1v15(), SHA256()).hex()
        self.documents.append((name, document, content))
        self.signatures[name] = signature
        return name, content, signature

    def _log(self, delivered: datetime, suffix: str) -> dict[str, Any]:
        base = f"{ACCOUNT}_CloudTrail_{REGION}_{delivered:%Y%m%dT%H%MZ}_{'late' if suffix else 'sample'}.json.gz"
        content = self.content(base) if self.content is not None else f'{{"Records":["{base}"]}}'.encode()
        self.logs[base] = content
        return {
            "s3Bucket": BUCKET,
            "s3Object": f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{delivered:%Y/%m/%d}/{base}",
            "hashValue": hashlib.sha256(content).hexdigest(),
            "hashAlgorithm": "SHA-256",
            "newestEventTime": iso(delivered - timedelta(minutes=2)),
            "oldestEventTime": iso(delivered - timedelta(minutes=8)),
        }

    def judge(self, *, keys: Iterable[str] = ("first", "second"), metadata: str = "all") -> list[dict[str, Any]]:
        """Read everything through the shipped readers and validate it: rows of ``digests``."""
        tables: dict[str, list[Any]] = {name: [] for name in AFTER}
        documents: list[tuple[str, Any, bytes]] = list(self.documents)
        named = list(self.signatures)[-1:] if metadata == "last" else list(self.signatures) if metadata == "all" else []
        for name in named:
            head = {"Metadata": {"signature": self.signatures[name], "signature-algorithm": "SHA256withRSA"}}
            documents.append((f"{name}.head.json", head, orjson.dumps(head)))
        documents.append(("keys.json", public_keys(*keys), b"{}"))
        for number, (path, document, content) in enumerate(documents, 1):
            self._input(tables, number, path, content)
            reader = next(one for one in shipped() if one.recognises(document))
            for table, rows in reader.tables(document, Origin(path, row_id(number, 0), None)).items():
                tables[table] += rows
        for number, (path, content) in enumerate(self.logs.items(), len(documents) + 1):
            self._input(tables, number, f"copied/{path}", content)
        return validate(tables)

    @staticmethod
    def _input(tables: dict[str, list[Any]], number: int, path: str, content: bytes) -> None:
        inflated = hashlib.sha256(content).hexdigest()
        zipped = hashlib.sha256(b"gz" + content).hexdigest()
        own = {"input_no": number, "path": path, "sha256": zipped, "content_sha256": inflated}
        tables["inputs"].append(own if path.endswith(".gz") else {**own, "sha256": inflated, "content_sha256": None})
