"""Beat's entries on a real Valkey, when the machine's clock was set back."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from redbeat.schedulers import RedBeatScheduler, RedBeatSchedulerEntry, get_redis

from backend.beat import Scheduler
from tests import servers

PERIOD = timedelta(minutes=1)


@pytest.fixture
def celery(valkey_url: str) -> Iterator[Celery[Any]]:
    celery: Celery[Any] = Celery("beat", set_as_current=False)
    celery.conf.update(
        broker_url="memory://",
        timezone="UTC",
        beat_schedule={"sweep": {"task": "tests.sweep", "schedule": PERIOD}},
        beat_max_loop_interval=5,
        redbeat_redis_url=valkey_url,
        redbeat_redis_options={},
        # One beat alone needs no lock.
        redbeat_lock_key=None,
    )
    yield celery
    get_redis(celery).close()
    servers.flush(valkey_url)


def scheduler(celery: Celery[Any], kind: type[RedBeatScheduler]) -> RedBeatScheduler:
    made = kind(celery)
    made.lock_key = None
    return made


def last_run(celery: Celery[Any]) -> datetime:
    entry = RedBeatSchedulerEntry.from_key("redbeat:sweep", app=celery)
    assert entry.last_run_at is not None
    return datetime.fromisoformat(entry.last_run_at.isoformat())


def set_clock_back(celery: Celery[Any], by: timedelta) -> None:
    """Let the entry have run at what is a time to come."""
    RedBeatSchedulerEntry.from_key("redbeat:sweep", app=celery).reschedule(celery.now() + by)


@pytest.mark.parametrize("by", [timedelta(seconds=90), timedelta(days=1), timedelta(days=40)])
def test_an_entry_runs_a_turn_after_the_clock_was_set_back(
    celery: Celery[Any], by: timedelta
) -> None:
    beat = scheduler(celery, Scheduler)
    set_clock_back(celery, by)
    beat.tick()
    assert last_run(celery) <= celery.now()
    # Its turn is over, and it runs.
    RedBeatSchedulerEntry.from_key("redbeat:sweep", app=celery).reschedule(celery.now() - PERIOD)
    before = last_run(celery)
    beat.tick()
    assert last_run(celery) > before


def test_redbeat_alone_would_wait_for_the_day_to_pass_again(celery: Celery[Any]) -> None:
    beat = scheduler(celery, RedBeatScheduler)
    set_clock_back(celery, timedelta(days=1))
    beat.tick()
    assert last_run(celery) > celery.now()
    # A restart changes nothing.
    scheduler(celery, RedBeatScheduler).tick()
    assert last_run(celery) > celery.now()


def test_an_entry_that_another_beat_took_out_is_let_be(celery: Celery[Any]) -> None:
    beat = scheduler(celery, Scheduler)
    RedBeatSchedulerEntry.from_key("redbeat:sweep", app=celery).delete()
    assert beat.tick() == 5
