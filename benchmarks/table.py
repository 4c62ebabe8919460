"""Write what was measured: as JSON, and as tables to read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from disk import Space
    from measure import Figure

MICRO = 1e6


@dataclass
class Report:
    """Everything that one run of the benchmarks found out."""

    date: str
    machine: dict[str, str | int | float]
    versions: dict[str, str]
    figures: list[Figure] = field(default_factory=list)
    disk: list[Space] = field(default_factory=list)
    floor: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return asdict(self)

    def as_markdown(self) -> str:
        """Return the tables, those that have anything in them."""
        told = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in self.machine.items())
        parts = [f"{self.date}; {told}", "; ".join(f"{name}: {version}" for name, version in self.versions.items())]
        parts += [text for text in (_main(self.figures), _scaling(self.figures), _disk(self.disk)) if text]
        parts += ["\n".join(f"- the floor here, {name}: {seconds:.3f} s" for name, seconds in self.floor.items())]
        return "\n\n".join(part for part in parts if part) + "\n"


def line(figures: Sequence[Figure]) -> str:
    """Return what is said of a case as soon as it is measured."""
    parts = [f"{one.tool} {one.median:.3f} s ({one.min:.3f}-{one.max:.3f}, {one.peak_mb:.0f} MB)" for one in figures]
    parts += [f"ratio {one.ratio:.2f}" for one in figures if one.ratio is not None]
    parts += [f"{one.descriptors} descriptors" for one in figures if one.descriptors]
    return "; ".join(parts)


def _main(figures: Iterable[Figure]) -> str:
    head = ("case", "tool", "median s", "min", "max", "runs", "peak MB", "descriptors", "isolate ÷ uv")
    rows = [
        (
            one.case,
            one.tool,
            f"{one.median:.3f}",
            f"{one.min:.3f}",
            f"{one.max:.3f}",
            str(one.runs),
            f"{one.peak_mb:.0f}",
            str(one.descriptors or ""),
            "" if one.ratio is None else f"{one.ratio:.2f}",
        )
        for one in figures
    ]
    return _table(head, rows)


def _scaling(figures: Iterable[Figure]) -> str:
    head = ("scaling", "tool", "files", "distributions", "seconds", "µs per file", "µs per distribution")
    rows = [
        (
            one.case.removeprefix("scaling, "),
            one.tool,
            str(one.files),
            str(one.distributions),
            f"{one.median:.3f}",
            f"{one.median * MICRO / one.files:.1f}",
            f"{one.median * MICRO / one.distributions:.0f}",
        )
        for one in figures
        if one.files and one.distributions
    ]
    return _table(head, rows)


def _disk(spaces: Iterable[Space]) -> str:
    head = ("disk", "tool", "seen MB", "apparent MB", "real MB", "gone from the file system MB")
    rows = [
        (
            f"{one.environments} environments and the cache",
            one.tool,
            *(f"{size:.0f}" for size in (one.seen_mb, one.apparent_mb, one.real_mb, one.gone_mb)),
        )
        for one in spaces
    ]
    return _table(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
