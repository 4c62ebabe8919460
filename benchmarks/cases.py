"""The cases of one application: what is prepared, and which command is timed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from measure import THREE, Case, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tools import Tool

INPUTS = Path(__file__).resolve().parent / "inputs"
IMPORTS = "import django, pandas, fastapi, sqlalchemy, celery, boto3"
CHANGED_ROOT = ("django<5.3", "django<5.2")


def pins(name: str) -> list[str]:
    """Return the lines of an input."""
    return [line for line in (INPUTS / f"{name}.txt").read_text().splitlines() if line]


def synced(lines: Sequence[str], *, compiled: bool = False) -> Step:
    """Return the step that brings the environment into step with *lines*."""

    def prepare(tool: Tool) -> None:
        tool.declare(lines)
        tool.run(compiling(tool) if compiled else tool.sync)

    return prepare


def cleared(lines: Sequence[str], *, cache: bool = False) -> Step:
    """Return the step that leaves the lock for *lines* and no environment."""

    def prepare(tool: Tool) -> None:
        tool.declare(lines)
        tool.clear(cache=cache)

    return prepare


def moved(before: Sequence[str], after: Sequence[str]) -> Step:
    """Return the step that leaves a new environment of *before*, not a compiled one, and the lock for *after*."""

    def prepare(tool: Tool) -> None:
        tool.clear()
        synced(before)(tool)
        tool.declare(after)

    return prepare


def pins_alone(tool: Tool) -> None:
    """Leave a requirements file that pins everything, nothing else, and nothing cached."""
    app = tool.home / "pins"
    app.mkdir(exist_ok=True)
    tool.clear("pins", cache=True)
    (app / "requirements.txt").write_text((INPUTS / "web-app.txt").read_text())


def unlocked(tool: Tool) -> None:
    """Leave the roots of the web application, and neither a lock nor an environment, which remembers one."""
    tool.declare(pins("web-app-roots"))
    (tool.home / "app" / tool.lock_name).unlink()
    tool.clear()


def relocked(tool: Tool) -> None:
    """Leave the roots of the web application, locked and synced, of which one then asks for something else."""
    roots = pins("web-app-roots")
    synced(roots)(tool)
    old, new = CHANGED_ROOT
    roots[roots.index(old)] = new
    tool.describe(roots)


def by(command: str) -> Callable[[Tool], str]:
    """Return what asks a tool for one of its commands."""
    return lambda tool: str(getattr(tool, command))


def compiling(tool: Tool) -> str:
    """Return the command that syncs and compiles."""
    return f"{tool.sync} {tool.compile_option}"


def first_run(tool: Tool) -> str:
    """Return the command that syncs and then imports much; isolate compiles once for all, uv leaves it to Python."""
    sync = compiling(tool) if tool.name == "isolate" else tool.sync
    return f"{sync} && .venv/bin/python -c '{IMPORTS}'"


WEB, TINY, DATA = pins("web-app"), pins("tiny"), pins("data-science")
CASES: dict[str, Case] = {
    "noop": Case(synced(WEB), by("sync"), THREE, still=True),
    "noop, 3 pins": Case(synced(TINY), by("sync"), THREE, still=True),
    "noop, data-science": Case(synced(DATA), by("sync"), still=True),
    "warm": Case(cleared(WEB), by("sync"), THREE),
    "warm, 3 pins": Case(cleared(TINY), by("sync"), THREE),
    "compiled": Case(cleared(WEB), compiling),
    "first run": Case(cleared(WEB), first_run),
    "delta": Case(moved(WEB, pins("web-app-django")), by("sync"), THREE),
    "small delta": Case(moved(WEB, pins("web-app-small")), by("sync"), THREE),
    "cold": Case(cleared(WEB, cache=True), by("sync"), THREE, most=3),
    "cold pins": Case(pins_alone, by("sync_pins"), THREE, "pins", most=3),
    "lock": Case(unlocked, by("lock"), THREE),
    "lock, one pin changed": Case(relocked, by("lock"), THREE),
}
