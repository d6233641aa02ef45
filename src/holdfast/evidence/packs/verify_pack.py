"""Verify a Holdfast pack with nothing but Python 3.11: python3 verify_pack.py [--key KEY] FILE.

Reads the archive once, from front to end, and unpacks nothing. In order:
1. archive        every header, padding byte and the end are recomputed; names are plain and sorted
2. record         every event is canonical JSON, numbered without a gap; they hash to the checkpoint's root
3. words          every text fits the commitment in the record, or is erased by order, or withheld with proof
4. evidence       every collected item is there byte for byte, or erased by order, or withheld with proof
5. installation   the signer's own log holds this incident's opening and this checkpoint
6. bag            the manifest lists exactly the files under data/, the tag manifest the files beside it
7. signatures     what is signed is signed by the key in the pack, and that is one you gave, or stays unproven
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
from pathlib import Path
from typing import Any, BinaryIO

Json = dict[str, Any]
LEAF, NODE, BLOCK, NAME, CHUNK, HASH = b"\x00", b"\x01", 512, 100, 1 << 20, 32
SEGMENT = "[A-Za-z0-9_][A-Za-z0-9._-]{0,99}"
PATH = re.compile(rf"{SEGMENT}(/{SEGMENT}){{1,6}}")
EVIDENCE = re.compile(rf"data/evidence/(ev-[1-9][0-9]{{0,8}})/(contents/)?{SEGMENT}")
PROOF = re.compile(r"data/proofs/(ev-[1-9][0-9]{0,8})\.tlog-proof")
SEALED = re.compile(r'\{"commitment":"([^"\\]*)","sealed":"([^"\\]*)"\}')
NAMED = re.compile(rb'"sha256": ?"([0-9a-f]{64})"')
EVENTS, TEXTS, WITHHELD = "data/record/events.jsonl", "data/record/texts.jsonl", "data/withheld.jsonl"
POINT, VKEY, PEM = "data/record/checkpoint", "data/record/vkey", "data/record/public-key.pem"
LOG, MANIFEST, TAGS = "data/record/installation/", "manifest-sha256.txt", "tagmanifest-sha256.txt"
TAGGED, CAPTURED = ("VERIFY.txt", "bag-info.txt", "bagit.txt", MANIFEST, "verify_pack.py"), "/capture-manifest.json"
REQUIRED = {
    *(EVENTS, TEXTS, POINT, POINT + ".body", POINT + ".sig", VKEY, PEM, "data/report/report.html"),
    *(LOG + name for name in ("checkpoint", "opening.json", "opening.tlog-proof", "newest.json", "newest.tlog-proof")),
    *("data/report/report.pdf", *TAGGED, TAGS, TAGS + ".note", TAGS + ".sig"),
}


class RefusedError(ValueError):
    """The pack is refused; the arguments are a stable code, the place, and the reason."""


def require(held: object, code: str, place: str, why: str) -> None:
    """Refuse unless ``held``."""
    if not held:
        raise RefusedError(code, place, why)


P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point = tuple[int, int, int, int]


def add(a: Point, b: Point) -> Point:
    """The sum of two points of Ed25519 in extended coordinates (RFC 8032, section 5.1.4)."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def decode(raw: bytes) -> Point:
    """The point of its 32 bytes (section 5.1.3)."""
    sign, y = divmod(int.from_bytes(raw, "little"), 1 << 255)
    squared = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(squared, (P + 3) // 8, P)
    x = x * pow(2, (P - 1) // 4, P) % P if (x * x - squared) % P else x
    require(y < P and (x * x - squared) % P == 0 and (x or not sign), "pack-signature", VKEY, "It is no Ed25519 key.")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature over the message is the key's (section 5.1.7)."""
    key, s = decode(public), int.from_bytes(signature[HASH:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:HASH] + public + message).digest(), "little") % L
    base = decode((4 * pow(5, P - 2, P) % P).to_bytes(HASH, "little"))
    minus: Point = (P - key[0], key[1], 1, P - key[3])
    total, table = (0, 1, 1, 0), ((0, 1, 1, 0), base, minus, add(base, minus))
    for bit in reversed(range(253)):
        total = add(add(total, total), table[(s >> bit & 1) + 2 * (k >> bit & 1)])
    x, y, z, _ = total
    x, y = x * pow(z, P - 2, P) % P, y * pow(z, P - 2, P) % P
    return len(signature) == 2 * HASH and s < L and (y | (x & 1) << 255).to_bytes(HASH, "little") == signature[:HASH]


# Canonical JSON (RFC 8785) sorts keys by UTF-16; numbers that a record may not hold turn into text, which differs.
LOAD = json.JSONDecoder(
    object_pairs_hook=lambda pairs: dict(sorted(pairs, key=lambda pair: pair[0].encode("utf-16-be"))),
    parse_int=lambda text: int(text) if abs(int(text[:20])) < 2**53 else text,
    parse_float=str,
).decode
DUMP = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def unbase64(text: str) -> bytes:
    """The bytes of base64 in its one spelling; nothing for any other text."""
    is_base64 = len(text) % 4 == 0 and re.fullmatch("[A-Za-z0-9+/]*={0,2}", text)
    raw = base64.b64decode(text) if is_base64 else b""
    return raw if base64.b64encode(raw).decode() == text else b""


def key_from(vkey: str) -> tuple[str, bytes, str]:
    """Name, public key and fingerprint of NAME+ID+KEY (c2sp.org/signed-note)."""
    name, hint, encoded = (vkey if vkey.count("+") > 1 else "++").split("+", 2)
    raw = unbase64(encoded)
    fits = len(raw) == 1 + HASH and raw[0] == 1 and name.isprintable() and not re.search(r"\s|^$", name)
    is_hinted = hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8] == hint
    require(fits and is_hinted, "pack-signature", VKEY, "It does not hold exactly one verifier key.")
    return name, raw[1:], " ".join(re.findall(".{8}", hashlib.sha256(raw[1:]).hexdigest()))


