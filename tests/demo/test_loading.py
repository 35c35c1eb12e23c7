"""How the demo is loaded: all or nothing, once, in one currency."""

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from backend import config
from backend.demo import loader
from backend.demo.loader import load_demo
from backend.extensions import db
from backend.models import Lot, Quote, Receipt, User
from backend.transaction import transaction


def _count(model: type[Any]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.demo.stays._BUSY_DAYS", {-1: 0.02, 0: 0.02, 1: 0.02})
    monkeypatch.setattr("backend.demo.stays._QUIET_DAY", 0.02)
    monkeypatch.setattr(loader, "_CROWD", 200)
    monkeypatch.setitem(loader._FILES, "EUR", ("aalen.geojson",))


class TestLoading:
    """With few lots and stays, since the rules are the same."""

    def test_a_load_that_fails_leaves_nothing(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_accounts: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch, app.app_context():
            patch.setattr(loader, "_keep_accounts", fail)
            with pytest.raises(KeyboardInterrupt):
                load_demo()
            with transaction(read_only=True):
                assert _count(Lot) == _count(User) == _count(Receipt) == 0
        with app.app_context():
            assert load_demo()[0].startswith("The demo is loaded: 6 car parks")

    def test_of_two_at_once_one_loads(self, app: Flask) -> None:
        told: list[list[str]] = []

        def load() -> None:
            with app.app_context():
                told.append(load_demo())

        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(lines[0].startswith("The demo is loaded") for lines in told) == [False, True]
        with app.app_context(), transaction(read_only=True):
            assert _count(Lot) == 6

    def test_the_demo_of_india_has_gst(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = app.extensions["settings"]
        config.use(type(settings)(**{**vars(settings), "currency": "INR"}))
        with app.app_context():
            assert "4 car parks" in load_demo()[0]
            with transaction(read_only=True):
                assert set(db.session.scalars(select(Lot.city))) == {"Bengaluru"}
                quote = db.session.scalars(select(Quote).limit(1)).one()
                assert quote.currency == "INR"
                assert [(tax["name"], tax["rate_bp"]) for tax in quote.taxes] == [
                    ("CGST", 900),
                    ("SGST", 900),
                ]

    def test_any_other_currency_loads_nothing(self, app: Flask) -> None:
        settings = app.extensions["settings"]
        config.use(type(settings)(**{**vars(settings), "currency": "JPY"}))
        with app.app_context():
            assert "JPY: nothing is loaded" in load_demo()[0]
            with transaction(read_only=True):
                assert _count(User) == _count(Lot) == 0
