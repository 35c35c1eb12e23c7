"""Vehicle Vault: the application factory, the only function that knows every package."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend import clock, config
from backend.config import Settings

if TYPE_CHECKING:
    from flask import Flask

# Everything else is imported where it is needed: the live process imports this package too, and
# should not carry the whole application.

API = "/api/v1"
FRONT_END = config.ROOT / "vpa-frontend" / "dist"


def create_app(settings: Settings | None = None, front_end: Path = FRONT_END) -> "Flask":
    """Make an application; without ``settings`` they are read from the environment and ``.env``.

    ``front_end`` is the folder into which the front end was built.

    Raises:
        BadSetting: a setting is missing or makes no sense.

    """
    from flask import Flask

    settings = settings or Settings.load()
    config.use(settings)
    clock.move(timedelta(seconds=settings.clock_offset_seconds))
    settings.instance.mkdir(parents=True, exist_ok=True)

    app = Flask(__name__, static_folder=None)
    app.config.update(_flask_config(settings))
    app.extensions["settings"] = settings
    _bind_extensions(app, settings)
    _register_resources(app)
    _serve_front_end(app, settings, front_end)
    _connect_packages()

    from backend.cli import register_commands
    from backend.migrate import migrate_empty_database

    register_commands(app)
    migrate_empty_database(app)
    return app


def _flask_config(settings: Settings) -> dict[str, Any]:
    from backend.database import engine_options

    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(
            settings.database_url, threads=settings.web_threads
        ),
        # Flask-Security checks roles and hashes passwords; our own resources speak to the world.
        "SECURITY_PASSWORD_HASH": "bcrypt",  # a name # nosec B105
        # The key of the HMAC that makes passwords of any length fit into bcrypt's 72 bytes. It keeps
        # no secret, and bcrypt salts each hash by itself; a changed key would end every password,
        # so it must not be one that is ever rotated.
        "SECURITY_PASSWORD_SALT": "vehicle-vault-passwords",  # as said # nosec B105
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {"bcrypt__rounds": settings.bcrypt_rounds},
        "SECURITY_PASSWORD_SINGLE_HASH": False,  # a switch # nosec B105
        "SECURITY_API_ENABLED_METHODS": ["token"],
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
        "WTF_CSRF_ENABLED": False,
    }


def _bind_extensions(app: "Flask", settings: Settings) -> None:
    import flask_excel
    from flask_security import SQLAlchemyUserDatastore

    from backend.auth.token_login import install_token_login
    from backend.celery import create_celery
    from backend.database import prepare_engine
    from backend.extensions import db, migrate, security
    from backend.models import Role, User
    from backend.web import init_web

    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    migrate.init_app(app, db, directory=str(config.ROOT / "backend" / "migrations"))
    security.init_app(app, SQLAlchemyUserDatastore(db, User, Role), register_blueprint=False)
    flask_excel.init_excel(app)
    create_celery(app)
    init_web(app, settings)
    install_token_login(app)


def _register_resources(app: "Flask") -> None:
    from backend.audit import resources as audit
    from backend.auth import resources as auth
    from backend.coupons import resources as coupons
    from backend.events import resources as events
    from backend.exports import resources as exports
    from backend.gate import resources as gate
    from backend.jobs import resources as jobs
    from backend.lots import resources as lots
    from backend.notifications import mailbox, previews
    from backend.notifications import resources as notifications
    from backend.notifications import unsubscribing_resources as unsubscribing
    from backend.payments import resources as payments
    from backend.privacy import resources as privacy
    from backend.quotes import resources as quotes
    from backend.reminders import resources as reminders
    from backend.reports import resources as reports
    from backend.reservations import closing_resources as closings
    from backend.reservations import resources as reservations
    from backend.reviews import resources as reviews
    from backend.system import resources as system
    from backend.tariffs import resources as tariffs
    from backend.users import resources as users
    from backend.vehicles import resources as vehicles
    from backend.waitlist import resources as waitlist

    for package in (
        *(auth, users, vehicles, lots, tariffs, quotes, reservations, payments, events, system),
        *(gate, reviews, coupons, waitlist, closings, jobs, audit, privacy, reminders, exports),
        *(reports, notifications, unsubscribing),
    ):
        app.register_blueprint(package.blueprint, url_prefix=API)
    app.register_blueprint(system.probes_blueprint)
    settings: Settings = app.extensions["settings"]
    if not settings.is_production and not settings.mail_server:
        app.register_blueprint(mailbox.blueprint)
    if not settings.is_production:
        app.register_blueprint(previews.blueprint)


def _serve_front_end(app: "Flask", settings: Settings, folder: Path) -> None:
    from backend.web import front_end

    front_end.init_app(app, settings, folder)


def _connect_packages() -> None:
    """Wire what a lower package tells to who listens above it."""
    from backend.audit.denials import on_request_denied
    from backend.exports.service import register_makers as register_exports
    from backend.jobs.makers import Maker, register_maker
    from backend.lots import memory
    from backend.lots.resources import forget_lists
    from backend.notifications.attachments import register_attachments
    from backend.payments.attachments import (
        attach_credit_note,
        attach_receipt,
        attach_receipt_of_payment,
    )
    from backend.privacy.archive import make_archive
    from backend.privacy.service import EXPORT, announce_export
    from backend.reports.attachments import attach_report
    from backend.reservations import confirming, dues, moving
    from backend.signals import (
        availability_changed,
        bay_needed,
        lots_changed,
        payment_failed,
        payment_settled,
        payment_started,
        price_to_pay,
        request_denied,
        window_freed,
    )
    from backend.waitlist.offering import on_window_freed

    price_to_pay.connect(dues.on_price_to_pay)
    payment_started.connect(confirming.on_payment_started)
    payment_failed.connect(confirming.on_payment_failed)
    payment_settled.connect(confirming.on_payment_settled)
    availability_changed.connect(forget_lists)
    lots_changed.connect(memory.forget)
    lots_changed.connect(forget_lists)
    request_denied.connect(on_request_denied)
    bay_needed.connect(moving.on_bay_needed)
    window_freed.connect(on_window_freed)
    register_attachments("ticket", attach_receipt)
    register_attachments("receipt", attach_receipt_of_payment)
    register_attachments("refund", attach_credit_note)
    register_attachments("monthly-report", attach_report)
    register_attachments("operator-report", attach_report)
    register_maker(EXPORT, Maker(make_archive, announce_export))
    register_exports()