def sha(*parts: bytes) -> bytes:
    """SHA-256; of LEAF and data the hash of a leaf, of NODE and two hashes that of a node (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """The root over leaf hashes: the left part is the largest power of two below their number."""
    split = 1 << (len(leaves) - 1).bit_length() >> 1
    return sha(NODE, root_of(leaves[:split]), root_of(leaves[split:])) if len(leaves) > 1 else leaves[0]


def climb(leaf: bytes, index: int, size: int, steps: list[bytes]) -> bytes:
    """The root that a proof leads to from the leaf at an index of a tree; nothing if it has the wrong length."""
    if size <= 1 or not steps:
        return leaf if size == 1 and not steps else b""
    split = 1 << (size - 1).bit_length() >> 1
    if index < split:
        return sha(NODE, climb(leaf, index, split, steps[:-1]), steps[-1])
    return sha(NODE, steps[-1], climb(leaf, index - split, size - split, steps[:-1]))


def is_shown(text: bytes, leaf: bytes, note: bytes, size: int, root: bytes) -> bool:
    """Whether a .tlog-proof (c2sp.org/tlog-proof) shows the leaf under exactly this note."""
    head, _, rest = text.partition(b"\n\n")
    first, *lines = head.decode("utf-8", "replace").removeprefix("c2sp.org/tlog-proof@v1\nindex ").split("\n")
    steps = [unbase64(line) for line in lines]
    fits = re.fullmatch("0|[1-9][0-9]{0,15}", first) and {len(step) for step in steps} <= {HASH} and rest == note
    return bool(fits) and int(first) < size and climb(leaf, int(first), size, steps) == root


def block(path: str, size: int, kind: bytes) -> bytes:
    """A ustar header block: mode 0644, and zero whatever can be."""
    prefix, _, name = ("", "", path) if len(path) <= NAME else path.rpartition("/")
    start = name.encode().ljust(NAME, b"\0") + b"0000644\0" + b"0000000\0" * 2 + f"{size:011o}\0{0:011o}\0".encode()
    rest = kind + bytes(100) + b"ustar\x0000" + bytes(64) + b"0000000\0" * 2 + prefix.encode().ljust(167, b"\0")
    return start + f"{sum(start + b' ' * 8 + rest):06o}\0 ".encode() + rest


def header(path: str, size: int) -> bytes:
    """The only header a member may have; from 8 GiB on the size stands in a pax record before it."""
    body = f"{len(str(size)) + 9} size={size}\n".encode()
    pax = block("PaxHeaders/size", len(body), b"x") + body.ljust(BLOCK, b"\0")
    return block(path, size, b"0") if size < 8**11 else pax + block(path, 0, b"0")


class Pack:
    """What the archive holds: digests and sizes of all files, the bytes of the small ones, the record's facts."""

    def __init__(self, stream: BinaryIO) -> None:
        """Step 1: read it all."""
        self.stream, self.offset, self.incident, self.through = stream, 0, "", ""
        self.digests, self.kept, self.erased = dict[str, str](), dict[str, bytes](), dict[str, str]()
        self.items, self.words = dict[str, Json](), dict[str, Json]()
        self.leaves, self.root, self.origin, self.withheld, self.present = list[bytes](), b"", "", set[str](), 0
        last = "the first header"
        while (first := self.read(BLOCK, last)).strip(b"\0"):
            path, size = self.read_header(first, last)
            require(not self.incident or last < path, "pack-order", path, "It is there twice, or out of order.")
            last, (root, _, inner) = path, path.partition("/")
            self.incident = self.incident or root
            is_ours = inner in REQUIRED or inner == WITHHELD or EVIDENCE.fullmatch(inner) or PROOF.fullmatch(inner)
            require(is_ours and root == self.incident, "pack-unexpected", path, "Nothing in a pack has this name.")
            self.read_contents(inner, size)
            require(not self.read(-size % BLOCK, path).strip(b"\0"), "pack-padding", path, "Its padding is not zero.")
        require(not self.read(BLOCK, last).strip(b"\0"), "pack-end", f"after {last}", "One zero block is no end.")
        require(not stream.read(1), "pack-appended", f"byte {self.offset}", "There are bytes after the end.")
        missing = ", ".join(sorted(REQUIRED - self.digests.keys()))
        require(not missing, "pack-missing", missing, "Every pack has it.")

    def read(self, count: int, member: str) -> bytes:
        """The next bytes, all of them."""
        piece = self.stream.read(count)
        self.offset += len(piece)
        require(len(piece) == count, "pack-truncated", f"byte {self.offset} (in or after {member})", "It ends there.")
        return piece

    def read_header(self, raw: bytes, last: str) -> tuple[str, int]:
        """Path and size of a header that has no other spelling."""
        place, head, digits = f"byte {self.offset - BLOCK}", raw, raw[124:135]
        size = int(digits, 8) if re.fullmatch(rb"[0-7]{11}", digits) else 0
        if raw[156:157] == b"x":
            body, head = self.read(BLOCK, last), self.read(BLOCK, last)
            found = re.match(rb"[0-9]+ size=([1-9][0-9]{9,17})\n", body)
            raw, size = raw + body + head, int(found[1]) if found else 0
        name, prefix = (part.rstrip(b"\0").decode("ascii", "replace") for part in (head[:NAME], head[345:500]))
        path = f"{prefix}/{name}" if prefix else name
        require(PATH.fullmatch(path), "pack-name", place, f"{path[:80]!r} is no name that a pack may hold.")
        require(raw == header(path, size), "pack-header", f"{place} (the header of {path})", "It was altered.")
        return path, size

    def read_contents(self, path: str, size: int) -> None:
        """Hash a member, and keep its bytes unless they are evidence or report."""
        digest, kept = hashlib.sha256(), bytearray()
        is_small = not path.startswith(("data/evidence/", "data/report/")) or path.endswith(CAPTURED)
        for start in range(0, size, CHUNK):
            piece = self.read(min(size - start, CHUNK), path)
            digest.update(piece)
            kept += piece if is_small else b""
        self.digests[path], self.kept[path] = digest.hexdigest(), bytes(kept)

    def read_lines(self, path: str, code: str) -> list[tuple[str, bytes, Json]]:
        """Place, bytes and JSON object of every line of a file; each line is in canonical form."""
        *lines, rest = self.kept.get(path, b"").split(b"\n")
        require(not rest, "pack-truncated", path, "Its last line does not end.")
        found = []
        for number, line in enumerate(lines, 1):
            try:
                value = LOAD(line.decode())
                fits = isinstance(value, dict) and DUMP(value).encode() == line
            except (ValueError, RecursionError):
                value, fits = {}, False
            require(fits, code, f"{path}, line {number}", "It is not a JSON object in canonical form (RFC 8785).")
            found.append((f"{path}, line {number}", line, value))
        return found

    def read_point(self, path: str, code: str) -> tuple[str, int, bytes]:
        """Origin, size and root of a signed checkpoint (c2sp.org/tlog-checkpoint), the signature not yet verified."""
        origin, size, encoded, blank = (self.kept[path].decode("utf-8", "replace") + "\n\n\nx").split("\n")[:4]
        fits = re.fullmatch("0|[1-9][0-9]{0,15}", size) and len(unbase64(encoded)) == HASH and not blank
        require(fits, code, path, "It is not origin, size and root hash.")
        return origin, int(size), unbase64(encoded)

    def check_record(self) -> None:
        """Step 2."""
        for seq, (place, line, event) in enumerate(self.read_lines(EVENTS, "pack-event")):
            is_next = event.get("seq") == seq and event.get("incident") == self.incident
            require(is_next, "pack-event", place, f"Event {seq} belongs here: one was dropped, added or moved.")
            self.leaves.append(sha(LEAF, line))
            for commitment, text in SEALED.findall(line.decode()):
                said = {"commitment": commitment, "event": seq, "id": text, "kind": "text"}
                is_same = self.words.setdefault(text, said)["commitment"] == commitment
                require(is_same, "pack-event", place, "One text has two commitments.")
            try:
                self.through, kind, data = event["recorded_at"], event["type"], event["data"]
                if kind == "evidence.collected":
                    said = {key: data[key] for key in ("manifest", "sha256", "size")}
                    self.items.setdefault(data["evidence_id"], {"event": seq, "kind": "evidence", **said})
                elif kind in ("evidence.erased", "text.erased"):
                    name, proof = ("text_id", "erasure_id") if kind == "text.erased" else ("evidence_id", "sha256")
                    self.erased[data[name]] = data[proof]
            except (KeyError, TypeError, AttributeError):
                raise RefusedError("pack-event", place, "It lacks a field that its type always has.") from None
        is_body = self.kept[POINT].startswith(self.kept[POINT + ".body"] + b"\n")
        require(is_body, "pack-record", POINT + ".body", "It is not the text of data/record/checkpoint.")
        (self.origin, size, root), count = self.read_point(POINT, "pack-record"), len(self.leaves)
        require(count and size == count, "pack-record", f"{EVENTS}, line {min(size, count) + 1}", f"Not {size} events.")
        self.root = root_of(self.leaves)
        require(root == self.root, "pack-record", EVENTS, "It does not hash to the checkpoint: a line was altered.")

    def check_words(self) -> None:
        """Step 3, and the proofs of what is withheld."""
        expected, hidden, place = iter([*self.words, None]), set[str](), TEXTS
        for place, _, entry in self.read_lines(TEXTS, "pack-text"):
            name, held = next(expected), False
            require(name and entry.get("id") == name, "pack-text", place, "A text was dropped, added or moved.")
            if entry == {"id": name, "withheld": True}:
                hidden, held = {*hidden, str(name)}, True
            elif entry.keys() == {"id", "salt", "text"} and re.fullmatch("([0-9a-f]{2})*", str(entry["salt"])):
                made = hmac.new(bytes.fromhex(entry["salt"]), str(entry["text"]).encode(), "sha256").hexdigest()
                held = isinstance(entry["text"], str) and made == self.words[str(name)]["commitment"]
            held = held or (entry == {"erased": self.erased.get(str(name)), "id": name} and name in self.erased)
            require(held, "pack-text", place, "The words are not those that the record committed to.")
        require(next(expected, None) is None, "pack-text", place, "Texts are missing after it.")
        for place, _, entry in self.read_lines(WITHHELD, "pack-withheld"):
            name, proof = str(entry.pop("id", "")), entry.pop("proof", None)
            said = {**(self.items.get(name) or self.words.get(name, {}))}
            fits = isinstance(proof, list) and all(re.fullmatch("[0-9a-f]{64}", str(step)) for step in proof)
            steps, seq = [bytes.fromhex(step) for step in proof] if fits else [b""] * 99, said.get("event", 0)
            held = climb(self.leaves[seq], seq, len(self.leaves), steps) == self.root and name not in self.withheld
            held = held and bool(entry) and entry == {key: said[key] for key in said if key not in ("id", "manifest")}
            require(held, "pack-withheld", place, "It or its proof is not what the record says of a withheld item.")
            self.withheld.add(name)
        agree = self.withheld & self.words.keys() == hidden and self.kept.get(WITHHELD, b"{}")
        require(agree, "pack-withheld", WITHHELD, "It and texts.jsonl disagree on which texts are withheld.")

    def check_evidence(self) -> None:
        """Step 4."""
        packed: dict[str, list[str]] = {}
        for path in self.digests:
            if match := EVIDENCE.fullmatch(path):
                packed.setdefault(match[1], []).append(path)
                is_here = match[1] in self.items and match[1] not in self.erased and match[1] not in self.withheld
                require(is_here, "pack-evidence", path, "The record has no such item, or says that it is not here.")
            match = PROOF.fullmatch(path)
            require(not match or match[1] in self.items, "pack-unexpected", path, "The record has no such item.")
        for name, item in self.items.items():
            path, leaf = f"data/proofs/{name}.tlog-proof", self.leaves[item["event"]]
            held = is_shown(self.kept.get(path, b""), leaf, self.kept[POINT], len(self.leaves), self.root)
            require(held, "pack-proof", path, "It does not show the event that collected the item.")
            if name not in self.erased and name not in self.withheld:
                self.check_item(f"data/evidence/{name}", item, packed.get(name, []))
        self.present = len(packed)

    def check_item(self, place: str, item: Json, paths: list[str]) -> None:
        """One item: its bytes, its capture manifest, everything that names, and nothing more."""
        wanted, own, inner = {item["sha256"], item["manifest"] or item["sha256"]}, set[str](), set[str]()
        manifest = place + CAPTURED if item["manifest"] else ""
        named = {match.decode() for match in NAMED.findall(self.kept.get(manifest, b""))}
        for path in paths:
            digest, (right, seen) = self.digests[path], (named, inner) if "/contents/" in path else (wanted - own, own)
            require(digest in right, "pack-evidence", path, "Its SHA-256 is not one that record or manifest names.")
            seen.add(digest)
        is_whole = own == wanted and item["manifest"] in (None, self.digests.get(manifest))
        is_whole = is_whole and named <= {*inner, *wanted, *self.erased.values()}
        require(is_whole, "pack-evidence", place, "The item, its capture manifest or what that names is missing.")

    def check_installation(self) -> None:
        """Step 5."""
        log, size, root = self.read_point(LOG + "checkpoint", "pack-installation")
        require(self.origin == f"{log}/{self.incident}", "pack-installation", POINT + ".body", "It is of another log.")
        opening = {"first": self.leaves[0].hex(), "log": "opening", "stream": self.incident}
        newest = {"log": "checkpoint", "root": self.root.hex(), "size": len(self.leaves), "stream": self.incident}
        for path, leaf in ((LOG + "opening", opening), (LOG + "newest", newest)):
            data = DUMP(leaf).encode()
            require(self.kept[path + ".json"] == data, "pack-installation", path + ".json", "It is not this record's.")
            held = is_shown(self.kept[path + ".tlog-proof"], sha(LEAF, data), self.kept[LOG + "checkpoint"], size, root)
            require(held, "pack-installation", path + ".tlog-proof", "It does not lead to the log's root.")

    def check_bag(self) -> None:
        """Step 6; a difference is placed at the listed file."""
        tags = "".join(f"{self.digests[path]}  {path}\n" for path in TAGGED).encode()
        altered = TAGS + ".note" if self.kept[TAGS] == tags else TAGS
        is_same = (self.kept[TAGS] == tags) == self.kept[TAGS + ".note"].startswith(tags + b"\n")
        require(is_same, "pack-bag", altered, "The tag manifest and the signed note over it differ.")
        for listing, paths in ((TAGS, TAGGED), (MANIFEST, [path for path in self.digests if path.startswith("data/")])):
            lines = self.kept[listing].split(b"\n")
            for number, path in enumerate(paths):
                is_same = lines[number : number + 1] == [f"{self.digests[path]}  {path}".encode()]
                require(is_same, "pack-bag", path, f"Its SHA-256 is not what {listing} says in line {number + 1}.")
            require(lines[len(paths) :] == [b""], "pack-bag", listing, "It lists a file that is not there at its end.")

    def check_signatures(self) -> str:
        """Step 7; the key that signed everything."""
        kept, vkey = self.kept, self.kept[VKEY].decode("utf-8", "replace").removesuffix("\n")
        name, public, _ = key_from(vkey)
        for note, raw in ((TAGS + ".note", TAGS + ".sig"), (POINT, POINT + ".sig"), (LOG + "checkpoint", "")):
            text, _, line = kept[note].rpartition(b"\n\n")
            dash = f"\u2014 {name} ".encode()
            signature = unbase64(line.removeprefix(dash).decode("utf-8", "replace").removesuffix("\n"))
            is_line = line == dash + base64.b64encode(signature) + b"\n" and signature[:4].hex() == vkey.split("+")[1]
            is_ours = is_line and is_signed(public, text + b"\n", signature[4:])
            require(is_ours, "pack-signature", note, "It does not carry exactly the signature of the pack's key.")
            require(not raw or kept[raw] == signature[4:], "pack-signature", raw, f"It is not the signature of {note}.")
        return vkey


