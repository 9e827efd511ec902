"""Ties processes to the life of their parent, so that kill -9 of one leaves no orphan.

Run as a script (`python -I -S launch.py PARENT SIGNAL USER PROGRAM ARGUMENT…`) it becomes the program. A script
instead of Popen's preexec_fn, because that one may deadlock in a process with threads. It imports nothing of ours.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, signum: int = signal.SIGKILL) -> None:
    """Asks Linux to send `signum` when the thread that started this process ends; does nothing elsewhere.

    The kernel forgets the wish at a change of user, and a parent that died before the call sends nothing, hence
    the comparison with `parent`, its process id.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        os._exit(1)


def forks_die_with_parent() -> None:
    """Makes every later fork of this process, and theirs, end with its own parent."""
    parents: list[int] = []
    os.register_at_fork(
        before=lambda: parents.append(os.getpid()),
        after_in_parent=parents.clear,
        after_in_child=lambda: die_with_parent(parents.pop()),
    )


def become(parent: int, signum: int, user: str, program: list[str]) -> None:
    """Drops to `user` ("uid:gid", or "-" to stay), ties the life to `parent` and executes the program."""
    if user != "-":
        uid, gid = (int(part) for part in user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        os.umask(0o077)
    if parent:
        die_with_parent(parent, signum)
    os.execv(program[0], program)  # noqa: S606 - the program is ours and no shell is wanted


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
