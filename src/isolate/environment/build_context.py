"""The values that an environment builder is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.application import Application
    from isolate.environment.records import State
    from isolate.interpreters.interpreter import Interpreter
    from isolate.progress.protocol import Progress
    from isolate.store.keys import EntryKeys
    from isolate.store.store import Store


class BuildContext(NamedTuple):
    """What one command builds for one application, and with which store.

    `base_state` is the record of the existing environment if the command can change it in place; None if the command
    has to create a new environment.
    """

    application: Application
    interpreter: Interpreter
    base_state: State | None
    store: Store
    progress: Progress


class PinnedPip(NamedTuple):
    """The pip that an application pins: its version, the hashes (`algorithm:digest`) of which it has one.

    `index_fingerprint` tells from where it comes, for this application.
    """

    version: str
    hashes: frozenset[str]
    index_fingerprint: str


class PipConfig(NamedTuple):
    """What pip is run with.

    `environ` holds the variables of the command. `index_options` are lines of a requirements file. `variable_names`
    are the variables that declarations refer to, `declared_urls` the URLs that they contain, with credentials. `keys`
    tells builds apart. `pinned_pip` resolves instead of the seed pip, if there is one. `lenient_indexes`: see
    `pip.index_pages`.
    """

    environ: Mapping[str, str]
    keys: EntryKeys
    offline: bool = False
    index_options: tuple[str, ...] = ()
    variable_names: frozenset[str] = frozenset()
    declared_urls: tuple[str, ...] = ()
    lenient_indexes: tuple[str, ...] = ()
    pinned_pip: PinnedPip | None = None


class LinkOptions(NamedTuple):
    """How files of the store get into an environment.

    `mode` is a link mode of `[tool.isolate]`. With `bytecode`, each distribution is linked with its bytecode. With
    `verify_hashes`, files are hashed instead of trusting size and mtime.
    """

    mode: str = "auto"
    bytecode: bool = False
    verify_hashes: bool = False
