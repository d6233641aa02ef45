"""Places where secrets that nobody names were left: one of another kind in each, as the library's own cases make them.

Nothing here holds a secret: the cases are templates with holes, which are filled when the plants are made.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field

from holdfast.exposure.cases import expand
from holdfast.exposure.formats import Rule, Rules
from holdfast.exposure.rules import RuleMatcher
from tests.planting import QUIET, Planted, gz, tarred, zipped

KEY = b"rules of the plants, for testing"
_MARK = b"***"
"""In place of the middle of a token: no token has it."""


@dataclass(frozen=True, slots=True)
class RulePlant:
    """Where a secret is, and what a search has to say of it."""

    rule: str
    fingerprint: str
    text: bytes
    """What was left; the secret is in it."""
    secret: bytes
    kind: str
    oid: str | None = None
    path: str | None = None
    inner: bool = False
    reach: str | None = None


@dataclass(slots=True)
class RulePlants:
    """Plants by name, in a repository."""

    planted: Planted
    rules: Rules
    plants: dict[str, RulePlant] = field(default_factory=dict)
    _left: list[Rule] = field(default_factory=list)
    _matcher: RuleMatcher | None = None
    _chance: random.Random = field(default_factory=lambda: random.Random("rule plants"))

    def __post_init__(self) -> None:
        """Every rule once."""
        self._left = [rule for rule in self.rules.scanning if len(rule.found) > 0]
        self._matcher = RuleMatcher(self.rules, KEY, plain=True)

    def take(self, *wanted: str, multiline: bool = False) -> tuple[Rule, bytes]:
        """A rule that was not planted yet, and a text in which it finds something and no other rule does."""
        for rule in self._left:
            texts = [expand(template) for template in rule.found]
            fit = [text for text in texts if multiline or "\n" not in text.strip()]
            if fit and (not wanted or rule.key in wanted):
                self._left.remove(rule)
                return rule, fit[0].encode()
        msg = "no rule is left"
        raise LookupError(msg)

    def note(self, name: str, text: bytes, kind: str, oid: str | None = None, **more: object) -> None:
        """Remember a plant; what has to be found is what its text alone says."""
        assert self._matcher is not None
        (found, *_) = self._matcher.find(text)
        secret = text[found.start : found.end]
        self.plants[name] = RulePlant(found.rule, found.fingerprint, text, secret, kind, oid, **more)  # type: ignore[arg-type]

    def amid(self, *inserted: bytes) -> bytes:
        """A source file with lines in its middle."""
        names = ["alpha", "beta", "gamma", "delta", "value", "result", "index", "count"]
        pick = self._chance
        lines = [
            f"    {pick.choice(names)}_{pick.randrange(1000)} = {pick.choice(names)}({pick.randrange(10**6)})".encode()
            for _ in range(pick.randrange(60, 120))
        ]
        lines[len(lines) // 2 : len(lines) // 2] = inserted
        return b"\n".join(lines) + b"\n"


def plant_rules(planted: Planted, rules: Rules) -> RulePlants:
    """Leave secrets of very many kinds: on a branch, in what it forgot, and around the objects."""
    made = RulePlants(planted, rules)
    names = _in_names(made)
    base = planted.tree({"readme.txt": planted.blob(b"nothing is here\n")})
    start = planted.commit(base, message=b"start")
    old, now = _contents(made)
    tip = planted.commit(planted.tree(old), start, message=b"old contents")
    tip = planted.commit(planted.tree(now), tip, message=b"contents")
    tip = _in_history(made, tip)
    tip = planted.commit(names, tip, message=b"names")
    tip = planted.commit(planted.tree({**now, **_kept(made)}), tip, message=b"the newest")
    planted.git("update-ref", "refs/heads/main", tip)
    planted.git("symbolic-ref", "HEAD", "refs/heads/main")
    _in_refs(made, tip)
    planted.git("repack", "-q", "-a", "-d", "-f", "--depth=50", "--window=50")
    _unreachable(made, start)
    _around(made, tip)
    return made


def _contents(made: RulePlants) -> tuple[dict[str, str], dict[str, str]]:
    """Files of two versions: in the second one some are gone, and some tokens became whole."""
    planted = made.planted
    old, now = {}, {}
    _, text = made.take("npm-token")
    oid = old["gone.txt"] = planted.blob(made.amid(text))
    made.note("old_version", text, "blob", oid, path="gone.txt", reach="reachable")
    for number, key in enumerate(("github-token", "stripe-key", "gitlab-token", "sendgrid-key")):
        _, text = made.take(key)
        before, after = _seam(made, text)
        name = f"seam-{number}.txt"
        old[name], now[name] = planted.blob(before), planted.blob(after)
        made.note(f"seam_{number}", text, "blob", now[name], path=name, reach="reachable")
    plain: dict[str, tuple[bytes, bytes, bool]] = {}
    _, text = made.take("pem-private-key", multiline=True)
    plain["key.pem"] = (text, made.amid(text), False)
    _, text = made.take("slack-token")
    plain["alone"] = (text, text, False)
    _, text = made.take("pypi-token")
    plain["wide.txt"] = (text, b"\xff\xfe" + f"a line\r\n{text.decode()}\r\nmore\r\n".encode("utf-16le"), False)
    _, text = made.take("digitalocean-token")
    noise = bytes(made._chance.getrandbits(8) for _ in range(2000))
    plain["program.bin"] = (text, noise + b"\0\n" + text + b"\n\0" + noise, False)
    _, text = made.take("google-api-key")
    log = b"".join(b"2026-01-01 INFO request %d was served\n" % number for number in range(30_000))
    plain["large.log"] = (text, log + text + b"\n" + log[:99], False)
    _, text = made.take("jwt")
    plain["backup.gz"] = (text, gz(b"lines\n" * 40 + text + b"\n" + b"lines\n" * 40), True)
    _, text = made.take("vault-token")
    tar = tarred({"app/settings.ini": b"[app]\n" + text + b"\n"}, "w:gz")
    plain["image.zip"] = (text, zipped({"layer.tgz": tar, "x": b"x" * 99}), True)
    _, text = made.take("okta-token")
    plain["crlf.ini"] = (text, b"[a]\r\n" + text + b"\r\nend\r\n", False)
    _, text = made.take("secret-assignment")
    plain["settings.py"] = (text, made.amid(text), False)
    for name, (text, data, inner) in plain.items():
        now[name] = planted.blob(data)
        made.note(name, text, "blob", now[name], path=name, inner=inner, reach="reachable")
    return old, now


def _seam(made: RulePlants, text: bytes) -> tuple[bytes, bytes]:
    """Two versions of a file: the first has no token but its halves, and is longer, so that the second is its delta."""
    around = made.amid(b"HERE")
    assert made._matcher is not None
    (found, *_) = made._matcher.find(text)
    middle = (found.start + found.end) // 2
    cut = text[: middle - 1] + _MARK + text[middle + 2 :]
    assert not made._matcher.find(cut)
    before, after = around.replace(b"HERE", cut), around.replace(b"HERE", text)
    return before + b"    and more lines, so that this one is the base\n" * 20, after


def _kept(made: RulePlants) -> dict[str, str]:
    """What is at the head."""
    _, text = made.take("aws-secret-access-key")
    oid = made.planted.blob(made.amid(text))
    made.note("at_head", text, "blob", oid, path="now.env", reach="reachable")
    return {"now.env": oid}


def _in_names(made: RulePlants) -> str:
    """A folder that holds a file which is named as a token is."""
    _, text = made.take("model-provider-key")
    assert made._matcher is not None
    (found, *_) = made._matcher.find(text)
    name = text[found.start : found.end].decode()
    tree = made.planted.tree({name: made.planted.blob(b"hi\n")})
    made.note("file_name", name.encode(), "tree", tree, reach="reachable")
    return made.planted.folder("names", tree)


def _in_history(made: RulePlants, tip: str) -> str:
    planted = made.planted
    tree = planted.git("rev-parse", f"{tip}^{{tree}}")
    _, text = made.take("google-oauth")
    tip = planted.commit(tree, tip, message=b"rotate\n\n" + text + b"\n")
    made.note("commit_message", text, "commit", tip, reach="reachable")
    _, text = made.take("service-token")
    merged = planted.blob(b"resolved\n" + text + b"\n")
    side = planted.commit(tree, tip, message=b"side")
    own = planted.commit(tree, tip, message=b"own")
    tip = planted.commit(planted.tree({"merged.txt": merged}), own, side, message=b"Merge side")
    made.note("evil_merge", text, "blob", merged, path="merged.txt", reach="reachable")
    return tip


def _in_refs(made: RulePlants, tip: str) -> None:
    planted = made.planted
    _, text = made.take("azure-key")
    head = f"object {tip}\ntype commit\ntag v1\ntagger P <p@example.org> 1700000000 +0000\n\n".encode()
    tag = planted.git("mktag", given=head + text + b"\n")
    planted.git("update-ref", "refs/tags/v1", tag)
    made.note("tag_message", text, "tag", tag, reach="reachable")
    _, text = made.take("package-token")
    note = planted.blob(text + b"\n")
    noted = planted.git("mktree", given=f"100644 blob {note}\t{tip}\n".encode())
    planted.git("update-ref", "refs/notes/commits", planted.commit(noted, message=b"notes"))
    made.note("note", text, "blob", note, reach="reachable")
    _, text = made.take("registry-token")
    stashed = planted.blob(b"work\n" + text + b"\n")
    planted.git("update-ref", "refs/stash", planted.commit(planted.tree({"s.txt": stashed}), tip, message=b"WIP on"))
    made.note("stash", text, "blob", stashed, path="s.txt", reach="reachable")


def _unreachable(made: RulePlants, start: str) -> None:
    planted = made.planted
    _, text = made.take("hosting-token")
    packed = planted.blob(made.amid(text))
    subprocess.run(
        ["git", "pack-objects", "-q", str(planted.home / "objects/pack/pack")],
        input=f"{packed}\n".encode(),
        env={**QUIET, "GIT_DIR": str(planted.home)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    planted.git("prune-packed", "-q")
    made.note("unreachable_packed", text, "blob", packed, reach="unreachable")
    _, text = made.take("build-token")
    made.note("dangling", text, "blob", planted.blob(b"a\n" + text + b"\n"), reach="unreachable")
    _, text = made.take("mail-service-key")
    dropped = planted.blob(text + b"\n")
    planted.commit(planted.tree({"f.env": dropped}), start, message=b"dropped")
    made.note("dropped_commit", text, "blob", dropped, path="f.env", reach="unreachable")


def _around(made: RulePlants, tip: str) -> None:
    home = made.planted.home
    _, text = made.take("url-password")
    with (home / "config").open("ab") as file:
        file.write(b'[remote "origin"]\n\turl = ' + text.strip() + b"\n")
    made.note("config", text, "git-file", path="config")
    _, text = made.take("http-authorization")
    (home / "hooks").mkdir(exist_ok=True)
    (home / "hooks/post-receive").write_bytes(b"#!/bin/sh\n" + text + b"\n")
    made.note("hook", text, "git-file", path="hooks/post-receive")
    _, text = made.take("monitoring-key")
    (home / "logs/refs/heads").mkdir(parents=True, exist_ok=True)
    line = f"{tip} {tip} P <p@example.org> 1700000000 +0000\treset: ".encode()
    (home / "logs/refs/heads/gone").write_bytes(line + text + b"\n")
    made.note("reflog_message", text, "git-file", path="logs/refs/heads/gone")


def documented(rules: Rules) -> Sequence[bytes]:
    """Texts in which no rule may find anything: each rule's own counterexamples, on lines of their own."""
    return [expand(template).encode() for rule in rules.scanning for template in rule.passed]
