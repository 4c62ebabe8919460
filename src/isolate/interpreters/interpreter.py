"""An interpreter as a value: what of it matters to packages, and to us."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.tags import Tag


class Interpreter(NamedTuple):
    """A Python on this machine.

    `executable` is the absolute path of the real one: no shim, not that of an environment. `markers` are those of
    PEP 508. `identity` changes when the binary is replaced.
    """

    executable: str
    version: str
    implementation: str
    platform: str
    free_threaded: bool
    markers: Mapping[str, str]
    identity: str

    @property
    def short(self) -> str:
        """Return the version as far as packages care: `3.11`."""
        return ".".join(self.version.split(".")[:2])

    @property
    def kind(self) -> str:
        """Return what binary distributions depend on, as a file name: `cp311-linux_x86_64`."""
        return f"{self._tag}{'t' if self.free_threaded else ''}-{re.sub(r'[^a-zA-Z0-9]', '_', self.platform)}"

    @property
    def _tag(self) -> str:
        short = {"cpython": "cp", "pypy": "pp"}.get(self.implementation, self.implementation)
        return short + self.short.replace(".", "")

    def tags(self) -> Sequence[Tag]:
        """Return the tags of the wheels that it can use, best first (the platform compatibility tags specification).

        They are those of its version; its platforms are taken to be those of the Python that isolate runs on.
        """
        from packaging import tags

        version = tuple(int(part) for part in self.short.split("."))
        platforms = list(tags.platform_tags())
        if self.platform.startswith("macosx"):  # where Pythons for two kinds of processor run side by side
            platforms = list(tags.mac_platforms(arch=self.markers["platform_machine"]))
        if self.implementation == "cpython":
            abi, name = f"{self._tag}{'t' if self.free_threaded else ''}", self._tag
            return [*tags.cpython_tags(version, [abi], platforms), *tags.compatible_tags(version, name, platforms)]
        abi, name = self._foreign_abi, f"{self._tag[:2]}3"
        return [*tags.generic_tags(self._tag, [abi], platforms), *tags.compatible_tags(version, name, platforms)]

    @property
    def _foreign_abi(self) -> str:
        """Return the ABI of an implementation that is not CPython: for PyPy 7.3 of Python 3.10, `pypy310_pp73`."""
        release = "".join(self.markers["implementation_version"].split(".")[:2])
        return f"{self.implementation}{self.short.replace('.', '')}_{self._tag[:2]}{release}"

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON can hold them."""
        return {**self._asdict(), "markers": dict(self.markers)}

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Interpreter:
        """Return the interpreter that `to_dict` described."""
        return cls(**table)


class Choice(NamedTuple):
    """The interpreter that an application gets, and why that one."""

    interpreter: Interpreter
    reason: str
