"""A page as a browser without JavaScript has it: its text, its forms, and what sending one would post."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
UNSEEN = frozenset({"script", "style", "template", "head", "datalist"})
BLOCKS = frozenset(
    {"p", "li", "div", "td", "th", "dt", "dd", "h1", "h2", "h3", "h4", "section", "article", "tr", "label", "legend"}
)


@dataclass
class Node:
    """An element with what is in it."""

    tag: str
    attributes: dict[str, str]
    children: list[Node | str] = field(default_factory=list)

    def all(self, *tags: str) -> Iterator[Node]:
        """Every element of these names inside, in order."""
        for child in self.children:
            if isinstance(child, Node):
                if not tags or child.tag in tags:
                    yield child
                yield from child.all(*tags)

    def by_id(self, identity: str) -> Node | None:
        """The element with that id."""
        return next((node for node in self.all() if node.attributes.get("id") == identity), None)

    def raw(self) -> str:
        """The text inside, white space kept."""
        return "".join(child if isinstance(child, str) else child.raw() for child in self.children)

    def text(self) -> str:
        """The text a person reads, white space as one space."""
        return " ".join(self._pieces().split())

    def _pieces(self) -> str:
        if self.tag in UNSEEN:
            return ""
        inner = "".join(child if isinstance(child, str) else child._pieces() for child in self.children)
        return f" {inner} " if self.tag in BLOCKS else inner


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("#", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if tag in [node.tag for node in self._open[1:]]:
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def parse(html: str) -> Node:
    """The page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.root


class CannotFillError(Exception):
    """The form does not offer what the person wants to say, or wants more than they say."""


@dataclass
class Form:
    """One form of a page."""

    node: Node

    @property
    def action(self) -> str:
        """Where it goes."""
        return self.node.attributes.get("action", "")

    def controls(self) -> list[Node]:
        """Its controls that have a name."""
        found = self.node.all("input", "select", "textarea", "button")
        return [one for one in found if one.attributes.get("name") and "disabled" not in one.attributes]

    def hidden(self) -> dict[str, list[str]]:
        """What it sends of itself."""
        values: dict[str, list[str]] = {}
        for one in self.controls():
            if one.tag == "input" and one.attributes.get("type") == "hidden":
                values.setdefault(one.attributes["name"], []).append(one.attributes.get("value", ""))
        return values

    def filled(self, fields: dict[str, Any]) -> list[tuple[str, str]]:
        """What a browser posts once a person has filled these fields in.

        Raises:
            CannotFillError: no such field or choice here, a hidden field says otherwise, or a required one is empty.
        """
        filling = _Filling(self, fields)
        pairs = [pair for name in filling.names() for pair in filling.pairs_of(name)]
        if filling.left:
            message = f"{self.action} offers no {sorted(filling.left)}, but {sorted(filling.names())}"
            raise CannotFillError(message)
        return pairs


class _Filling:
    def __init__(self, form: Form, fields: dict[str, Any]) -> None:
        self._by_name: dict[str, list[Node]] = {}
        for control in form.controls():
            self._by_name.setdefault(control.attributes["name"], []).append(control)
        self._action = form.action
        self.left: dict[str, Any] = {}
        for name, value in fields.items():
            if f"{name}." in " ".join(self._by_name) and isinstance(value, list):
                self.left |= {f"{name}.{one.partition('=')[0]}": one.partition("=")[2] for one in value}
            else:
                self.left[name] = value

    def names(self) -> list[str]:
        return list(self._by_name)

    def pairs_of(self, name: str) -> list[tuple[str, str]]:
        """The pairs one name contributes."""
        controls = self._by_name[name]
        given = name in self.left
        value = self.left.pop(name, None)
        first = controls[0]
        kind = first.attributes.get("type", "text") if first.tag == "input" else first.tag
        if kind in ("button", "submit"):
            return []
        if kind == "hidden":
            return self._hidden(name, controls, value, given=given)
        if kind in ("radio", "checkbox"):
            return self._ticked(name, controls, value, given=given)
        if kind == "select":
            return self._selected(name, first, value, given=given)
        return self._typed(name, first, value, given=given)

    def _hidden(self, name: str, controls: list[Node], value: Any, *, given: bool) -> list[tuple[str, str]]:
        sent = [one.attributes.get("value", "") for one in controls]
        if given and sent != _texts(value):
            message = f"{self._action} is about {name}={sent}, not {value}"
            raise CannotFillError(message)
        return [(name, one) for one in sent]

    def _ticked(self, name: str, controls: list[Node], value: Any, *, given: bool) -> list[tuple[str, str]]:
        wanted = _texts(value) if given else None
        boxes = [one for one in controls if one.attributes.get("type") != "hidden"]
        offered = [one.attributes.get("value", "on") for one in boxes]
        if wanted is not None and not set(wanted) - {"false"} <= set(offered):
            message = f"{self._action}: {name} offers {offered}, not {value}"
            raise CannotFillError(message)
        pairs = []
        for one in controls:
            text = one.attributes.get("value", "on")
            hidden = one.attributes.get("type") == "hidden"
            if hidden or (text in wanted if wanted is not None else "checked" in one.attributes):
                pairs.append((name, text))
        if not pairs and any("required" in one.attributes for one in boxes):
            message = f"{self._action}: {name} has to be chosen"
            raise CannotFillError(message)
        return pairs

    def _selected(self, name: str, select: Node, value: Any, *, given: bool) -> list[tuple[str, str]]:
        options = list(select.all("option"))
        offered = [one.attributes.get("value", one.text()) for one in options]
        chosen = [text for text, one in zip(offered, options, strict=True) if "selected" in one.attributes]
        if given:
            chosen = _texts(value)
            if not set(chosen) <= set(offered):
                message = f"{self._action}: {name} offers {offered}, not {value}"
                raise CannotFillError(message)
        elif not chosen:
            chosen = offered[:1]
        return self._needed(name, select, [(name, one) for one in chosen])

    def _typed(self, name: str, control: Node, value: Any, *, given: bool) -> list[tuple[str, str]]:
        text = control.raw().removeprefix("\n") if control.tag == "textarea" else control.attributes.get("value", "")
        if given:
            joint = "\n" if control.tag == "textarea" else " "
            text = joint.join(_texts(value))
            if control.attributes.get("type") == "datetime-local":
                text = self._wall_clock(name, text)
        return self._needed(name, control, [(name, text)])

    def _wall_clock(self, name: str, instant: str) -> str:
        zone = self._by_name[f"{name}@zone"][0].attributes["value"]
        return datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M:%S")

    def _needed(self, name: str, control: Node, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        if "required" in control.attributes and not any(text.strip() for _, text in pairs):
            message = f"{self._action}: {name} has to be filled in"
            raise CannotFillError(message)
        return pairs


def _texts(value: Any) -> list[str]:
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
