"""Which part of LS2 a place or a target belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

Area = Literal["source_control", "ci_logs", "artifact_registries", "chat", "ticket_systems", "paste_locations"]
"""The parts of LS2, by their keys."""
AREAS: tuple[Area, ...] = get_args(Area)

GIT_KINDS = frozenset({"blob", "commit", "tag", "tree", "git-file"})
"""Kinds of hits in a repository."""
_OF_HITS: Mapping[str, Area] = MappingProxyType(
    {
        **dict.fromkeys(GIT_KINDS, "source_control"),
        "layer": "artifact_registries",
        "image-config": "artifact_registries",
        "package": "artifact_registries",
        "message": "chat",
        "issue": "ticket_systems",
        "mail": "ticket_systems",
        "paste": "paste_locations",
        "ci-log": "ci_logs",
    }
)
_OF_TARGETS: Mapping[str, Area] = MappingProxyType(
    {
        "git": "source_control",
        "image": "artifact_registries",
        "registry": "artifact_registries",
        "package": "artifact_registries",
        "chat": "chat",
        "tickets": "ticket_systems",
        "mail": "ticket_systems",
        "paste": "paste_locations",
        "ci-logs": "ci_logs",
    }
)


_ADDRESSES = (
    ("oci://", "image"),
    ("pypi+", "package"),
    ("npm+", "package"),
    ("ssh://", "git"),
    ("git@", "git"),
    ("git://", "git"),
    ("https://", "git"),
    ("http://", "git"),
)
"""How the addresses begin that a search takes, and what is there."""


def kind_of_address(target: str) -> str:
    """What a target is by its address; nothing when it is a path."""
    return next((kind for begin, kind in _ADDRESSES if target.startswith(begin)), "")


def area_of_target(kind: str) -> Area | None:
    """The part of LS2 that a target of this kind is; none when the kind does not tell."""
    return _OF_TARGETS.get(kind)


def area_of_hit(kind: str) -> Area | None:
    """The part of LS2 that a hit of this kind is in; none when the kind does not tell."""
    return _OF_HITS.get(kind)
