"""Numbers in the form that people read. Pure."""

from __future__ import annotations

SECONDS_PER_MINUTE = 60
BYTES_PER_KILOBYTE = 1024


def duration(seconds: float) -> str:
    """Return a duration such as `0.03 s`, `4.2 s` or `2 min 5 s`."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < SECONDS_PER_MINUTE:
        return f"{seconds:.1f} s"
    return f"{int(seconds // SECONDS_PER_MINUTE)} min {int(seconds % SECONDS_PER_MINUTE)} s"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return `1 package` or `2 packages`."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def in_units(number: float) -> str:
    """Return a number of bytes such as `3.4 MB`."""
    for unit in ("bytes", "kB", "MB"):
        if number < BYTES_PER_KILOBYTE:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= BYTES_PER_KILOBYTE
    return f"{number:.1f} GB"
