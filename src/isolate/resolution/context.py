"""What every decision about the lock of one application depends on, as one value."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from isolate.lock.environment_marker import environment_marker
from isolate.lock.local_sources import local_path, metadata_digests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.interpreters.interpreter import Interpreter
    from isolate.request import LockPolicy
    from isolate.store.store import Store


class LockContext(NamedTuple):
    """An application, what it declares, the interpreter it gets, and what may be done about its lock.

    `source_digests` has a digest of the metadata of each source tree that the declarations name, by its absolute path.
    """

    application: Application
    declarations: Declarations
    interpreter: Interpreter
    policy: LockPolicy
    store: Store
    source_digests: Mapping[str, str]

    @property
    def root(self) -> str:
        """Return the application's directory, to which paths in a lock are relative."""
        return str(self.application.root)


def lock_context(
    application: Application, declarations: Declarations, interpreter: Interpreter, policy: LockPolicy, store: Store
) -> LockContext:
    """Return the context of a lock decision; reads the metadata of the source trees that *declarations* name."""
    digests = metadata_digests(source_trees(declarations))
    return LockContext(application, declarations, interpreter, policy, store, digests)


def lock_cache_key(declarations: Declarations, interpreter: Interpreter) -> str:
    """Return the key (hex) under which the store keeps the lock of *declarations*.

    It covers every byte of the declarations, and what an interpreter makes of their markers.
    """
    digest = hashlib.sha256(environment_marker(interpreter.markers).encode())
    for file, content in declarations.contents.items():
        digest.update(f"\0{file.name}\0".encode() + content)
    return digest.hexdigest()


def source_trees(declarations: Declarations) -> list[str]:
    """Return the directories and archives, existing or not, that the lock depends on besides the declarations."""
    trees = [path for declared in declarations.requirements if (path := local_path(declared)) is not None]
    if declarations.has_dynamic_dependencies:
        trees.append(str(declarations.root))
    return trees
