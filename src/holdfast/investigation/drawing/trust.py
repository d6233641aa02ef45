"""The trust graph in layers: what leads to the suspects on the left, what they reach on the right.

Rules:
1. Layers go by steps from the suspects (or, without any, from those nobody leads to); within a layer, nodes are set
   where their neighbours are, in two sweeps, so that few lines cross.
2. A solid line was seen in the logs, a dashed one is only in captured state, a thick one is in both.
3. The kind of relation stands above the node it leads to. Its condition is in the line's title.
4. What does not fit in a layer is counted there, with the nodes nearest to the suspects kept.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast.kernel.svg import (
    ACCENT,
    EDGE,
    INK,
    PANEL,
    SOFT,
    SUNK,
    WIDTH,
    Key,
    empty,
    escape,
    fit,
    label,
    legend,
    more,
    picture,
    tag,
)

Row = Mapping[str, Any]

TITLE = "Who trusts whom"
LAYERS = 5
"""Layers side by side: the suspects' and those nearest to it."""
DEEP = 12
"""Nodes in one layer."""
_TALL, _GAP, _ABOVE, _TOP = 40.0, 12.0, 15.0, 64.0
_SWEEPS = 4
_BOW = 44.0
"""Room on the right for lines that lead back."""
_FAR = 1 << 30


@dataclass(slots=True)
class _Node:
    """Somebody or something."""

    uid: str
    kind: str
    account: str
    layer: int = 0
    place: float = 0.0
    incoming: list[str] = field(default_factory=list)
    """Relations that lead here."""
    x: float = 0.0
    y: float = 0.0


def trust_svg(edges: Sequence[Row], suspects: frozenset[str] = frozenset()) -> str:
    """The picture.

    Args:
        edges: of the table ``trust_graph`` (``from_uid``, ``from_type``, ``relation``, ``to_uid``, ``to_type``,
            ``seen``, ``condition``, ``account_uid``) or ``trust_edges``, which is captured state.
        suspects: identities, credentials and artifacts in question.
    """
    known = [row for row in edges if row["from_uid"] and row["to_uid"] and row["from_uid"] != row["to_uid"]]
    if not known:
        return empty("trust", TITLE, "No trust is known: the logs show none, and no configuration was captured.")
    nodes = _nodes(known)
    roots = _roots(nodes, known, suspects)
    distance = _distances(nodes, known, roots)
    layers, hidden = _layers(nodes, distance, known)
    shown = {node.uid for layer in layers for node in layer}
    inside = [row for row in known if row["from_uid"] in shown and row["to_uid"] in shown]
    drawn = [row for row in inside if _tells(distance[row["from_uid"]], distance[row["to_uid"]])]
    for row in drawn:
        if row["relation"] and row["relation"] not in nodes[row["to_uid"]].incoming:
            nodes[row["to_uid"]].incoming.append(row["relation"])
    _order(layers, drawn)
    bottom, wide = _place(layers)
    body = [_edge(row, nodes, wide) for row in _once(drawn)]
    body += [_box(node, wide, suspect=node.uid in suspects) for layer in layers for node in layer]
    rest = len(nodes) - len(shown)
    body += _counted(layers, hidden, bottom, wide)
    y = bottom + (22 if any(hidden.values()) else 0)
    if rest - sum(hidden.values()) > 0:
        y += 18
        body.append(
            label(12, y, more(rest - sum(hidden.values()), "further away or not connected to these"), fill=SOFT)
        )
    signs, height = legend(_keys(drawn, suspects & shown), 12, y + 22)
    subtitle = "from left to right: who may become, use or change what" if roots else ""
    head = [label(12, 26, TITLE, font_size=16.0, font_weight=650), label(12, 46, subtitle, fill=SOFT)]
    parts = [_arrow(), *head, *body, *signs]
    return picture("trust", TITLE, _described(known, nodes, suspects), parts, y + 22 + height)


def _tells(start: int, end: int) -> bool:
    """Whether a line says something of the suspects: it leads towards them or away from them, not past them."""
    return not start < 0 < end


def _apart(nodes: int, edges: int) -> str:
    """What is not drawn, in words."""
    parts = [more(nodes, "further away or not connected to these")] if nodes else []
    if edges:
        parts.append(f"{edges:,} relations that pass by the suspects are not drawn")
    return "; ".join(parts)


def _nodes(edges: Iterable[Row]) -> dict[str, _Node]:
    nodes: dict[str, _Node] = {}
    for row in edges:
        for end in ("from", "to"):
            uid = row[f"{end}_uid"]
            nodes.setdefault(uid, _Node(uid, row[f"{end}_type"] or "", row.get("account_uid") or ""))
    return nodes


