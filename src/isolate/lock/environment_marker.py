"""The environment for which isolate resolves, and which a lock made by isolate names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = ("python_version", "implementation_name", "sys_platform", "platform_machine")


def environment_marker(markers: Mapping[str, str]) -> str:
    """Return the marker of all environments with the same Python minor version and platform as *markers*."""
    return " and ".join(f'{key} == "{markers[key]}"' for key in KEYS)
