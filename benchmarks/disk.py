"""What twenty environments and the cache behind them take on the disk."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cases import WEB
from measure import PAIR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tools import Tool

ENVIRONMENTS = 20


@dataclass(frozen=True)
class Space:
    """What one tool's environments and cache take, in megabytes.

    *seen* adds up every file under every name; *apparent* and *real* count a file with several names once, by its
    length and by its blocks; *gone* is what the file system has less than before. Clones of a file share blocks and
    only *gone* knows it; but whatever else the machine writes meanwhile is in *gone* too.
    """

    tool: str
    environments: int
    seen_mb: float
    apparent_mb: float
    real_mb: float
    gone_mb: float


def disk(tools: Mapping[str, Tool]) -> list[Space]:
    """Return what each tool takes, from an empty cache on, with the link mode that it chooses itself."""
    spaces = []
    for name in PAIR:
        try:
            spaces.append(_space(tools[name]))
        except RuntimeError as error:
            print(f"disk: failed: {error}", file=sys.stderr, flush=True)
    return spaces


def _space(tool: Tool) -> Space:
    folders = [f"app-{number:02}" for number in range(ENVIRONMENTS)]
    before = free(tool.home)
    for folder in folders:
        tool.declare(WEB, folder)
        tool.run(tool.sync, folder)
    gone = before - free(tool.home)
    sizes = count(tool.cache, *(tool.home / folder / ".venv" for folder in folders))
    return Space(tool.name, ENVIRONMENTS, *(size / 1e6 for size in (*sizes, gone)))


def free(folder: Path) -> int:
    """Return the free bytes of the file system of *folder*, when all that was written is on it."""
    os.sync()
    state = os.statvfs(folder)
    return state.f_bfree * state.f_frsize


def count(*folders: Path) -> tuple[int, int, int]:
    """Return the bytes of all files under all names; their lengths, each file once; and their blocks, likewise."""
    seen = 0
    once: dict[tuple[int, int], os.stat_result] = {}
    for state in (found for folder in folders for found in states(folder)):
        seen += state.st_size
        once[state.st_dev, state.st_ino] = state
    return seen, sum(one.st_size for one in once.values()), sum(one.st_blocks * 512 for one in once.values())


def states(folder: Path) -> Iterator[os.stat_result]:
    """Yield the state of *folder* and of everything in it; links are not followed."""
    yield os.lstat(folder)
    for where, folders, names in os.walk(folder):
        for name in (*folders, *names):
            yield os.lstat(os.path.join(where, name))
