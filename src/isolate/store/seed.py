"""The pip that new environments begin with: no ensurepip, and no network where isolate's own pip serves.

pip is an entry like any other; only that no pip is there yet to install it.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename

import pip
from isolate import process
from isolate.errors import IsolateError
from isolate.lock.model import Locked
from isolate.pip.command import download_argv
from isolate.pip.redaction import redact
from isolate.pip.surroundings import pip_environment
from isolate.store.bytecode import take_over
from isolate.store.intake import digest_of_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.metadata import Distribution

    from packaging.version import Version

    from isolate.interpreters.model import Interpreter
    from isolate.store.layout import Store

WRITTEN_BY_INSTALLERS = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})


def seed_wheel(store: Store, interpreter: Interpreter, environ: Mapping[str, str]) -> Path:
    """Return the wheel of the newest pip that we have for *interpreter*; raise `IsolateError` if none is to be had.

    That is the pip that isolate itself was installed with. An interpreter that is too old for it gets the newest that
    supports it from the package index, once.
    """
    if _supports(_range_of_own_pip(), interpreter.version):
        return _own_wheel(store)
    have = list(store.seeds.glob(f"for-{interpreter.short}/pip-*.whl"))
    return max(have, key=_version) if have else _fetch(store, interpreter, environ)


def seed_of(wheel: Path) -> Locked:
    """Return the pip in *wheel* as something that the store can hold."""
    digest, version = digest_of_file(wheel), str(_version(wheel))
    archive = {"path": str(wheel), "hashes": {"sha256": digest}}
    return Locked(
        name="pip",
        version=version,
        identity=f"sha256:{digest}",
        table={"name": "pip", "version": version, "wheels": [{"name": wheel.name, **archive}]},
    )


def compile_seed(store: Store, key: str, interpreter: Interpreter) -> None:
    """Let the store have the bytecode of the pip *key*, if our own is the same and was compiled for such a Python.

    A pip without bytecode takes four times as long to start.
    """
    ours = (sys.implementation.name, sys.version_info[:2])
    theirs = (interpreter.implementation, tuple(int(part) for part in interpreter.short.split(".")))
    if ours == theirs and not interpreter.free_threaded and f"/pip-{pip.__version__}-" in key:
        take_over(store, key, Path(pip.__file__).parent.parent)


def _version(wheel: Path) -> Version:
    return parse_wheel_filename(wheel.name)[1]


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
    import importlib.metadata  # noqa: PLC0415 - see `_range_of_own_pip`

    own = importlib.metadata.distribution("pip")
    store.seeds.mkdir(exist_ok=True)
    with store.scratch() as scratch:
        pack_installed(own, scratch / wheel.name)
        (scratch / wheel.name).rename(wheel)
    return wheel


def pack_installed(own: Distribution, wheel: Path) -> None:
    """Write the files of an installed pure distribution back into a wheel, the same bytes each time."""
    import zipfile  # noqa: PLC0415 - once for each pip, and the import costs every sync

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


def _fetch(store: Store, interpreter: Interpreter, environ: Mapping[str, str]) -> Path:
    folder = store.seeds / f"for-{interpreter.short}"
    with store.scratch() as scratch:
        argv = download_argv(Path(sys.executable), "pip", python_version=interpreter.short, folder=scratch)
        finished = process.run(argv, env=pip_environment(environ, prefix=Path(sys.prefix)), cwd=scratch)
        found = sorted(scratch.glob("pip-*.whl"))
        if finished.status or not found:
            raise IsolateError(
                f"Python {interpreter.version} needs an older pip than ours, which could not be fetched",
                facts=tuple(redact(finished.errors).splitlines()[-3:]),
                hint="connect to the package index once, or choose a newer Python with --python",
            )
        folder.mkdir(parents=True, exist_ok=True)
        found[0].replace(folder / found[0].name)
    return folder / found[0].name
