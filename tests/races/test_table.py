"""P1, P2, P7: of two at once one wins, and each race sees what its guard prevents."""

import os
from pathlib import Path

import pytest

from tests import servers
from tests.races.table import RACES, table


@pytest.fixture
def new_database_url(database_url: str, tmp_path: Path) -> str:
    """A database of its own, of the kind of the run."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/races.db"
    return servers.new_postgresql_database(os.environ["VV_TEST_POSTGRESQL"])


def test_one_wins_each_race_and_without_its_guard_both_do(
    new_database_url: str, valkey_url: str, tmp_path: Path
) -> None:
    outcomes = list(table(new_database_url, valkey_url, tmp_path, rounds=5, twin_rounds=60))

    assert {race.name: kept.wrong for race, kept, _ in outcomes} == {
        race.name: [] for race in RACES
    }
    assert {race.name: bool(twin.wrong) for race, _, twin in outcomes} == {
        race.name: True for race in RACES
    }
