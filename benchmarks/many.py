"""Many applications at once: one command of isolate beside a loop over uv, and a repository of a thousand."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from cases import TINY, WEB, by, pins
from measure import Case, Step
from scaling import with_pin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from synthetic import Index
    from tools import Tool

TWENTY, SMALL, SCALE = "many-20", "many-200", "scale"
APPLICATIONS, PINS, NAMES, VERSIONS = 1000, 40, 200, ("1", "2", "3")


def twenty() -> list[list[str]]:
    """Return the pins of twenty applications: those of the web application, with one version of its own in each."""
    return [with_pin(WEB, pin) for pin in pins("many")]


def two_hundred() -> list[list[str]]:
    """Return the pins of two hundred small applications, in three kinds."""
    kinds = [with_pin(TINY, pin) for pin in ("idna==3.9", "idna==3.10", "idna==3.11")]
    return [kinds[number % len(kinds)] for number in range(200)]


def declared(tool: Tool, folder: str, applications: Sequence[Sequence[str]]) -> None:
    """Write every application's declaration and lock under *folder*."""
    for number, lines in enumerate(applications):
        tool.declare(lines, f"{folder}/apps/app-{number:04}")


def all_synced(folder: str, applications: Callable[[], list[list[str]]]) -> Step:
    """Return the step that leaves nothing to do in any application."""

    def prepare(tool: Tool) -> None:
        declared(tool, folder, applications())
        tool.run(tool.sync_all, folder)

    return prepare


def all_cleared(folder: str, applications: Callable[[], list[list[str]]], *, cache: bool = False) -> Step:
    """Return the step that leaves the locks of all applications and no environment."""

    def prepare(tool: Tool) -> None:
        declared(tool, folder, applications())
        tool.clear(folder, cache=cache)

    return prepare


MANY: dict[str, Case] = {
    "many, 20 applications": Case(all_synced(TWENTY, twenty), by("sync_all"), folder=TWENTY, still=True),
    "many, 20 applications, warm": Case(all_cleared(TWENTY, twenty), by("sync_all"), folder=TWENTY, most=3),
    "many, 20 applications, cold": Case(all_cleared(TWENTY, twenty, cache=True), by("sync_all"), folder=TWENTY, most=2),
    "many, 200 applications": Case(all_synced(SMALL, two_hundred), by("sync_all"), folder=SMALL, still=True),
}


def repository(tool: Tool, index: Index, *, clear: bool) -> None:
    """Write a repository of a thousand applications, each of which pins forty of two hundred made-up distributions.

    Whoever writes it again gets the same. A requirements file that pins everything needs no lock.
    """
    dice = random.Random(0)
    for number in range(APPLICATIONS):
        chosen = sorted(dice.sample(range(NAMES), PINS))
        lines = [index.add(f"made-{one:04}", dice.choice(VERSIONS)) for one in chosen]
        folder = tool.home / SCALE / "apps" / f"app-{number:04}"
        folder.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{line}\n" for line in lines)
        path = folder / "requirements.txt"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    if clear:
        tool.clear(SCALE)
    else:
        tool.run(tool.sync_all, SCALE)


def scale(index: Callable[[], Index]) -> dict[str, Case]:
    """Return the cases of the large repository, which isolate alone has commands for."""
    commands = {
        "sync --all, warm": "sync --all -q",
        "sync --all, nothing to do": "sync --all -q",
        "status --all": "status --all",
        "conflicts": "conflicts",
        "check --all": "check --all",
    }
    return {f"scale, {name}": _scale_case(index, name, command) for name, command in commands.items()}


def _scale_case(index: Callable[[], Index], name: str, command: str) -> Case:
    clear = name.endswith("warm")

    def prepare(tool: Tool) -> None:
        repository(tool, index(), clear=clear)

    return Case(
        prepare,
        partial(_isolate, command),
        tools=("isolate",),
        folder=SCALE,
        made=True,
        still=not clear,
        most=1 if clear else 3,
        descriptors=True,
        no_is_fine=not command.startswith("sync"),
    )


def _isolate(command: str, tool: Tool) -> str:
    return f"{tool.bin}/isolate {command}"
