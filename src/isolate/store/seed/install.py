"""The first pip of all: no pip is there yet to install it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile
from installer.utils import Scheme

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from installer.records import RecordEntry
    from installer.scripts import ScriptSection


def install_seed(wheel: Path, prefix: Path, site: str, *, python: Path, version: str) -> None:
    """Install the pip in *wheel* into *prefix*, with modules in *site* below it and scripts that name *python*.

    *version* is that of the Python that it is for, `3.12`: one of the scripts is named after it, as pip itself does it.
    """
    modules, scripts = str(prefix / site), str(prefix / "bin")
    schemes = {"purelib": modules, "platlib": modules, "scripts": scripts, "data": str(prefix), "headers": str(prefix)}
    with WheelFile.open(wheel) as source:
        install(source, _Destination(schemes, str(python), version), {"INSTALLER": b"isolate\n"})


class _Destination(SchemeDictionaryDestination):
    def __init__(self, schemes: dict[str, str], python: str, version: str) -> None:
        super().__init__(schemes, python, "posix")
        self._version = version
        self._more: list[tuple[Scheme, RecordEntry]] = []

    def write_script(self, name: str, module: str, attr: str, section: ScriptSection) -> RecordEntry:
        """Write a script; beside the one for the major version of Python, one for its minor version."""
        if name == "pip3":
            entry = super().write_script(f"pip{self._version}", module, attr, section)
            self._more.append((Scheme("scripts"), entry))
        return super().write_script(name, module, attr, section)

    def finalize_installation(
        self, scheme: Scheme, record_file_path: str, records: Iterable[tuple[Scheme, RecordEntry]]
    ) -> None:
        """Write RECORD, with the script that the wheel does not know of."""
        super().finalize_installation(scheme, record_file_path, [*records, *self._more])
