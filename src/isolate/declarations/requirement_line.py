"""One requirement, as written on a line of a requirements file or in a `pyproject.toml`.

It is a name (dependency specifiers, PEP 508), a path or a URL. In a requirements file, hashes may follow.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement

from isolate.declarations.declared import DeclaredRequirement, Origin
from isolate.declarations.limits import check_length, parsed_requirement, shortened
from isolate.errors import DeclarationError

HASH = re.compile(r"(?:^|\s)--hash[=\s]+(\S+)")
BUILD_OPTION = re.compile(r"\s(--(?:global-option|config-settings?)(?=[=\s])|-C)")
HEX_DIGITS = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}
EDITABLE_OPTIONS = ("-e", "--editable")
VCS_URL = re.compile(r"([\w.-]+\s*(\[[^]]*\]\s*)?@\s*)?(git|hg|svn|bzr)\+")
ARCHIVE_SUFFIXES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar")


def parse_requirement(text: str, expanded: str, origin: Origin, root: Path) -> DeclaredRequirement:
    """Return the requirement on a line.

    Args:
        text: The line as written, for messages.
        expanded: The line with its environment variables expanded.
        origin: The place of the line.
        root: The directory that relative paths start from, which is where pip runs.

    Raises:
        DeclarationError: The line is not a valid requirement, or not one that isolate supports.
    """
    _reject_build_options(text, expanded, origin)
    hashes = frozenset(_hash(value, origin) for value in HASH.findall(expanded))
    bare = HASH.sub("", expanded).strip()
    shown = HASH.sub("", text).strip()
    try:
        check_length(bare)
    except ValueError as error:
        raise invalid_requirement(shown, str(error), origin) from None
    word, _, rest = bare.partition(" ") if not bare.startswith("--editable=") else ("-e", "", bare[11:])
    if word in EDITABLE_OPTIONS:
        _reject_editable_vcs(shown, rest.strip(), origin)
        return _from_location(rest.strip(), shown, origin, root)._replace(editable=True)
    if _is_location(bare):
        return _from_location(bare, shown, origin, root)._replace(hashes=hashes)
    try:
        requirement = parsed_requirement(bare)
        if make_url_absolute(requirement, root):
            shown = str(requirement)
    except ValueError as error:
        raise invalid_requirement(shown, str(error), origin) from None
    path = _path_of_url(requirement.url, origin, root) if requirement.url else None
    return DeclaredRequirement(
        text=shown, origin=origin, requirement=requirement, hashes=hashes, url=requirement.url, path=path
    )


def requirement_in(root: Path, text: str) -> Requirement:
    """Return the requirement *text* of a TOML file in *root*; raise `ValueError` if it is not valid."""
    requirement = parsed_requirement(text)
    parts = urlsplit(requirement.url or "")  # rejects some URLs that `Requirement` accepts
    if "\0" in unquote(parts.path):
        raise ValueError("the URL contains a NUL character")
    make_url_absolute(requirement, root)
    return requirement


def make_url_absolute(requirement: Requirement, root: Path) -> bool:
    """Let a relative `file:` URL of *requirement* start from *root*, and return whether it had one.

    Raises `ValueError` for a path that is no URL.
    """
    url = requirement.url or ""
    if url.startswith((".", "/")):
        raise ValueError(f"`{url}` is a path, not a URL; write `file:{url}`")
    if not url.startswith("file:") or urlsplit(url).path.startswith("/") or urlsplit(url).netloc:
        return False
    path, mark, fragment = url.removeprefix("file:").partition("#")
    requirement.url = Path(os.path.normpath(root / unquote(path))).as_uri() + mark + fragment
    return True


def _reject_build_options(text: str, expanded: str, origin: Origin) -> None:
    """Raise `DeclarationError` for a build option: neither the lock nor the store could tell such builds apart."""
    if option := BUILD_OPTION.search(expanded):
        shown = shortened(text[option.start() :].strip())
        raise DeclarationError(
            f"`{text}`: {option[1]} is not supported: isolate caches one build per artifact and cannot tell such "
            "builds apart",
            hint=f"run `pip wheel --no-deps --wheel-dir wheels` with it ({shown}), and declare that wheel by its path",
            file=origin.file,
            line=origin.line,
        )


def _reject_editable_vcs(text: str, location: str, origin: Origin) -> None:
    """Raise `DeclarationError` for an editable VCS requirement.

    pip keeps its working copy inside the environment. A rebuild, or an environment that gets the same commit from the
    store, would lose the edits.
    """
    if VCS_URL.match(location):
        plain = re.sub(r"^(-e|--editable)[=\s]\s*", "", text)
        raise DeclarationError(
            f"`{text}`: editable VCS requirements are not supported",
            hint=f"write `{plain}` to install it without editing, or clone the repository and write `-e PATH`",
            file=origin.file,
            line=origin.line,
        )


def invalid_requirement(text: str, reason: str, origin: Origin) -> DeclarationError:
    """Return the error for a *text* that is not a requirement (dependency specifiers, PEP 508)."""
    text = shortened(text)
    single_equals = re.match(r"^([A-Za-z0-9][\w.\[\],-]*)\s*=\s*([\w.*+!-]+)$", text)
    hint = "write a name, optionally with a version: `name==1.0`"
    if single_equals:
        hint = f"did you mean `{single_equals[1]}=={single_equals[2]}`?"
    facts = tuple(line.strip() for line in reason.splitlines()[:1] if line.strip())
    return DeclarationError(
        f"`{text}` is not a valid requirement", facts=facts, hint=hint, file=origin.file, line=origin.line
    )


def _hash(value: str, origin: Origin) -> str:
    algorithm, _, digits = value.partition(":")
    if HEX_DIGITS.get(algorithm) != len(digits) or not re.fullmatch(r"[0-9a-fA-F]+", digits):
        raise DeclarationError(
            f"`--hash={value}`: expected an algorithm and a hexadecimal digest, such as `sha256:` and 64 digits",
            hint="check the hash",
            file=origin.file,
            line=origin.line,
        )
    return f"{algorithm}:{digits.lower()}"


def _is_location(text: str) -> bool:
    """Return whether *text* is a path or a URL, not a requirement with a name."""
    if re.match(r"[A-Za-z0-9][\w.-]*\s*(\[[^]]*\]\s*)?@\s*\S", text):
        return False
    bare = text.split(" ;", 1)[0].split("[", 1)[0].strip()
    if re.match(r"[a-z][a-z+]*:", bare):
        return True
    is_archive = bare.lower().endswith(ARCHIVE_SUFFIXES)
    return bare.startswith((".", "/", "~")) or is_archive or (os.sep in bare and "@" not in bare)


def _from_location(location: str, text: str, origin: Origin, root: Path) -> DeclaredRequirement:
    """Return the requirement for a path or a URL, with a name if a fragment gives one (`#egg=name`)."""
    bare = location.split(" ;", 1)[0].strip()
    if not bare:
        raise DeclarationError(
            f"`{text}`: expected a path or a URL",
            hint="write it after the option: `-e .`",
            file=origin.file,
            line=origin.line,
        )
    requirement = _egg(bare)
    if re.match(r"[a-z][a-z+]*:", bare):
        return DeclaredRequirement(
            text=text, origin=origin, requirement=requirement, url=bare, path=_path_of_url(bare, origin, root)
        )
    path = Path(os.path.normpath(root / Path(re.sub(r"\[[^]]*\]$", "", bare.split("#", 1)[0]))))
    if not path.exists():
        raise DeclarationError(f"{path} does not exist", hint="correct the path", file=origin.file, line=origin.line)
    return DeclaredRequirement(text=text, origin=origin, requirement=requirement, path=path)


def _egg(location: str) -> Requirement | None:
    """Return the name and the extras in the fragment of *location* (`#egg=name[extra]`), if they are valid."""
    egg = re.search(r"[#&]egg=([A-Za-z0-9][\w.-]*(?:\[[\w.,-]+\])?)", location)
    if not egg or not re.fullmatch(r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?(\[[\w.,-]+\])?", egg[1]):
        return None
    return None if re.search(r"\[(,|.*,[,\]])", egg[1]) else Requirement(egg[1])


def _path_of_url(url: str, origin: Origin, root: Path) -> Path | None:
    """Return the path that a `file:` URL means; None for any other URL."""
    try:
        parts = urlsplit(url)
        path = unquote(parts.path)
        if "\0" in path:
            raise ValueError("it contains a NUL character")
    except ValueError as error:
        raise DeclarationError(
            f"`{url}` is not a valid URL: {error}", hint="correct the URL", file=origin.file, line=origin.line
        ) from None
    return root / path if parts.scheme == "file" else None
