"""Time isolate beside uv on the same pins, in turn, and write what came of it as a table.

`make bench` runs this. Each case is prepared before each run, which is not counted; both tools have caches of their
own; A B A B … so that a machine that gets slower is slower for both. The ratio is taken pair by pair.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
INPUTS = HERE / "inputs"
IMPORTS = "import django, pandas, fastapi, sqlalchemy, celery, boto3"
PYTHON = os.path.realpath(sys._base_executable)


@dataclass(frozen=True)
class Figure:
    """What one tool took in one case, over all runs: seconds, and the largest memory of a process in megabytes."""

    case: str
    tool: str
    runs: int
    median: float
    least: float
    most: float
    memory: float
    ratio: float | None = None


class Tool:
    """A tool at work on an application of its own, with a cache of its own."""

    def __init__(self, name: str, work: Path, bin_folder: Path) -> None:
        self.name, self.bin = name, bin_folder
        self.app, self.cache, self.kept = work / name / "app", work / name / "cache", work / name / "kept"
        for folder in (self.app, self.cache, self.kept):
            folder.mkdir(parents=True)
        self.environ = {key: value for key, value in os.environ.items() if not key.startswith(("UV_", "VIRTUAL_ENV"))}
        self.environ |= {"ISOLATE_CACHE_DIR": str(self.cache), "UV_CACHE_DIR": str(self.cache)}
        self.environ["PIP_CACHE_DIR"] = str(self.cache / "pip")
        self.environ["PATH"] = os.pathsep.join([str(Path(PYTHON).parent), *os.environ["PATH"].split(os.pathsep)])

    def run(self, command: str) -> tuple[float, float]:
        """Run *command* by a shell and return seconds and megabytes; raise `RuntimeError` if it fails."""
        started = time.perf_counter()
        child = subprocess.Popen(
            ["sh", "-c", f"exec {command}" if "&&" not in command else command],
            cwd=self.app,
            env=self.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        errors = child.stderr.read() if child.stderr else ""
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise RuntimeError(f"{self.name}: {command}\n{errors}")
        return seconds, usage.ru_maxrss / 1024

    def declare(self, pins: str) -> None:
        """Put a `pyproject.toml` with *pins*, and the tool's lock for it if there is one, into the application."""
        lines = ",\n".join(f'    "{line}"' for line in (INPUTS / f"{pins}.txt").read_text().splitlines() if line)
        text = (
            f'[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11,<3.15"\ndependencies = [\n{lines},\n]\n'
        )
        (self.app / "pyproject.toml").write_text(text)
        (self.app / self.lock_name).unlink(missing_ok=True)
        kept = self.kept / f"{pins}.lock"
        if not kept.exists():
            self.run(self.lock)
            shutil.copy(self.app / self.lock_name, kept)
        shutil.copy(kept, self.app / self.lock_name)

    def clear(self, *, cache: bool = False) -> None:
        """Delete the environment, and the cache too."""
        shutil.rmtree(self.app / ".venv", ignore_errors=True)
        if cache:
            subprocess.run(["chmod", "-R", "u+w", str(self.cache)], check=True)
            shutil.rmtree(self.cache)
            self.cache.mkdir()

    @property
    def lock_name(self) -> str:
        return "pylock.toml" if self.name == "isolate" else "uv.lock"

    @property
    def sync(self) -> str:
        return f"{self.bin}/isolate sync -q" if self.name == "isolate" else f"{self.bin}/uv sync -q --python {PYTHON}"

    @property
    def lock(self) -> str:
        return f"{self.bin}/{'isolate' if self.name == 'isolate' else 'uv'} lock -q"

    @property
    def compile_option(self) -> str:
        return "--compile" if self.name == "isolate" else "--compile-bytecode"

    @property
    def sync_pins(self) -> str:
        """Return the command that makes an environment from a requirements file without a lock.

        uv is told by name which environment is meant: `uv pip sync` would else follow whatever interpreter it finds.
        """
        uv, there = f"{self.bin}/uv", ".venv/bin/python"
        made = f"{uv} venv -q --python {PYTHON} .venv && {uv} pip sync -q --python {there} requirements.txt"
        return self.sync if self.name == "isolate" else made


Step = Callable[[Tool], object]


def synced(pins: str, option: str = "") -> Step:
    def prepare(tool: Tool) -> None:
        tool.declare(pins)
        tool.run(f"{tool.sync} {tool.compile_option if option else ''}")

    return prepare


def cleared(pins: str, *, cache: bool = False) -> Step:
    def prepare(tool: Tool) -> None:
        tool.declare(pins)
        tool.clear(cache=cache)
        os.sync()

    return prepare


def moved(before: str, after: str) -> Step:
    def prepare(tool: Tool) -> None:
        synced(before)(tool)
        tool.declare(after)

    return prepare


def pins_alone(tool: Tool) -> None:
    tool.clear(cache=True)
    for name in ("pyproject.toml", tool.lock_name):
        (tool.app / name).unlink(missing_ok=True)
    shutil.copy(INPUTS / "web-app.txt", tool.app / "requirements.txt")


def unpinned(tool: Tool) -> None:
    (tool.app / "requirements.txt").unlink(missing_ok=True)
    tool.declare("web-app-roots")
    (tool.app / tool.lock_name).unlink()


