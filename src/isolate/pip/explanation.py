"""Explain why pip failed, in a few lines and with what to do next. Pure.

pip says what happened, but within hundreds of lines. Some kinds of failures have a diagnostic with a reference there,
the others a sentence of their own; the first one that is found explains the failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.errors import PipFailed
from isolate.pip import network_failures, resolution_failures, system_failures
from isolate.pip.diagnostic import last_diagnostic
from isolate.pip.unavailable import unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from isolate.pip.origins import Declaration

MAX_FACTS = 8

MAX_FACT_LENGTH = 240
"""In characters: three lines of a terminal."""

FULL_OUTPUT_HINT = "run with -vv to see pip's full output"
OFFLINE_HINT = "no index is used with --offline; run again without it"


def explain(output: str, *, declared: Sequence[Declaration], offline: bool = False) -> PipFailed:
    """Return the failure that *output* reports, with a message of at most ten lines.

    *output* is everything that pip printed, with credentials removed. *declared* are the declarations that pip was
    given; the message names those that caused the failure. *offline* tells that pip had no index.
    """
    explanations = (explanation for explainer in EXPLAINERS if (explanation := explainer(output, declared)) is not None)
    failure = next(explanations, None) or _unknown_failure(output)
    if offline and "No matching distribution found" in output:
        failure.hint = OFFLINE_HINT
    failure.output = output
    failure.facts = tuple(map(_shortened, failure.facts[:MAX_FACTS]))
    return failure


def _unknown_failure(output: str) -> PipFailed:
    """Return a failure that quotes pip's diagnostic; without one its error lines, or its last lines if it has none."""
    if diagnostic := last_diagnostic(output):
        return PipFailed(diagnostic.message, facts=diagnostic.context, hint=diagnostic.hint or FULL_OUTPUT_HINT)
    lines = [line.strip() for line in output.splitlines() if line.strip(" ^~")]
    errors = [line for line in lines if line.lower().startswith("error") and line != "ERROR: Exception:"] or lines[-2:]
    return PipFailed("pip failed", facts=tuple(errors[-MAX_FACTS:]), hint=FULL_OUTPUT_HINT)


def _shortened(line: str) -> str:
    return line if len(line) <= MAX_FACT_LENGTH else f"{line[:MAX_FACT_LENGTH]} …"


EXPLAINERS: tuple[Callable[[str, Sequence[Declaration]], PipFailed | None], ...] = (
    network_failures.download_failure,
    resolution_failures.hash_mismatch,
    resolution_failures.unhashable,
    resolution_failures.missing_hash,
    system_failures.disk_full,
    system_failures.vcs_failure,
    system_failures.build_failure,
    system_failures.permission_denied,
    unavailable,
    resolution_failures.incompatible_python,
    resolution_failures.conflict,
    network_failures.index_failure,
    resolution_failures.no_matching_version,
    resolution_failures.invalid_input,
)
"""Each returns the failure that pip's output reports, or None if it reports another kind.

The order matters: a cause comes before what may only follow from it.
"""
