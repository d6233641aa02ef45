#!/usr/bin/env python3
"""Verify a Holdfast pack with nothing but Python 3.11: python3 verify_pack.py [--key KEY] FILE.

Reads the archive once, from front to end, and unpacks nothing. In order:

1. archive        every header, padding byte and the end are recomputed; names are plain and sorted
2. record         every event is canonical JSON, numbered without a gap; they hash to the checkpoint's root
3. words          every text fits the commitment in the record, or is erased by order, or withheld
4. evidence       every collected item is there byte for byte, or erased by order, or withheld
5. installation   the signer's own log holds this incident's opening and this checkpoint
6. bag            both manifests and the counts follow from the files
7. signatures     list of lists, checkpoint and installation checkpoint are signed by the key in the pack
8. signer         that key is one you gave; without one, the signer stays unproven

Exit codes: 0 accepted, 9 refused (the message names the place), 2 wrong command, file or key.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

Json = dict[str, Any]
HASH, SIGNATURE, NAME = 32, 64, 100
BLOCK, CHUNK, MAX_KEPT = 512, 1 << 20, 1 << 30
SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}"
PATH = re.compile(rf"{SEGMENT}(/{SEGMENT}){{1,6}}")
EVIDENCE = re.compile(r"data/evidence/(ev-[1-9][0-9]{0,8})/(contents/)?[^/]+")
PROOF = re.compile(r"data/proofs/(ev-[1-9][0-9]{0,8})\.tlog-proof")
NAMED = re.compile(rb'"sha256": ?"([0-9a-f]{64})"')
CAPTURED = "/capture-manifest.json"
EVENTS, TEXTS, WITHHELD = "data/record/events.jsonl", "data/record/texts.jsonl", "data/withheld.jsonl"
CHECKPOINT, VKEY, PEM = "data/record/checkpoint", "data/record/vkey", "data/record/public-key.pem"
LOG, MANIFEST, TAGS = "data/record/installation/", "manifest-sha256.txt", "tagmanifest-sha256.txt"
TAGGED = ("VERIFY.txt", "bag-info.txt", "bagit.txt", MANIFEST, "verify_pack.py")
REQUIRED = {
    *(EVENTS, TEXTS, CHECKPOINT, CHECKPOINT + ".body", CHECKPOINT + ".sig", VKEY, PEM),
    *(LOG + name for name in ("checkpoint", "opening.json", "opening.tlog-proof", "newest.json", "newest.tlog-proof")),
    *("data/report/report.html", "data/report/report.pdf", *TAGGED, TAGS, TAGS + ".note", TAGS + ".sig"),
}


class RefusedError(Exception):
    """The pack is refused; the arguments are a stable code, the place, and the reason."""


def require(held: object, code: str, place: str, why: str) -> None:
    """Refuse unless ``held``."""
    if not held:
        raise RefusedError(code, place, why)


# --- Ed25519, RFC 8032 section 5.1.7, in the plainest arithmetic there is -----------------------------------------

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point = tuple[int, int, int, int]


def add(a: Point, b: Point) -> Point:
    """The sum of two points in extended coordinates (section 5.1.4)."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(number: int, point: Point) -> Point:
    """The point added to itself."""
    total: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add(total, point)
        point, number = add(point, point), number >> 1
    return total


def decode(raw: bytes) -> Point | None:
    """The point of its 32 bytes (section 5.1.3)."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    squared = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(squared, (P + 3) // 8, P)
    if (x * x - squared) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - squared) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the 64-byte signature over the message is the key's."""
    key, s = decode(public), int.from_bytes(signature[32:], "little")
    base = decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    if key is None or base is None or len(signature) != SIGNATURE or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    x, y, z, _ = add(multiply(s, base), multiply(k, (P - key[0], key[1], 1, P - key[3])))
    inverse = pow(z, P - 2, P)
    return (y * inverse % P | (x * inverse % P & 1) << 255).to_bytes(32, "little") == signature[:32]