def by(method: str, extra: str = "") -> Callable[[Tool], str]:
    return lambda tool: f"{getattr(tool, method)} {extra}".strip()


def compiled(tool: Tool) -> str:
    return f"{tool.sync} {tool.compile_option}"


def first_run(tool: Tool) -> str:
    sync = compiled(tool) if tool.name == "isolate" else tool.sync
    return f"{sync} && .venv/bin/python -c '{IMPORTS}'"


CASES: dict[str, tuple[Step, Callable[[Tool], str]]] = {
    "noop": (synced("web-app"), by("sync")),
    "noop, 3 pins": (synced("tiny"), by("sync")),
    "warm": (cleared("web-app"), by("sync")),
    "warm, 3 pins": (cleared("tiny"), by("sync")),
    "compiled": (cleared("web-app"), compiled),
    "first run": (cleared("web-app"), first_run),
    "delta": (moved("web-app", "web-app-django"), by("sync")),
    "small delta": (moved("web-app", "web-app-small"), by("sync")),
    "cold": (cleared("web-app", cache=True), by("sync")),
    "cold pins": (pins_alone, by("sync_pins")),
    "lock": (unpinned, by("lock")),
}


def measure(case: str, tools: list[Tool], runs: int) -> list[Figure]:
    """Return the figures of one case; the first round, which warms up, is not counted."""
    prepare, command = CASES[case]
    taken: dict[str, list[tuple[float, float]]] = {tool.name: [] for tool in tools}
    for number in range(runs + 1):
        for tool in tools:
            prepare(tool)
            result = tool.run(command(tool))
            if number:
                taken[tool.name].append(result)
    ratios = [ours[0] / theirs[0] for ours, theirs in zip(taken["isolate"], taken["uv"], strict=True)]
    return [_figure(case, tool.name, taken[tool.name], statistics.median(ratios)) for tool in tools]


def _figure(case: str, tool: str, taken: list[tuple[float, float]], ratio: float) -> Figure:
    seconds = [one[0] for one in taken]
    return Figure(
        case=case,
        tool=tool,
        runs=len(taken),
        median=statistics.median(seconds),
        least=min(seconds),
        most=max(seconds),
        memory=max(one[1] for one in taken),
        ratio=ratio if tool == "isolate" else None,
    )


def floor(work: Path) -> dict[str, float]:
    """Return what this machine needs at the least: to start Python, to make the directories and links of the pins."""
    started = time.perf_counter()
    for _ in range(10):
        subprocess.run([PYTHON, "-I", "-c", ""], check=True)
    start = (time.perf_counter() - started) / 10
    site = work / "isolate/app/.venv"
    folders, files = [], []
    for where, _, names in os.walk(site):
        folders.append(os.path.relpath(where, site))
        files += [os.path.relpath(os.path.join(where, name), site) for name in names]
    target = work / "floor"
    started = time.perf_counter()
    for folder in folders:
        os.mkdir(target / folder if folder != "." else target)
    made = time.perf_counter()
    for file in files:
        os.link(site / file, target / file, follow_symlinks=False)
    linked = time.perf_counter()
    shutil.rmtree(target)
    return {
        "start Python": start,
        f"make {len(folders)} directories": made - started,
        f"make {len(files)} links": linked - made,
    }


def as_markdown(figures: list[Figure], least: dict[str, float], versions: str) -> str:
    """Return the table."""
    lines = [
        f"{versions}",
        "",
        "| case | tool | median s | min | max | peak MB | isolate ÷ uv |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in figures:
        ratio = f"{one.ratio:.2f}" if one.ratio is not None else ""
        row = (
            one.case,
            one.tool,
            f"{one.median:.3f}",
            f"{one.least:.3f}",
            f"{one.most:.3f}",
            f"{one.memory:.0f}",
            ratio,
        )
        lines.append(f"| {' | '.join(row)} |")
    lines += ["", *(f"- the floor here, {name}: {seconds:.3f} s" for name, seconds in least.items())]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--bin", type=Path, required=True, help="where isolate and uv are")
    parser.add_argument("--work", type=Path, required=True, help="a directory that is made, and deleted in the end")
    parser.add_argument("--out", type=Path, help="write OUT.md and OUT.json")
    parser.add_argument("cases", nargs="*", default=list(CASES))
    asked = parser.parse_args()
    asked.work.mkdir(parents=True)
    tools = [Tool(name, asked.work, asked.bin) for name in ("isolate", "uv")]
    figures: list[Figure] = []
    for case in asked.cases:
        figures += measure(case, tools, asked.runs if not case.startswith("cold") else min(asked.runs, 3))
        print(
            case,
            *(f"{one.tool} {one.median:.3f}" for one in figures[-2:]),
            f"ratio {figures[-2].ratio:.2f}",
            flush=True,
        )
    synced("web-app")(tools[0])
    least = floor(asked.work)
    uv = subprocess.run([asked.bin / "uv", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    versions = f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {uv}, Python {platform.python_version()}"
    table = as_markdown(figures, least, versions)
    print(table)
    if asked.out:
        asked.out.with_suffix(".md").write_text(table)
        asked.out.with_suffix(".json").write_text(json.dumps([asdict(one) for one in figures], indent=1))
    shutil.rmtree(asked.work, ignore_errors=True)


if __name__ == "__main__":
    main()
