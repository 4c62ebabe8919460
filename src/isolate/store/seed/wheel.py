"""The wheel of the seed. isolate's own pip serves where possible: neither ensurepip nor the network is needed.

The seed is an entry like any other, except that no pip exists yet that could install it.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename

import pip
from isolate import fs
from isolate.locked import LockedDistribution
from isolate.store.manifest import digest_of_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.metadata import Distribution

    from isolate.interpreters.interpreter import Interpreter
    from isolate.store.store import Store

WRITTEN_BY_INSTALLERS = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})


def seed_wheel(
    store: Store, interpreter: Interpreter, environ: Mapping[str, str], *, offline: bool, replace: bool = False
) -> Path:
    """Return the wheel of the pip for a new environment of *interpreter*; raise `IsolateError` if it is unavailable.

    It is the pip that isolate itself was installed with. For an interpreter that is too old for that one, it is the
    newest pip on the package index that supports the interpreter, downloaded once, unless *offline*. With *replace*,
    the wheel that the store has is damaged, and another one takes its place.
    """
    if _supports(_own_requires_python(), interpreter.version):
        return _own_wheel(store, replace=replace)
    from isolate.store.seed.older import older_seed_wheel

    return older_seed_wheel(store, interpreter, environ, offline=offline, replace=replace)


def is_whole(wheel: Path, digest: str) -> bool:
    """Return whether *wheel* has the sha256 *digest* (hex) and is a complete archive. It is not after a power failure.

    The digest alone does not tell: it may have been computed when the wheel was damaged already.
    """
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.testzip() is None and digest_of_file(wheel) == digest
    except (OSError, ValueError, RuntimeError, EOFError, zlib.error, zipfile.BadZipFile):
        return False


def locked_seed(wheel: Path, store: Store) -> LockedDistribution:
    """Return the pip in *wheel*, one of the seeds of *store*, as a locked distribution."""
    digest, version = _digest(wheel, store), str(parse_wheel_filename(wheel.name)[1])
    archive = {"path": str(wheel), "hashes": {"sha256": digest}}
    return LockedDistribution(
        name="pip",
        version=version,
        source_id=f"sha256:{digest}",
        table={"name": "pip", "version": version, "wheels": [{"name": wheel.name, **archive}]},
    )


def _digest(wheel: Path, store: Store) -> str:
    """Return the sha256 (hex) of *wheel*, read from a file beside it while size and mtime of the wheel are the same."""
    record, status = wheel.with_name(f"{wheel.name}.sha256"), wheel.stat()
    facts = f"{status.st_size} {status.st_mtime_ns}"
    with contextlib.suppress(OSError, ValueError):
        digest, recorded_facts = record.read_text(encoding="utf-8").split(" ", 1)
        if recorded_facts == facts:
            return digest
    digest = digest_of_file(wheel)
    with contextlib.suppress(OSError):  # a read-only store, whose wheel is hashed each time
        fs.write(record, f"{digest} {facts}".encode(), staging=store.paths.tmp, durable=True)
    return digest


def _supports(requires_python: str | None, version: str) -> bool:
    return SpecifierSet(requires_python or "").contains(version, prereleases=True)


def _own_requires_python() -> str | None:
    """Return the Requires-Python of isolate's own pip. `importlib.metadata` would import most of `email` to read it."""
    metadata = Path(pip.__file__).parents[1] / f"pip-{pip.__version__}.dist-info/METADATA"
    field = re.search(r"^Requires-Python:\s*(.+)$", metadata.read_text(encoding="utf-8"), re.MULTILINE)
    return field[1] if field else None


def _own_wheel(store: Store, *, replace: bool) -> Path:
    wheel = store.paths.seeds / f"pip-{pip.__version__}-py3-none-any.whl"
    if not replace and (kept := store.find(wheel)).exists():
        return kept
    import importlib.metadata

    own = importlib.metadata.distribution("pip")
    store.paths.seeds.mkdir(exist_ok=True)
    with store.scratch() as scratch:
        repack(own, scratch / wheel.name)
        fs.flush(scratch / wheel.name)
        (scratch / wheel.name).rename(wheel)
    return wheel


def repack(dist: Distribution, wheel: Path) -> None:
    """Write the files of an installed pure-Python distribution back into a *wheel*; the result is reproducible."""
    import csv
    import io
    import zipfile

    rows = []
    with zipfile.ZipFile(wheel, "w") as archive:
        for row in sorted(csv.reader(io.StringIO(dist.read_text("RECORD") or ""))):
            name, digest, _ = row
            # What an installer adds has no hash: bytecode, and directories, which virtualenv lists as well.
            if name.startswith("..") or not digest or name.endswith(".pyc") or Path(name).name in WRITTEN_BY_INSTALLERS:
                continue
            archive.writestr(zipfile.ZipInfo(name), Path(str(dist.locate_file(name))).read_bytes())
            rows.append(",".join(row))
        record = f"pip-{dist.version}.dist-info/RECORD"
        archive.writestr(zipfile.ZipInfo(record), "\n".join([*rows, f"{record},,", ""]))
