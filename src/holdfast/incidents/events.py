"""Every event type of an incident's core, and of its board."""

from __future__ import annotations

from holdfast.incidents import events_board, events_command, events_declaring, events_lifecycle
from holdfast.kernel.events import EventType

CORE_TYPES: tuple[EventType, ...] = (*events_declaring.TYPES, *events_command.TYPES, *events_lifecycle.TYPES)
"""Declaring, severity, command, roles, lifecycle, access."""
TYPES: tuple[EventType, ...] = (*CORE_TYPES, *events_board.TYPES)
