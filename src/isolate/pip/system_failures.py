"""Explain failures of the things that pip uses: disks, networks, version control, builds. Pure.

Each function looks for the sentence in which pip reports one kind of failure. It returns that failure, or None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from isolate.errors import PipFailed
from isolate.pip.origins import declarations_of, search_locations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isolate.pip.origins import Declaration

BUILD_SIGNS = re.compile(
    r"Failed to build|Failed building|subprocess-exited-with-error|metadata-generation-failed|"
    r"backend-unavailable|BackendUnavailable|Could not build"
)

BUILD_ERROR = re.compile(
    r"(?i)error\b|^fatal|fatal error|exception\b(?!, another| occurred)|cannot import|no module|missing|not found"
)
"""Matches the lines of a build's output that tell the cause."""

BUILD_HEADLINE = re.compile(r"(?i)error: (exception:$|failed|subprocess-exited|metadata-gen|backend-unavail)")
"""Matches what pip prints for every build that fails."""

COMPILER_HINT = "install the missing compiler or headers, or choose a version that has a wheel for this Python"
BUILD_HINT = "choose a version that has a wheel for this Python, or run with -vv to see the full output of the build"

CREDENTIALS_HINT = (
    "put them into the index URL or ~/.netrc, or set a keyring-provider in pip's settings: pip cannot prompt here"
)
NETWORK_HINT = "check the network and pip's index settings, then run it again; --offline uses only what is in the store"
URL_HINT = "check the URL; if it is in the lock alone, run `isolate lock --upgrade`"

INDEX_SIGNS = (
    (
        r"\b(401|403)\b.*(Error|while getting)",
        "the package index rejected the credentials or requires them",
        CREDENTIALS_HINT,
    ),
    (r"HTTP error 4(04|10) while getting|4(04|10) Client Error", "the file to download does not exist", URL_HINT),
    (r"HTTP error 4\d\d while getting|4\d\d Client Error", "the server rejected the request", NETWORK_HINT),
    (r"5\d\d (Server Error|error responses)|HTTP error 5\d\d", "the server returned an error", NETWORK_HINT),
    (
        r"IncompleteRead|ProtocolError|IncompleteDownload|incomplete-download",
        "the package index closed the connection during a download",
        NETWORK_HINT,
    ),
    (
        r"timed out|ReadTimeout|ConnectTimeout|connection-timeout",
        "the package index did not respond in time",
        NETWORK_HINT,
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError|ssl certificate",
        "TLS verification of the package index failed",
        NETWORK_HINT,
    ),
    (
        r"NewConnection|NameResolution|ConnectionError|ProxyError|connection broken",
        "the package index cannot be reached",
        NETWORK_HINT,
    ),
)
"""Signs that an index, or another server, does not give what pip asks for; for each, the problem and the hint."""

INDEX_REASON = re.compile(
    r"\[Errno -?\d+\] [^'\")]+|\[SSL[^\]]*\][^(\"']*|Read timed out|too many \d+ error responses|"
    r"HTTP error \d+ while getting \S+|\d+ Error, .*"
)
"""Matches the part of a line about an index that gives the reason."""


def disk_full(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure that a disk is full or a quota is used up, or None."""
    del declared
    match = re.search(r"No space left on device|Errno 28\b|Disk quota exceeded", output)
    if match is None:
        return None
    problem = "the disk quota is exceeded" if "quota" in match[0] else "the disk is full"
    return PipFailed(problem, hint="free space where ISOLATE_CACHE_DIR and TMPDIR are, then run the command again")


def permission_denied(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure that pip may not read or write a file, or None."""
    del declared
    match = re.search(r"^ *ERROR: .*Permission denied: '?([^'\n]+)", output, re.MULTILINE)
    if match is None:
        return None
    hint = "change its permissions, then run the command again"
    return PipFailed(f"permission denied: pip cannot access {match[1]}", hint=hint)


def vcs_failure(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure that a repository, or the program for it, is not available, or None."""
    del declared
    if program := re.search(r"Cannot find command '(\w+)'", output):
        hint = f"install {program[1]}, then run the command again"
        return PipFailed(f"{program[1]} is required but not on PATH", hint=hint)
    command = re.search(r"^\W*((?:git|hg|svn|bzr) .*) did not run successfully", output, re.MULTILINE)
    if not command:
        return None
    errors = [line.strip() for line in output.splitlines() if line.lstrip().startswith(("fatal: ", "abort: ", "svn: "))]
    hint = "check the URL and the revision, and that you can read the repository without entering a password"
    return PipFailed("a repository could not be fetched", facts=(command[1], *errors), hint=hint)


def index_failure(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure that an index, or the server of a URL, does not give what pip asks for, or None."""
    del declared
    lines = [line.strip() for line in output.splitlines()]
    if "(from versions: none)" not in output:  # the retries succeeded, so they are not the cause
        lines = [line for line in lines if not line.startswith("WARNING: Retrying")]
    for sign, problem, hint in INDEX_SIGNS:
        line = next((line for line in lines if re.search(sign, line)), None)
        if line is not None:
            reason = INDEX_REASON.search(line)
            facts = (reason[0].strip() if reason else line, *search_locations(output))
            return PipFailed(problem, facts=facts, hint=hint)
    return None


def build_failure(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure that a wheel could not be built, or None."""
    if not BUILD_SIGNS.search(output):
        return None
    name = _built_package(output)
    lines = _build_output(output)
    causes = [line for line in lines if BUILD_ERROR.search(line) and not BUILD_HEADLINE.match(line)]
    return PipFailed(
        f"{name} could not be built",
        facts=(*declarations_of(name, declared), *(causes or lines)[-4:]),
        hint=COMPILER_HINT if re.search(r"\b(gcc|cc1|clang|\w+\.h)\b", output) else BUILD_HINT,
    )


def _build_output(output: str) -> list[str]:
    """Return the lines of the last build that pip quotes in *output*, or of all of *output* if it quotes none."""
    blocks = re.findall(r"╰─> \[\d+ lines? of output\]\n(.*?)\[end of output\]", output, re.DOTALL)
    lines = [line.strip() for line in (blocks[-1] if blocks else output).splitlines()]
    lines = [re.sub(r"^\W+(?=\w)|^pip\._vendor\.[\w.]+\.(?=\w+:)", "", line) for line in lines if line.strip(" ^~─")]
    return [line for line in lines if not line.startswith("note: ")]


def _built_package(output: str) -> str:
    """Return the name, the URL or the path of the package whose build failed."""
    patterns = (
        r"Failed building (?:wheel|editable) for ([^\s,]+)",
        r"Failed to build (?:installable wheels for .*\()?'?([^\s',)]+)",
        r"Could not build wheels for ([^\s,]+)",
        r"package metadata\.\n╰─> (?!See above)(?:from )?(\S+)",
    )
    for pattern in patterns:
        if match := re.search(pattern, output):
            return match[1].removeprefix("file://")
    started = re.findall(r"^ *(?:Collecting|Processing|Obtaining) (\S+)", output, re.MULTILINE)
    if not started:
        return "a package"
    name = str(started[-1]).removeprefix("file://").rpartition("/")[2]
    return re.sub(r"-[^-]+(\.tar\.gz|\.zip)$", "", name) or "a package"
