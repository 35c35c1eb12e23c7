"""Mail is promised once and arrives, whatever breaks on the way (P12, P14)."""

from pathlib import Path

import pytest

from tests.faults import mail_run
from tests.faults.test_valkey import database_url


@pytest.mark.parametrize(
    ("kind", "mails"),
    [
        pytest.param("sqlite", 2, id="sqlite"),
        pytest.param("sqlite", 40, id="sqlite-long", marks=pytest.mark.long),
        pytest.param("postgresql", 40, id="postgresql-long", marks=pytest.mark.long),
    ],
)
def test_all_mail_arrives_or_is_refused_for_good(tmp_path: Path, kind: str, mails: int) -> None:
    outcome = mail_run.run(kind, database_url(kind, tmp_path), tmp_path, mails=mails)
    assert outcome.is_well, mail_run.describe(outcome)
    assert outcome.killed_at == list(mail_run.POINTS)
    assert outcome.bounced
