"""Opens a database, SQLite or PostgreSQL, with the promises a store needs of it.

What is committed survives a crash of the machine, and one transaction writes at a time: whoever begins one waits for
the one before.  So whatever is read in a transaction is still true when it commits.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from straykey.errors import StoreError
from straykey.formats.text import printable

_MIGRATIONS = Path(__file__).parent / "migrations"
_WAIT_SECONDS = 60
_LOCK = 0x7374726179  # "stray": PostgreSQL's advisory locks are numbers
# Whoever is frozen, or cut off from the server, in the middle of a transaction would hold up all others for hours.
_BEGIN_POSTGRES = (
    f"SELECT set_config('idle_in_transaction_session_timeout', '10min', true), pg_advisory_xact_lock({_LOCK})"
)
_POSTGRES = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


class Database:
    """One database, opened; its tables are those of this version."""

    def __init__(self, url: str) -> None:
        """`url` is `postgresql://…`, or the path of a SQLite file, which is made if it is not there."""
        self._url = _url_of(url)
        self._engine = _engine(self._url)
        try:
            self._upgrade()
        except StoreError:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing, and no other transaction of anybody meanwhile."""
        with _told(self._url), self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(_BEGIN_POSTGRES)
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """What was committed when it began, whatever is committed meanwhile."""
        with _told(self._url), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            else:
                connection.execution_options(straykey_reads_only=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        self._engine.dispose()

    def _upgrade(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with self.transaction() as connection:
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                newest = ScriptDirectory.from_config(config).get_current_head()
                raise StoreError(
                    f"store {_shown(self._url)}: it was written by a later version than this one ({newest})",
                    hint="install the version that wrote it, or a later one",
                ) from error


def is_missing(url: str) -> bool:
    """True for a file that is not there; `Database` would make it."""
    found = _url_of(url)
    return found.get_backend_name() == "sqlite" and not Path(found.database or "").exists()


def shown(url: str) -> str:
    """What may be said of it: the path of a file, or the server and the database."""
    return _shown(_url_of(url))


def _shown(url: URL) -> str:
    # Not what is left of it without the password: that may stand in a parameter, too.
    if url.get_backend_name() == "sqlite":
        return printable(url.database or "in memory")
    return printable(f"{url.get_backend_name()}://{url.host or ''}/{url.database or ''}")


def _url_of(text: str) -> URL:
    if "\0" in text:
        raise _no_address()
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
        (url.host or "").encode("idna")  # the driver's complaint would be none of the database's
    except (ArgumentError, ValueError):
        raise _no_address() from None  # they quote what may be a part of the password
    if url.get_backend_name() not in ("postgresql", "sqlite"):
        raise StoreError(f"store: {url.get_backend_name()!r} is not supported", hint=_FORMS)
    if url.get_backend_name() == "sqlite":
        return url
    if text.count("@") > 1:
        # What stands behind the first would be taken for the host, and shown.
        raise _no_address()
    return url.set(drivername="postgresql+psycopg")


_FORMS = "name a file, or postgresql://USER@HOST/DATABASE; in a password, write %40 for @, %3A for : and %2F for /"


def _no_address() -> StoreError:
    return StoreError("store: what is set is no address of a database", hint=_FORMS)


def _engine(url: URL) -> Engine:
    try:
        if url.get_backend_name() == "sqlite":
            engine = sqlalchemy.create_engine(url, connect_args={"timeout": _WAIT_SECONDS})
            _make_file(url.database or "")
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        usual = {name: value for name, value in _POSTGRES.items() if name not in url.query}
        return sqlalchemy.create_engine(url, pool_pre_ping=True, connect_args=usual)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise StoreError(
            "store: there is no library for PostgreSQL here", hint="pip install 'straykey[postgres]'"
        ) from error
    except (ArgumentError, TypeError, ValueError):
        raise _no_address() from None  # see `_url_of`


def _make_file(path: str) -> None:
    """For its owner alone, and so are those that SQLite makes beside it: what they hold is nobody else's business.

    A file that is there is not even opened: closing it would end the locks that others in this process have on it.
    """
    if path in ("", ":memory:") or path.startswith("file:"):
        return
    with suppress(OSError, RuntimeError):  # links in a circle; SQLite tells what is in the way
        Path(path).resolve().touch(mode=0o600, exist_ok=False)


# Sessions are written again and again: what lies in the log of changes for longer is copied into the file less often,
# and what is in memory need not be read back from there.
_SQLITE = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "wal_autocheckpoint = 8000",  # pages of 4 kB
    "cache_size = -32000",  # KiB, of each connection; what reads only hardly fills it
)


def _prepare_sqlite(connection: sqlalchemy.engine.interfaces.DBAPIConnection, _: object) -> None:
    connection.isolation_level = None  # else the driver begins transactions at its own will
    cursor = connection.cursor()
    for setting in _SQLITE:
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reads_only = connection.get_execution_options().get("straykey_reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


@contextmanager
def _told(url: URL) -> Iterator[None]:
    """Tell what the database complains of as our own error, without a password and without what was being stored."""
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig).strip().splitlines()
        raise StoreError(f"store {_shown(url)}: {said[0] if said else 'failed'}", hint=_hint(url)) from error
    except SQLAlchemyError as error:
        raise StoreError(f"store {_shown(url)}: {type(error).__name__}", hint=_hint(url)) from error


def _hint(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return "is there room on the disk, and may this user write to the file and its folder?"
    return "does the server run, and may this user log in, and write to the database?"
