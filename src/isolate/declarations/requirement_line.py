"""One requirement, as a line of a requirements file or a text of a `pyproject.toml` has it.

A name (dependency specifiers, PEP 508), a path or an address; in a requirements file with hashes behind it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement

from isolate.declarations.declared import DeclaredRequirement, Origin
from isolate.errors import DeclarationError

HASH = re.compile(r"(?:^|\s)--hash[=\s]+(\S+)")
BUILD_OPTION = re.compile(r"\s(--(?:global-option|config-settings?)(?=[=\s])|-C)")
DIGITS = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}
EDITABLE = ("-e", "--editable")
REPOSITORY = re.compile(r"([\w.-]+\s*(\[[^]]*\]\s*)?@\s*)?(git|hg|svn|bzr)\+")
ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar")


def parse_requirement(text: str, expanded: str, origin: Origin, root: Path) -> DeclaredRequirement:
    """Return the requirement on a line; *expanded* is the line with its variables filled in.

    Paths are meant from *root*, the directory that pip is run in.

    Raises `DeclarationError` if it is none.
    """
    _refuse_build_options(text, expanded, origin)
    hashes = frozenset(_hash(value, origin) for value in HASH.findall(expanded))
    said = HASH.sub("", expanded).strip()
    shown = HASH.sub("", text).strip()
    word, _, rest = said.partition(" ") if not said.startswith("--editable=") else ("-e", "", said[11:])
    if word in EDITABLE:
        _refuse_repository(shown, rest.strip(), origin)
        return _located(rest.strip(), shown, origin, root)._replace(editable=True)
    if _is_location(said):
        return _located(said, shown, origin, root)._replace(hashes=hashes)
    try:
        requirement = Requirement(said)
    except InvalidRequirement as error:
        raise not_a_requirement(shown, str(error), origin) from None
    path = _path_in(requirement.url, origin, root) if requirement.url else None
    return DeclaredRequirement(
        text=shown, origin=origin, requirement=requirement, hashes=hashes, url=requirement.url, path=path
    )


def _refuse_build_options(text: str, expanded: str, origin: Origin) -> None:
    """Raise `DeclarationError` for an option that says how to build: neither lock nor store could tell builds apart."""
    if found := BUILD_OPTION.search(expanded):
        raise DeclarationError(
            f"`{text}`: {found[1]} changes what a build makes, and isolate does not keep such builds apart",
            hint="build a wheel with it yourself, and declare that",
            file=origin.file,
            line=origin.line,
        )


def _refuse_repository(text: str, where: str, origin: Origin) -> None:
    """Raise `DeclarationError` for a repository to be edited: pip keeps the working copy inside the environment.

    What replaces the environment, or is made for another one from the same commit, would lose what was edited there.
    """
    if REPOSITORY.match(where):
        bare = re.sub(r"^(-e|--editable)[=\s]\s*", "", text)
        raise DeclarationError(
            f"`{text}`: isolate keeps no working copy of a repository to be edited",
            hint=f"write `{bare}` to install it as it is, or clone it and write `-e` and the path of the clone",
            file=origin.file,
            line=origin.line,
        )


def not_a_requirement(text: str, reason: str, origin: Origin) -> DeclarationError:
    """Return the error for a text that is no requirement (dependency specifiers, PEP 508)."""
    single = re.match(r"^([A-Za-z0-9][\w.\[\],-]*)\s*=\s*([\w.*+!-]+)$", text)
    hint = (
        f"did you mean `{single[1]}=={single[2]}`?" if single else "expected a name, and perhaps a version: `name==1.0`"
    )
    facts = tuple(line.strip() for line in reason.splitlines()[:1] if line.strip())
    return DeclarationError(f"`{text}` is no requirement", facts=facts, hint=hint, file=origin.file, line=origin.line)


def _hash(value: str, origin: Origin) -> str:
    algorithm, _, digits = value.partition(":")
    if DIGITS.get(algorithm) != len(digits) or not re.fullmatch(r"[0-9a-fA-F]+", digits):
        raise DeclarationError(
            f"`--hash={value}`: expected an algorithm and its hexadecimal digest, `sha256:` and 64 digits for example",
            hint="copy the hash anew",
            file=origin.file,
            line=origin.line,
        )
    return f"{algorithm}:{digits.lower()}"


def _is_location(text: str) -> bool:
    if re.match(r"[A-Za-z0-9][\w.-]*\s*(\[[^]]*\]\s*)?@\s*\S", text):
        return False
    bare = text.split(" ;", 1)[0].split("[", 1)[0].strip()
    if re.match(r"[a-z][a-z+]*:", bare):
        return True
    return bare.startswith((".", "/", "~")) or bare.lower().endswith(ARCHIVES) or (os.sep in bare and "@" not in bare)


def _located(where: str, text: str, origin: Origin, root: Path) -> DeclaredRequirement:
    """Return what a path or an address asks for; its name, where a fragment gives one (`#egg=name`)."""
    bare = where.split(" ;", 1)[0].strip()
    if not bare:
        raise DeclarationError(
            f"`{text}`: expected a path or an address", hint="`-e .` for example", file=origin.file, line=origin.line
        )
    egg = re.search(r"[#&]egg=([A-Za-z0-9][\w.-]*(?:\[[\w.,-]+\])?)", bare)
    requirement = None
    if egg and re.fullmatch(r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?(\[[\w.,-]+\])?", egg[1]):
        requirement = Requirement(egg[1]) if not re.search(r"\[(,|.*,[,\]])", egg[1]) else None
    if re.match(r"[a-z][a-z+]*:", bare):
        return DeclaredRequirement(
            text=text, origin=origin, requirement=requirement, url=bare, path=_path_in(bare, origin, root)
        )
    path = Path(os.path.normpath(root / Path(re.sub(r"\[[^]]*\]$", "", bare.split("#", 1)[0]))))
    if not path.exists():
        raise DeclarationError(f"{path} does not exist", hint="correct the path", file=origin.file, line=origin.line)
    return DeclaredRequirement(text=text, origin=origin, requirement=requirement, path=path)


def _path_in(url: str, origin: Origin, root: Path) -> Path | None:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise DeclarationError(f"`{url}` is no address: {error}", file=origin.file, line=origin.line) from None
    path = unquote(parts.path)
    if "\0" in path:
        raise DeclarationError(
            f"`{url}` is no address: it has a NUL", hint="correct it", file=origin.file, line=origin.line
        )
    return root / path if parts.scheme == "file" else None
