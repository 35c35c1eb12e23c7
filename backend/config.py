"""Settings: read once from the environment and ``.env``, checked, and frozen."""

import dataclasses
import logging
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values

from backend.money import currency_digits

ROOT = Path(__file__).resolve().parent.parent

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_SAMPLES = frozenset({"change-me", "changeme", "secret"})
_SHORTEST_SECRET = 32
_DATABASES = ("sqlite:///", "postgresql+psycopg://")
_AT_LEAST_ONE = (
    "hold_minutes",
    "quote_minutes",
    "access_token_minutes",
    "refresh_token_days",
    "web_workers",
    "web_threads",
)


class BadSetting(ValueError):  # noqa: N818 - it says what is wrong, as a Problem does
    """A setting is missing or makes no sense; the message is one line for the operator."""


@dataclass(frozen=True)
class Settings:
    """Everything that an installation may choose. ``.env.example`` lists the same names in capitals."""

    app_env: str = "development"
    instance_path: str = "instance"
    database_url: str = ""
    redis_url: str = ""
    celery_broker_url: str = ""
    jwt_secret: str = ""
    secret_key: str = ""
    mail_server: str = ""
    mail_port: int = 587
    mail_username: str = ""
    mail_password: str = ""
    mail_use_tls: bool = True
    mail_from: str = "Vehicle Vault <parking@localhost>"
    public_url: str = "http://127.0.0.1:8000"
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: int = 0
    host: str = "127.0.0.1"
    port: int = 8000
    events_port: int = 8001
    events_url: str = ""
    web_workers: int = 2
    web_threads: int = 4
    hold_minutes: int = 10
    quote_minutes: int = 10
    access_token_minutes: int = 15
    refresh_token_days: int = 30
    bcrypt_rounds: int = 12
    rate_limits: bool = True
    currency: str = "INR"
    timezone: str = "Asia/Kolkata"
    locale: str = "en-IN"
    brand_name: str = "Vehicle Vault"
    operator_name: str = "Vehicle Vault"
    operator_address: str = ""
    operator_tax_id: str = ""
    demo: bool = True
    clock_offset_seconds: int = 0
    log_level: str = "INFO"

    @property
    def is_production(self) -> bool:
        """Whether strangers' cars and money are at stake."""
        return self.app_env == "production"

    @property
    def instance(self) -> Path:
        """The folder for what this installation keeps: database, secrets, mail."""
        return ROOT / self.instance_path

    @classmethod
    def load(cls, **overrides: Any) -> "Settings":
        """Read the settings: ``overrides`` before the environment before ``.env``.

        Raises:
            BadSetting: one is missing or makes no sense.

        """
        env_file = os.environ.get("ENV_FILE", str(ROOT / ".env"))
        raw = {k: v for k, v in dotenv_values(env_file).items() if v is not None} | dict(os.environ)
        kinds = get_type_hints(cls)
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            name = field.name.upper()
            if field.name in overrides:
                values[field.name] = overrides[field.name]
            elif raw.get(name, "").strip():
                values[field.name] = _parse(name, raw[name].strip(), kinds[field.name])
        if "events_url" not in values:
            host = values.get("host", cls.host)
            values["events_url"] = (
                f"http://{host}:{values.get('events_port', cls.events_port)}/events"
            )
        if "public_url" not in values:
            values["public_url"] = (
                f"http://{values.get('host', cls.host)}:{values.get('port', cls.port)}"
            )
        return cls(**values)._complete()  # noqa: SLF001 - a class method of the same class

    def _complete(self) -> "Settings":
        self._check()
        changes: dict[str, Any] = {
            "public_url": self.public_url.rstrip("/"),
            "database_url": _absolute(
                self.database_url or f"sqlite:///{self.instance}/vehicle_vault.db"
            ),
        }
        if self.redis_url and not self.celery_broker_url:
            changes["celery_broker_url"] = _another_database(self.redis_url)
        for name in ("jwt_secret", "secret_key"):
            if not getattr(self, name):
                changes[name] = _kept_secret(self.instance / name)
        if self.is_production:
            changes["demo"] = False
        return dataclasses.replace(self, **changes)

    def _check(self) -> None:
        if self.app_env not in {"development", "production"}:
            raise BadSetting(f"APP_ENV is development or production, not {self.app_env!r}.")
        self._check_numbers()
        if self.port == self.events_port:
            raise BadSetting("PORT and EVENTS_PORT must differ.")
        if self.database_url and not self.database_url.startswith(_DATABASES):
            raise BadSetting(
                "DATABASE_URL starts with sqlite:/// or postgresql+psycopg://, the databases that guard a bay."
            )
        if urlsplit(self.public_url).scheme not in {"http", "https"}:
            raise BadSetting("PUBLIC_URL starts with http:// or https://.")
        try:
            currency_digits(self.currency)
        except ValueError as error:
            raise BadSetting(
                f"CURRENCY is an ISO 4217 code such as INR or EUR, not {self.currency!r}."
            ) from error
        if self.log_level.upper() not in logging.getLevelNamesMapping():
            raise BadSetting(
                f"LOG_LEVEL is a name such as INFO or WARNING, not {self.log_level!r}."
            )
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError) as error:
            raise BadSetting(
                f"TIMEZONE is an IANA name such as Asia/Kolkata, not {self.timezone!r}."
            ) from error
        if self.is_production:
            self._check_production()

    def _check_numbers(self) -> None:
        for name in _AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise BadSetting(f"{name.upper()} is at least 1.")
        for name in ("port", "events_port", "mail_port"):
            if not 0 < getattr(self, name) < 65536:
                raise BadSetting(f"{name.upper()} is a port, from 1 to 65535.")
        if not 4 <= self.bcrypt_rounds <= 16:
            raise BadSetting("BCRYPT_ROUNDS is from 4 to 16.")
        if self.trusted_proxies < 0:
            raise BadSetting("TRUSTED_PROXIES is at least 0.")

    def _check_production(self) -> None:
        for name in ("jwt_secret", "secret_key"):
            value = getattr(self, name)
            if len(value) < _SHORTEST_SECRET or value.lower() in _SAMPLES:
                raise BadSetting(
                    f"{name.upper()} is required in production: at least {_SHORTEST_SECRET} characters, for example"
                    " from `python -c 'import secrets; print(secrets.token_urlsafe(48))'`."
                )
        if not self.rate_limits:
            raise BadSetting("RATE_LIMITS cannot be off in production.")
        if self.clock_offset_seconds:
            raise BadSetting("CLOCK_OFFSET_SECONDS cannot be set in production.")
        if self.bcrypt_rounds < 12:
            raise BadSetting("BCRYPT_ROUNDS is at least 12 in production.")
        if not self.redis_url:
            raise BadSetting("REDIS_URL is required in production.")
        if self.celery_broker_url and _server(self.celery_broker_url) == _server(self.redis_url):
            raise BadSetting(
                "In production CELERY_BROKER_URL must be another server than REDIS_URL."
            )
        if not self.celery_broker_url:
            raise BadSetting(
                "CELERY_BROKER_URL is required in production, on another server than REDIS_URL."
            )


