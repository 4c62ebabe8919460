"""What pip is asked where no lock holds: everything, or only what has moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.lock.from_cache import resolve_among
from isolate.pip.command import resolve_argv
from isolate.pip.redaction import redact
from isolate.pip.report import read_report
from isolate.pip.runner import REPORT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from packaging.pylock import Pylock

    from isolate.declarations.declared import Declarations
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.pip.report import ResolvedDistribution
    from isolate.process import Finished
    from isolate.request import LockPolicy
    from isolate.store.metadata_cache import MetadataCache


def kept(found: Pylock, declarations: Declarations, policy: LockPolicy) -> dict[str, str]:
    """Return the versions of *found* that are to stay, by name: whatever no declaration contradicts."""
    if policy.upgrade:
        return {}
    asked = [*declarations.requirements, *declarations.constraints]
    return {
        package.name: str(package.version)
        for package in found.packages
        if package.version is not None
        and package.name not in policy.upgrade_packages
        and not package.is_direct
        and all(
            one.requirement is None
            or one.name != package.name
            or one.requirement.specifier.contains(package.version, prereleases=True)
            for one in asked
        )
    }


def resolve(
    declarations: Declarations, staying: Mapping[str, str], builder: EnvironmentBuilder
) -> Sequence[ResolvedDistribution]:
    """Let pip resolve *declarations* with the versions in *staying*; if these cannot all stay, without them."""
    with builder.store.scratch() as scratch:
        requirements = [*declarations.requirements_files] or [_derived(declarations, scratch)]
        for lines in ([f"{name}=={version}" for name, version in staying.items()], []) if staying else ([],):
            answer = _ask(declarations, requirements, lines, builder, scratch)
            if not answer.status:
                return read_report((scratch / REPORT).read_text(encoding="utf-8"))
        from isolate.pip.explanation import explain

        said = redact(answer.output + answer.errors)
        raise explain(said, declared=declarations.requirements, offline=builder.pips.config.offline)


def resolve_moved(
    declarations: Declarations,
    staying: Mapping[str, str],
    policy: LockPolicy,
    known: MetadataCache,
    builder: EnvironmentBuilder,
) -> Sequence[ResolvedDistribution] | None:
    """Let pip choose only the versions that do not stay, without what these need; None if that is not enough.

    It is enough if all is known of the versions in *staying*, and if together they meet every need.
    """
    every = [*declarations.requirements, *declarations.constraints]
    if declarations.has_dynamic_dependencies or any(one.requirement is None or one.url or one.hashes for one in every):
        return None
    items = {name: item for name, version in staying.items() if (item := known.get(name, version)) is not None}
    if not staying or len(items) < len(staying):
        return None
    declared = {one.name for one in declarations.requirements}
    moved = [one.text for one in declarations.requirements if one.name not in staying]
    moved += [name for name in policy.upgrade_packages if name not in declared]
    found = _find(declarations, moved, builder) if moved else []
    known.add(found)
    return resolve_among(declarations, items | {item.name: item for item in found}, builder.interpreter.markers)


def _find(
    declarations: Declarations, lines: Sequence[str], builder: EnvironmentBuilder
) -> Sequence[ResolvedDistribution]:
    """Let pip choose a version of each distribution in *lines*, whatever they need; nothing if it cannot."""
    builder.progress.working("looking for what has moved")
    with builder.store.scratch() as scratch:
        requirements = scratch / "moved.txt"
        text = "".join(f"{line}\n" for line in (*declarations.index_options, *lines))
        requirements.write_text(text, encoding="utf-8")
        answer = _ask(declarations, [requirements], [], builder, scratch, "--no-deps")
        return () if answer.status else read_report((scratch / REPORT).read_text(encoding="utf-8"))


def _ask(
    declarations: Declarations,
    requirements: Sequence[Path],
    constraints: Sequence[str],
    builder: EnvironmentBuilder,
    scratch: Path,
    *more: str,
) -> Finished:
    """Ask pip to report into *scratch* what it would install."""
    path = scratch / "constraints.txt"
    path.write_text("".join(f"{line}\n" for line in constraints), encoding="utf-8")
    every = [path, *(declarations.root / name for name in declarations.settings.constraints)]
    pip = builder.pips.ensure_pip()
    argv = resolve_argv(pip.python, requirements=requirements, constraints=every, report=scratch / REPORT)
    return pip.run((*argv, *more), cwd=declarations.root, scratch=scratch)


def _derived(declarations: Declarations, scratch: Path) -> Path:
    """Write what `pyproject.toml` asks for as a requirements file, word for word."""
    lines = [one.text for one in declarations.requirements]
    if declarations.has_dynamic_dependencies:
        lines.append(f"-e {declarations.root.as_uri()}")  # an address needs no quotes, whatever is in the path
    path = scratch / "requirements.txt"
    path.write_text("".join(f"{line}\n" for line in dict.fromkeys(lines)), encoding="utf-8")
    return path
