"""Which files and directories other users may change."""

from __future__ import annotations

import functools
import os
import stat

UNSAFE_BITS = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX | stat.S_IWGRP | stat.S_IWOTH
"""Bits of a mode that an installed file needs for nothing. All but the group's are unsafe in any case."""

ROOT = 0

WITHOUT_MODES = frozenset(
    "9p cifs drvfs exfat fuse.vmhgfs-fuse fuseblk msdos ntfs ntfs3 smb3 smbfs vboxsf vfat".split()  # noqa: SIM905
)
"""File systems that do not store modes, or not always. What they show is an option of the mount, often 0777."""

MOUNTS = "/proc/self/mountinfo"


def is_unsafe_file(status: os.stat_result) -> bool:
    """Return whether a file runs with the rights of its owner or group, or others may write to it."""
    unsafe = status.st_mode & UNSAFE_BITS
    if not unsafe or not keeps_modes(status.st_dev):
        return False
    return unsafe != stat.S_IWGRP or is_shared_group(status.st_gid, status.st_uid)


def others_may_write(status: os.stat_result) -> bool:
    """Return whether everybody, or a group with other members than the owner, may write to a file or directory.

    In a sticky directory, such as `/tmp`, only the owner of a file may replace or delete it.
    """
    mode = status.st_mode
    if not mode & (stat.S_IWGRP | stat.S_IWOTH) or (stat.S_ISDIR(mode) and mode & stat.S_ISVTX):
        return False
    if not keeps_modes(status.st_dev):
        return False
    return bool(mode & stat.S_IWOTH) or is_shared_group(status.st_gid, status.st_uid)


@functools.cache
def is_shared_group(group: int, owner: int) -> bool:
    """Return whether the group has members besides the *owner* of a file, this user, and root; by their ids.

    Many systems give each user a group of their own, which the `umask` lets write. A group that the databases do not
    know has no members that they know of, and the group of root is as powerful as root.
    """
    import grp
    import pwd

    if group == ROOT:
        return False
    users, trusted = pwd.getpwall(), {ROOT, owner, os.geteuid()}
    try:
        members = set(grp.getgrgid(group).gr_mem)
    except KeyError:
        members = set()
    members -= {user.pw_name for user in users if user.pw_uid in trusted}
    return bool(members) or any(user.pw_gid == group and user.pw_uid not in trusted for user in users)


@functools.cache
def keeps_modes(device: int) -> bool:
    """Return whether the file system on *device* (`st_dev`) stores modes; True where the system does not tell.

    The format of the file is in `man 5 proc_pid_mountinfo`.
    """
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open(MOUNTS, encoding="utf-8", errors="replace") as file:
            mounts = [line.partition(" - ") for line in file]
    except OSError:
        return True
    kinds = {kind.split()[0] for facts, _, kind in mounts if facts.split()[2:3] == [number] and kind.split()}
    return kinds.isdisjoint(WITHOUT_MODES)
