"""Which interpreters a lock of isolate's own is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TOOL = "isolate"
"""What we are called in a lock: who made it, and whose table is ours."""


def environment_marker(markers: Mapping[str, str]) -> str:
    """Return the marker of the interpreters for which a resolution holds: this Python, on this kind of machine."""
    keys = ("python_version", "implementation_name", "sys_platform", "platform_machine")
    return " and ".join(f'{key} == "{markers[key]}"' for key in keys)
