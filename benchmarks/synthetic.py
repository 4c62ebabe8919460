"""Make distributions that hold nothing but tiny files, and serve them from an index on this machine."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WHEEL = "Wheel-Version: 1.0\nGenerator: benchmarks\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class Index:
    """A package index of made-up wheels on 127.0.0.1, which serves from a thread until this program ends."""

    def __init__(self, folder: Path) -> None:
        self._files, self._pages = folder / "files", folder / "simple"
        self._files.mkdir(parents=True)
        self._pages.mkdir()
        self._links: dict[str, dict[str, str]] = {}
        server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *given: _Handler(*given, directory=str(folder)))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}/simple"

    def add(self, name: str, version: str, folders: int = 2, files: int = 4) -> str:
        """Make a wheel with *folders* folders of *files* modules each, unless it is there, and return its pin."""
        links = self._links.setdefault(name, {})
        if version not in links:
            links[version] = self._link(name, version, folders, files)
            page = self._pages / name
            page.mkdir(exist_ok=True)
            (page / "index.html").write_text(f"<!DOCTYPE html><html><body>{''.join(links.values())}</body></html>")
        return f"{name}=={version}"

    def _link(self, name: str, version: str, folders: int, files: int) -> str:
        target = self._files / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        write_wheel(target, metadata, modules(name, version, folders, files))
        Path(f"{target}.metadata").write_text(metadata)
        hashes = hashlib.sha256(target.read_bytes()).hexdigest(), hashlib.sha256(metadata.encode()).hexdigest()
        attributes = f'href="/files/{target.name}#sha256={hashes[0]}" data-core-metadata="sha256={hashes[1]}"'
        return f"<a {attributes}>{target.name}</a><br>\n"


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def modules(name: str, version: str, folders: int, files: int) -> dict[str, str]:
    """Return the text of each module of a distribution: *folders* packages of *files* modules each."""
    top = name.replace("-", "_")
    places = [top, *(f"{top}/part{number}" for number in range(1, folders))]
    names = ["__init__.py", *(f"module{number}.py" for number in range(1, files))]
    return {f"{place}/{file}": f'"""{place} {file} {version}."""\n' for place in places for file in names}


def write_wheel(target: Path, metadata: str, contents: dict[str, str]) -> None:
    """Write a wheel that says *metadata* of itself and holds *contents*."""
    folder = "-".join(target.name.split("-")[:2]) + ".dist-info"
    everything = {**contents, f"{folder}/METADATA": metadata, f"{folder}/WHEEL": WHEEL}
    record = "".join(f"{path},,\n" for path in (*everything, f"{folder}/RECORD"))
    with zipfile.ZipFile(target, "w") as wheel:
        for path, text in {**everything, f"{folder}/RECORD": record}.items():
            wheel.writestr(path, text)
