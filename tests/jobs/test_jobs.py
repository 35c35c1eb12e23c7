"""Jobs: asked for once, done once, fetched by their owner, gone in time."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Index, delete

from backend import clock
from backend.config import Settings
from backend.extensions import db
from backend.jobs import heartbeat, service
from backend.jobs.makers import Assignment, Report
from backend.jobs.tasks import purge_expired, run, run_due
from backend.models import Job, User
from backend.transaction import transaction
from tests.desk import problem
from tests.factories import Factory
from tests.jobs.conftest import KIND, Bench, Workshop

MoveClock = Callable[[timedelta], None]
_AT_ONCE = 8


class TestStart:
    def test_one_that_is_under_way_is_given_again(self, bench: Bench, driver: User) -> None:
        first = bench.start(driver.id)
        assert bench.start(driver.id) == first
        bench.run(first)
        assert bench.start(driver.id) != first

    def test_each_has_their_own(self, bench: Bench, make: Factory, driver: User) -> None:
        assert bench.start(driver.id) != bench.start(make.user().id)

    def test_many_at_once_start_one(self, bench: Bench, driver: User) -> None:
        together = Barrier(_AT_ONCE)

        def ask(_number: int) -> int:
            together.wait(10)
            return bench.start(driver.id)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            assert len(set(pool.map(ask, range(_AT_ONCE)))) == 1
        assert bench.count() == (1, 0)

    def test_twin_without_the_index_starts_a_second(self, app: Flask, driver: User) -> None:
        """What a look alone would let through: both looked before either wrote."""
        guard = _guard()
        with app.app_context(), db.engine.begin() as connection:
            guard.drop(connection)
        try:
            with app.app_context(), transaction():
                for _ in range(2):
                    db.session.add(_queued(driver.id))
        finally:
            with app.app_context(), db.engine.begin() as connection:
                connection.execute(delete(Job))
                guard.create(connection)


class TestRun:
    def test_it_keeps_the_file_and_tells(
        self, bench: Bench, workshop: Workshop, driver: User
    ) -> None:
        job_id = bench.start(driver.id)
        bench.run(job_id)
        job = bench.look(job_id)
        assert (job.status, job.progress, job.attempts) == ("done", 100, 1)
        assert workshop.made_for == [driver.id]
        assert workshop.announced == [job_id]

    def test_delivered_twice_it_is_done_once(
        self, bench: Bench, workshop: Workshop, driver: User
    ) -> None:
        job_id = bench.start(driver.id)
        workshop.before = lambda _report: bench.run(job_id)
        for _ in range(2):
            bench.run(job_id)
        assert workshop.made_for == [driver.id]
        assert bench.count() == (1, 1)

    def test_it_says_how_far_it_is(self, bench: Bench, workshop: Workshop, driver: User) -> None:
        job_id = bench.start(driver.id)
        seen: list[tuple[str, int]] = []

        def work(report: Report) -> None:
            report(40)
            job = bench.look(job_id)
            seen.append((job.status, job.progress))

        workshop.before = work
        bench.run(job_id)
        assert seen == [("running", 40)]

    def test_what_fails_is_tried_three_times(
        self, bench: Bench, workshop: Workshop, driver: User, move_clock: MoveClock
    ) -> None:
        tries: list[int] = []

        def fail(_report: Report) -> None:
            tries.append(1)
            raise ValueError(driver.email)

        workshop.before = fail
        job_id = bench.start(driver.id)
        bench.run(job_id)
        assert bench.look(job_id).status == "queued"
        # It rests before it is tried again.
        bench.run(job_id)
        assert len(tries) == 1
        for hours in (1, 2, 3):
            move_clock(timedelta(hours=hours))
            bench.sweep()
        job = bench.look(job_id)
        assert (job.status, len(tries)) == ("failed", 3)
        assert job.finished_at is not None
        assert driver.email not in (job.error or "")
        assert workshop.announced == []

    def test_one_bad_job_costs_itself_alone(
        self, bench: Bench, workshop: Workshop, make: Factory
    ) -> None:
        bad, good = make.user(), make.user()
        first, second = bench.start(bad.id), bench.start(good.id)

        def fail_once(_report: Report) -> None:
            workshop.before = lambda _report: None
            raise ValueError("bad")

        workshop.before = fail_once
        bench.sweep()
        assert bench.look(first).status == "queued"
        assert bench.look(second).status == "done"

    def test_a_sweep_that_takes_long_leaves_the_rest_to_the_next(
        self, bench: Bench, make: Factory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "_SWEEP_SECONDS", -1)
        first, second = (bench.start(make.user().id) for _ in range(2))
        bench.sweep()
        assert [bench.look(each).status for each in (first, second)] == ["done", "queued"]
        bench.sweep()
        assert bench.look(second).status == "done"

    def test_one_whose_worker_died_is_taken_over_and_given_up_after_the_third(
        self, bench: Bench, workshop: Workshop, driver: User, move_clock: MoveClock
    ) -> None:
        job_id = bench.start(driver.id)

        class Killed(BaseException):
            """What no except in the service catches, as a SIGKILL."""

        def die(_report: Report) -> None:
            raise Killed

        workshop.before = die
        for hours in (1, 2, 3):
            move_clock(timedelta(hours=hours))
            with pytest.raises(Killed):
                bench.run(job_id)
            # While the lease lasts, nobody else is at it.
            bench.run(job_id)
        assert bench.look(job_id).status == "running"
        bench.sweep()
        assert bench.look(job_id).status == "running"
        move_clock(timedelta(hours=4))
        bench.sweep()
        job = bench.look(job_id)
        assert (job.status, job.attempts) == ("failed", 3)
        # Nothing is in the way of another.
        workshop.before = lambda _report: None
        again = bench.start(driver.id)
        bench.run(again)
        assert bench.look(again).status == "done"

    @pytest.mark.parametrize("beats", [True, False])
    def test_one_at_work_is_nobody_elses_however_long_it_takes(
        self,
        bench: Bench,
        workshop: Workshop,
        driver: User,
        move_clock: MoveClock,
        monkeypatch: pytest.MonkeyPatch,
        beats: bool,
    ) -> None:
        """Its signs of life prolong the lease; without them another would begin it."""
        monkeypatch.setattr(heartbeat, "_PAUSE_SECONDS", 0.01 if beats else 1000)
        job_id = bench.start(driver.id)
        began: list[int] = []

        def take_long(_report: Report) -> None:
            began.append(bench.look(job_id).attempts)
            if len(began) > 1:
                return
            for minutes in (1, 2, 3):
                move_clock(timedelta(minutes=minutes))
                if beats:
                    until = clock.now() + heartbeat.LEASE - timedelta(seconds=30)
                    while bench.look(job_id).next_attempt_at < until:
                        time.sleep(0.01)
                bench.sweep()

        workshop.before = take_long
        bench.run(job_id)
        job = bench.look(job_id)
        assert job.status == "done"
        assert began == ([1] if beats else [1, 2])

    def test_a_worker_that_comes_late_changes_nothing(
        self, bench: Bench, workshop: Workshop, driver: User, move_clock: MoveClock
    ) -> None:
        job_id = bench.start(driver.id)

        def be_overtaken(_report: Report) -> None:
            workshop.before = lambda _report: None
            move_clock(timedelta(hours=1))
            bench.run(job_id)
            assert bench.look(job_id).status == "done"

        workshop.before = be_overtaken
        bench.run(job_id)
        job = bench.look(job_id)
        assert (job.status, job.attempts) == ("done", 2)
        assert workshop.announced == [job_id]
        assert bench.count() == (1, 1)

    def test_one_that_was_forgotten_meanwhile_leaves_nothing(
        self, app: Flask, bench: Bench, workshop: Workshop, driver: User
    ) -> None:
        def forget(_report: Report) -> None:
            with app.app_context(), transaction():
                service.forget_jobs(driver.id)

        workshop.before = forget
        bench.run(bench.start(driver.id))
        assert bench.count() == (0, 0)
        assert workshop.announced == []

    def test_a_kind_that_nobody_knows_fails(
        self, app: Flask, bench: Bench, driver: User, move_clock: MoveClock
    ) -> None:
        with app.app_context(), transaction():
            job_id = service.start_job("unknown", driver.id).id
        for hours in (1, 2, 3):
            move_clock(timedelta(hours=hours))
            bench.sweep()
        assert bench.look(job_id).status == "failed"

    def test_the_tasks_do_the_same(self, bench: Bench, driver: User) -> None:
        first = bench.start(driver.id)
        run(first)
        assert bench.look(first).status == "done"
        second = bench.start(driver.id)
        run_due()
        assert bench.look(second).status == "done"
        assert purge_expired() == 0


class TestFile:
    """What was made is kept and given out in pieces."""

    def test_it_comes_as_it_was_made_in_pieces_of_one_size(
        self,
        client: FlaskClient,
        bench: Bench,
        workshop: Workshop,
        driver: User,
        as_driver: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(service, "_PART_BYTES", 4)
        workshop.content = lambda _assignment: [b"a", b"", b"bcdefghij", b"kl", b"m"]
        job_id = bench.start(driver.id)
        bench.run(job_id)
        assert bench.count_parts() == 4
        shown = client.get(f"/api/v1/jobs/{job_id}", headers=as_driver).json
        assert shown["size"] == 13
        answer = client.get(shown["result_url"], headers=as_driver)
        assert answer.data == b"abcdefghijklm"
        assert answer.headers["Content-Length"] == "13"

    def test_a_file_on_disk_is_kept_and_its_folder_deleted(
        self,
        client: FlaskClient,
        bench: Bench,
        workshop: Workshop,
        settings: Settings,
        driver: User,
        as_driver: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(service, "_PART_BYTES", 4)

        def write(assignment: Assignment) -> Path:
            assert list(assignment.folder.iterdir()) == []
            path = assignment.folder / "made"
            path.write_bytes(b"0123456789")
            return path

        workshop.content = write
        job_id = bench.start(driver.id)
        bench.run(job_id)
        answer = client.get(f"/api/v1/jobs/{job_id}/result", headers=as_driver)
        assert answer.data == b"0123456789"
        assert list((settings.instance / "work").iterdir()) == []

    def test_of_nothing_it_is_empty(
        self,
        client: FlaskClient,
        bench: Bench,
        workshop: Workshop,
        driver: User,
        as_driver: dict[str, str],
    ) -> None:
        workshop.content = lambda _assignment: []
        job_id = bench.start(driver.id)
        bench.run(job_id)
        answer = client.get(f"/api/v1/jobs/{job_id}/result", headers=as_driver)
        assert (answer.status_code, answer.data) == (200, b"")

    def test_what_an_attempt_that_died_left_is_replaced(
        self,
        client: FlaskClient,
        bench: Bench,
        workshop: Workshop,
        settings: Settings,
        make: Factory,
        driver: User,
        move_clock: MoveClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(service, "_PART_BYTES", 4)

        class Killed(BaseException):
            """What no except in the service catches, as a SIGKILL."""

        def die(_assignment: Assignment) -> Iterator[bytes]:
            yield b"leftover"
            raise Killed

        workshop.content = die
        job_id = bench.start(driver.id)
        with pytest.raises(Killed):
            bench.run(job_id)
        assert bench.count_parts() == 2
        early = client.get(f"/api/v1/jobs/{job_id}/result", headers=make.headers(driver))
        assert problem(early) == "404 not-found"
        left = settings.instance / "work" / f"job-{job_id}" / "1" / "left"
        left.parent.mkdir(parents=True, exist_ok=True)
        left.write_bytes(b"left")

        workshop.content = workshop.write
        move_clock(timedelta(hours=1))
        bench.run(job_id)
        answer = client.get(f"/api/v1/jobs/{job_id}/result", headers=make.headers(driver))
        assert answer.data == b"made for %d" % driver.id
        assert not left.exists()

    def test_an_attempt_that_was_overtaken_adds_nothing(
        self,
        app: Flask,
        bench: Bench,
        workshop: Workshop,
        driver: User,
        move_clock: MoveClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Its lease ran out while it was writing, and another one was quicker."""
        monkeypatch.setattr(service, "_PART_BYTES", 4)
        job_id = bench.start(driver.id)

        def be_overtaken(_assignment: Assignment) -> Iterator[bytes]:
            yield b"slow"
            workshop.content = workshop.write
            move_clock(timedelta(hours=1))
            bench.run(job_id)
            yield b"and more"

        workshop.content = be_overtaken
        bench.run(job_id)
        with app.app_context():
            with transaction(read_only=True):
                made = service.read_result(driver.id, job_id)
            assert b"".join(made.content) == b"made for %d" % driver.id
        assert workshop.announced == [job_id]

    def test_one_that_fails_while_it_is_kept_leaves_nothing(
        self, bench: Bench, workshop: Workshop, driver: User
    ) -> None:
        def fail(_assignment: Assignment) -> Iterator[bytes]:
            yield b"x" * (service._PART_BYTES + 1)
            raise ValueError(driver.email)

        workshop.content = fail
        job_id = bench.start(driver.id)
        bench.run(job_id)
        job = bench.look(job_id)
        assert job.status == "queued"
        assert str(job.failure).startswith("ValueError")
        assert driver.email not in str(job.failure)
        assert (bench.count(), bench.count_parts()) == ((1, 0), 0)

    def test_one_that_takes_too_long_is_not_tried_again(
        self, bench: Bench, workshop: Workshop, driver: User
    ) -> None:
        def take_long(_report: Report) -> None:
            raise SoftTimeLimitExceeded

        workshop.before = take_long
        job_id = bench.start(driver.id)
        bench.run(job_id)
        job = bench.look(job_id)
        assert (job.status, job.attempts) == ("failed", 1)
        assert "less at once" in str(job.error)

    def test_deleted_while_it_is_fetched_it_ends_early(
        self, app: Flask, bench: Bench, driver: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "_PART_BYTES", 4)
        job_id = bench.start(driver.id)
        bench.run(job_id)
        with app.app_context():
            with transaction(read_only=True):
                made = service.read_result(driver.id, job_id)
            assert next(made.content) == b"made"
            with transaction():
                service.forget_jobs(driver.id)
            assert list(made.content) == []


