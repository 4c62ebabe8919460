"""Where an application's next environment comes about: its pip at work, and the tree that it is made in.

A workshop stands on the application's environment if that is of the right interpreter and sound; else on a new one in
the staging directory, which has its skeleton and its pip before anything else. Either way it is the environment's own
pip that installs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.environment import staging
from isolate.environment.link import DamagedEntry, FileConflict, Linker
from isolate.environment.template import create_from_template
from isolate.environment.verify import damages
from isolate.errors import file_conflict
from isolate.parallel.map import parallel_map
from isolate.plan import Target
from isolate.store.layout import bytecode_key
from isolate.store.seed.wheel import seed_of, seed_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from types import TracebackType

    from isolate.application import Application
    from isolate.environment.records import Installed, State
    from isolate.interpreters.interpreter import Interpreter
    from isolate.pip.runner import Pip
    from isolate.progress.protocol import Progress
    from isolate.store.layout import Entry, Store

    Placed = tuple[Installed, Collection[str]]


@dataclass(kw_only=True)
class EnvironmentBuilder:
    """A place to work for one command on one application, for one interpreter; a context manager.

    `standing` is the application's environment as it is, if it can be built on; None makes a new one. `options` are
    index options as a requirements file has them; `named` are the variables that declarations name, and
    `addresses` those that they give. With `hashes`, whatever is taken for sound was read.
    """

    application: Application
    interpreter: Interpreter
    standing: State | None
    store: Store
    environ: Mapping[str, str]
    progress: Progress
    offline: bool = False
    options: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    addresses: tuple[str, ...] = ()
    hashes: bool = False
    link_mode: str = "auto"
    bytecode: bool = False
    bootstrap_installed: dict[str, Installed] = field(default_factory=dict)
    _seed: Target | None = None
    _begun: bool = False
    _compiled: bool = False

    def __enter__(self) -> EnvironmentBuilder:  # noqa: PYI034 - Self came with Python 3.11
        """Begin. Nothing is made before it is needed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clear away what did not become the application's environment."""
        if self._begun:
            staging.abandon(self.application)

    def pip(self) -> Pip:
        """Return the pip of the environment that is worked on."""
        from isolate.pip.credentials import credentials_in
        from isolate.pip.runner import Pip
        from isolate.pip.settings import pip_environment

        if own := self._own_pip():
            venv, version = self.application.venv, own
        else:
            venv, version = self._tree_with_bytecode(), self.seed().locked.version or ""
        return Pip(
            python=venv / "bin/python",
            kind=self.interpreter.kind,
            version=version,
            env=pip_environment(self.environ, prefix=venv, offline=self.offline, named=self.named),
            options=self.options,
            credentials=credentials_in(self.addresses, self.environ),
            progress=self.progress,
        )

    def seed(self) -> Target:
        """Return the pip that a new environment begins with; from then on the store has its entry."""
        if self._seed is None:
            wheel = seed_wheel(self.store, self.interpreter, self.environ, offline=self.offline)
            locked = seed_of(wheel, self.store)
            self._seed = Target(
                locked=locked,
                key=self.store.key(self.interpreter.kind, "pip", locked.version, locked.source_id),
            )
            if not self.store.has(self._seed.key):
                from isolate.environment.local_build import make_seed

                make_seed(wheel, self._seed, self.interpreter, self.store, self.progress)
        return self._seed

    def tree(self) -> Path:
        """Return the new environment in the staging directory, made from its template and with its pip.

        The pip is in `bootstrap_installed` then.
        """
        tree = self.application.staging / "venv"
        if not self.bootstrap_installed:
            self._begun = True
            staging.begin(self.application)
            create_from_template(tree, self.application.venv, self.interpreter, self.store)
            self.bootstrap_installed.update(self.place([self.seed()], tree)[0])
        return tree

    def _tree_with_bytecode(self) -> Path:
        """Return the new environment, where pip, which is about to run, has its bytecode if that is to be had."""
        tree, key = self.tree(), self.seed().key
        if not (self._compiled or self.bytecode):
            from isolate.store.bytecode import compile_seed

            self._compiled = True
            compile_seed(self.store, key, self.interpreter)
            if (compiled := self.store.entry(bytecode_key(key))) is not None:
                self._placer(tree).add(compiled)
        return tree

    def place(
        self,
        targets: Collection[Target],
        tree: Path,
        built: Mapping[str, Entry] | None = None,
        in_place: Callable[[Entry], Collection[str]] = lambda _: (),
    ) -> tuple[dict[str, Installed], set[str]]:
        """Put *targets* into *tree*, source trees from *built* and others from the store.

        *in_place* tells which files of an entry lie where they belong already. Returns what is now in the tree by name,
        and all that *in_place* said.
        Raises `DamagedEntry` for all entries that are not as they were, `InvalidDistribution` for a
        file that two distributions claim.
        """
        placer = self._placer(tree)

        def entry_of(target: Target) -> Entry:
            entry = (built or {}).get(target.name) or self.store.entry(target.key)
            if entry is None:
                raise DamagedEntry(f"{target.key} cannot be read", key=target.key)
            return entry

        def place(target: Target) -> Placed | DamagedEntry:
            try:
                entry = entry_of(target)
                staying = in_place(entry)
                installed = placer.place(entry, staying)
                if self.bytecode and (compiled := self.store.entry(bytecode_key(target.key))) is not None:
                    placer.add(compiled)
            except FileConflict as collision:
                path = str(collision)
                others = (entry_of(other).manifest for other in targets if other.name != target.name)
                owners = (one.name for one in others if any(path == file.path for file in one.files))
                raise file_conflict(path, target.name, next(owners, "the environment itself")) from None
            except DamagedEntry as damaged:  # the others are looked at, too, so that all are fetched again together
                return damaged
            return installed._replace(key=target.key), staying

        heaviest_first = sorted(targets, key=lambda target: self.store.size_hint(target.key), reverse=True)
        placed = _sound(parallel_map(place, heaviest_first))
        return {one.name: one for one, _ in placed}, {path for _, staying in placed for path in staying}

    def _placer(self, tree: Path) -> Linker:
        python = str(self.application.venv / "bin/python")
        return Linker(tree, python=python, link_mode=self.link_mode, hashes=self.hashes)

    def _own_pip(self) -> str | None:
        """Return the version of the pip in the application's environment, if that is the one we put there, sound."""
        if self.standing is None or "pip" not in self.standing.installed:
            return None
        own = self.standing.installed["pip"]
        if own.key != self.seed().key or damages(
            self.application.venv, self.standing, names=["pip"], hashes=self.hashes
        ):
            return None
        return own.version


def _sound(results: Sequence[Placed | DamagedEntry]) -> list[Placed]:
    """Return *results* if all entries were sound; raise the first `DamagedEntry` among them, which knows the others."""
    damaged = [one for one in results if isinstance(one, DamagedEntry)]
    if damaged:
        damaged[0].others = tuple(damaged[1:])
        raise damaged[0]
    return [one for one in results if not isinstance(one, DamagedEntry)]