# --- Text forms ---------------------------------------------------------------------------------------------------


def unbase64(text: str) -> bytes:
    """The bytes of base64 in its one spelling; nothing for any other text."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return raw if base64.b64encode(raw).decode() == text else b""


def canonical(value: object) -> str:
    """RFC 8785 text of a JSON value without floats: keys by UTF-16 code units, no spaces."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float) or (isinstance(value, int) and abs(value) >= 2**53):
        raise ValueError
    return json.dumps(value, ensure_ascii=False)


def read_lines(pack: Pack, path: str, code: str) -> list[tuple[str, bytes, Json]]:
    """Place, bytes and JSON object of every line of a file; each line is in canonical form."""
    *lines, rest = pack.kept.get(path, b"").split(b"\n")
    require(not rest, "pack-truncated", path, "Its last line does not end.")
    found = []
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
            fits = isinstance(value, dict) and canonical(value).encode() == line
        except (ValueError, RecursionError):
            value, fits = None, False
        require(fits, code, f"{path}, line {number}", "It is not a JSON object in its one canonical form (RFC 8785).")
        found.append((f"{path}, line {number}", line, value))
    return found


def read_checkpoint(pack: Pack, path: str, code: str) -> tuple[str, int, bytes]:
    """Origin, size and root of a signed checkpoint (c2sp.org/tlog-checkpoint), the signature not yet verified."""
    origin, size, encoded, *rest = pack.kept[path].decode("utf-8", "replace").split("\n") + [""] * 3
    fits = re.fullmatch(r"0|[1-9][0-9]{0,15}", size) and rest[0] == "" and len(unbase64(encoded)) == HASH
    require(fits, code, path, "It is not origin, size and root hash.")
    return origin, int(size), unbase64(encoded)


def key_from(vkey: str) -> tuple[str, bytes]:
    """Name and public key of NAME+ID+KEY (c2sp.org/signed-note); ValueError for anything else."""
    name, hint, encoded = vkey.split("+", 2)
    raw = unbase64(encoded)
    fits = len(raw) == 1 + HASH and raw[0] == 1 and name.isprintable() and not re.search(r"\s|^$", name)
    if not fits or hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8] != hint:
        raise ValueError("not a verifier key: " + vkey)
    return name, raw[1:]


def fingerprint(vkey: str) -> str:
    """SHA-256 of the public key in eight groups, for two people to compare."""
    return " ".join(re.findall(".{8}", hashlib.sha256(key_from(vkey)[1]).hexdigest()))


# --- The Merkle tree, RFC 6962 section 2.1 ------------------------------------------------------------------------


