"""An interpreter as a value: the facts about it that packages and isolate depend on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.tags import Tag

OLD_FINGERPRINT = "identity"
"""What the `fingerprint` is called in older records."""

IMPLEMENTATION, VERSION = re.compile("[a-z][a-z0-9_]*"), re.compile(r"[0-9]{1,3}\.[0-9]{1,3}(?![0-9/])[^/]*\Z")
"""What becomes part of a path: `cpython`, `3.11.7`."""


class Interpreter(NamedTuple):
    """A Python on this machine.

    `executable` is the absolute path of its binary: not a shim, and not that of an environment. `markers` are the
    variables of environment markers (PEP 508). `fingerprint` changes when the binary is replaced.
    """

    executable: str
    version: str
    implementation: str
    platform: str
    free_threaded: bool
    markers: Mapping[str, str]
    fingerprint: str

    @property
    def minor_version(self) -> str:
        """Return the part of the version that packages depend on: `3.11`."""
        return ".".join(self.version.split(".")[:2])

    @property
    def compat_tag(self) -> str:
        """Return what binary distributions depend on, usable as a file name: `cp311-linux_x86_64`."""
        return f"{self._tag}{'t' if self.free_threaded else ''}-{re.sub(r'[^a-zA-Z0-9]', '_', self.platform)}"

    @property
    def _tag(self) -> str:
        name = {"cpython": "cp", "pypy": "pp"}.get(self.implementation, self.implementation)
        return name + self.minor_version.replace(".", "")

    def tags(self) -> Sequence[Tag]:
        """Return the tags of the wheels that it supports, best first (the platform compatibility tags specification).

        The platforms are those of the Python that isolate runs on.
        """
        from packaging import tags

        version = tuple(int(part) for part in self.minor_version.split("."))
        platforms = list(tags.platform_tags())
        if self.platform.startswith("macosx"):  # Pythons for two processor architectures may exist side by side
            platforms = list(tags.mac_platforms(arch=self.markers["platform_machine"]))
        if self.implementation == "cpython":
            abi, name = f"{self._tag}{'t' if self.free_threaded else ''}", self._tag
            return [*tags.cpython_tags(version, [abi], platforms), *tags.compatible_tags(version, name, platforms)]
        abi, name = self._generic_abi, f"{self._tag[:2]}3"
        return [*tags.generic_tags(self._tag, [abi], platforms), *tags.compatible_tags(version, name, platforms)]

    @property
    def _generic_abi(self) -> str:
        """Return the ABI of an implementation other than CPython: `pypy310_pp73` for PyPy 7.3 of Python 3.10."""
        release = "".join(self.markers["implementation_version"].split(".")[:2])
        return f"{self.implementation}{self.minor_version.replace('.', '')}_{self._tag[:2]}{release}"

    def to_dict(self) -> dict[str, Any]:
        """Return the facts in a form that JSON can represent."""
        return {**self._asdict(), "markers": dict(self.markers)}

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Interpreter:
        """Return the interpreter that `to_dict` described, this version's or an older one's.

        Raises `TypeError` or `AttributeError` if it describes none.
        """
        interpreter = cls(**{"fingerprint" if name == OLD_FINGERPRINT else name: fact for name, fact in table.items()})
        texts = (interpreter.executable, interpreter.version, interpreter.implementation, interpreter.platform)
        markers = interpreter.markers
        if (
            not all(isinstance(text, str) and text.isprintable() for text in (*texts, interpreter.fingerprint))
            or not isinstance(markers, Mapping)
            or not all(isinstance(value, str) for value in markers.values())
            or not IMPLEMENTATION.fullmatch(interpreter.implementation)
            or not VERSION.match(interpreter.version)
            or not interpreter.executable.startswith("/")
        ):
            raise TypeError("not an interpreter")
        return interpreter


class Choice(NamedTuple):
    """The interpreter that an application gets, and the reason for choosing it."""

    interpreter: Interpreter
    reason: str
