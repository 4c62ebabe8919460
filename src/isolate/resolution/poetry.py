"""Declarations in Poetry's format, converted by the library that Poetry publishes for it.

The library is fetched when it is needed first, with a known hash, and run as a program of its own. It gets versions and
markers alone, and reads no file of the repository. What it answers is kept, so commands that only look can use it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isolate import fs
from isolate.bounded_read import read_json
from isolate.declarations.declared import DeclaredRequirement
from isolate.declarations.limits import parsed_requirement, parsed_specifier
from isolate.errors import DeclarationError, PipFailed
from isolate.pip.settings import pip_environment
from isolate.redaction import redact
from isolate.store.manifest import digest_of_file

if TYPE_CHECKING:
    from isolate.declarations.declared import Declarations, PoetryDependency, PoetryTable
    from isolate.session import Session
    from isolate.store.store import Store

VERSION = "2.5.0"
WHEEL = f"poetry_core-{VERSION}-py3-none-any.whl"
SHA256 = "98ee465b66f7e14bb9fbe68fb5e00d0cff184f036993ec94610ae4b5612f3add"
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "poetry_script.py")


def converted(declarations: Declarations, session: Session, *, offline: bool = False) -> Declarations:
    """Return *declarations* with the dependencies in Poetry's format as requirements.

    A command that only looks converts nothing: it gets *declarations* as they are unless the answer is known. Raises
    `DeclarationError` for a dependency that is not valid, and `PipFailed` if the library cannot be fetched; with
    *offline*, it is not.
    """
    table = declarations.poetry
    if table is None:
        return declarations
    request = json.dumps(
        {"dependencies": [(entry.name, entry.constraint) for entry in table.dependencies], "python": table.python},
        sort_keys=True,
        default=str,
    )
    answer = _known_answer(session.store, request)
    if answer is None:
        if session.only_looks:
            return declarations
        answer = _ask(session, request, offline=offline)
    return _with_answer(declarations, table, answer)


def _record(store: Store, request: str) -> Path:
    return store.paths.metadata / "poetry" / f"{hashlib.sha256(f'{VERSION} {request}'.encode()).hexdigest()}.json"


def _known_answer(store: Store, request: str) -> dict[str, Any] | None:
    try:
        answer = read_json(store.find(_record(store, request)))
    except (OSError, ValueError):
        return None
    return answer if isinstance(answer, dict) and "requirements" in answer else None


def _ask(session: Session, request: str, *, offline: bool) -> dict[str, Any]:
    from isolate import process

    store = session.store
    session.progress.working("converting the dependencies of Poetry")
    with store.fill_access(["poetry-core"]):
        directory = _library(store, session, offline=offline)
    with store.scratch() as scratch:
        argv = (sys.executable, "-I", SCRIPT, str(directory))
        finished = process.run(argv, env={"HOME": str(scratch)}, cwd=scratch, stdin=request)
    if finished.status:
        hint = "report this to the maintainers of isolate"
        raise PipFailed("poetry-core failed", facts=tuple(redact(finished.errors).splitlines()[-3:]), hint=hint)
    answer: dict[str, Any] = json.loads(finished.output)
    record = _record(store, request)
    record.parent.mkdir(parents=True, exist_ok=True)
    fs.write(record, finished.output.encode(), staging=store.paths.tmp)
    return answer


def _library(store: Store, session: Session, *, offline: bool) -> Path:
    """Return the directory with Poetry's library; fetch it unless the store has it."""
    directory = store.paths.tool(WHEEL)
    if (kept := store.find(directory)).is_dir():
        return kept
    from isolate import process

    with store.scratch() as scratch:
        requirements = scratch / "requirements.txt"
        requirements.write_text(f"poetry-core=={VERSION} --hash=sha256:{SHA256}\n", encoding="utf-8")
        options = ("--no-deps", "--only-binary", ":all:", "--dest", str(scratch), "--requirement", str(requirements))
        env = {"HOME": str(scratch), **pip_environment(session.environ, prefix=Path(sys.prefix), offline=offline)}
        finished = process.run((sys.executable, "-I", "-m", "pip", "download", *options), env=env, cwd=scratch)
        wheel = scratch / WHEEL
        if finished.status or not wheel.is_file() or digest_of_file(wheel) != SHA256:
            remedy = "run without --offline once" if offline else "connect to the package index once"
            raise PipFailed(
                f"[tool.poetry] needs poetry-core {VERSION} to be understood, and downloading it failed",
                facts=tuple(redact(finished.errors).splitlines()[-3:]),
                hint=f"{remedy}, or declare the dependencies in [project]",
            )
        import zipfile

        with zipfile.ZipFile(wheel) as archive:  # of a known content
            archive.extractall(scratch / "library")
        directory.parent.mkdir(parents=True, exist_ok=True)
        (scratch / "library").rename(directory)
    return directory


def _with_answer(declarations: Declarations, table: PoetryTable, answer: dict[str, Any]) -> Declarations:
    file = declarations.root / "pyproject.toml"
    if "python_error" in answer:
        problem = f"tool.poetry.dependencies.python: {answer['python_error']}"
        raise DeclarationError(problem, hint="correct the constraint", file=file)
    found = zip(table.dependencies, answer["requirements"], strict=True)
    requirements = tuple(_requirement(entry, result) for entry, result in found)
    python = answer.get("python")
    return declarations._replace(
        requirements=(*declarations.requirements, *requirements),
        requires_python=declarations.requires_python if python is None else parsed_specifier(python),
        poetry=None,
    )


def _requirement(entry: PoetryDependency, result: dict[str, str]) -> DeclaredRequirement:
    from isolate.declarations.sources import from_source

    try:
        if "error" in result:
            raise ValueError(result["error"])
        requirement = parsed_requirement(result["text"])
        declared = DeclaredRequirement(
            text=str(requirement), origin=entry.origin, requirement=requirement, extra=entry.extra, group=entry.group
        )
        if entry.source is not None:
            declared = from_source(declared, entry.source)
    except ValueError as error:
        lines = str(error).splitlines() or [""]
        problem = f"{entry.name}: Poetry's constraint cannot be written as a requirement: {lines[0]}"
        raise DeclarationError(
            problem,
            hint="write a constraint such as `^1.2`, or `>=1.2,<2`",
            file=entry.origin.file,
            line=entry.origin.line,
        ) from None
    return declared
