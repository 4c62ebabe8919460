"""Builders of real wheels and sdists, a few files each, that pip installs without a network."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def build_wheel(
    directory: Path,
    name: str,
    version: str,
    *,
    files: Mapping[str, str | bytes] | None = None,
    requires: Sequence[str] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    scripts: Mapping[str, str] | None = None,
    data: Mapping[str, str] | None = None,
    requires_python: str | None = None,
    tag: str = "py3-none-any",
    record: Callable[[list[str]], list[str]] = lambda rows: rows,
) -> Path:
    """Write a wheel into *directory* and return its path.

    Args:
        directory: Created if it does not exist.
        name: The name of the distribution.
        version: Its version.
        files: Contents by path; by default a module with `__version__`.
        requires: The values of `Requires-Dist`.
        extras: More of them, by extra.
        scripts: The console scripts: `module:function` by name.
        data: Contents by path below `name-version.data`.
        requires_python: The value of `Requires-Python`.
        tag: The compatibility tag.
        record: Changes the lines of RECORD, to damage it.
    """
    module = name.replace("-", "_").replace(".", "_")
    info = f"{module}-{version}.dist-info"
    content: dict[str, str | bytes] = dict(
        files if files is not None else {f"{module}/__init__.py": default_module(name, version)}
    )
    content |= {f"{module}-{version}.data/{path}": text for path, text in (data or {}).items()}
    content[f"{info}/METADATA"] = metadata(name, version, requires, extras or {}, requires_python)
    content[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: kit\nRoot-Is-Purelib: true\nTag: {tag}\n"
    if scripts:
        lines = "".join(f"{script} = {entry}\n" for script, entry in scripts.items())
        content[f"{info}/entry_points.txt"] = f"[console_scripts]\n{lines}"
    rows = record([*(_row(path, text) for path, text in content.items()), f"{info}/RECORD,,"])
    content[f"{info}/RECORD"] = "\n".join([*rows, ""])
    directory.mkdir(parents=True, exist_ok=True)
    wheel = directory / f"{module}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in content.items():
            member = zipfile.ZipInfo(path)
            member.external_attr = (0o100755 if ".data/scripts/" in path else 0o100644) << 16
            archive.writestr(member, text)
    return wheel


def default_module(name: str, version: str) -> str:
    """Return the source of the module that a wheel has by default."""
    return f'"""{name}"""\n__version__ = "{version}"\n\n\ndef main():\n    print("{name} {version}")\n'


def metadata(
    name: str, version: str, requires: Sequence[str], extras: Mapping[str, Sequence[str]], requires_python: str | None
) -> str:
    """Return the text of METADATA (core metadata 2.1)."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    for extra, needed in extras.items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {requirement}; extra == "{extra}"' for requirement in needed]
    return "\n".join([*lines, "", ""])


BACKEND = """
import pathlib, sys, time, zipfile

def _run_hook(): exec(pathlib.Path("on_build.py").read_text())

def get_requires_for_build_wheel(config_settings=None): return []
get_requires_for_build_editable = get_requires_for_build_wheel

def build_wheel(directory, config_settings=None, metadata_directory=None):
    _run_hook()
    wheel = next(pathlib.Path("prebuilt").glob("*.whl"))
    (pathlib.Path(directory) / wheel.name).write_bytes(wheel.read_bytes())
    return wheel.name

def build_editable(directory, config_settings=None, metadata_directory=None):
    _run_hook()
    wheel = next(pathlib.Path("editable").glob("*.whl"))
    (pathlib.Path(directory) / wheel.name).write_bytes(wheel.read_bytes())
    return wheel.name
"""
BUILD_SYSTEM = '[build-system]\nrequires = [{requires}]\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def build_tree(
    directory: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    on_build: str = "",
    build_requires: Sequence[str] = (),
) -> Path:
    """Write a source tree that builds without a network, also editable, and return *directory*.

    *on_build* is Python code that each build runs; it may fail or block. *build_requires* are its build requirements.
    """
    module = name.replace("-", "_")
    listed = ", ".join(f'"{requirement}"' for requirement in requires)
    project = f'[project]\nname = "{name}"\nversion = "{version}"\ndependencies = [{listed}]\n'
    (directory / "src" / module).mkdir(parents=True)
    (directory / "src" / module / "__init__.py").write_text(default_module(name, version))
    needed = ", ".join(f'"{requirement}"' for requirement in build_requires)
    (directory / "pyproject.toml").write_text(BUILD_SYSTEM.format(requires=needed) + f"\n{project}")
    (directory / "backend.py").write_text(BACKEND)
    (directory / "on_build.py").write_text(on_build)
    build_wheel(directory / "prebuilt", name, version, requires=requires)
    pointer = {f"__editable__.{module}.pth": f"{directory.resolve()}/src\n"}
    build_wheel(directory / "editable", name, version, requires=requires, files=pointer)
    return directory


def build_sdist(
    directory: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    on_build: str = "",
    build_requires: Sequence[str] = (),
) -> Path:
    """Write an sdist of a tree that `build_tree` makes into *directory*, and return its path."""
    stem = f"{name.replace('-', '_')}-{version}"
    tree = build_tree(
        directory / "trees" / stem, name, version, requires=requires, on_build=on_build, build_requires=build_requires
    )
    (tree / "PKG-INFO").write_text(metadata(name, version, requires, {}, None))
    sdist = directory / f"{stem}.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        for path in sorted(tree.rglob("*")):
            if path.is_file():
                member = tarfile.TarInfo(f"{stem}/{path.relative_to(tree)}")
                content = path.read_bytes()
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return sdist


def _row(path: str, text: str | bytes) -> str:
    content = text.encode() if isinstance(text, str) else text
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}"
