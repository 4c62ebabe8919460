"""An interpreter as a value: the facts about it that packages and isolate depend on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.tags import Tag

OLD_FINGERPRINT = "identity"
"""What the `fingerprint` is called in older records."""

IMPLEMENTATION, VERSION = re.compile("[a-z][a-z0-9_]*"), re.compile(r"[0-9]{1,3}\.[0-9]{1,3}(?![0-9/])[^/]*\Z")
"""What becomes part of a path: `cpython`, `3.11.7`."""


LIBC = re.compile(r"|static|glibc|musl|(glibc|musl)_\d+_\d+")


class Interpreter(NamedTuple):
    """A Python on this machine.

    `executable` is the absolute path of its binary: not a shim, and not that of an environment. `markers` are the
    variables of environment markers (PEP 508). `fingerprint` changes when the binary is replaced. `debug` tells whether
    it is a debug build; `libc` is the C library that it is linked against (see `libc`), empty on systems with only one.
    An earlier isolate recorded neither: then `libc` is None.
    """

    executable: str
    version: str
    implementation: str
    platform: str
    free_threaded: bool
    markers: Mapping[str, str]
    fingerprint: str
    debug: bool = False
    libc: str | None = None

    @property
    def minor_version(self) -> str:
        """Return the part of the version that packages depend on: `3.11`."""
        return ".".join(self.version.split(".")[:2])

    @property
    def compat_tag(self) -> str:
        """Return what binary distributions depend on, usable as a file name: `cp311-cp311d-linux_x86_64-glibc`.

        These are the tags of interpreter, ABI and platform, and the C library. Any glibc runs what was built with an
        older one, and a wheel for a newer one is never chosen, so the version of glibc is not part of it.
        """
        if self.libc is None:
            return f"{self._tag}{'t' if self.free_threaded else ''}-{_as_tag(self.platform)}"
        libc = "glibc" if self.libc.startswith("glibc") else self.libc
        return "-".join(filter(None, (self._tag, _as_tag(self.abi), _as_tag(self.platform), libc)))

    @property
    def abi(self) -> str:
        """Return the ABI tag of the extension modules that are built for this interpreter: `cp311`, `cp313td`."""
        if self.implementation == "cpython":
            return f"{self._tag}{'t' if self.free_threaded else ''}{'d' if self.debug else ''}"
        return self._generic_abi

    def completed(self, known: Interpreter) -> Interpreter:
        """Return this interpreter with the facts that an earlier isolate did not record: those of *known*."""
        return self if self.libc is not None else self._replace(debug=known.debug, libc=known.libc)

    @property
    def _tag(self) -> str:
        name = {"cpython": "cp", "pypy": "pp"}.get(self.implementation, self.implementation)
        return name + self.minor_version.replace(".", "")

    def tags(self) -> Sequence[Tag]:
        """Return the tags of the wheels that it supports, best first (the platform compatibility tags specification).

        The platforms are those of this machine and of the interpreter's C library.
        """
        platforms = _platforms(
            self.libc, self.markers.get("platform_machine", ""), macos=self.platform.startswith("macosx")
        )
        version = tuple(int(part) for part in self.minor_version.split("."))
        if self.implementation == "cpython":
            # A debug build also runs extension modules that were built for the default build.
            return _cpython_tags(version, tuple(dict.fromkeys((self.abi, self.abi.removesuffix("d")))), platforms)
        return _generic_tags(version, self._tag, self._generic_abi, platforms)

    @property
    def _generic_abi(self) -> str:
        """Return the ABI of an implementation other than CPython: `pypy310_pp73` for PyPy 7.3 of Python 3.10."""
        release = "".join(self.markers.get("implementation_version", "").split(".")[:2])
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
            or not LIBC.fullmatch(interpreter.libc or "")
            or not isinstance(interpreter.debug, bool)
        ):
            raise TypeError("not an interpreter")
        return interpreter


@lru_cache
def _platforms(libc: str | None, machine: str, *, macos: bool) -> tuple[str, ...]:
    from packaging import tags

    from isolate.interpreters.libc import platforms_for

    if macos:  # Pythons for two processor architectures may exist side by side
        return tuple(tags.mac_platforms(arch=machine))
    return tuple(platforms_for(libc, list(tags.platform_tags())))


@lru_cache  # a sync asks several times, and each answer has a thousand tags
def _cpython_tags(version: tuple[int, ...], abis: tuple[str, ...], platforms: tuple[str, ...]) -> tuple[Tag, ...]:
    from packaging import tags

    interpreter = "cp" + "".join(map(str, version))
    return (*tags.cpython_tags(version, abis, platforms), *tags.compatible_tags(version, interpreter, platforms))


@lru_cache
def _generic_tags(version: tuple[int, ...], tag: str, abi: str, platforms: tuple[str, ...]) -> tuple[Tag, ...]:
    from packaging import tags

    name = f"{tag[:2]}3"
    return (*tags.generic_tags(tag, [abi], platforms), *tags.compatible_tags(version, name, platforms))


def _as_tag(platform: str) -> str:
    return re.sub(r"[^a-zA-Z0-9]", "_", platform)


class Choice(NamedTuple):
    """The interpreter that an application gets, and the reason for choosing it."""

    interpreter: Interpreter
    reason: str
