"""pip's cache of the wheels that it builds, one for each way of building: see `EntryKeys.build_id`.

pip looks for a built wheel by the URL of its source alone. In the user's cache it would find one that was built for
another application, with other settings. What pip downloads stays in the user's cache: pip compares that with a hash.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from isolate import fs
from isolate.home import home_directory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.store.keys import EntryKeys
    from isolate.store.store import Store

DOWNLOADS = "http-v2"
"""Where pip keeps what it downloads, in its cache directory (since pip 23.3)."""


def with_own_wheel_cache(env: Mapping[str, str], store: Store, keys: EntryKeys) -> dict[str, str]:
    """Return *env*, the environment of a pip, with a cache directory for builds with *keys*, below that of *store*."""
    if env.get("PIP_NO_CACHE_DIR"):  # pip does without a cache, whatever the value is
        return dict(env)
    directory = store.paths.wheel_cache(repr((keys.compat_tag, keys.build_id())))
    directory.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # pip downloads into *directory* then
        _share_downloads(directory, Path(_user_cache(env)), store)
    return {**env, "PIP_CACHE_DIR": str(directory)}


def _share_downloads(directory: Path, user_cache: Path, store: Store) -> None:
    """Let the downloads below *directory* be those of the *user_cache*."""
    link, target = directory / DOWNLOADS, user_cache / DOWNLOADS
    if os.path.lexists(link) and (not link.is_symlink() or os.readlink(link) == str(target)):
        return
    target.mkdir(parents=True, exist_ok=True)
    with fs.scratch_directory(store.paths.tmp) as scratch:
        (scratch / DOWNLOADS).symlink_to(target)
        (scratch / DOWNLOADS).replace(link)


def _user_cache(env: Mapping[str, str]) -> str:
    """Return the cache directory that pip would use: https://pip.pypa.io/en/stable/topics/caching/."""
    home = home_directory(env) or "/nonexistent"
    if directory := env.get("PIP_CACHE_DIR"):
        return directory.replace("~", home, 1) if directory.startswith("~/") else directory
    if directory := env.get("XDG_CACHE_HOME"):
        return f"{directory}/pip"
    return f"{home}/Library/Caches/pip" if os.uname().sysname == "Darwin" else f"{home}/.cache/pip"