def _roots(nodes: Mapping[str, _Node], edges: Sequence[Row], suspects: frozenset[str]) -> list[str]:
    """Where the layers are counted from: the suspects, else whoever nobody leads to, else the busiest."""
    marked = sorted(uid for uid in nodes if uid in suspects)
    if marked:
        return marked
    led = {row["to_uid"] for row in edges}
    free = sorted(uid for uid in nodes if uid not in led)
    return free or [max(sorted(nodes), key=lambda uid: sum(row["from_uid"] == uid for row in edges))]


def _distances(nodes: Mapping[str, _Node], edges: Sequence[Row], roots: Sequence[str]) -> dict[str, int]:
    """Steps from the roots: forwards positive, backwards negative; what neither reaches is left out."""
    onwards: dict[str, list[str]] = defaultdict(list)
    backwards: dict[str, list[str]] = defaultdict(list)
    for row in edges:
        onwards[row["from_uid"]].append(row["to_uid"])
        backwards[row["to_uid"]].append(row["from_uid"])
    found = dict.fromkeys(roots, 0)
    for ways, sign in ((onwards, 1), (backwards, -1)):
        waiting = deque(roots)
        while waiting:
            uid = waiting.popleft()
            for other in ways[uid]:
                if other not in found:
                    found[other] = found[uid] + sign
                    waiting.append(other)
    # What hangs on a node that was found (another who may take the same role) stands one step before or after it.
    for uid in nodes:
        if uid not in found:
            after = [found[other] - 1 for other in onwards[uid] if other in found]
            before = [found[other] + 1 for other in backwards[uid] if other in found]
            if after or before:
                found[uid] = min(after + before, key=abs)
    return found


def _layers(
    nodes: Mapping[str, _Node], distance: Mapping[str, int], edges: Sequence[Row]
) -> tuple[list[list[_Node]], dict[int, int]]:
    """Nodes by layer from left to right, and how many of each layer are not shown."""
    degree: dict[str, int] = defaultdict(int)
    for row in edges:
        # Who may become whom tells more than who may use what: there is little of the first and much of the second.
        weight = 1 if (row["relation"] or "").startswith("may_") else 4
        degree[row["from_uid"]] += weight
        degree[row["to_uid"]] += weight
    by_layer: dict[int, list[_Node]] = defaultdict(list)
    for uid, steps in distance.items():
        by_layer[steps].append(nodes[uid])
    nearest = sorted(sorted(by_layer), key=lambda steps: (abs(steps), -steps))[:LAYERS]
    layers, hidden = [], {}
    for number, steps in enumerate(sorted(nearest)):
        ranked = sorted(by_layer[steps], key=lambda node: (-degree[node.uid], node.uid))
        kept = ranked[:DEEP]
        hidden[number] = len(ranked) - len(kept)
        for place, node in enumerate(sorted(kept, key=lambda node: (node.account, node.kind, node.uid))):
            node.layer, node.place = number, float(place)
        layers.append(kept)
    return layers, hidden


def _order(layers: Sequence[list[_Node]], edges: Sequence[Row]) -> None:
    """Set each node near its neighbours, from left to right and back."""
    near: dict[str, list[str]] = defaultdict(list)
    for row in edges:
        near[row["from_uid"]].append(row["to_uid"])
        near[row["to_uid"]].append(row["from_uid"])
    where = {node.uid: node for layer in layers for node in layer}
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            for node in layer:
                others = [where[uid].place for uid in near[node.uid] if where[uid].layer != node.layer]
                node.place = sum(others) / len(others) if others else node.place
            layer.sort(key=lambda node: (node.place, node.uid))
            room = max(len(one) for one in layers) / max(len(layer), 1)
            for place, node in enumerate(layer):
                node.place = (place + 0.5) * room


def _place(layers: Sequence[list[_Node]]) -> tuple[float, float]:
    """Give each node its place; the bottom of all, and the width of a node."""
    between = 64.0
    room = WIDTH - 24 - _BOW
    wide = min((room - between * (len(layers) - 1)) / len(layers), 300.0)
    step = (room - wide) / max(len(layers) - 1, 1) if len(layers) > 1 else 0.0
    step = min(step, wide + 180)
    pitch = _TALL + _GAP + _ABOVE
    rows = max(len(layer) for layer in layers)
    for number, layer in enumerate(layers):
        start = _TOP + (rows - len(layer)) * pitch / 2
        for place, node in enumerate(layer):
            node.x, node.y = 12 + number * step, start + place * pitch + _ABOVE
    return _TOP + rows * pitch, wide


