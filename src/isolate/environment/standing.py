"""What stands where the environment would be, if it is not ours: refused, or harmless. Never deleted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.errors import NotOurs

if TYPE_CHECKING:
    from pathlib import Path

FRESH = frozenset({"pip", "setuptools", "wheel"})
"""The distributions that a virtual environment may hold when nobody has used it yet."""


def refuse_what_is_not_ours(venv: Path, *, adopt: bool) -> None:
    """Raise `NotOurs` unless nothing stands at *venv* that could be lost.

    An environment that holds no more than a fresh one is none of anybody's; any other is only taken over with *adopt*.
    """
    if not os.path.lexists(venv):
        return
    if venv.is_symlink():
        raise NotOurs(f"{venv} is a link to {os.readlink(venv)}", hint="remove the link, then run the command again")
    if not venv.is_dir():
        raise NotOurs(f"{venv} is a file, not a directory", hint="move it away, then run the command again")
    if not (venv / "pyvenv.cfg").is_file():
        if any(venv.iterdir()):
            raise NotOurs(f"{venv} is a directory, but no environment", hint="move it away, then run the command again")
        return
    holds = sorted(_distributions(venv) - FRESH)
    if holds and not adopt:
        raise NotOurs(
            f"{venv} is an environment that isolate did not make",
            facts=(f"it holds {', '.join(holds[:8])}{' …' if len(holds) > 8 else ''}",),  # noqa: PLR2004
            hint="`isolate sync --adopt` takes it over (what is not declared is removed), or move it away",
        )


def _distributions(venv: Path) -> set[str]:
    found = (*venv.glob("lib/*/site-packages/*.dist-info"), *venv.glob("lib/*/site-packages/*.egg-info"))
    return {path.name.partition("-")[0].lower() for path in found}
