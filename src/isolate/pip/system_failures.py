"""What went wrong on pip's way: networks, disks, repositories, builds. Pure.

Each function looks for the sentence by which pip says so, and returns the failure that it is about, or None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from isolate.errors import PipFailed
from isolate.pip.origins import looked_in, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isolate.pip.origins import Declaration

BUILD_SIGNS = re.compile(
    r"Failed to build|Failed building|subprocess-exited-with-error|metadata-generation-failed|"
    r"backend-unavailable|BackendUnavailable|Could not build"
)

TELLING = re.compile(
    r"(?i)error\b|^fatal|fatal error|exception\b(?!, another| occurred)|cannot import|no module|missing|not found"
)
"""What a line of a build says that is worth reading."""

HEADLINE = re.compile(r"(?i)error: (exception:$|failed|subprocess-exited|metadata-gen|backend-unavail)")
"""What pip says of every build that fails."""

COMPILER = "install the compiler or the headers that it needs, or choose a version that has a wheel for this Python"
BUILD = "choose a version that has a wheel for this Python, or run with -v to read all that its build said"

UNREACHABLE = (
    (r"\b(401|403)\b.*(Error|while getting)", "the package index refuses the credentials, or wants some"),
    (r"HTTP error 4\d\d while getting|4\d\d Client Error", "what is to be fetched is not there"),
    (r"5\d\d (Server Error|error responses)|HTTP error 5\d\d", "the package index answers with an error"),
    (r"IncompleteRead|ProtocolError|IncompleteDownload|incomplete-download", "the package index cut an answer short"),
    (r"timed out|ReadTimeout|ConnectTimeout|connection-timeout", "the package index does not answer"),
    (r"CERTIFICATE_VERIFY_FAILED|SSLError|ssl certificate", "there is no trusted connection to the package index"),
    (
        r"NewConnection|NameResolution|ConnectionError|ProxyError|connection broken",
        "the package index cannot be reached",
    ),
)
"""Signs of an index that gives no answer, or none that is of use, and what each of them means."""

REASON = re.compile(
    r"\[Errno -?\d+\] [^'\")]+|\[SSL[^\]]*\][^(\"']*|Read timed out|too many \d+ error responses|"
    r"HTTP error \d+ while getting \S+|\d+ Error, .*"
)
"""The part of a line about an index that says what happened."""

CREDENTIALS = (
    "put them into the index URL or ~/.netrc, or name a keyring-provider in pip's settings: pip cannot ask here"
)
REACH = "check the network and the index settings of pip, then run it again; --offline uses only what the store has"


def no_space(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """The disk, or a share of it, is used up."""
    del declared
    if not re.search(r"No space left on device|Errno 28\b|Disk quota exceeded", output):
        return None
    return PipFailed("the disk is full", hint="make room where ISOLATE_CACHE_DIR and TMPDIR are, then run it again")


def not_allowed(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Something may not be read or written."""
    del declared
    found = re.search(r"^ *ERROR: .*Permission denied: '?([^'\n]+)", output, re.MULTILINE)
    if found is None:
        return None
    return PipFailed(f"permission denied: pip may not use {found[1]}", hint="allow it, then run the command again")


def repository(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """A repository, or the program that it needs, is not to be had."""
    del declared
    if found := re.search(r"Cannot find command '(\w+)'", output):
        return PipFailed(f"{found[1]} is needed, and not on PATH", hint=f"install {found[1]}, then run it again")
    found = re.search(r"^\W*((?:git|hg|svn|bzr) .*) did not run successfully", output, re.MULTILINE)
    if not found:
        return None
    said = [line.strip() for line in output.splitlines() if line.lstrip().startswith(("fatal: ", "abort: ", "svn: "))]
    hint = "check the address and the revision, and that you may read it without being asked for a password"
    return PipFailed("a repository could not be fetched", facts=(found[1], *said), hint=hint)


def unreachable(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """An index, or an address, gives no answer or none that is of use."""
    del declared
    lines = [line.strip() for line in output.splitlines()]
    if "(from versions: none)" not in output:  # else what was tried again went well in the end
        lines = [line for line in lines if not line.startswith("WARNING: Retrying")]
    for sign, problem in UNREACHABLE:
        found = [line for line in lines if re.search(sign, line)]
        if found:
            reason = REASON.search(found[0])
            facts = (reason[0].strip() if reason else found[0], *looked_in(output))
            hint = CREDENTIALS if "credentials" in problem else REACH
            return PipFailed(problem, facts=facts, hint=hint)
    return None


def build(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """What is no wheel cannot be made one."""
    if not BUILD_SIGNS.search(output):
        return None
    who = _built(output)
    blocks = re.findall(r"╰─> \[\d+ lines? of output\]\n(.*?)\[end of output\]", output, re.DOTALL)
    said = [line.strip() for line in (blocks[-1] if blocks else output).splitlines()]
    said = [re.sub(r"^\W+(?=\w)|^pip\._vendor\.[\w.]+\.(?=\w+:)", "", line) for line in said if line.strip(" ^~─")]
    said = [line for line in said if not line.startswith("note: ")]
    telling = [line for line in said if TELLING.search(line) and not HEADLINE.match(line)]
    return PipFailed(
        f"{who} could not be built",
        facts=(*places(who, declared), *(telling or said)[-4:]),
        hint=COMPILER if re.search(r"\b(gcc|cc1|clang|\w+\.h)\b", output) else BUILD,
    )


def _built(output: str) -> str:
    """Return the name, or the address, of what was being built."""
    patterns = (
        r"Failed building (?:wheel|editable) for ([^\s,]+)",
        r"Failed to build (?:installable wheels for .*\()?'?([^\s',)]+)",
        r"Could not build wheels for ([^\s,]+)",
        r"package metadata\.\n╰─> (?!See above)(?:from )?(\S+)",
    )
    for pattern in patterns:
        if found := re.search(pattern, output):
            return found[1].removeprefix("file://")
    begun = re.findall(r"^ *(?:Collecting|Processing|Obtaining) (\S+)", output, re.MULTILINE)
    if not begun:
        return "a package"
    name = str(begun[-1]).removeprefix("file://").rpartition("/")[2]
    return re.sub(r"-[^-]+(\.tar\.gz|\.zip)$", "", name) or "a package"
