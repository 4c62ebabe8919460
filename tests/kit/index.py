"""A package index for one test, on 127.0.0.1. It can be told to misbehave."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import re
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

MAX_HANG_SECONDS = 30.0


class LocalIndex:
    """Serves the wheels and sdists in *directory* through the simple repository API (PEP 503).

    `requests` has the paths that were requested, in order; `released` ends all requests that hang. `claims` has the
    fragments that links get instead of the sha256 of their file, by its name: `sha256=…`, or nothing. Every answer has
    the `headers`.
    """

    def __init__(self, directory: Path, *, credentials: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        """Create an index that demands *credentials* (`user:password`) and speaks *tls* if they are given."""
        self.released = threading.Event()
        self.start_over(directory)
        self._credentials = credentials
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    @property
    def url(self) -> str:
        """Return the URL for `--index-url`, without credentials."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}/simple/"

    def start_over(self, directory: Path) -> None:
        """Serve *directory* at the same URL from now on; end requests that hang, and forget what was asked and set."""
        self.released.set()
        self.released = threading.Event()
        self.directory = directory
        self.requests: list[str] = []
        self.claims: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self._faults: list[tuple[str, str]] = []

    def misbehave(self, pattern: str, fault: str) -> None:
        """Answer requests whose path matches *pattern* with a *fault*.

        `500` or another status: an error; `hang`: no answer; `cut`: half of the body; `wrong`: different bytes of the
        same length; `plain`: another content type; `login`: a page in HTML with no link to a file.
        """
        self._faults.append((pattern, fault))

    def behave(self) -> None:
        """Answer all requests correctly again."""
        self._faults.clear()

    def fetched(self) -> list[str]:
        """Return the names of the files that were requested, in order."""
        return [
            path.rpartition("/")[2]
            for path in self.requests
            if path.startswith("/files/") and not path.endswith(".metadata")
        ]

    @contextlib.contextmanager
    def serving(self) -> Iterator[LocalIndex]:
        """Serve requests while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.released.set()
            self._server.shutdown()
            self._server.server_close()

    def answer(self, path: str, authorization: str | None) -> tuple[int, bytes, str | None]:
        """Return the status, the body and the fault for a request, and record it."""
        self.requests.append(path)
        if self._credentials is not None:
            expected = "Basic " + base64.b64encode(self._credentials.encode()).decode()
            if authorization != expected:
                return 401, b"credentials required", None
        fault = next((fault for pattern, fault in self._faults if re.search(pattern, path)), None)
        if fault is not None and fault.isdigit():
            return int(fault), b"an error", None
        if fault == "login":
            return 200, b'<!DOCTYPE html><html><body><a href="/sign-in">Sign in</a></body></html>', None
        if path.startswith("/files/"):
            file = self.directory / path.removeprefix("/files/").partition("?")[0]
            return (200, file.read_bytes(), fault) if file.is_file() else (404, b"", None)
        project = path.removeprefix("/simple/").strip("/")
        page = self._page(project)
        return (200, page.encode(), fault) if page else (404, b"", None)

    def _page(self, project: str) -> str:
        """Return the page of a *project*, which links its files; empty if there are none."""
        links = []
        for file in sorted(self.directory.glob("*.*")):
            stem = re.split(r"-\d", file.name, maxsplit=1)[0]
            if file.is_file() and re.sub(r"[-_.]+", "-", stem).lower() == project:
                claim = self.claims.get(file.name, f"sha256={hashlib.sha256(file.read_bytes()).hexdigest()}")
                python = _requires_python(file)
                attribute = f' data-requires-python="{python}"' if python else ""
                links.append(f'<a href="/files/{file.name}#{claim}"{attribute}>{file.name}</a>')
        return "\n".join(["<!DOCTYPE html><html><body>", *links, "</body></html>"]) if links else ""

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        index = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body, fault = index.answer(self.path, self.headers.get("Authorization"))
                if fault == "hang":
                    index.released.wait(MAX_HANG_SECONDS)
                    return
                body = b"x" * len(body) if fault == "wrong" else body
                self.send_response(status)
                if status == 401:
                    self.send_header("WWW-Authenticate", "Basic")
                kind = "text/html" if self.path.startswith("/simple") else "application/octet-stream"
                self.send_header("Content-Type", "text/plain" if fault == "plain" else kind)
                self.send_header("Content-Length", str(len(body)))
                for name, value in index.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if fault == "cut" else body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _requires_python(file: Path) -> str | None:
    """Return `Requires-Python` of a wheel, escaped for HTML; None if it has none, or *file* is not a wheel."""
    if file.suffix != ".whl":
        return None
    with zipfile.ZipFile(file) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        field = re.search(r"^Requires-Python: (.+)$", archive.read(name).decode(), re.MULTILINE)
    return field[1].replace(">", "&gt;").replace("<", "&lt;") if field else None
