"""True wheels and sdists, a few files each, that real pip installs without a network."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def build_wheel(
    folder: Path,
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
    """Write a wheel into *folder* and return it.

    *files* default to a module with `__version__`; *scripts* are console scripts (`module:function`); *data* are paths
    below `name-version.data`; *record* may spoil the lines of RECORD.
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
    rows = record([*(_row(path, held) for path, held in content.items()), f"{info}/RECORD,,"])
    content[f"{info}/RECORD"] = "\n".join([*rows, ""])
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{module}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, held in content.items():
            member = zipfile.ZipInfo(path)
            member.external_attr = (0o100755 if ".data/scripts/" in path else 0o100644) << 16
            archive.writestr(member, held)
    return wheel


def default_module(name: str, version: str) -> str:
    """Return the text of the module that a wheel holds unless it is told otherwise."""
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

def _say(): exec(pathlib.Path("on_build.py").read_text())

def get_requires_for_build_wheel(config_settings=None): return []
get_requires_for_build_editable = get_requires_for_build_wheel

def build_wheel(folder, config_settings=None, metadata_directory=None):
    _say()
    wheel = next(pathlib.Path("prebuilt").glob("*.whl"))
    (pathlib.Path(folder) / wheel.name).write_bytes(wheel.read_bytes())
    return wheel.name

def build_editable(folder, config_settings=None, metadata_directory=None):
    _say()
    wheel = next(pathlib.Path("editable").glob("*.whl"))
    (pathlib.Path(folder) / wheel.name).write_bytes(wheel.read_bytes())
    return wheel.name
"""
BUILD_SYSTEM = '[build-system]\nrequires = [{requires}]\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def build_tree(
    folder: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    on_build: str = "",
    build_requires: Sequence[str] = (),
) -> Path:
    """Write a source tree that builds without a network, also editable, and return its directory.

    *on_build* is Python that runs at each build: it may fail, or take its time; *build_requires* are needed for it.
    """
    module = name.replace("-", "_")
    listed = ", ".join(f'"{requirement}"' for requirement in requires)
    project = f'[project]\nname = "{name}"\nversion = "{version}"\ndependencies = [{listed}]\n'
    (folder / "src" / module).mkdir(parents=True)
    (folder / "src" / module / "__init__.py").write_text(default_module(name, version))
    needed = ", ".join(f'"{requirement}"' for requirement in build_requires)
    (folder / "pyproject.toml").write_text(BUILD_SYSTEM.format(requires=needed) + f"\n{project}")
    (folder / "backend.py").write_text(BACKEND)
    (folder / "on_build.py").write_text(on_build)
    build_wheel(folder / "prebuilt", name, version, requires=requires)
    pointer = {f"__editable__.{module}.pth": f"{folder.resolve()}/src\n"}
    build_wheel(folder / "editable", name, version, requires=requires, files=pointer)
    return folder


def build_sdist(
    folder: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    on_build: str = "",
    build_requires: Sequence[str] = (),
) -> Path:
    """Write an sdist into *folder*, made like `build_tree`, and return it."""
    stem = f"{name.replace('-', '_')}-{version}"
    tree = build_tree(
        folder / "trees" / stem, name, version, requires=requires, on_build=on_build, build_requires=build_requires
    )
    (tree / "PKG-INFO").write_text(metadata(name, version, requires, {}, None))
    sdist = folder / f"{stem}.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        for path in sorted(tree.rglob("*")):
            if path.is_file():
                member = tarfile.TarInfo(f"{stem}/{path.relative_to(tree)}")
                content = path.read_bytes()
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return sdist


def _row(path: str, held: str | bytes) -> str:
    content = held.encode() if isinstance(held, str) else held
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}"
