"""Debian's PostgreSQL in a folder of its own, started and stopped by us.

It listens on a socket in its folder and nowhere else. PostgreSQL refuses to run as root, so for
root it runs as `postgres`, or as `nobody` where there is no such user. It dies with the process
that started it, and its folder goes when the context is left.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import URL, create_engine
from sqlalchemy.exc import OperationalError

DEBIAN_FOLDER: Final = Path("/usr/lib/postgresql")
"""Debian keeps the server's programs here, a folder for each version, not on the PATH."""

START_TIMEOUT_S: Final = 60.0
_USER: Final = "atesta"


class PostgresMissing(Exception):
    """There is no PostgreSQL server on this machine."""

    def __init__(self) -> None:
        super().__init__("PostgreSQL is not installed here; scripts/setup_postgres installs it")


class PostgresServer:
    """One server with its data."""

    def __init__(self, folder: Path, *, programs: Path, settings: Sequence[str] = ()) -> None:
        """Take a folder of our own and settings as `name=value`; nothing is started yet."""
        self.folder = folder
        """Where its socket, its log and its data are."""
        self.password_file: Path | None = None
        """What its addresses name as the file of the password (libpq's `passfile`)."""
        self._programs = programs
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """The folder of its files."""
        return self.folder / "data"

    def build_url(self, database: str) -> str:
        """Return the SQLAlchemy address of a database."""
        query = {"host": str(self.folder)}
        if self.password_file is not None:
            query["passfile"] = str(self.password_file)
        url = URL.create("postgresql+psycopg", username=_USER, database=database, query=query)
        return url.render_as_string()

    def initialise(self, *, password: str | None = None) -> None:
        """Make an empty server's files; with a password, it asks for it."""
        methods = ["--auth=trust"]
        if password is not None:
            given = self.folder / "password"
            given.write_text(password)
            methods = ["--auth=scram-sha-256", f"--pwfile={given}"]
        self._run(
            "initdb", *methods, "--encoding=UTF8", "--locale=C", "--no-sync",
            f"--username={_USER}", f"--pgdata={self.data}",
        )  # fmt: skip

    def copy_from(self, primary: "PostgresServer") -> None:
        """Make this server a replica of a running one."""
        self._run(
            "pg_basebackup", "--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream",
            f"--pgdata={self.data}", f"--host={primary.folder}", f"--username={_USER}",
        )  # fmt: skip

    def empty_log(self) -> None:
        """Forget, before the first start, what making the server wrote into its write-ahead log."""
        self._run("pg_resetwal", "--force", f"--pgdata={self.data}")

    def start(self) -> None:
        """Start, and return when it answers."""
        given = [
            "listen_addresses=", f"unix_socket_directories={self.folder}",
            "shared_buffers=32MB", "log_error_verbosity=terse", *self._settings,
        ]  # fmt: skip
        arguments = [item for setting in given for item in ("-c", setting)]
        with (self.folder / "server.log").open("ab") as output:
            self._process = subprocess.Popen(
                [*_die_with_us(), self._programs / "postgres", "-D", self.data, *arguments],
                stdout=output,
                stderr=output,
            )
        self._wait()

    def stop(self, *, crash: bool = False) -> None:
        """Stop in order, or as if it had crashed."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
        self._process.wait(START_TIMEOUT_S)
        self._process = None

    def has_database(self, name: str) -> bool:
        """Tell whether there is a database of this name."""
        engine = create_engine(self.build_url("postgres"))
        with engine.connect() as connection:
            found = connection.exec_driver_sql(
                "SELECT 1 FROM pg_database WHERE datname = %s", (name,)
            ).first()
        engine.dispose()
        return found is not None

    def create_database(self, name: str, *, unlogged: bool = False) -> str:
        """Make an empty database and return its address.

        `unlogged` keeps the server's own texts, which it is made of, out of the write-ahead log.
        """
        engine = create_engine(self.build_url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            statement = f'CREATE DATABASE "{name}"'
            if unlogged and (connection.dialect.server_version_info or ()) >= (15,):
                # Before that version it was the only way.
                statement += " STRATEGY FILE_COPY"
            connection.exec_driver_sql(statement)
        engine.dispose()
        return self.build_url(name)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*_die_with_us(), self._programs / program, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
        )

    def _wait(self) -> None:
        assert self._process is not None, "it was just started"
        engine = create_engine(self.build_url("postgres"))
        deadline_s = time.monotonic() + START_TIMEOUT_S
        try:
            while True:
                with contextlib.suppress(OperationalError), engine.connect():
                    return
                if self._process.poll() is not None or time.monotonic() > deadline_s:
                    said = (self.folder / "server.log").read_text()[-2000:]
                    raise RuntimeError(f"PostgreSQL does not start: {said}")
                time.sleep(0.05)
        finally:
            engine.dispose()


@contextlib.contextmanager
def run_postgres(*, settings: Sequence[str] = ()) -> Iterator[PostgresServer]:
    """Run a new server while the context lasts; raises `PostgresMissing`."""
    with make_postgres(settings=settings) as server:
        server.initialise()
        server.start()
        yield server


@contextlib.contextmanager
def keep_postgres(folder: Path, *, settings: Sequence[str] = ()) -> Iterator[PostgresServer]:
    """Run the server whose files are in `folder`, which is made at first and stays at the end.

    The folder's path is short and open to the server's user, as below `/tmp`. Raises
    `PostgresMissing`.
    """
    server = PostgresServer(folder, programs=find_programs(), settings=settings)
    user = _find_user()
    if not server.data.exists():
        folder.mkdir(parents=True, exist_ok=True)
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        server.initialise()
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def make_postgres(*, settings: Sequence[str] = ()) -> Iterator[PostgresServer]:
    """Give a server that is neither made nor started; what runs is stopped at the end."""
    programs = find_programs()
    # A socket's path holds about a hundred characters, and the server's user must get there.
    folder = Path(tempfile.mkdtemp(prefix="atesta-pg-", dir="/tmp"))
    server = PostgresServer(folder, programs=programs, settings=settings)
    try:
        user = _find_user()
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        yield server
    finally:
        server.stop(crash=True)
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Path:
    """Return the folder of the newest server's programs; raises `PostgresMissing`."""
    on_path = shutil.which("postgres")
    if on_path is not None:
        return Path(on_path).resolve().parent
    found = [path.parent for path in DEBIAN_FOLDER.glob("*/bin/postgres")]
    if not found:
        raise PostgresMissing
    return max(found, key=lambda folder: int(folder.parent.name.partition(".")[0]))


def _find_user() -> pwd.struct_passwd | None:
    """Return as whom the server runs; None for the user that we are."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresMissing


def _die_with_us() -> list[str]:
    """Return the words before a command that give up root and let it end with this process."""
    words = ["setpriv", "--pdeathsig", "INT"]
    user = _find_user()
    if user is not None:
        words += ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
    return words
