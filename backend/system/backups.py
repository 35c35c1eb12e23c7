"""Copies of the whole database, as it was at one moment, and the way back from one.

A backup is a folder: files with the rows, and a manifest that is written last and tells what each file must
be. Without its manifest, or with a file that differs, it is no backup and nothing is read from it. The secrets of
the installation are not in it.
"""

import fcntl
import gzip
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, NullPool, create_engine, func, inspect, select, table, text

from backend import clock
from backend.config import settings
from backend.database import read_options
from backend.extensions import db
from backend.transaction import transaction

_MANIFEST = "manifest.json"
_FORMAT = 1
_DATABASE = "database.db"
_CHUNK = 1 << 20
_NIGHT_IS_OVER = 3
# Made by the migrations themselves.
_NO_DATA = {"alembic_version", "roles"}
_VERSION = text("SELECT version_num FROM alembic_version")
_SEQUENCES = text(
    "SELECT sequencename, last_value FROM pg_sequences"
    " WHERE schemaname = current_schema() AND last_value IS NOT NULL ORDER BY sequencename"
)
_COLUMNS = text(
    "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(:table)"
    " AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"
)
# A copy takes longer than a request may; whoever stands in its way is told soon.
_LIMITS = {
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "4500",
}
_LIMIT = text("SELECT set_config(:name, :limit, true)")
_SET_SEQUENCE = text("SELECT setval(to_regclass(:name), :value)")


class BackupRefused(Exception):  # noqa: N818 - it says what happened, as a Problem does
    """Nothing was copied; the message is one line for the operator."""


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    size: int
    sha256: str
    # Of PostgreSQL, where a file holds one table.
    table: str = ""
    columns: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Backup:
    """What a manifest tells."""

    format: int
    database: str
    version: str
    made_at: str
    rows: dict[str, int]
    sequences: dict[str, int]
    files: list[_File]

    @property
    def row_count(self) -> int:
        """How many rows there are in all."""
        return sum(self.rows.values())


def make_backup(folder: Path) -> Backup:
    """Copy the database as it is at this moment into ``folder``, which comes into being whole or not at all.

    Whoever uses the system meanwhile is not kept from anything.

    Raises:
        BackupRefused: there is something in the folder.

    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupRefused(f"{folder} is not empty; a backup has a folder of its own.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
    partial.mkdir(mode=0o700)
    try:
        backup = _copy_out(partial)
        written = json.dumps(asdict(backup), indent=1)
        (partial / _MANIFEST).write_text(written, "utf-8")
        for path in (*partial.iterdir(), partial):
            _sync(path)
        partial.replace(folder)
        _sync(folder.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return backup


def read_backup(folder: Path) -> Backup:
    """Read what a backup is, and make sure that it is whole.

    Raises:
        BackupRefused: it is none, or one of its files is missing, torn or changed.

    """
    try:
        told = json.loads((folder / _MANIFEST).read_text("utf-8"))
        files = [_File(**each) for each in told.pop("files")]
        backup = Backup(**told, files=files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackupRefused(f"{folder} is no whole backup: it has no readable manifest.") from error
    if backup.format != _FORMAT:
        raise BackupRefused(
            f"{folder} was made by another release that writes backups in another way."
        )
    for file in backup.files:
        # A manifest names files of its own folder, and nothing else.
        path = folder / Path(file.name).name
        try:
            is_whole = (path.stat().st_size, _digest(path)) == (file.size, file.sha256)
        except OSError:
            is_whole = False
        if not is_whole:
            raise BackupRefused(f"{folder} is torn: {path.name} is not what was written.")
    return backup


def restore_backup(folder: Path, *, replace: bool = False) -> Backup:
    """Bring the database to where a backup was made; nothing changes when that fails on the way.

    Raises:
        BackupRefused: the backup is not whole, is of another kind or version, or there is data in the
            database and ``replace`` does not say that it may go.

    """
    backup = read_backup(folder)
    with db.engine.connect().execution_options(**read_options(db.engine)) as connection:
        _check_target(connection, backup, replace=replace)
    if backup.database == "sqlite":
        _restore_sqlite(folder / _DATABASE)
    else:
        _restore_postgresql(folder, backup)
    return backup


def make_nightly_backup() -> Path | None:
    """Make the backup of this night if there is none yet, and let old ones go; give the new one's folder."""
    kept_days, kept_in = settings().backup_days, settings().instance / "backups"
    local = clock.now().astimezone(ZoneInfo(settings().timezone))
    folder = kept_in / f"{local:%Y-%m-%d}"
    if not kept_days or local.hour < _NIGHT_IS_OVER:
        return None
    kept_in.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(kept_in / "lock") as is_alone:
        if not is_alone or folder.exists():
            return None
        for left_over in kept_in.glob("*.partial-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        make_backup(folder)
        for old in sorted(kept_in.glob("????-??-??"))[:-kept_days]:
            shutil.rmtree(old, ignore_errors=True)
    return folder


def _copy_out(folder: Path) -> Backup:
    made_at = clock.now().isoformat()
    if db.engine.dialect.name == "sqlite":
        version, rows = _copy_sqlite(folder / _DATABASE)
        return Backup(
            _FORMAT, "sqlite", version, made_at, rows, {}, [_describe(folder / _DATABASE)]
        )
    # One snapshot for all tables. Nothing is written, so nothing is committed either.
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        _take_time(connection)
        files, rows = [], {}
        for name in _list_tables(connection):
            columns = list(connection.scalars(_COLUMNS, {"table": name}))
            path = folder / f"{name}.copy.gz"
            rows[name] = _copy_table(connection, name, columns, path)
            files.append(_describe(path, table_name=name, columns=columns))
        sequences = {row.sequencename: row.last_value for row in connection.execute(_SEQUENCES)}
        version = connection.execute(_VERSION).scalar_one()
    return Backup(_FORMAT, "postgresql", version, made_at, rows, sequences, files)


def _copy_sqlite(path: Path) -> tuple[str, dict[str, int]]:
    with closing(_open_sqlite()) as source, closing(sqlite3.connect(path)) as copy:
        # In one step: a writer who comes between two would make it begin again.
        source.backup(copy)
        # All in one file, with no log beside it.
        copy.execute("PRAGMA journal_mode=delete")
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.connect() as connection:
        return connection.execute(_VERSION).scalar_one(), _count_rows(connection)


def _open_sqlite() -> sqlite3.Connection:
    path = db.engine.url.database
    if not path:
        raise BackupRefused("This database is in no file.")
    return sqlite3.connect(path)


def _restore_sqlite(path: Path) -> None:
    # Page by page within one transaction of the target: a crash in between is rolled back.
    with (
        closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as source,
        closing(_open_sqlite()) as target,
    ):
        source.backup(target)


def _restore_postgresql(folder: Path, backup: Backup) -> None:
    from psycopg import errors, sql  # noqa: PLC0415 - SQLite need not have it in memory

    with transaction():
        connection = db.session.connection()
        _take_time(connection)
        cursor = _driver(connection).cursor()

        def run(statement: str, names: sql.Composable) -> None:
            # The statements are constants, and the names are quoted.
            # nosemgrep: sql-put-together
            cursor.execute(sql.SQL(statement).format(names))

        names = [sql.Identifier(file.table) for file in backup.files]
        every = sql.SQL(", ").join(names)
        try:
            run("LOCK TABLE {}", every)
        except errors.LockNotAvailable as error:
            raise BackupRefused("The database is in use: stop the system first.") from error
        for name in names:
            # Journals are guarded against being emptied.
            run("ALTER TABLE {} DISABLE TRIGGER USER", name)
        run("TRUNCATE {} RESTART IDENTITY", every)
        for file in backup.files:
            columns = sql.SQL(", ").join(map(sql.Identifier, file.columns))
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(file.table), columns
            )
            with gzip.open(folder / file.name, "rb") as rows, cursor.copy(statement) as copy:
                while chunk := rows.read(_CHUNK):
                    copy.write(chunk)
        for name in names:
            run("ALTER TABLE {} ENABLE TRIGGER USER", name)
        for sequence, value in backup.sequences.items():
            connection.execute(_SET_SEQUENCE, {"name": sequence, "value": value})
        if _count_rows(connection) != backup.rows:
            raise BackupRefused("The files hold other rows than the manifest tells.")


