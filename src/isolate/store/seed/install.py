"""Install the first pip of all: no pip exists yet that could install it."""

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


def install_seed(wheel: Path, prefix: Path, site: str, *, python: Path, python_version: str) -> None:
    """Install the pip in *wheel* into *prefix*: modules into *site* below it, and scripts that name *python*.

    *python_version* is the minor version of that Python, `3.12`. As with pip itself, one script is named after it.
    """
    modules, scripts = str(prefix / site), str(prefix / "bin")
    schemes = {"purelib": modules, "platlib": modules, "scripts": scripts, "data": str(prefix), "headers": str(prefix)}
    with WheelFile.open(wheel) as source:
        install(source, _SeedDestination(schemes, str(python), python_version), {"INSTALLER": b"isolate\n"})


class _SeedDestination(SchemeDictionaryDestination):
    def __init__(self, schemes: dict[str, str], python: str, python_version: str) -> None:
        super().__init__(schemes, python, "posix")
        self._python_version = python_version
        self._extra_records: list[tuple[Scheme, RecordEntry]] = []

    def write_script(self, name: str, module: str, attr: str, section: ScriptSection) -> RecordEntry:
        """Write a script; write `pip3` under the name with the minor version (`pip3.12`), too."""
        if name == "pip3":
            record = super().write_script(f"pip{self._python_version}", module, attr, section)
            self._extra_records.append((Scheme("scripts"), record))
        return super().write_script(name, module, attr, section)

    def finalize_installation(
        self, scheme: Scheme, record_file_path: str, records: Iterable[tuple[Scheme, RecordEntry]]
    ) -> None:
        """Write RECORD, including the script that the wheel does not declare."""
        super().finalize_installation(scheme, record_file_path, [*records, *self._extra_records])
