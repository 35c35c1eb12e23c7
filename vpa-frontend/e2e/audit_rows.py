"""Write many entries into the audit log of the system that the browser tests run on.

``E2E_FOLDER`` says where it is; the argument says how many. They are entries of one subject, numbered from 1.
"""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

_DATABASE = Path(os.environ["E2E_FOLDER"]) / "instance" / "vehicle_vault.db"
# The workers of the system write meanwhile.
_PATIENCE_SECONDS = 60

_ROWS = """
WITH RECURSIVE numbers (number) AS (
    SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?
)
INSERT INTO audit_entries (at, action, subject, subject_id, request_id, client)
SELECT strftime('%Y-%m-%d %H:%M:%f000', 'now'), 'bay.counted', ?, number, '', '' FROM numbers
"""


def write(subject: str, count: int) -> None:
    """Write ``count`` entries in one transaction."""
    with closing(sqlite3.connect(_DATABASE, timeout=_PATIENCE_SECONDS)) as connection, connection:
        connection.execute(_ROWS, (count, subject))


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]))
