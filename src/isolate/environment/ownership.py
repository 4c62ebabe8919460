"""What stands where the environment would be, if it is not ours: refused, or harmless. Never deleted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.errors import NotManaged

if TYPE_CHECKING:
    from pathlib import Path

BOOTSTRAP_PACKAGES = frozenset({"pip", "setuptools", "wheel"})
"""The distributions that a virtual environment may hold when nobody has used it yet."""


def ensure_replaceable(venv: Path, *, adopt: bool) -> None:
    """Raise `NotManaged` unless nothing stands at *venv* that could be lost.

    An environment that holds no more than a fresh one is none of anybody's; any other is only taken over with *adopt*.
    """
    if not os.path.lexists(venv):
        return
    reject_symlink(venv)
    if not venv.is_dir():
        raise NotManaged(f"{venv} is a file{_redirect(venv)}", hint="move it away, then run the command again")
    if not (venv / "pyvenv.cfg").is_file():
        if any(venv.iterdir()):
            kind = "an environment of conda" if (venv / "conda-meta").is_dir() else "a directory, but no environment"
            raise NotManaged(f"{venv} is {kind}", hint="move it away, then run the command again")
        return
    holds = sorted(_distributions(venv) - BOOTSTRAP_PACKAGES)
    if holds and not adopt:
        raise NotManaged(
            f"{venv} is an environment that isolate did not make{_maker(venv)}",
            facts=(f"it holds {', '.join(holds[:8])}{' …' if len(holds) > 8 else ''}",),  # noqa: PLR2004
            hint="`isolate sync --adopt` takes it over (what is not declared is removed), or move it away",
        )


def reject_symlink(venv: Path) -> None:
    """Raise `NotManaged` if *venv* is a link, whoever made what it leads to: it is neither followed nor replaced."""
    if venv.is_symlink():
        raise NotManaged(f"{venv} is a link to {os.readlink(venv)}", hint="remove the link, then run the command again")


def _redirect(venv: Path) -> str:
    """Return where a file in the place of an environment points (PEP 832), if it is such a file."""
    try:
        if not venv.is_file():  # reading a pipe would wait for ever
            return ", not a directory"
        target = venv.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ", not a directory"
    points = "\n" not in target and os.path.isdir(venv.parent / target)
    return f" that points to the environment {target}" if target and points else ", not a directory"


def _maker(venv: Path) -> str:
    """Return who made an environment, by what tools leave in `pyvenv.cfg`."""
    keys = {line.partition("=")[0].strip() for line in (venv / "pyvenv.cfg").read_text(errors="replace").splitlines()}
    for key in ("uv", "virtualenv"):
        if key in keys:
            return f" ({key} did)"
    return ""


def _distributions(venv: Path) -> set[str]:
    found = (*venv.glob("lib/*/site-packages/*.dist-info"), *venv.glob("lib/*/site-packages/*.egg-info"))
    return {path.name.partition("-")[0].lower() for path in found}
