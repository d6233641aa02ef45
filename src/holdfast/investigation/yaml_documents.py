"""YAML files as documents, refused when they are made to exhaust whoever reads them.

Rules:
1. Dates stay text, as in JSON. Tags of other tools (``!Ref``, ``!reference``) are read as what they are put on.
2. Anchors may be used again, as CI files do, as long as the whole stays small when written out.
3. Anything else that is not safe YAML is no YAML here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from holdfast.investigation.framing import Value

_DEEPEST, _LARGEST = 100, 500_000
"""Levels, and values when every alias is written out."""
_LOOKS = re.compile(r"(?:\s*#[^\n]*\n|\s*\n|%YAML[^\n]*\n)*(?:---|[\"']?[A-Za-z_.$][\w .$/-]{0,80}[\"']?:(?:\s|$)|- )")


class _Loader(yaml.CSafeLoader):
    """Safe, without dates, with foreign tags as plain values."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _foreign(loader: yaml.CSafeLoader, _tag: str, node: yaml.Node) -> Value:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_Loader.add_multi_constructor("!", _foreign)


def looks_like_yaml(head: str) -> bool:
    """Whether the text begins as YAML does; cheap, and wrong for some text, which then fails to parse."""
    return _LOOKS.match(head) is not None


def documents(text: str) -> list[Value] | None:
    """The documents of a file; none when it is not YAML, or is made to exhaust."""
    try:
        if not _bounded(text):
            return None
        return [one for one in yaml.load_all(text, _Loader) if one is not None]
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, KeyError):
        return None


def _bounded(text: str) -> bool:
    """Whether it stays small when every alias is written out, and is not too deep."""
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    total = 0
    for event in _events(text):
        if isinstance(event, yaml.AliasEvent):
            if any(name == event.anchor for name, _ in open_nodes):
                return False  # a value that holds itself
            total += sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, total))
            total += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor:
                sizes[anchor] = total - before
        elif isinstance(event, yaml.ScalarEvent):
            total += 1
        if total > _LARGEST or len(open_nodes) > _DEEPEST:
            return False
    return True


def _events(text: str) -> Iterator[Any]:
    return iter(yaml.parse(text, yaml.CSafeLoader))
