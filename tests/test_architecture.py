"""Imports run one way, modules and functions stay small, and modules that only decide have no side effects."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conftest import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = SOURCE / "isolate"
LAYERS = (
    {"application_patterns", "git_index", "redaction"},
    {
        "bounded_read",
        "child_output",
        "errors",
        "formatting",
        "locked",
        "locks",
        "named",
        "outcome",
        "owners",
        "signals",
        "umask",
    },
    {"trees"},
    {"open_directory"},
    {"fs", "home", "output", "permissions", "process"},
    {"user_key"},
    {"signed_record"},
    {"progress"},
    {"trace"},
    {"parallel"},
    {"application", "git"},
    {"git_changes"},
    {"declarations"},
    {"application_discovery", "batch_fetch", "request"},
    {"interpreters"},
    {"pip"},
    {"lock"},
    {"file_owners", "plan"},
    {"store"},
    {"environment", "session"},
    {"findings"},
    {"conflicts"},
    {"resolution"},
    {"operations"},
    {"commands"},
    {"crash_report"},
    {"cli"},
    {"fast_path"},
    {"__main__"},
)
LAYER_OF = {package: number for number, packages in enumerate(LAYERS) for package in packages}
PURE = (
    "errors",
    "file_owners",
    "findings",
    "formatting",
    "locked",
    "outcome",
    "plan",
    "redaction",
    "conflicts/compatibility",
    "conflicts/pins",
    "conflicts/text",
    "lock/comparison",
    "lock/diff",
    "lock/freshness",
    "lock/from_cache",
    "lock/from_report",
    "lock/graph",
    "lock/package",
    "lock/pinning",
    "lock/precedence",
    "lock/tool_table",
    "pip/command",
    "pip/diagnostic",
    "pip/explanation",
    "pip/network_failures",
    "pip/options",
    "pip/origins",
    "pip/resolution_failures",
    "pip/system_failures",
    "store/batches",
    "store/reserved_paths",
    "store/shebangs",
)
SIDE_EFFECTS = {"shutil", "socket", "subprocess", "tempfile", "urllib.request", "pathlib"}
PRINTING = {"cli", "progress", "output.py", "fast_path.py"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, checked_types: bool = False) -> set[str]:
    """Return the modules that *path* imports at run time, with *checked_types* also those that it imports for types."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not checked_types:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def package_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def test_every_package_has_a_layer():
    packages = {package_of(name_of(path)) for path in MODULES} - {"__init__"}
    assert packages <= set(LAYER_OF)


def test_imports_only_run_down_the_layers():
    known = {name_of(module) for module in MODULES}
    wrong = [
        f"{name_of(path)} imports {target}"
        for path in MODULES
        if (package := package_of(name_of(path))) != "__init__"
        for target in imports(path, checked_types=True) & known
        if package_of(target) not in (package, "__init__") and LAYER_OF[package_of(target)] >= LAYER_OF[package]
    ]
    assert wrong == []


def test_no_imports_form_a_cycle():
    known = {name_of(path) for path in MODULES}
    imported = {name_of(path): (imports(path, checked_types=True) & known) - {name_of(path)} for path in MODULES}

    def walk(module: str, importers: tuple[str, ...]) -> None:
        assert module not in importers, " → ".join((*importers, module))
        if module not in done:
            for target in imported[module]:
                walk(target, (*importers, module))
            done.add(module)

    done: set[str] = set()
    for module in imported:
        walk(module, ())


@pytest.mark.parametrize("path", PURE)
def test_pure_modules_import_nothing_with_side_effects(path):
    assert not imports(PACKAGE / f"{path}.py") & SIDE_EFFECTS


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield the name, with its file and line, and the definition of each function."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield f"{path}:{node.lineno} {node.name}", node


def test_modules_are_small():
    long = {str(path): lines for path in MODULES if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 250}
    assert long == {}


def test_functions_are_small():
    long = {name: lines for name, node in functions() if (lines := (node.end_lineno or 0) - node.lineno + 1) > 40}
    assert long == {}


def test_functions_have_at_most_five_parameters():
    """Values that travel together are one value; ruff's rules for this have no exception in the source."""
    many = {}
    for name, node in functions():
        parameters = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        if len([parameter for parameter in parameters if parameter not in ("self", "cls")]) > 5:
            many[name] = parameters
    assert many == {}
    text = "".join(path.read_text(encoding="utf-8") for path in MODULES)
    assert "PLR0913" not in text
    assert "PLR0917" not in text


def test_only_the_command_line_prints_and_exits():
    for path in MODULES:
        if path.relative_to(PACKAGE).parts[0] not in PRINTING:
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"\bprint\(", text), path
            assert "sys.exit" not in text, path


def test_no_package_registry_is_named():
    hosts = ["pypi" + ".org", "python" + "hosted"]
    listed = subprocess.run(["git", "ls-files"], cwd=SOURCE.parent, capture_output=True, text=True, check=False)
    for name in filter(Path.is_file, (SOURCE.parent / line for line in listed.stdout.splitlines())):
        text = name.read_text(encoding="utf-8")
        assert not [host for host in hosts if host in text], name


def test_reading_a_stamp_imports_only_what_reads_a_record():
    allowed = {"os", "isolate.signed_record", "isolate.signed_record.read_signed"}
    assert imports(PACKAGE / "environment/stamp/read.py") - {"__future__", "__future__.annotations"} <= allowed
