"""Create the entries that `store.fill` does not: those of source trees, and that of the seed pip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.environment.template import create_from_template, site_packages
from isolate.pip.runner import PREFIX, Pip
from isolate.store.layout import fill_lock
from isolate.store.publish import publish_all, say_faults, without_direct_url, write_entry
from isolate.store.seed.install import install_seed
from isolate.store.unpacked import read_prefix

if TYPE_CHECKING:
    from isolate.environment.build_context import BuildContext
    from isolate.plan import Target
    from isolate.store.entry import Entry


def build_source_tree(target: Target, pip: Pip, scratch: Path) -> Entry:
    """Install a source tree by *pip* into *scratch*, and return its entry there, which is not published."""
    # A source tree has no hash, and no declaration demands one for it.
    options = tuple(option for option in pip.options if option != "--require-hashes")
    pip.install([replace(pip, options=options).write([target.locked], scratch)], scratch)
    dist = read_prefix(scratch / PREFIX)[target.name]
    entry, faults = write_entry(dist, scratch / "entry", target, pip)
    say_faults(dist, faults, pip)
    return entry


def build_unshared(target: Target, pip: Pip, scratch: Path) -> Entry:
    """Build the artifact of *target* by *pip* into *scratch*, and return its entry there, which is not published."""
    pip.install([pip.write([target.locked], scratch)], scratch)
    dist = read_prefix(scratch / PREFIX)[target.name]
    if not target.locked.is_direct:
        dist = without_direct_url(dist)
    entry, faults = write_entry(dist, scratch / "entry", target, pip)
    say_faults(dist, faults, pip)
    return entry


def build_seed(wheel: Path, seed: Target, context: BuildContext) -> None:
    """Create the entry of *seed*, the pip in *wheel*, in the store, which has no pip yet to install it with."""
    store, interpreter = context.store, context.interpreter
    lock = fill_lock(interpreter.compat_tag, "pip", seed.locked.version)
    with store.fill_access([lock]), store.scratch() as scratch:
        if store.has(seed.key):
            return
        context.progress.working(f"preparing pip {seed.locked.version} for Python {interpreter.version}")
        create_from_template(scratch / "venv", scratch / "venv", interpreter, store)
        site = str(site_packages(scratch / "venv", interpreter.to_dict()))
        python = Path("/python")  # each environment gets the path of its own interpreter instead
        install_seed(wheel, scratch / "prefix", site, python=python, python_version=interpreter.minor_version)
        pip = Pip(python=python, compat_tag=interpreter.compat_tag, version=seed.locked.version or "", env={})
        publish_all(store, {seed.key: seed.locked}, scratch / "prefix", pip)