def hash_leaf(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def hash_node(*pair: bytes) -> bytes:
    """The hash over two nodes; a node without a sibling rises as it is."""
    return hashlib.sha256(b"\x01" + pair[0] + pair[1]).digest() if len(pair) > 1 else pair[0]


def grow(leaves: list[bytes]) -> list[list[bytes]]:
    """Every level of the tree; the last one is the root."""
    levels = [leaves or [hashlib.sha256(b"").digest()]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([hash_node(*below[at : at + 2]) for at in range(0, len(below), 2)])
    return levels


def proof_of(levels: list[list[bytes]], index: int) -> list[bytes]:
    """The siblings on the way from a leaf to the root."""
    places = [((index >> height) ^ 1, level) for height, level in enumerate(levels[:-1])]
    return [level[sibling] for sibling, level in places if sibling < len(level)]


def is_shown(text: bytes, leaf: bytes, note: bytes, size: int, root: bytes) -> bool:
    """Whether a .tlog-proof shows the leaf in a log of which we do not have the rest (RFC 9162, section 2.1.3.2)."""
    head, _, rest = text.partition(b"\n\n")
    lines = head.decode("utf-8", "replace").split("\n")
    found = re.fullmatch(r"index (0|[1-9][0-9]{0,15})", "".join(lines[1:2]))
    steps = [unbase64(line) for line in lines[2:]]
    if lines[0] != "c2sp.org/tlog-proof@v1" or not found or rest != note or {len(step) for step in steps} - {HASH}:
        return False
    number, last = int(found[1]), size - 1
    for step in steps:
        if number > last or last == 0:
            return False
        is_right = number & 1 or number == last
        leaf = hash_node(step, leaf) if is_right else hash_node(leaf, step)
        while is_right and not number & 1 and number:
            number, last = number >> 1, last >> 1
        number, last = number >> 1, last >> 1
    return number == last == 0 and leaf == root


# --- The archive --------------------------------------------------------------------------------------------------


def block(path: str, size: int, kind: bytes) -> bytes:
    """A ustar header block: mode 0644, and zero whatever can be."""
    prefix, _, name = ("", "", path) if len(path) <= NAME else path.rpartition("/")
    start = name.encode().ljust(NAME, b"\0") + b"0000644\0" + b"0000000\0" * 2 + f"{size:011o}\0{0:011o}\0".encode()
    rest = kind + bytes(100) + b"ustar\x0000" + bytes(64) + b"0000000\0" * 2 + prefix.encode().ljust(167, b"\0")
    return start + f"{sum(start + b' ' * 8 + rest):06o}\0 ".encode() + rest


def header(path: str, size: int) -> bytes:
    """The only header a member may have; from 8 GiB on the size stands in a pax record before it."""
    if size < 8**11:
        return block(path, size, b"0")
    body = f"{len(str(size)) + 9} size={size}\n".encode()
    return block("PaxHeaders/size", len(body), b"x") + body.ljust(BLOCK, b"\0") + block(path, 0, b"0")


class Pack:
    """What the archive holds: digests and sizes of all files, the bytes of the small ones, the record's facts."""

    def __init__(self, stream: BinaryIO) -> None:
        """Step 1: read it all."""
        self.stream, self.offset, self.buffer = stream, 0, memoryview(bytearray(CHUNK))
        self.incident, self.through = "", ""
        self.digests: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self.kept: dict[str, bytes] = {}
        self.items: dict[str, tuple[Json, int]] = {}
        self.words: dict[str, tuple[str, int]] = {}
        self.erased: dict[str, str] = {}
        self.withheld: set[str] = set()
        last = "the first header"
        while (first := bytes(self.fill(BLOCK, last))).strip(b"\0"):
            path, size = self.read_header(first, last)
            require(not self.incident or last < path, "pack-order", path, "It is there twice, or out of order.")
            last, (root, _, inner) = path, path.partition("/")
            self.incident = self.incident or root
            is_ours = inner in REQUIRED or inner == WITHHELD or EVIDENCE.fullmatch(inner) or PROOF.fullmatch(inner)
            is_home = root == self.incident and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", root)
            require(is_ours and is_home, "pack-unexpected", path, "Nothing in a pack has this name: it was added.")
            self.read_contents(inner, size)
            padding = bytes(self.fill(-size % BLOCK, path)).strip(b"\0")
            require(not padding, "pack-padding", path, "The padding after its contents is not zero.")
        second = bytes(self.fill(BLOCK, last)).strip(b"\0")
        require(not second, "pack-end", f"byte {self.offset - BLOCK}", "A single zero block does not end an archive.")
        require(not stream.read(1), "pack-appended", f"byte {self.offset}", "There are bytes after the end.")
        for path in sorted(REQUIRED - self.digests.keys()):
            raise RefusedError("pack-missing", path, "Every pack has this file.")

    def fill(self, count: int, member: str) -> memoryview:
        """The next bytes, all of them; valid until the next call."""
        got = 0
        while got < count:
            more = self.stream.readinto(self.buffer[got:count])  # type: ignore[attr-defined]  # every file has it
            place = f"byte {self.offset + got} (in or after {member})"
            require(more, "pack-truncated", place, "The archive ends before its end.")
            got += more
        self.offset += count
        return self.buffer[:count]

    def read_header(self, raw: bytes, last: str) -> tuple[str, int]:
        """Path and size of a header that has no other spelling."""
        start, head, digits = self.offset - BLOCK, raw, raw[124:135]
        size = int(digits, 8) if re.fullmatch(rb"[0-7]{11}", digits) else -1
        if raw[156:157] == b"x":
            body = bytes(self.fill(BLOCK, last))
            found = re.fullmatch(rb"[0-9]+ size=([1-9][0-9]{9,17})\n\0*", body)
            size, head = int(found[1]) if found else -1, bytes(self.fill(BLOCK, last))
            raw += body + head
        name, prefix = (part.rstrip(b"\0").decode("ascii", "replace") for part in (head[:NAME], head[345:500]))
        path = f"{prefix}/{name}" if prefix else name
        is_name = PATH.fullmatch(path)
        require(is_name, "pack-name", f"byte {start}", f"{path[:80]!r} is no name that a pack may hold.")
        require(raw == header(path, size), "pack-header", f"byte {start} (the header of {path})", "It was altered.")
        return path, size

    def read_contents(self, path: str, size: int) -> None:
        """Hash a member, and keep its bytes unless they are evidence or report."""
        digest, kept, left = hashlib.sha256(), bytearray(), size
        is_evidence = path.startswith(("data/evidence/", "data/report/")) and not path.endswith(CAPTURED)
        require(is_evidence or size <= MAX_KEPT, "pack-too-large", path, "No file of this kind has more than 1 GiB.")
        while left:
            piece = self.fill(min(left, CHUNK), path)
            digest.update(piece)
            left -= len(piece)
            if not is_evidence:
                kept += piece
        self.digests[path], self.sizes[path] = digest.hexdigest(), size
        if not is_evidence:
            self.kept[path] = bytes(kept)


# --- The steps ----------------------------------------------------------------------------------------------------


def find_words(pack: Pack, value: object, seq: int, place: str) -> None:
    """Every reference to sealed text inside an event's data."""
    if isinstance(value, dict) and set(value) == {"commitment", "sealed"}:
        known = pack.words.setdefault(value["sealed"], (value["commitment"], seq))
        require(known[0] == value["commitment"], "pack-event", place, "One text has two commitments.")
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            find_words(pack, inner, seq, place)


def check_record(pack: Pack) -> tuple[str, list[list[bytes]]]:
    """Step 2; the checkpoint's origin, and the tree."""
    leaves: list[bytes] = []
    for seq, (place, line, event) in enumerate(read_lines(pack, EVENTS, "pack-event")):
        is_next = event.get("seq") == seq and event.get("incident") == pack.incident
        require(is_next, "pack-event", place, f"Event {seq} belongs here: one was dropped, added or moved.")
        leaves.append(hash_leaf(line))
        try:
            pack.through, kind, data = event["recorded_at"], event["type"], event["data"]
            find_words(pack, data, seq, place)
            if kind == "evidence.collected":
                item = {key: data[key] for key in ("manifest", "sha256", "size")}
                pack.items.setdefault(data["evidence_id"], (item, seq))
            elif kind in ("evidence.erased", "text.erased"):
                is_text = kind == "text.erased"
                pack.erased[data["text_id" if is_text else "evidence_id"]] = data["erasure_id" if is_text else "sha256"]
        except (KeyError, TypeError, AttributeError):
            raise RefusedError("pack-event", place, "It lacks a field that its type always has.") from None
    body, levels = CHECKPOINT + ".body", grow(leaves)
    is_text = pack.kept[CHECKPOINT].startswith(pack.kept[body] + b"\n")
    require(is_text, "pack-record", body, "It is not the text of data/record/checkpoint.")
    origin, size, root = read_checkpoint(pack, CHECKPOINT, "pack-record")
    place = f"{EVENTS}, line {min(size, len(leaves)) + 1}"
    require(size == len(leaves), "pack-record", place, f"The checkpoint has {size} events, not {len(leaves)}.")
    require(root == levels[-1][0], "pack-record", EVENTS, "It does not hash to the checkpoint: a line was altered.")
    return origin, levels


def check_words(pack: Pack, levels: list[list[bytes]]) -> None:
    """Step 3, and the proofs of what is withheld."""
    expected = iter([*pack.words, None])
    hidden: set[str] = set()
    place = TEXTS
    for place, _, entry in read_lines(pack, TEXTS, "pack-text"):
        name, held = next(expected), False
        require(name and entry.get("id") == name, "pack-text", place, "A text was dropped, added or moved.")
        if entry.keys() == {"id", "erased"}:
            held = entry["erased"] == pack.erased.get(str(name), 0)
        elif entry == {"id": name, "withheld": True}:
            hidden, held = {*hidden, str(name)}, True
        elif entry.keys() == {"id", "salt", "text"} and re.fullmatch(r"([0-9a-f]{2})*", str(entry["salt"])):
            made = hmac.new(bytes.fromhex(entry["salt"]), str(entry["text"]).encode(), "sha256").hexdigest()
            held = isinstance(entry["text"], str) and made == pack.words[str(name)][0]
        require(held, "pack-text", place, "The words are not those that the record committed to.")
    require(next(expected, None) is None, "pack-text", place, "Texts are missing after it.")
    for place, _, entry in read_lines(pack, WITHHELD, "pack-withheld"):
        name, said = str(entry.get("id")), {}
        if name in pack.items:
            item, seq = pack.items[name]
            said = {"event": seq, "id": name, "kind": "evidence", "sha256": item["sha256"], "size": item["size"]}
        elif name in pack.words:
            said = {"event": pack.words[name][1], "id": name, "kind": "text", "commitment": pack.words[name][0]}
        proof = [step.hex() for step in proof_of(levels, said.get("event", 0))]
        is_true = said and entry == {**said, "proof": proof} and name not in pack.withheld
        require(is_true, "pack-withheld", place, "It or its proof is not what the record says of a withheld item.")
        pack.withheld.add(name)
    agree = pack.withheld & pack.words.keys() == hidden and pack.kept.get(WITHHELD, b"{}")
    require(agree, "pack-withheld", WITHHELD, "It and texts.jsonl disagree on which texts are withheld.")


def check_evidence(pack: Pack, levels: list[list[bytes]]) -> int:
    """Step 4; how many items are there."""
    packed: dict[str, list[str]] = {}
    for path in pack.digests:
        if match := EVIDENCE.fullmatch(path):
            packed.setdefault(match[1], []).append(path)
            is_here = match[1] in pack.items and match[1] not in pack.erased and match[1] not in pack.withheld
            require(is_here, "pack-evidence", path, "The record has no such item, or says that it is not here.")
        if match := PROOF.fullmatch(path):
            require(match[1] in pack.items, "pack-unexpected", path, "The record has no such item.")
            seq = pack.items[match[1]][1]
            steps = "".join(base64.b64encode(step).decode() + "\n" for step in proof_of(levels, seq))
            text = f"c2sp.org/tlog-proof@v1\nindex {seq}\n{steps}\n".encode() + pack.kept[CHECKPOINT]
            require(pack.kept[path] == text, "pack-proof", path, "It does not show the event that collected the item.")
    for name, (item, _) in pack.items.items():
        path = f"data/proofs/{name}.tlog-proof"
        require(path in pack.digests, "pack-missing", path, "Every collected item has its proof.")
        if name not in pack.erased and name not in pack.withheld:
            require(name in packed, "pack-evidence", f"data/evidence/{name}", "The record has this item, the pack not.")
            check_item(pack, f"data/evidence/{name}", item, packed[name])
    return len(packed)


def check_item(pack: Pack, place: str, item: Json, paths: list[str]) -> None:
    """One item: its bytes, its capture manifest, everything that names, and nothing more."""
    wanted, manifest = {item["sha256"], item["manifest"] or item["sha256"]}, place + CAPTURED
    named = {match.decode() for match in NAMED.findall(pack.kept.get(manifest, b"") if item["manifest"] else b"")}
    own, inner = set[str](), set[str]()
    for path in paths:
        digest, is_inner = pack.digests[path], "/contents/" in path
        is_right = digest in (named if is_inner else wanted - own)
        require(is_right, "pack-evidence", path, "Its SHA-256 is not one that the record or the manifest names.")
        is_sized = digest != item["sha256"] or pack.sizes[path] == item["size"]
        require(is_sized, "pack-evidence", path, "Its size is not the recorded one.")
        (inner if is_inner else own).add(digest)
    is_whole = own == wanted and item["manifest"] in (None, pack.digests.get(manifest))
    require(is_whole, "pack-evidence", place, "The item or its capture manifest is missing.")
    lost = sorted(named - inner - wanted - set(pack.erased.values()))
    require(not lost, "pack-evidence", f"{place}/contents", f"The manifest names {lost[:1]}, and it is not there.")


def check_installation(pack: Pack, origin: str, levels: list[list[bytes]]) -> None:
    """Step 5."""
    note, stream = pack.kept[LOG + "checkpoint"], pack.incident
    log, size, root = read_checkpoint(pack, LOG + "checkpoint", "pack-installation")
    is_ours = origin == f"{log}/{stream}"
    require(is_ours, "pack-installation", CHECKPOINT + ".body", f"It is of {origin}, not of {stream} under {log}.")
    opening = {"first": levels[0][0].hex(), "log": "opening", "stream": stream}
    newest = {"log": "checkpoint", "root": levels[-1][0].hex(), "size": len(levels[0]), "stream": stream}
    for path, leaf in ((LOG + "opening", canonical(opening).encode()), (LOG + "newest", canonical(newest).encode())):
        is_leaf = pack.kept[path + ".json"] == leaf
        require(is_leaf, "pack-installation", path + ".json", "It does not follow from the record.")
        held = is_shown(pack.kept[path + ".tlog-proof"], hash_leaf(leaf), note, size, root)
        require(held, "pack-installation", path + ".tlog-proof", "It does not lead to the installation log's root.")


def check_bag(pack: Pack, count: int) -> None:
    """Step 6; a difference is placed at the listed file."""
    kept, payload = pack.kept, [path for path in pack.digests if path.startswith("data/")]
    tags = "".join(f"{pack.digests[path]}  {path}\n" for path in TAGGED).encode()
    is_listed, is_sealed = kept[TAGS] == tags, kept[TAGS + ".note"].startswith(tags + b"\n")
    altered = TAGS + ".note" if is_listed else TAGS
    require(is_listed == is_sealed, "pack-bag", altered, "The tag manifest and the signed note over it differ.")
    for listing, paths in ((TAGS, TAGGED), (MANIFEST, payload)):
        lines = kept[listing].split(b"\n")
        for number, path in enumerate(paths):
            is_same = lines[number : number + 1] == [f"{pack.digests[path]}  {path}".encode()]
            require(is_same, "pack-bag", path, f"Its SHA-256 is not what {listing} says in line {number + 1}.")
        place = f"{listing}, line {len(paths) + 1}"
        require(lines[len(paths) :] == [b""], "pack-bag", place, "It lists a file that is not there.")
    agent = re.search(rb"Bag-Software-Agent: Holdfast [0-9A-Za-z.+-]{1,40}\n", kept["bag-info.txt"])
    info = (
        f"External-Identifier: {pack.incident}\n{agent[0].decode() if agent else ''}Holdfast-Pack-Format: 1\n"
        f"Holdfast-Record-Size: {count}\nHoldfast-Record-Through: {pack.through}\n"
        f"Payload-Oxum: {sum(pack.sizes[path] for path in payload)}.{len(payload)}\n"
    )
    require(kept["bag-info.txt"] == info.encode(), "pack-bag", "bag-info.txt", "It does not describe this pack.")
    declaration = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    require(kept["bagit.txt"] == declaration, "pack-bag", "bagit.txt", "It does not declare a BagIt 1.0 bag.")


def check_signatures(pack: Pack) -> str:
    """Step 7; the key that signed everything."""
    kept, vkey = pack.kept, pack.kept[VKEY].decode("utf-8", "replace").removesuffix("\n")
    try:
        name, public = key_from(vkey)
    except ValueError:
        raise RefusedError("pack-signature", VKEY, "It does not hold exactly one verifier key.") from None
    require(kept[VKEY] == f"{vkey}\n".encode(), "pack-signature", VKEY, "It does not hold exactly one verifier key.")
    der = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + public)
    pem = b"-----BEGIN PUBLIC KEY-----\n" + der + b"\n-----END PUBLIC KEY-----\n"
    require(kept[PEM] == pem, "pack-signature", PEM, "It is not the key in data/record/vkey.")
    for note, raw in ((TAGS + ".note", TAGS + ".sig"), (CHECKPOINT, CHECKPOINT + ".sig"), (LOG + "checkpoint", "")):
        text, _, line = kept[note].rpartition(b"\n\n")
        dash = f"\u2014 {name} ".encode()
        signature = unbase64(line.removeprefix(dash).decode("utf-8", "replace").removesuffix("\n"))
        is_line = line == dash + base64.b64encode(signature) + b"\n" and signature[:4].hex() == vkey.split("+")[1]
        is_ours = is_line and is_signed(public, text + b"\n", signature[4:])
        require(is_ours, "pack-signature", note, "It does not carry exactly the signature of the pack's key.")
        require(not raw or kept[raw] == signature[4:], "pack-signature", raw, f"It is not the signature of {note}.")
    return vkey


def verify(stream: BinaryIO, trusted: Sequence[str] = ()) -> str:
    """The verdict in words; RefusedError at the first thing that is wrong."""
    pack = Pack(stream)
    origin, levels = check_record(pack)
    check_words(pack, levels)
    present = check_evidence(pack, levels)
    check_installation(pack, origin, levels)
    check_bag(pack, len(levels[0]))
    signer = check_signatures(pack)
    why = f"It is signed by another key than those you trust: fingerprint {fingerprint(signer)}."
    require(not trusted or signer in trusted, "pack-signer", VKEY, why)
    facts = f"{pack.incident}, {len(levels[0])} events up to {pack.through}, {present} items of evidence"
    facts += f", {len(pack.withheld)} withheld, {len(pack.erased)} erased"
    if trusted:
        return f"{facts}\nauthentic: signed by {key_from(signer)[0]}, whose key you trust"
    return f"{facts}\nintact, signer unproven: compare fingerprint {fingerprint(signer)}"


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Verify a Holdfast pack.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", action="append", default=[], help="a verifier key you trust: NAME+ID+KEY")
    parser.add_argument("--pinned-keys", type=Path, help="a file with one verifier key a line")
    chosen = parser.parse_args()
    try:
        pinned = chosen.pinned_keys.read_text(encoding="utf-8") if chosen.pinned_keys else ""
        lines = [line.strip() for line in (*chosen.key, *pinned.splitlines())]
        keys = [line for line in lines if line and not line.startswith("#")]
        fingerprints = [fingerprint(key) for key in keys]
        if chosen.pinned_keys and not fingerprints:
            parser.error("the pinned-keys file holds no key")
        with chosen.file.open("rb", buffering=0) as stream:
            sys.stdout.write(verify(stream, keys) + "\n")
    except RefusedError as refusal:
        sys.stdout.write("refused at {1}: {2} [{0}]\n".format(*refusal.args))
        return 9
    except (OSError, ValueError) as error:
        sys.stderr.write(f"cannot verify: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