class TestCancel:
    def test_before_it_begins_it_is_never_done(
        self,
        client: FlaskClient,
        bench: Bench,
        workshop: Workshop,
        driver: User,
        as_driver: dict[str, str],
    ) -> None:
        job_id = bench.start(driver.id)
        for _ in range(2):
            answer = client.post(f"/api/v1/jobs/{job_id}/cancel", headers=as_driver)
            assert (answer.status_code, answer.json["status"]) == (200, "cancelled")
            assert answer.json["finished_at"] is not None
        bench.run(job_id)
        bench.sweep()
        assert (workshop.made_for, workshop.announced) == ([], [])
        # Another may be asked for.
        assert bench.start(driver.id) != job_id

    def test_on_the_way_the_worker_notices_and_leaves_nothing(
        self,
        client: FlaskClient,
        bench: Bench,
        workshop: Workshop,
        settings: Settings,
        driver: User,
        as_driver: dict[str, str],
    ) -> None:
        job_id = bench.start(driver.id)
        came_so_far: list[int] = []

        def work(report: Report) -> None:
            report(10)
            came_so_far.append(10)
            client.post(f"/api/v1/jobs/{job_id}/cancel", headers=as_driver)
            report(20)
            came_so_far.append(20)

        workshop.before = work
        bench.run(job_id)
        assert came_so_far == [10]
        assert bench.look(job_id).status == "cancelled"
        assert (bench.count(), bench.count_parts()) == ((1, 0), 0)
        assert workshop.announced == []
        assert list((settings.instance / "work").iterdir()) == []

    def test_while_the_file_is_kept_its_pieces_go(
        self,
        client: FlaskClient,
        bench: Bench,
        workshop: Workshop,
        driver: User,
        as_driver: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(service, "_PART_BYTES", 4)
        job_id = bench.start(driver.id)

        def cancel(_assignment: Assignment) -> Iterator[bytes]:
            yield b"12345678"
            assert bench.count_parts() == 2
            client.post(f"/api/v1/jobs/{job_id}/cancel", headers=as_driver)
            yield b"12345678"

        workshop.content = cancel
        bench.run(job_id)
        assert bench.look(job_id).status == "cancelled"
        assert (bench.count(), bench.count_parts()) == ((1, 0), 0)

    def test_what_is_over_and_what_is_anothers_cannot_be(
        self,
        client: FlaskClient,
        bench: Bench,
        driver: User,
        as_driver: dict[str, str],
        as_admin: dict[str, str],
    ) -> None:
        job_id = bench.start(driver.id)
        theirs = client.post(f"/api/v1/jobs/{job_id}/cancel", headers=as_admin)
        assert problem(theirs) == "404 not-found"
        bench.run(job_id)
        late = client.post(f"/api/v1/jobs/{job_id}/cancel", headers=as_driver)
        assert problem(late) == "409 illegal-transition"
        assert bench.look(job_id).status == "done"


class TestFetch:
    def test_it_is_shown_as_it_goes(
        self, client: FlaskClient, bench: Bench, driver: User, as_driver: dict[str, str]
    ) -> None:
        job_id = bench.start(driver.id)
        path = f"/api/v1/jobs/{job_id}"
        waiting = client.get(path, headers=as_driver).json
        assert (waiting["kind"], waiting["status"], waiting["progress"]) == (KIND, "queued", 0)
        assert (waiting["result_url"], waiting["finished_at"]) == (None, None)
        early = client.get(f"{path}/result", headers=as_driver)
        assert problem(early) == "404 not-found"

        bench.run(job_id)
        done = client.get(path, headers=as_driver).json
        assert (done["status"], done["progress"]) == ("done", 100)
        answer = client.get(done["result_url"], headers=as_driver)
        assert answer.data == b"made for %d" % driver.id
        assert answer.mimetype == "application/zip"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="made.zip"'
        assert answer.headers["Cache-Control"] == "no-store"

    def test_anothers_looks_absent(
        self,
        client: FlaskClient,
        bench: Bench,
        driver: User,
        make: Factory,
        as_admin: dict[str, str],
    ) -> None:
        job_id = bench.start(driver.id)
        bench.run(job_id)
        for headers in (make.headers(make.user()), as_admin):
            for path in (f"/api/v1/jobs/{job_id}", f"/api/v1/jobs/{job_id}/result"):
                theirs = client.get(path, headers=headers)
                nobodys = client.get(path.replace(str(job_id), "999999"), headers=headers)
                assert problem(theirs) == problem(nobodys) == "404 not-found"

    def test_past_its_time_it_is_gone_with_no_sweep_and_deleted_by_one(
        self,
        client: FlaskClient,
        bench: Bench,
        driver: User,
        make: Factory,
        settings: Settings,
        move_clock: MoveClock,
    ) -> None:
        job_id = bench.start(driver.id)
        bench.run(job_id)
        move_clock(timedelta(days=settings.export_days, minutes=1))
        headers = make.headers(driver)
        shown = client.get(f"/api/v1/jobs/{job_id}", headers=headers).json
        assert shown["result_url"] is None
        result = client.get(f"/api/v1/jobs/{job_id}/result", headers=headers)
        assert problem(result) == "404 not-found"
        assert bench.purge() == 1
        assert bench.count() == (0, 0)
        gone = client.get(f"/api/v1/jobs/{job_id}", headers=headers)
        assert problem(gone) == "404 not-found"

    def test_two_sweeps_at_once_delete_all_and_nothing_else(
        self,
        bench: Bench,
        make: Factory,
        settings: Settings,
        move_clock: MoveClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(service, "_BATCH", 2)
        for _ in range(9):
            bench.run(bench.start(make.user().id))
        move_clock(timedelta(days=settings.export_days, minutes=1))
        young = bench.start(make.user().id)
        with ThreadPoolExecutor() as pool:
            counts = [each.result(30) for each in [pool.submit(bench.purge) for _ in range(2)]]
        # What another has in hand is passed over, so that one of them may stop early.
        bench.purge()
        assert sum(counts) <= 9
        assert bench.count() == (1, 0)
        assert bench.look(young).status == "queued"


def _guard() -> Index:
    table = Job.__table__
    (found,) = (index for index in table.indexes if index.name == "uq_jobs_one_under_way")  # type: ignore[attr-defined] # declared as FromClause, is a Table
    assert isinstance(found, Index)
    return found


def _queued(user_id: int) -> Job:
    moment = clock.now()
    return Job(
        kind=KIND, user_id=user_id, created_at=moment, next_attempt_at=moment, expires_at=moment
    )
