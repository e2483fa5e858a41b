"""Real databases: SQLite in a file, and a PostgreSQL server of our own where Debian's is installed."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy

from straykey.stores.database import Database

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def _as_postgres(*command: str | Path) -> None:
    """PostgreSQL refuses to run as root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *map(str, command)], check=True, capture_output=True)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class PostgresServer:
    """A server of our own; `url` is its address, but for the database's name."""

    def __init__(self, folder: Path) -> None:
        self._binaries, self._port, self._folder = _BINARIES[-1], _free_port(), folder
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}"
        _as_postgres(self._binaries / "initdb", "-D", folder / "data", "-A", "trust", "-U", "postgres", "--no-sync")

    @staticmethod
    def is_installed() -> bool:
        return bool(_BINARIES)

    @classmethod
    @contextmanager
    def started(cls) -> "Iterator[PostgresServer]":
        # Not in pytest's own folder, which is private: the server runs as another user.
        folder = Path(tempfile.mkdtemp(prefix="straykey-postgres-"))
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        server = cls(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
            shutil.rmtree(folder)

    def start(self) -> None:
        options = f"-c listen_addresses=127.0.0.1 -p {self._port} -k {self._folder}"
        self._control("-l", self._folder / "log", "-o", options, "start")

    def stop(self) -> None:
        """At once, as a machine that loses its power."""
        self._control("-m", "immediate", "stop")

    def _control(self, *arguments: str | Path) -> None:
        _as_postgres(self._binaries / "pg_ctl", "-D", self._folder / "data", "-w", *arguments)

    def database(self, name: str) -> str:
        """The address of a new, empty database."""
        address = sqlalchemy.make_url(f"{self.url}/postgres").set(drivername="postgresql+psycopg")
        engine = sqlalchemy.create_engine(address, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return f"{self.url}/{name}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    if not PostgresServer.is_installed():
        assert "POSTGRESQL_IS_NEEDED" not in os.environ, "PostgreSQL is not installed"
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with PostgresServer.started() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, request: pytest.FixtureRequest) -> str:
    """A database of this test's own."""
    return postgres_server.database(f"t{abs(hash(request.node.nodeid)):x}")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, of each kind in turn."""
    return str(tmp_path / "store.db") if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()
