"""The difference between two locks. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.pylock import Pylock


def diff(before: Pylock | None, after: Pylock) -> tuple[str, ...]:
    """Return a line for each package that is added (`+`), removed (`-`) or has a different version (`~`)."""
    old, new = _versions(before), _versions(after)
    lines = []
    for name in sorted({*old, *new}):
        if name not in old:
            lines.append(f"+ {name} {new[name]}")
        elif name not in new:
            lines.append(f"- {name} {old[name]}")
        elif old[name] != new[name]:
            lines.append(f"~ {name} {old[name]} → {new[name]}")
    return tuple(lines)


def _versions(lock: Pylock | None) -> Mapping[str, str]:
    """Return the versions of each package in *lock*: mostly one."""
    versions: dict[str, list[str]] = {}
    for package in lock.packages if lock else ():
        versions.setdefault(package.name, []).append(str(package.version or "(source tree)"))
    return {name: ", ".join(dict.fromkeys(same)) for name, same in versions.items()}
