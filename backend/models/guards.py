"""The guards that no metadata describes: no overlap, and an audit log and a ledger that are only added to.

Alembic's batch mode makes a SQLite table anew and silently drops its triggers, so a migration that
uses it on one of these tables calls :func:`install_guards` again; the application asks
:func:`missing_guards` when it starts.
"""

from sqlalchemy import Connection, inspect, text

from backend.models.audit import APPEND_ONLY
from backend.models.claim import OVERLAP
from backend.models.payment import ENTRIES_APPEND_ONLY, LEDGER_APPEND_ONLY
from backend.models.reservation import PLATE_OVERLAP

# Closures share the occupant 0, so they may overlap one another; each reservation is an occupant of its own.
_POSTGRESQL = {
    OVERLAP: f"""
    ALTER TABLE spot_claims ADD CONSTRAINT {OVERLAP} EXCLUDE USING gist (
        spot_id WITH =, tstzrange(starts_at, ends_at) WITH &&, (coalesce(reservation_id, 0)) WITH <>
    ) WHERE (live)
    """,
    PLATE_OVERLAP: f"""
    ALTER TABLE reservations ADD CONSTRAINT {PLATE_OVERLAP} EXCLUDE USING gist (
        plate WITH =, tstzrange(starts_at, ends_at) WITH &&
    ) WHERE (live)
    """,
}

APPEND_ONLY_TABLES = {
    APPEND_ONLY: "audit_entries",
    LEDGER_APPEND_ONLY: "ledger_transactions",
    ENTRIES_APPEND_ONLY: "ledger_entries",
}
"""The tables whose rows are added, and never changed or deleted, by their guards."""

_POSTGRESQL_TRIGGERS = {
    guard: f"""
    CREATE TRIGGER {guard} BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION {guard}()
    """
    for guard, table in APPEND_ONLY_TABLES.items()
}
_REFUSALS = {
    guard: f"""
    CREATE OR REPLACE FUNCTION {guard}() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION ''{guard}''; END'
    """
    for guard in APPEND_ONLY_TABLES
}

_GUARDED = (*APPEND_ONLY_TABLES.values(), "spot_claims", "reservations")

_CLAIM_OVERLAPS = f"""
    BEGIN
        SELECT RAISE(ABORT, '{OVERLAP}') WHERE EXISTS (
            SELECT 1 FROM spot_claims AS other
            WHERE other.spot_id = NEW.spot_id AND other.live
              AND other.ends_at > NEW.starts_at AND other.starts_at < NEW.ends_at
              AND coalesce(other.reservation_id, 0) <> coalesce(NEW.reservation_id, 0)
              AND other.id <> NEW.id
        );
    END
"""

_PLATE_OVERLAPS = f"""
    BEGIN
        SELECT RAISE(ABORT, '{PLATE_OVERLAP}') WHERE EXISTS (
            SELECT 1 FROM reservations AS other
            WHERE other.plate = NEW.plate AND other.live
              AND other.ends_at > NEW.starts_at AND other.starts_at < NEW.ends_at
              AND other.id <> NEW.id
        );
    END
"""

_SQLITE = {
    **{
        f"{guard}_{verb.lower()}": f"BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{guard}'); END"
        for guard, table in APPEND_ONLY_TABLES.items()
        for verb in ("UPDATE", "DELETE")
    },
    f"{OVERLAP}_insert": f"BEFORE INSERT ON spot_claims WHEN NEW.live {_CLAIM_OVERLAPS}",
    f"{OVERLAP}_update": (
        "BEFORE UPDATE OF spot_id, starts_at, ends_at, live, reservation_id"
        f" ON spot_claims WHEN NEW.live {_CLAIM_OVERLAPS}"
    ),
    f"{PLATE_OVERLAP}_insert": f"BEFORE INSERT ON reservations WHEN NEW.live {_PLATE_OVERLAPS}",
    f"{PLATE_OVERLAP}_update": (
        f"BEFORE UPDATE OF plate, starts_at, ends_at, live ON reservations WHEN NEW.live {_PLATE_OVERLAPS}"
    ),
}


def install_guards(connection: Connection) -> None:
    """Put every guard in place that is not there yet, of those whose tables are there."""
    tables = set(inspect(connection).get_table_names())
    if connection.dialect.name == "sqlite":
        for name, body in _SQLITE.items():
            if _table_of(body) in tables:
                # Both are constants of this module.
                # nosemgrep: sql-put-together
                connection.execute(text(f"CREATE TRIGGER IF NOT EXISTS {name} {body}"))
        return
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS btree_gist"))
    for refusal in _REFUSALS.values():
        connection.execute(text(refusal))
    statements = _POSTGRESQL | _POSTGRESQL_TRIGGERS
    for name in sorted(missing_guards(connection)):
        if _table_of(statements[name]) in tables:
            connection.execute(text(statements[name]))


def missing_guards(connection: Connection) -> set[str]:
    """Name the guards that the database should have and has not."""
    if connection.dialect.name == "sqlite":
        wanted = set(_SQLITE)
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        wanted = {*_POSTGRESQL, *_POSTGRESQL_TRIGGERS}
        query = (
            "SELECT conname FROM pg_constraint WHERE contype = 'x'"
            " UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        )
    return wanted - set(connection.execute(text(query)).scalars())


def _table_of(statement: str) -> str:
    """Name the table that a guard stands on: an older migration has not made each of them."""
    words = statement.split()
    return next(table for table in _GUARDED if table in words)