def verify(stream: BinaryIO, trusted: tuple[str, ...] = ()) -> str:
    """The verdict in words; RefusedError at the first thing that is wrong."""
    pack = Pack(stream)
    for step in (pack.check_record, pack.check_words, pack.check_evidence, pack.check_installation, pack.check_bag):
        step()
    signer = pack.check_signatures()
    name, _, fingerprint = key_from(signer)
    require(not trusted or signer in trusted, "pack-signer", VKEY, f"Not a key you trust: {fingerprint}.")
    facts = f"{pack.incident}: {len(pack.leaves)} events up to {pack.through}, {pack.present} items of evidence"
    unproven = f"intact, signer unproven: compare fingerprint {fingerprint}"
    sentence = f"authentic: signed by {name}, whose key you trust" if trusted else unproven
    return f"{facts}, {len(pack.withheld)} withheld, {len(pack.erased)} erased\n{sentence}"


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Verify a Holdfast pack, against each KEY (NAME+ID+KEY) you trust.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", action="append", default=[], type=lambda key: (key_from(key), key)[1])
    chosen = parser.parse_args()
    try:
        with chosen.file.open("rb") as stream:
            verdict, code = verify(stream, tuple(chosen.key)), 0
    except RefusedError as refusal:
        verdict, code = "refused at {1}: {2} [{0}]".format(*refusal.args), 9
    except OSError as error:
        verdict, code = f"cannot read it: {error}", 2
    sys.stdout.write(verdict + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
