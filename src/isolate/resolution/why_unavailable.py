"""Ask pip once more about a package of which it found no version, to learn why it uses none of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.pip.command import resolve_arguments
from isolate.pip.origins import unsatisfied
from isolate.pip.runner import REPORT
from isolate.pip.runner_output import read_log
from isolate.pip.unavailable import with_details
from isolate.redaction import redact

if TYPE_CHECKING:
    from isolate.pip.runner import Pip
    from isolate.resolution.context import LockContext


def with_reasons(output: str, context: LockContext, pip: Pip) -> str:
    """Return the *output* of a failed pip; if it found no version of a package, with why it did not."""
    if (found := unsatisfied(output)) is None or not context.may_build:
        return output
    interpreter, declarations = context.interpreter, context.declarations
    with context.store.scratch() as scratch:
        requirements, log = scratch / "package.txt", scratch / "details.log"
        lines = [*declarations.index_options, found.requirement]
        requirements.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        arguments = resolve_arguments(requirements=[requirements], constraints=[], report=scratch / REPORT)
        finished = pip.run_logged((*arguments, "--no-deps"), log, cwd=declarations.root)
        of_package = redact(f"{finished.output}\n{finished.errors}")
        python = f"{interpreter.version} ({interpreter.compat_tag})"
        return with_details(output, of_package, map(redact, read_log(log)), python=python)