def _once(edges: Sequence[Row]) -> list[Row]:
    """One line between two nodes, however many relations there are; the strongest sight counts."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in edges:
        key = (row["from_uid"], row["to_uid"])
        seen = row.get("seen") or "state"
        told = f"{row['relation']}{' if ' + row['condition'] if row.get('condition') else ''}"
        known = found.setdefault(key, {**row, "seen": seen, "told": []})
        known["told"].append(told)
        if known["seen"] != seen:
            known["seen"] = "both"
    return list(found.values())


def _edge(row: Row, nodes: Mapping[str, _Node], wide: float) -> str:
    start, end = nodes[row["from_uid"]], nodes[row["to_uid"]]
    x1, y1, x2, y2 = start.x + wide, start.y + _TALL / 2, end.x, end.y + _TALL / 2
    if end.layer > start.layer:
        bend = max((x2 - x1) / 2, 24)
        path = f"M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2 - 7:.1f} {y2:.1f}"
    else:
        # Backwards or beside: a bow on the right of both, so that it runs behind no box.
        x2 = end.x + wide
        bow = _BOW - 6
        path = f"M{x1:.1f} {y1:.1f}C{x1 + bow:.1f} {y1:.1f} {x2 + bow:.1f} {y2:.1f} {x2 + 7:.1f} {y2:.1f}"
    title = tag("title", escape(f"{row['from_uid']} {', '.join(row['told'])} {row['to_uid']} (seen in: {row['seen']})"))
    return tag("path", title, d=path, fill="none", marker_end="url(#trust-arrow)", **_stroke(row["seen"]))


def _stroke(seen: str) -> dict[str, Any]:
    if seen == "both":
        return {"stroke": INK, "stroke_width": 2.6}
    if seen == "log":
        return {"stroke": INK, "stroke_width": 1.4}
    return {"stroke": SOFT, "stroke_width": 1.3, "stroke_dasharray": "5 4"}


def _box(node: _Node, wide: float, *, suspect: bool) -> str:
    title = tag("title", escape(f"{node.uid} ({node.kind or 'kind not known'}{', suspect' if suspect else ''})"))
    frame = tag(
        "rect",
        x=node.x,
        y=node.y,
        width=wide,
        height=_TALL,
        rx=4,
        fill=PANEL if suspect else SUNK,
        stroke=ACCENT if suspect else EDGE,
        stroke_width=3 if suspect else 1,
    )
    name = ("◆ " if suspect else "") + short(node.uid)
    below = " · ".join(part for part in (node.kind.replace("_", " "), node.account) if part)
    parts = [
        title,
        frame,
        label(node.x + 9, node.y + 17, fit(name, wide - 18, 13.0, bold=True), font_size=13.0, font_weight=600),
        label(node.x + 9, node.y + 32, fit(below, wide - 18), fill=SOFT),
    ]
    if node.incoming:
        words = ", ".join(name.replace("_", " ") for name in sorted(node.incoming))
        parts.append(
            label(node.x + 2, node.y - 5, fit(words, wide - 4, 11.0), font_size=11.0, fill=SOFT, font_style="italic")
        )
    return tag("g", "".join(parts))


def short(uid: str) -> str:
    """The telling end of a name: what follows the account of an ARN, the repository and job of a subject."""
    if uid.startswith("arn:"):
        return uid.split(":", 5)[-1]
    return uid.removeprefix("https://")


def _counted(layers: Sequence[list[_Node]], hidden: Mapping[int, int], bottom: float, wide: float) -> list[str]:
    return [
        label(layers[number][0].x, bottom + 12, fit(more(count, "here"), wide), fill=SOFT)
        for number, count in hidden.items()
        if count
    ]


def _keys(edges: Sequence[Row], suspects: frozenset[str]) -> list[Key]:
    def line(seen: str) -> str:
        return tag("line", x1=-2, x2=20, y1=6, y2=6, **_stroke(seen))

    kinds = {row["seen"] for row in _once(edges)}
    names = {"log": "seen in the logs", "state": "in captured state only", "both": "in both"}
    found = [Key(line(seen), name) for seen, name in names.items() if seen in kinds]
    if suspects:
        frame = tag("rect", x=0, y=0, width=18, height=12, rx=3, fill=PANEL, stroke=ACCENT, stroke_width=3)
        found.append(Key(frame, "◆ suspect"))
    return found


def _arrow() -> str:
    head = tag("path", d="M0 0L8 4L0 8Z", fill=SOFT)
    return tag(
        "defs",
        tag(
            "marker",
            head,
            id="trust-arrow",
            markerWidth=8,
            markerHeight=8,
            refX=1,
            refY=4,
            orient="auto",
            markerUnits="userSpaceOnUse",
        ),
    )


def _described(edges: Sequence[Row], nodes: Mapping[str, _Node], suspects: frozenset[str]) -> str:
    marked = sorted(uid for uid in nodes if uid in suspects)
    words = f"{len(nodes)} identities and things, {len(edges)} relations of trust."
    for uid in marked[:5]:
        onwards = sorted({short(row["to_uid"]) for row in edges if row["from_uid"] == uid})
        back = sorted({short(row["from_uid"]) for row in edges if row["to_uid"] == uid})
        words += f" {short(uid)}: leads to {_some(onwards)}; reached from {_some(back)}."
    return words


def _some(names: Sequence[str]) -> str:
    if not names:
        return "nothing known"
    return ", ".join(names[:6]) + (f" {more(len(names) - 6, '')}".rstrip() if len(names) > 6 else "")  # noqa: PLR2004 - enough to read
