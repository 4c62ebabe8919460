"""What pip makes for an environment where the store has nothing to link: rare, and so apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.environment.template import create_from_template, site_packages
from isolate.pip.runner import PREFIX, Pip
from isolate.store.fill import prepare, publish
from isolate.store.ingest import read_prefix
from isolate.store.layout import Entry
from isolate.store.manifest import read_manifest
from isolate.store.seed.install import install_seed

if TYPE_CHECKING:
    from isolate.interpreters.interpreter import Interpreter
    from isolate.plan import Target
    from isolate.progress.protocol import Progress
    from isolate.store.layout import Store


def build_tree(target: Target, pip: Pip, scratch: Path) -> Entry:
    """Install a source tree by *pip* into *scratch*, and return what came of it, in the shape of an entry."""
    options = tuple(one for one in pip.options if one != "--require-hashes")  # a tree has none, and none asked for one
    pip.install([replace(pip, options=options).write([target.locked], scratch)], scratch)
    prefix = scratch / PREFIX
    taken = read_prefix(prefix)[target.name]
    prepare(taken, prefix, scratch / "entry", target.locked.source_id, pip)
    return Entry(path=scratch / "entry", manifest=read_manifest(scratch / "entry/manifest.json"))


def make_seed(wheel: Path, seed: Target, interpreter: Interpreter, store: Store, progress: Progress) -> None:
    """See to it that the store has the entry of *seed*, the pip in *wheel*, which no pip is there yet to install."""
    with store.writing(None), store.scratch() as scratch:
        if store.has(seed.key):
            return
        progress.working(f"preparing pip {seed.locked.version} for Python {interpreter.version}")
        create_from_template(scratch / "venv", scratch / "venv", interpreter, store)
        site = str(site_packages(scratch / "venv", interpreter.to_dict()))
        python = Path("/python")  # stands for that of every environment
        install_seed(wheel, scratch / "prefix", site, python=python, version=interpreter.short)
        pip = Pip(python=python, kind=interpreter.kind, version=seed.locked.version or "", env={})
        publish(store, {seed.key: seed.locked}, scratch / "prefix", pip)
