"""Time isolate beside uv and pip-tools on the same pins, in turn, and write what came of it as tables.

`make bench` runs this. Each case is prepared before each run, which is not counted; every tool has a cache of its own;
A B A B … so that a machine that gets slower is slower for all. The ratio of isolate to uv is taken pair by pair.
`make bench CASES="noop scaling"` runs the case of that name or, if there is none, those that begin with it. Those
that begin with `scale` take long, and are run when they are asked for.
"""

from __future__ import annotations

import argparse
import functools
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cases import CASES, WEB, synced
from disk import Space, disk
from machine import floor, machine, versions
from many import MANY, scale
from measure import Case, Figure, measure
from scaling import cases as scaling
from synthetic import Index
from table import Report, line
from tools import Tool, delete, tools

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DISK = "disk"
LONG = "scale,"


class Bench:
    """The tools at work under one directory, and everything they can be asked to do."""

    def __init__(self, work: Path, binaries: Path, runs: int) -> None:
        self._work, self._bin, self._runs = work, binaries, runs
        self._real = tools(work / "real", binaries)
        self.cases: dict[str, Case] = {**CASES, **scaling(lambda: self._index), **MANY, **scale(lambda: self._index)}

    @functools.cached_property
    def _index(self) -> Index:
        return Index(self._work / "index")

    @functools.cached_property
    def _made(self) -> Mapping[str, Tool]:
        return tools(self._work / "made", self._bin, self._index.url)

    def names(self, asked: Sequence[str]) -> list[str]:
        """Return the names of the cases *asked* for; raise `SystemExit` for a word that no case begins with."""
        known = [*self.cases, DISK]
        if not asked:
            return [name for name in known if not name.startswith(LONG)]
        found: dict[str, None] = {}
        for word in asked:
            matching = [word] if word in known else [name for name in known if name.startswith(word)]
            if not matching:
                raise SystemExit(f"no case {word!r}; there are: {'; '.join(known)}")
            found |= dict.fromkeys(matching)
        return list(found)

    def run(self, name: str) -> list[Figure]:
        """Return the figures of one case."""
        case = self.cases[name]
        return measure(name, case, self._made if case.made else self._real, self._runs)

    def disk(self) -> list[Space]:
        """Return what the tools take on the disk, with caches that hold nothing else."""
        return disk(tools(self._work / "disk", self._bin))

    def floor(self) -> dict[str, float]:
        """Return what this machine needs at the least for what the case `warm` does."""
        isolate = self._real["isolate"]
        synced(WEB)(isolate)
        return floor(isolate.home / "app/.venv", self._work / "floor")


def main() -> None:
    """Run the cases that are asked for, say what came of each at once, and write all of it in the end."""
    asked = arguments()
    make(asked.work)
    bench = Bench(asked.work, asked.bin, asked.runs)
    names = bench.names(asked.cases)
    report = Report(time.strftime("%Y-%m-%d"), machine(asked.work), versions(asked.bin))
    for name in names:
        if name == DISK:
            report.disk = bench.disk()
            said = "; ".join(f"{one.tool} {one.real_mb:.0f} MB" for one in report.disk)
        else:
            figures = bench.run(name)
            report.figures += figures
            said = line(figures)
        print(f"{name}: {said or 'nothing'}", flush=True)
        write(report, asked.out)
    report.floor = bench.floor()
    write(report, asked.out)
    print(f"\n{report.as_markdown()}")
    delete(asked.work)


def make(work: Path) -> None:
    """Make *work* anew, as a git repository where there is git.

    It may lie in a directory that the repository around it ignores, and isolate leaves out what git ignores.
    """
    delete(work)
    work.mkdir(parents=True)
    if shutil.which("git"):
        subprocess.run(["git", "init", "--quiet", str(work)], check=True)


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--bin", type=Path, required=True, help="where the tools are")
    parser.add_argument(
        "--work", type=Path, required=True, help="a directory that is made anew, and deleted in the end"
    )
    parser.add_argument("--out", type=Path, help="write OUT.md and OUT.json, after every case")
    parser.add_argument("cases", nargs="*")
    return parser.parse_args()


def write(report: Report, out: Path | None) -> None:
    """Write what is known so far."""
    if out:
        out.with_suffix(".md").write_text(report.as_markdown())
        out.with_suffix(".json").write_text(json.dumps(report.as_json(), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
