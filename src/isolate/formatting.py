"""Numbers as people read them. Pure."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Return a duration as people read it: `0.03 s`, `4.2 s`, `2 min 5 s`."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return `1 package`, `2 packages`."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


STEP = 1024
"""How many of one unit make one of the next."""


def in_units(number: float) -> str:
    """Return a number of bytes as people read it: `3.4 MB`."""
    for unit in ("bytes", "kB", "MB"):
        if number < STEP:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= STEP
    return f"{number:.1f} GB"