def _copy_table(connection: Connection, name: str, columns: Sequence[str], path: Path) -> int:
    from psycopg import sql  # noqa: PLC0415 - SQLite need not have it in memory

    statement = sql.SQL("COPY {} ({}) TO STDOUT").format(
        sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    count = 0
    with (
        # Quick rather than small: a night is short, and the rows shrink to a fifth anyway.
        gzip.open(path, "wb", compresslevel=1) as out,
        _driver(connection).cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for chunk in copy:
            # In the text format a line feed ends a row, and one within a text is written as \n.
            count += bytes(chunk).count(b"\n")
            out.write(chunk)
    return count


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _take_time(connection: Connection) -> None:
    """Let this transaction take longer than a request may."""
    for name, limit in _LIMITS.items():
        connection.execute(_LIMIT, {"name": name, "limit": limit})


def _list_tables(connection: Connection) -> list[str]:
    """Name every table with rows of ours, those first that others refer to."""
    pairs = inspect(connection).get_sorted_table_and_fkc_names()
    return [name for name, _ in pairs if name is not None and name != "alembic_version"]


def _count_rows(connection: Connection) -> dict[str, int]:
    return {
        name: connection.execute(select(func.count()).select_from(table(name))).scalar_one()
        for name in sorted(_list_tables(connection))
    }


def _check_target(connection: Connection, backup: Backup, *, replace: bool) -> None:
    database = connection.dialect.name
    if backup.database != database:
        raise BackupRefused(
            f"This is a backup of {backup.database}, and the database is {database}."
        )
    if not inspect(connection).has_table("alembic_version"):
        raise BackupRefused(
            f"The database has no tables yet: run flask --app run db upgrade {backup.version} first."
        )
    version = connection.execute(_VERSION).scalar_one_or_none()
    if version != backup.version:
        raise BackupRefused(
            f"The backup is of version {backup.version}, and the database of {version}: empty it, run flask "
            f"--app run db upgrade {backup.version}, restore, and upgrade after."
        )
    filled = [
        name for name, count in _count_rows(connection).items() if count and name not in _NO_DATA
    ]
    if filled and not replace:
        raise BackupRefused(
            f"There is data in the database ({', '.join(filled[:3])}); --replace says that it may go."
        )


def _describe(path: Path, *, table_name: str = "", columns: Sequence[str] = ()) -> _File:
    return _File(path.name, path.stat().st_size, _digest(path), table_name, list(columns))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Tell whether no other process of this installation is at it; the kernel lets go when this one ends."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
