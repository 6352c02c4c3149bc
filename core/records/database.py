"""The records file: one SQLite database through SQLAlchemy, read and written in short transactions.

It is created by the first write. Another process may use it at the same time: a writer waits some seconds for its
turn, and a write that fails leaves everything as it was.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, ForeignKey, NullPool, UniqueConstraint, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from core.errors import DermalensError
from core.settings import RECORDS_VARIABLE
from core.systems.evaluations import WORK_DIR

SCHEMA_VERSION = 1  # in the file's `user_version`; 0 is a file without our tables
WAIT_S = 5.0
# What SQLite says, and what to do about it; the first that fits.
_REMEDIES = {
    "locked": "is in use by another program. Try again in a moment",
    "readonly": "cannot be written. Give the app the right to write it, or name another file in {variable}",
    "unable to open": "cannot be opened. Give the app the right to use its folder, or name another file in {variable}",
    "full": "could not grow: the disk is full. Free some space",
    "no such": "holds no records of this app. Name another file in {variable}",
    "not a database": "is not an SQLite file. Move it away, or name another file in {variable}",
}


class RecordsError(DermalensError):
    """The records cannot be read or changed; the message says why and what to do. Nothing was changed."""


class Base(DeclarativeBase):
    """All tables of the records file."""


class Image(Base):
    """An image that something is recorded about.

    Attributes:
        collection: where its name is unique, see `core.records.notebook.identify`.
        name: its id there.
    """

    __tablename__ = "images"
    __table_args__ = (UniqueConstraint("collection", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    collection: Mapped[str]
    name: Mapped[str]


# Of every table whose rows belong to an image.
def image_key(**options) -> Mapped[int]:
    """A column that refers to an image."""
    return mapped_column(ForeignKey("images.id", ondelete="CASCADE"), **options)


def default_path() -> Path:
    """The file that the environment names, else `records.sqlite3` in the work folder."""
    return Path(os.environ.get(RECORDS_VARIABLE) or WORK_DIR / "records.sqlite3")


class Database:
    """The records file at a path; safe to share between threads, for it keeps no connection open.

    Args:
        path: of the file; its folder is made by the first write.
        wait_s: how long a writer waits for another one.
    """

    def __init__(self, path: Path, wait_s: float = WAIT_S) -> None:
        self.path = path
        self._engine = _create_engine(f"sqlite:///{path}", wait_s)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session to read with; an empty one where nothing was written yet.

        Raises:
            RecordsError: the file cannot be read.
        """
        if not self.path.exists():
            with _empty() as session:
                yield session
            return
        with self._in_words(), self._engine.connect() as connection:
            if self._read_version(connection):
                yield from _sessions(connection)
                return
        with _empty() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are kept together when the block ends, or not at all when it raises.

        Raises:
            RecordsError: the file cannot be written.
        """
        with self._in_words():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._engine.connect().execution_options(immediate=True) as connection:
                if not self._read_version(connection):
                    Base.metadata.create_all(connection)
                    connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
                yield from _sessions(connection)
                connection.commit()

    def _read_version(self, connection: Connection) -> int:
        version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        if version > SCHEMA_VERSION:
            raise RecordsError(f"{self.path} was written by a newer version of the app. Update the app.")
        return version

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            said = str(error.orig)
            remedy = next(
                (text for sign, text in _REMEDIES.items() if sign in said), f"cannot be used: {said}"
            )
            remedy = remedy.format(variable=RECORDS_VARIABLE)
            raise RecordsError(f"The records file {self.path} {remedy}. Nothing was changed.") from error
        except OSError as error:
            raise RecordsError(
                f"The folder of {self.path} cannot be made: {error.strerror}. Name another file in {RECORDS_VARIABLE}."
            ) from error


def _create_engine(url: str, wait_s: float) -> Engine:
    # Without a pool a file that is replaced while the app runs is noticed.
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": wait_s})

    @event.listens_for(engine, "connect")
    def prepare(connection, _) -> None:
        connection.isolation_level = None  # the driver would begin late, and not at all before CREATE TABLE
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes its turn at the start: later it would be refused without waiting.
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _sessions(connection: Connection) -> Iterator[Session]:
    with Session(bind=connection, join_transaction_mode="rollback_only") as session:
        yield session
        session.flush()


@contextmanager
def _empty() -> Iterator[Session]:
    with _create_engine("sqlite://", WAIT_S).connect() as connection:
        Base.metadata.create_all(connection)
        yield from _sessions(connection)