_current: Settings | None = None


def use(settings: Settings) -> None:
    """Make these the settings of this process."""
    global _current  # noqa: PLW0603 - a process serves one installation
    _current = settings


def settings() -> Settings:
    """Give the settings of this process.

    Raises:
        RuntimeError: no application was made yet.

    """
    if _current is None:
        raise RuntimeError("There are no settings before create_app.")
    return _current


def _parse(name: str, text: str, kind: Any) -> Any:
    if kind is bool:
        if text.lower() in _TRUE:
            return True
        if text.lower() in _FALSE:
            return False
        raise BadSetting(f"{name} is on or off, not {text!r}.")
    if kind is int:
        try:
            return int(text)
        except ValueError as error:
            raise BadSetting(f"{name} is a whole number, not {text!r}.") from error
    if kind == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def _absolute(database_url: str) -> str:
    """Anchor a relative SQLite path at the project, wherever the command was started."""
    prefix = "sqlite:///"
    path = database_url.removeprefix(prefix)
    if not database_url.startswith(prefix) or path.startswith("/") or path == ":memory:":
        return database_url
    return f"{prefix}{ROOT / path}"


def _another_database(redis_url: str) -> str:
    parts = urlsplit(redis_url)
    number = parts.path.strip("/") or "0"
    return parts._replace(path=f"/{int(number) + 1}").geturl()


def _server(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _kept_secret(path: Path) -> str:
    """Read a development secret, made on first use; of two processes at once, one makes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
    return path.read_text().strip()
