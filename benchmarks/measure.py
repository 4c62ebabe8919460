"""Measure one case: prepare, run, in turn, as often as asked, and sum up what came of it."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from tools import Tool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from child import Taken

Step = Callable[[Tool], object]
PAIR = ("isolate", "uv")
THREE = (*PAIR, "pip-tools")
PIP_TOOLS_RUNS = 2
ROOM = 10 * 1000**3
"""Bytes of the disk that stay free."""
FORGOTTEN = 70
"""Seconds after which ext4 has forgotten which inodes were freed."""


@dataclass(frozen=True)
class Case:
    """What is prepared before each run and not counted, what is run, and by which tools.

    *made* says that the distributions come from the index that this program makes itself; *still*, that nothing is
    written before the run, so that there is nothing to wait for; *most*, how often it is run at the most.
    """

    prepare: Step
    command: Callable[[Tool], str]
    tools: tuple[str, ...] = PAIR
    folder: str = "app"
    made: bool = False
    still: bool = False
    most: int = 100
    size: bool = False
    descriptors: bool = False
    no_is_fine: bool = False


@dataclass(frozen=True)
class Figure:
    """What one tool took in one case, over all runs: seconds, and the largest memory of a process in megabytes."""

    case: str
    tool: str
    median: float
    min: float
    max: float
    runs: int
    peak_mb: float
    ratio: float | None = None
    files: int = 0
    distributions: int = 0
    descriptors: int = 0


def measure(name: str, case: Case, tools: Mapping[str, Tool], runs: int) -> list[Figure]:
    """Return the figures of one case; the first round, which warms up, is not counted.

    A tool that fails is left out from then on, and said to have failed.
    """
    taken: dict[str, list[Taken]] = {tool: [] for tool in case.tools}
    for number in range(min(runs, case.most) + 1):
        for tool in [one for one in taken if one != "pip-tools" or number <= PIP_TOOLS_RUNS]:
            try:
                result = _run_once(case, tools[tool])
            except RuntimeError as error:
                print(f"{name}: failed: {error}", file=sys.stderr, flush=True)
                del taken[tool]
                continue
            taken[tool] += [result] if number else []
        make_room([tools[tool] for tool in taken])
    ratio = _ratio(taken)
    return [_figure(name, case, tools[tool], results, ratio) for tool, results in taken.items() if results]


def _run_once(case: Case, tool: Tool) -> Taken:
    case.prepare(tool)
    if not case.still:
        settle()
    return tool.run(case.command(tool), case.folder, no_is_fine=case.no_is_fine, count=case.descriptors)


def settle() -> None:
    """Let what was written reach the disk, and wait two seconds."""
    os.sync()
    time.sleep(2)


def make_room(tools: Sequence[Tool]) -> None:
    """Delete what was discarded if the disk gets full, and wait until that can be felt no more.

    ext4 does not give an inode away again for a minute after it was freed, and searches through all of those whenever
    it needs one: after much was deleted, everything that is made takes three to six times as long, whoever makes it.
    So what is no longer wanted is only renamed away while there is room.
    """
    if shutil.disk_usage(tools[0].trash).free < ROOM:
        for tool in tools:
            tool.empty_trash()
        os.sync()
        time.sleep(FORGOTTEN)


def _ratio(taken: Mapping[str, list[Taken]]) -> float | None:
    pairs = zip_longest(*(taken.get(tool, []) for tool in PAIR))
    ratios = [ours.seconds / theirs.seconds for ours, theirs in pairs if ours and theirs]
    return statistics.median(ratios) if ratios else None


def _figure(name: str, case: Case, tool: Tool, taken: list[Taken], ratio: float | None) -> Figure:
    seconds = [one.seconds for one in taken]
    files, distributions = contents(tool.home / case.folder / ".venv") if case.size else (0, 0)
    return Figure(
        case=name,
        tool=tool.name,
        median=statistics.median(seconds),
        min=min(seconds),
        max=max(seconds),
        runs=len(taken),
        peak_mb=max(one.memory for one in taken),
        ratio=ratio if tool.name == "isolate" else None,
        files=files,
        distributions=distributions,
        descriptors=max(one.descriptors for one in taken),
    )


def contents(environment: Path) -> tuple[int, int]:
    """Return how many files there are in *environment*, and how many distributions."""
    files = distributions = 0
    for _, folders, names in os.walk(environment):
        files += len(names)
        distributions += sum(folder.endswith(".dist-info") for folder in folders)
    return files, distributions
