"""A backup is whole or none, and what is restored from one is what was there (P25)."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select, text

from backend import clock, config
from backend.config import Settings
from backend.extensions import db
from backend.models import AuditEntry, Base, InvariantRun, User
from backend.models.guards import missing_guards
from backend.schedule import SCHEDULE
from backend.system.backups import _LIMITS, BackupRefused, make_backup, read_backup, restore_backup
from backend.system.tasks import back_up
from backend.transaction import transaction
from tests.conftest import empty
from tests.counter import Arrive, arrive
from tests.desk import window
from tests.factories import Factory
from tests.nasty import NASTY

__all__ = ["arrive"]

Snapshot = dict[str, list[Any]]


@pytest.fixture
def full(app: Flask, make: Factory, arrive: Arrive) -> Snapshot:
    """Something in most tables, and texts that a copy could stumble over."""
    lot = make.lot(spots=3)
    desk = arrive()
    desk.buy(lot, **window(13, 14))
    desk.hold(lot, **window(16, 17))
    for text_of_people in NASTY.values():
        # What no text may hold, no database holds either.
        if not set(text_of_people) & set("\0\ud800\ufffe\uffff"):
            make.user(name=f"x{text_of_people}"[:100])
    with app.app_context(), transaction():
        db.session.add(AuditEntry(at=clock.now(), action="test.backup", subject="user:1"))
    return _read_all(app)


def _read_all(app: Flask) -> Snapshot:
    with app.app_context(), db.engine.connect() as connection:
        return {
            each.name: sorted(map(repr, connection.execute(select(each)).all()))
            for each in Base.metadata.sorted_tables
            # What is restored is looked over at once.
            if each.name != "invariant_runs"
        }


def _run(app: Flask, *arguments: str | Path) -> Result:
    return app.test_cli_runner().invoke(args=list(map(str, arguments)))


def test_what_is_restored_is_what_was_there(app: Flask, full: Snapshot, tmp_path: Path) -> None:
    made = _run(app, "backup", tmp_path / "one")
    assert made.exit_code == 0, made.output
    assert f"{sum(map(len, full.values()))} rows of {len(full) + 1} tables" in made.output
    empty(app)
    assert _read_all(app) != full
    restored = _run(app, "restore", tmp_path / "one")
    assert restored.exit_code == 0, restored.output
    assert "0 not kept" in restored.output
    assert _read_all(app) == full
    with app.app_context():
        with db.engine.connect() as connection:
            assert not missing_guards(connection)
        # The next row gets a number of its own.
        with transaction():
            db.session.add(AuditEntry(at=clock.now(), action="test.after", subject="user:1"))


def test_data_is_replaced_only_when_told(app: Flask, full: Snapshot, tmp_path: Path) -> None:
    with app.app_context():
        make_backup(tmp_path / "one")
        with transaction():
            db.session.execute(text("UPDATE users SET name = 'Somebody'"))
    refused = _run(app, "restore", tmp_path / "one")
    assert refused.exit_code == 1
    assert "--replace" in refused.output
    assert _read_all(app) != full
    assert _run(app, "restore", "--replace", tmp_path / "one").exit_code == 0
    assert _read_all(app) == full


def test_who_reads_meanwhile_is_not_cut_off(
    app: Flask, full: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_LIMITS, "lock_timeout", "50")
    with app.app_context():
        make_backup(tmp_path / "one")
        with db.engine.connect().execution_options(read_only=True) as other:
            other.execute(text("SELECT 1 FROM users"))
            if db.engine.dialect.name == "sqlite":
                # Readers keep what they began with.
                restore_backup(tmp_path / "one", replace=True)
            else:
                with pytest.raises(BackupRefused, match="in use"):
                    restore_backup(tmp_path / "one", replace=True)
    assert _read_all(app) == full


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _change(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_torn_copy_is_refused(app: Flask, make: Factory, tmp_path: Path) -> None:
    make.user()
    with app.app_context():
        make_backup(tmp_path / "one")
        for harm in (_cut, _change, Path.unlink):
            folder = tmp_path / harm.__name__
            shutil.copytree(tmp_path / "one", folder)
            files = (path for path in folder.iterdir() if path.name != "manifest.json")
            harm(max(files, key=lambda path: path.stat().st_size))
            with pytest.raises(BackupRefused, match="torn"):
                restore_backup(folder, replace=True)
        assert db.session.scalar(select(func.count()).select_from(User)) == 1


def test_a_folder_without_its_manifest_is_no_backup(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        make_backup(tmp_path / "one")
        path = tmp_path / "one" / "manifest.json"
        for manifest in ("", "{", "[]", "{}", '{"format": 1, "files": [{"name": "x"}]}'):
            path.write_text(manifest)
            with pytest.raises(BackupRefused, match="no whole backup"):
                read_backup(tmp_path / "one")
        path.unlink()
    refused = _run(app, "restore", tmp_path / "one")
    assert refused.exit_code == 1
    assert refused.output.count("\n") == 1


def test_what_does_not_fit_is_refused(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        make_backup(tmp_path / "one")
        path = tmp_path / "one" / "manifest.json"
        manifest = json.loads(path.read_text())
        for change, told in (
            ({"format": 2}, "another release"),
            ({"version": "0001"}, "of version 0001"),
            ({"database": "another"}, "backup of another"),
        ):
            path.write_text(json.dumps(manifest | change))
            with pytest.raises(BackupRefused, match=told):
                restore_backup(tmp_path / "one", replace=True)


def test_nothing_is_written_over(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "letter.txt").write_text("mine")
    refused = _run(app, "backup", tmp_path / "one")
    assert refused.exit_code == 1
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["letter.txt"]


def test_half_a_backup_leaves_nothing(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_path: Path) -> None:
        raise OSError("No space left on device.")

    monkeypatch.setattr("backend.system.backups._digest", fail)
    failed = _run(app, "backup", tmp_path / "one")
    assert failed.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_it_is_one_moment_while_others_write(app: Flask, tmp_path: Path) -> None:
    """Each transaction beside it writes one row into each of two tables; a backup has both, or none."""
    is_over, has_begun = Event(), Event()

    def write() -> None:
        with app.app_context():
            while not is_over.is_set():
                at = clock.now()
                with transaction():
                    db.session.add(AuditEntry(at=at, action="test.both", subject="user:1"))
                    db.session.flush()
                    db.session.add(InvariantRun(at=at, took_ms=1, violations=0, findings=[]))
                has_begun.set()

    with app.app_context(), ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert has_begun.wait(10)
        try:
            backups = [make_backup(tmp_path / str(number)) for number in range(3)]
        finally:
            is_over.set()
        writing.result()
    counts = [(each.rows["audit_entries"], each.rows["invariant_runs"]) for each in backups]
    assert all(one == other for one, other in counts)
    # They wrote meanwhile.
    assert counts[0] < counts[-1]


def test_no_secret_is_in_it(app: Flask, settings: Settings, tmp_path: Path) -> None:
    with app.app_context():
        make_backup(tmp_path / "one")
    written = b"".join(path.read_bytes() for path in (tmp_path / "one").iterdir())
    for secret in (settings.jwt_secret, settings.secret_key, settings.ticket_signing_key):
        assert secret.encode() not in written
    assert (tmp_path / "one").stat().st_mode & 0o077 == 0


def test_one_is_made_a_night_and_old_ones_go(
    app: Flask, settings: Settings, move_clock: Callable[[timedelta], None]
) -> None:
    assert SCHEDULE["make the backup of the night"]["task"] == "system.back_up"
    kept = settings.instance / "backups"

    def stand_at(day: int, hour: int) -> list[str]:
        moment = datetime(2027, 1, day, hour, 33, tzinfo=UTC)
        move_clock(moment - datetime.now(UTC))
        back_up()
        return sorted(path.name for path in kept.glob("2*"))

    # It is an hour later in Berlin.
    assert stand_at(1, 1) == []
    assert stand_at(1, 2) == ["2027-01-01"]
    first = (kept / "2027-01-01" / "manifest.json").read_text()
    assert stand_at(1, 20) == ["2027-01-01"]
    assert (kept / "2027-01-01" / "manifest.json").read_text() == first
    # A night that was missed is made up by day.
    assert stand_at(2, 9) == ["2027-01-01", "2027-01-02"]
    config.use(dataclasses.replace(settings, backup_days=2))
    assert stand_at(5, 9) == ["2027-01-02", "2027-01-05"]
    config.use(dataclasses.replace(settings, backup_days=0))
    assert stand_at(6, 9) == ["2027-01-02", "2027-01-05"]
