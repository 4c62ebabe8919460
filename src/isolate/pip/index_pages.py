"""Tell which index failed, from the log of a pip that went on without it. Pure.

pip asks each index for the page of each project, and treats a page that it does not get like one without files. So a
failing index would silently hand its projects to the other indexes: see `watched.py`, which writes the log.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from isolate.errors import PipFailed
from isolate.pip.network_failures import CREDENTIALS_HINT, NETWORK_HINT, PROXY_HINT, SSL_HINT
from isolate.redaction import redact, without_credentials

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

ASKED = re.compile(r"Fetching project page and analyzing links: (\S+)")
FETCHED = re.compile(r"Fetched page (\S+) as (\S+)")
FAILED = re.compile(r"Could not fetch URL (\S+): (.*) - skipping")
NOT_A_PAGE = re.compile(r"Skipping page (\S+) because the \w+ request got Content-Type: (.*?)\. The only supported")
FILE = re.compile(r"(?:Found link |Skipping link: (?!not a file|unsupported archive format))")

STATUS = re.compile(r"(?:^|too many )(\d{3}) (?:Client Error|Server Error|error responses)")
OS_REASON = re.compile(r"\[Errno -?\d+\] [^'\")]+|\[SSL[^\]]*\][^(\"']*|\d+ Error, .*")
"""Matches the part of a reason that says why a server cannot be reached, as the operating system puts it."""

ABSENT = frozenset({404, 410})
"""The statuses with which an index says that it does not have a project."""

JSON = "application/vnd.pypi.simple.v1+json"

LENIENT_HINT = (
    "correct the URL or the credentials; if the index answers so for every project that it does not have, add its URL "
    "to `lenient-indexes` in [tool.isolate]"
)

SIGNS = (
    (r"ssl certificate|CERTIFICATE_VERIFY|SSLError", "TLS verification failed", NETWORK_HINT),
    (r"ssl module", "it cannot be reached", SSL_HINT),
    (r"proxy", "the proxy cannot be reached", PROXY_HINT),
    (r"timed out|[Tt]imeout", "it did not respond in time", NETWORK_HINT),
)
"""Signs in the reason of a failure without a status; for each, what happened and the hint."""


class IndexFailed(PipFailed):
    """A package index, or a page with links, could not be asked, so another one might be taken for it."""

    code = "index-failed"
    remedy = "Fix the index, its URL or the credentials that the message is about, then run the command again."


class Page(NamedTuple):
    """What pip got when it asked an index for the page of a project, or for a page with links.

    `url` is without credentials. `kind` is the content type of the page, None if there is none, for this `reason`.
    `has_files`: it links at least one distribution, whether it fits or not.
    """

    url: str
    kind: str | None = None
    reason: str = ""
    has_files: bool = False

    @property
    def index_url(self) -> str:
        """Return the URL of the index that the page belongs to, with a `/` at its end."""
        return self.url.rstrip("/").rpartition("/")[0] + "/"

    @property
    def status(self) -> int | None:
        """Return the HTTP status, unless it is that of a success or there is none."""
        match = STATUS.search(self.reason)
        return int(match[1]) if match else None

    @property
    def is_doubtful(self) -> bool:
        """Return whether an index answers so that lacks the project, but one that fails may, too.

        Some indexes answer 403 for what they do not have. A page in HTML without files may be one to log in.
        """
        return self.status == HTTPStatus.FORBIDDEN or (
            self.kind is not None and self.kind != JSON and not self.has_files
        )

    @property
    def is_failure(self) -> bool:
        """Return whether the index failed, unless the answer is doubtful."""
        return self.kind is None and self.status not in ABSENT


def pages_in(lines: Iterable[str]) -> Iterator[Page]:
    """Yield the pages that pip asked for, by the *lines* of its log."""
    page: Page | None = None
    for line in lines:
        if match := FETCHED.search(line):
            page = Page(without_credentials(match[1]), kind=match[2].rstrip(";").lower())
        elif page is not None and FILE.search(line):
            yield page._replace(has_files=True)
            page = None
        elif ASKED.search(line) and page is not None:
            yield page
            page = None
        elif match := FAILED.search(line):
            yield Page(without_credentials(match[1]), reason=redact(match[2]))
        elif match := NOT_A_PAGE.search(line):
            yield Page(without_credentials(match[1]), reason=f"Content-Type: {match[2]}")
    if page is not None:
        yield page


class IndexAnswers:
    """What the indexes have answered during one command.

    *lenient* has the URLs of indexes whose doubtful answers mean that they do not have a project.
    """

    def __init__(self, lenient: Collection[str] = ()) -> None:
        self._lenient = {f"{without_credentials(url).rstrip('/')}/" for url in lenient}
        self._serving: set[str] = set()
        self._files: set[str] = set()
        self._doubtful: list[Page] = []

    def add_files(self, urls: Iterable[str]) -> None:
        """Let the indexes below which the files at *urls* are count as serving something."""
        self._files.update(map(without_credentials, urls))

    def check(self, lines: Iterable[str], *, more_follows: bool = False) -> None:
        """Read the *lines* of a log; raise `IndexFailed` for the first index in it that failed.

        A doubtful answer is a failure unless the index has served another project. With *more_follows*, that is left to
        the next check.
        """
        pages = list(pages_in(lines))
        self._serving |= {page.index_url for page in pages if page.has_files}
        for page in pages:
            if page.is_failure and not page.is_doubtful:
                raise _failed(page)
        self._doubtful += [page for page in pages if page.is_doubtful]
        doubtful = [] if more_follows else self._doubtful
        self._doubtful = self._doubtful if more_follows else []
        for page in doubtful:
            if not self._serves(page):
                raise _doubtful(page)

    def _serves(self, page: Page) -> bool:
        known = self._serving | self._lenient
        return not known.isdisjoint({page.index_url, f"{page.url.rstrip('/')}/"}) or any(
            file.startswith(page.index_url) for file in self._files
        )


def _place(page: Page) -> str:
    return f"the package index at {urlsplit(page.url).netloc or page.url}"


def _doubtful(page: Page) -> IndexFailed:
    if page.status is None:
        problem = f"{_place(page)} answered with a page without files, which may be one to log in"
    else:
        problem = f"{_place(page)} answered {_with_phrase(page.status)}"
    facts = (f"asked for {page.url}", "it has served no other package")
    return IndexFailed(problem, facts=facts, hint=LENIENT_HINT)


def _failed(page: Page) -> IndexFailed:
    asked = f"asked for {page.url}"
    if page.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED):
        problem = f"{_place(page)} answered {_with_phrase(page.status)}"
        return IndexFailed(
            problem, facts=(asked, "it rejected the credentials or requires them"), hint=CREDENTIALS_HINT
        )
    if page.status is not None:
        return IndexFailed(f"{_place(page)} answered {_with_phrase(page.status)}", facts=(asked,), hint=NETWORK_HINT)
    if page.reason.startswith("Content-Type"):
        problem = f"{_place(page)} did not answer with a list of files"
        return IndexFailed(problem, facts=(asked, page.reason), hint="correct the URL of the index")
    signs = ((what, hint) for sign, what, hint in SIGNS if re.search(sign, page.reason))
    what, hint = next(signs, ("it cannot be reached", NETWORK_HINT))
    reason = OS_REASON.search(page.reason)
    facts = (asked, reason[0].strip() if reason else page.reason)
    return IndexFailed(f"{_place(page)} failed: {what}", facts=facts, hint=hint)


def _with_phrase(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)
