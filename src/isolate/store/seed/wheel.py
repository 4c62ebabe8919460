"""The pip that new environments begin with: no ensurepip, and no network where isolate's own pip serves.

pip is an entry like any other; only that no pip is there yet to install it.
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
    from isolate.store.layout import Store

WRITTEN_BY_INSTALLERS = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})


def seed_wheel(store: Store, interpreter: Interpreter, environ: Mapping[str, str], *, offline: bool) -> Path:
    """Return the wheel of the newest pip that we have for *interpreter*; raise `IsolateError` if none is to be had.

    That is the pip that isolate itself was installed with. An interpreter that is too old for it gets the newest that
    supports it from the package index, once, unless *offline* forbids it.
    """
    if _supports(_range_of_own_pip(), interpreter.version):
        return _own_wheel(store)
    from isolate.store.seed.older import older_wheel

    return older_wheel(store, interpreter, environ, offline=offline)


def seed_of(wheel: Path, store: Store) -> LockedDistribution:
    """Return the pip in *wheel*, one of the seeds of *store*, as something that the store can hold."""
    digest, version = _digest(wheel, store), str(parse_wheel_filename(wheel.name)[1])
    archive = {"path": str(wheel), "hashes": {"sha256": digest}}
    return LockedDistribution(
        name="pip",
        version=version,
        source_id=f"sha256:{digest}",
        table={"name": "pip", "version": version, "wheels": [{"name": wheel.name, **archive}]},
    )


def _digest(wheel: Path, store: Store) -> str:
    """Return the sha256 (hex) of *wheel*, remembered beside it for as long as it has the same size and time."""
    note, status = wheel.with_name(f"{wheel.name}.sha256"), wheel.stat()
    now = f"{status.st_size} {status.st_mtime_ns}"
    with contextlib.suppress(OSError, ValueError):
        digest, then = note.read_text(encoding="utf-8").split(" ", 1)
        if then == now:
            return digest
    digest = digest_of_file(wheel)
    fs.write(note, f"{digest} {now}".encode(), by=store.tmp)
    return digest


def _supports(requires_python: str | None, version: str) -> bool:
    return SpecifierSet(requires_python or "").contains(version, prereleases=True)


def _range_of_own_pip() -> str | None:
    """Return which Pythons isolate's own pip supports; `importlib.metadata` would read it by way of half of `email`."""
    metadata = Path(pip.__file__).parents[1] / f"pip-{pip.__version__}.dist-info/METADATA"
    found = re.search(r"^Requires-Python:\s*(.+)$", metadata.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else None


def _own_wheel(store: Store) -> Path:
    wheel = store.seeds / f"pip-{pip.__version__}-py3-none-any.whl"
    if wheel.exists():
        return wheel
    import importlib.metadata

    own = importlib.metadata.distribution("pip")
    store.seeds.mkdir(exist_ok=True)
    with store.scratch() as scratch:
        pack_installed(own, scratch / wheel.name)
        (scratch / wheel.name).rename(wheel)
    return wheel


def pack_installed(own: Distribution, wheel: Path) -> None:
    """Write the files of an installed pure distribution back into a wheel, the same bytes each time."""
    import csv
    import io
    import zipfile

    rows = []
    with zipfile.ZipFile(wheel, "w") as archive:
        for row in sorted(csv.reader(io.StringIO(own.read_text("RECORD") or ""))):
            name, digest, _ = row
            # What an installer adds of its own has no hash: bytecode, and the bare directories that virtualenv lists.
            if name.startswith("..") or not digest or name.endswith(".pyc") or Path(name).name in WRITTEN_BY_INSTALLERS:
                continue
            archive.writestr(zipfile.ZipInfo(name), Path(str(own.locate_file(name))).read_bytes())
            rows.append(",".join(row))
        record = f"pip-{own.version}.dist-info/RECORD"
        archive.writestr(zipfile.ZipInfo(record), "\n".join([*rows, f"{record},,", ""]))
