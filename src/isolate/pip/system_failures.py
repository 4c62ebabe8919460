"""Explain failures of the things that pip uses: disks, version control, builds. Pure.

Each function looks for the sentence in which pip reports one kind of failure. It returns that failure, or None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from isolate.errors import PipFailed
from isolate.pip.diagnostic import references
from isolate.pip.origins import declarations_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isolate.pip.origins import Declaration

BUILD_REFERENCES = frozenset(
    {
        "backend-unavailable",
        "failed-build-dependency-install",
        "failed-wheel-build-for-install",
        "subprocess-exited-with-error",
    }
)
"""The diagnostics of a build that fails. Another one, such as that of the metadata, comes only after one of these."""

BUILD_SIGNS = re.compile("BackendUnavailable|Failed to build installable wheels")
"""Matches what pips without such a diagnostic print: up to 26.2 for a missing backend, 25.0 for a wheel."""

BUILD_ERROR = re.compile(
    r"(?i)error\b|^fatal|fatal error|exception\b(?!, another| occurred)|cannot import|no module|missing|not found|"
    r"^WARNING: Buil(?:t|ding) (?:wheel|editable) for"
)
"""Matches the lines of a build's output that tell the cause."""

BUILD_HEADLINE = re.compile(r"(?i)error: (exception:$|failed|subprocess-exited|metadata-gen|backend-unavail)")
"""Matches what pip prints for every build that fails."""

COMPILER_HINT = "install the missing compiler or headers, or choose a version that has a wheel for this Python"
BUILD_HINT = "choose a version that has a wheel for this Python, or run with -vv to see the full output of the build"

VCS_ERROR = re.compile(r"\s*(?!warning|hint)\w+: ")
"""Matches the lines in which a version control program says what is wrong: `fatal: ...`, `abort: ...`, `svn: ...`."""


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
    printed = output.partition(f"Running command {command[1]}\n")[2].partition("error: subprocess-exited-with-error")[0]
    errors = [line.strip() for line in printed.splitlines() if VCS_ERROR.match(line)]
    hint = "check the URL and the revision, and that you can read the repository without entering a password"
    return PipFailed("a repository could not be fetched", facts=(command[1], *errors), hint=hint)


def build_failure(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure that a wheel could not be built, or None."""
    if BUILD_REFERENCES.isdisjoint(references(output)) and not BUILD_SIGNS.search(output):
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
    blocks = re.findall(r"\[\d+ lines? of output\]\n(.*?)\[end of output\]", output, re.DOTALL)
    lines = [line.strip() for line in (blocks[-1] if blocks else output).splitlines()]
    lines = [re.sub(r"^\W+(?=\w)|^pip\._vendor\.[\w.]+\.(?=\w+:)", "", line) for line in lines if line.strip(" ^~─")]
    return [line for line in lines if not line.startswith("note: ")]


def _built_package(output: str) -> str:
    """Return the name, the URL or the path of the package whose build failed."""
    patterns = (
        r"Failed to build (?!installable wheels)'?([^\s',]+)",
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
