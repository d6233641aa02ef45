"""Where each thing is in a pack, and the files that follow from the others: bag declaration, manifests, key."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping

FORMAT = "1"
BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

EVENTS = "data/record/events.jsonl"
TEXTS = "data/record/texts.jsonl"
CHECKPOINT = "data/record/checkpoint"
CHECKPOINT_BODY = "data/record/checkpoint.body"
CHECKPOINT_SIG = "data/record/checkpoint.sig"
PUBLIC_KEY = "data/record/public-key.pem"
VKEY = "data/record/vkey"
INSTALLATION = "data/record/installation/checkpoint"
OPENING, OPENING_PROOF = "data/record/installation/opening.json", "data/record/installation/opening.tlog-proof"
NEWEST, NEWEST_PROOF = "data/record/installation/newest.json", "data/record/installation/newest.tlog-proof"
REPORT_HTML, REPORT_PDF = "data/report/report.html", "data/report/report.pdf"
WITHHELD = "data/withheld.jsonl"
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
TAG_NOTE, TAG_SIG = "tagmanifest-sha256.txt.note", "tagmanifest-sha256.txt.sig"
BAGIT_TXT, BAG_INFO, INSTRUCTIONS, VERIFIER = "bagit.txt", "bag-info.txt", "VERIFY.txt", "verify_pack.py"

TAGGED = (INSTRUCTIONS, BAG_INFO, BAGIT_TXT, MANIFEST, VERIFIER)
"""What the tag manifest lists, in order."""
REQUIRED = frozenset(
    {
        *(EVENTS, TEXTS, CHECKPOINT, CHECKPOINT_BODY, CHECKPOINT_SIG, PUBLIC_KEY, VKEY, INSTALLATION),
        *(OPENING, OPENING_PROOF, NEWEST, NEWEST_PROOF, REPORT_HTML, REPORT_PDF),
        *(*TAGGED, TAG_MANIFEST, TAG_NOTE, TAG_SIG),
    }
)
EVIDENCE_PATH = re.compile(r"data/evidence/(ev-[1-9][0-9]{0,8})/(contents/)?[^/]+")
PROOF_PATH = re.compile(r"data/proofs/(ev-[1-9][0-9]{0,8})\.tlog-proof")
CAPTURE_MANIFEST = "capture-manifest.json"
NAMED_OBJECT = re.compile(rb'"sha256": ?"([0-9a-f]{64})"')
"""How a capture manifest names an object. A quotation mark inside a JSON string is escaped, so no file name
can look like this."""
INCIDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")
"""The DER bytes before the key in an Ed25519 SubjectPublicKeyInfo (RFC 8410, section 4)."""


def manifest(digests: Mapping[str, str], paths: Iterable[str]) -> bytes:
    """A BagIt manifest: one line a path, in the order given."""
    return "".join(f"{digests[path]}  {path}\n" for path in paths).encode()


def bag_info(incident_id: str, payload: tuple[int, int], record: tuple[int, str], software: str) -> bytes:
    """``bag-info.txt``. ``payload`` is (bytes, files); ``record`` is (events, instant of the newest)."""
    lines = {
        "External-Identifier": incident_id,
        "Bag-Software-Agent": f"Holdfast {software}",
        "Holdfast-Pack-Format": FORMAT,
        "Holdfast-Record-Size": str(record[0]),
        "Holdfast-Record-Through": record[1],
        "Payload-Oxum": f"{payload[0]}.{payload[1]}",
    }
    return "".join(f"{name}: {value}\n" for name, value in lines.items()).encode()


def public_pem(public: bytes) -> bytes:
    """The Ed25519 public key as ``openssl`` reads it."""
    body = base64.b64encode(_SPKI_ED25519 + public)
    return b"-----BEGIN PUBLIC KEY-----\n" + body + b"\n-----END PUBLIC KEY-----\n"
