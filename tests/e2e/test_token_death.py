"""A token is dead in every process from the first request after the act that ends it (P16)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.e2e.token_death import Town, fates, refresh_at_once, town


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    folder: Path = tmp_path_factory.mktemp("town")
    url = f"sqlite:///{folder}/town.db"
    if request.param == "postgresql":
        url = servers.new_postgresql_database(os.environ["VV_TEST_POSTGRESQL"])
    with town(folder, url, valkey_url) as started:
        yield started


def test_no_old_token_outlives_its_act(place: Town) -> None:
    found = list(fates(place))
    assert len(found) == 10
    for fate in found:
        assert set(fate.before) <= {200}, fate
        assert fate.after, fate
        assert set(fate.after) == {401}, fate
        assert fate.refreshed == 401, fate


def test_one_refresh_token_at_two_processes_at_once_gives_one_pair(place: Town) -> None:
    answered, pairs = refresh_at_once(place)
    assert answered == 8
    assert pairs == 1
