"""Settings: read once from the environment and ``.env``, checked, and frozen."""

import base64
import dataclasses
import ipaddress
import logging
import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from email.utils import getaddresses, parseaddr
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import SplitResult, parse_qs, urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values

from backend.addresses import is_address
from backend.money import currency_digits

ROOT = Path(__file__).resolve().parent.parent

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
# Nothing but words that stand for a secret in examples, however often they are repeated.
_SAMPLE = re.compile(
    r"(?=.*[a-z])(?:change[-_ ]?me|secret|password|sample|example|default|development|dev|test|jwt|key|your|my|the"
    r"|[\W_\d])+",
    re.IGNORECASE,
)
_SHORTEST_SECRET = 32
_SEED_BYTES = 32
# Random bytes are hardly ever fewer different ones; samples and zeros are.
_FEWEST_DIFFERENT = 16
_SEED_RECIPE = (
    f"make them by `python -c 'import secrets; print(secrets.token_urlsafe({_SEED_BYTES}))'`."
)
_DATABASES = ("sqlite:///", "postgresql+psycopg://")
GATEWAYS = ("sandbox", "stripe", "cash")
"""The payment gateways that exist."""
_REDIS_PORT = 6379
_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.?")
_DAY_MINUTES = 24 * 60
_TEN_YEARS_SECONDS = 10 * 366 * 24 * 3600
_BOUNDS = {
    "port": (1, 65535),
    "events_port": (1, 65535),
    "mail_port": (1, 65535),
    "trusted_proxies": (0, 16),
    "web_workers": (1, 256),
    "web_threads": (1, 256),
    "hold_minutes": (1, _DAY_MINUTES),
    "quote_minutes": (1, _DAY_MINUTES),
    "access_token_minutes": (1, _DAY_MINUTES),
    "refresh_token_days": (1, 366),
    "bcrypt_rounds": (4, 16),
    "sent_mail_days": (1, 3660),
    "export_days": (1, 30),
    "scan_days": (1, 3660),
    "notification_days": (1, 3660),
    "backup_days": (0, 3660),
    "clock_offset_seconds": (-_TEN_YEARS_SECONDS, _TEN_YEARS_SECONDS),
}


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
    jwt_secret_before: str = ""
    secret_key: str = ""
    secret_key_before: str = ""
    ticket_signing_key: str = ""
    ticket_signing_key_before: str = ""
    mail_server: str = ""
    mail_port: int = 587
    mail_username: str = ""
    mail_password: str = ""
    mail_use_tls: bool = True
    mail_from: str = "Vehicle Vault <parking@localhost>"
    public_url: str = ""
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: int = 0
    host: str = "127.0.0.1"
    port: int = 8000
    events_port: int = 8001
    events_url: str = ""
    web_workers: int = 2
    web_threads: int = 4
    payment_gateways: tuple[str, ...] = ("sandbox", "cash")
    sandbox_webhook_secret: str = ""
    stripe_secret_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_api_base: str = "https://api.stripe.com"
    hold_minutes: int = 10
    quote_minutes: int = 10
    access_token_minutes: int = 15
    refresh_token_days: int = 30
    bcrypt_rounds: int = 12
    rate_limits: bool = True
    admin_second_factor: str = "production"
    sent_mail_days: int = 30
    export_days: int = 7
    scan_days: int = 90
    notification_days: int = 90
    backup_days: int = 7
    currency: str = "INR"
    timezone: str = "Asia/Kolkata"
    locale: str = "en-IN"
    brand_name: str = "Vehicle Vault"
    map_tile_url: str = ""
    map_attribution: str = ""
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
    def jwt_secrets(self) -> tuple[str, ...]:
        """The secret that writes tokens, and the one before it, which is read for a while yet."""
        return tuple(filter(None, (self.jwt_secret, self.jwt_secret_before)))

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The key that seals and digests, and the one before it, which is read for a while yet."""
        return tuple(filter(None, (self.secret_key, self.secret_key_before)))

    @property
    def admins_need_second_factor(self) -> bool:
        """Whether an admin without an authenticator app may do no more than set one up."""
        return self.admin_second_factor == "always" or (
            self.admin_second_factor == "production" and self.is_production
        )

    @property
    def ticket_seeds(self) -> tuple[bytes, ...]:
        """The 32 bytes from which the key that signs tickets is made, and those of the one before it."""
        keys = (self.ticket_signing_key, self.ticket_signing_key_before)
        return tuple(_decoded(key) for key in keys if key)

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
        return cls(**values)._complete()  # noqa: SLF001 - a class method of the same class

    def _complete(self) -> "Settings":
        self._check()
        changes: dict[str, Any] = {
            "public_url": self.public_url.rstrip("/") or f"http://{self.host}:{self.port}",
            "database_url": _absolute(
                self.database_url or f"sqlite:///{self.instance}/vehicle_vault.db"
            ),
        }
        if self.redis_url and not self.celery_broker_url:
            changes["celery_broker_url"] = _another_database(self.redis_url)
        for name in ("jwt_secret", "secret_key"):
            if not getattr(self, name):
                changes[name] = _kept_secret(self.instance / name)
        if not self.sandbox_webhook_secret and "sandbox" in self.payment_gateways:
            changes["sandbox_webhook_secret"] = _kept_secret(
                self.instance / "sandbox_webhook_secret"
            )
        if not self.ticket_signing_key:
            changes["ticket_signing_key"] = _kept_secret(
                self.instance / "ticket_signing_key", size=_SEED_BYTES
            )
        if self.is_production:
            changes["demo"] = False
        return dataclasses.replace(self, **changes)

    def _check(self) -> None:
        if self.app_env not in {"development", "production"}:
            raise BadSetting(f"APP_ENV is development or production, not {self.app_env!r}.")
        self._check_numbers()
        if self.admin_second_factor not in {"always", "production", "never"}:
            raise BadSetting(
                f"ADMIN_SECOND_FACTOR is always, production or never, not {self.admin_second_factor!r}."
            )
        if self.port == self.events_port:
            raise BadSetting("PORT and EVENTS_PORT must differ.")
        if self.database_url and not self.database_url.startswith(_DATABASES):
            raise BadSetting(
                "DATABASE_URL starts with sqlite:/// or postgresql+psycopg://, the databases that guard a bay."
            )
        self._check_names()
        self._check_servers()
        self._check_public_url()
        self._check_map()
        for name in ("ticket_signing_key", "ticket_signing_key_before"):
            if getattr(self, name) and not _is_seed(getattr(self, name)):
                raise BadSetting(
                    f"{name.upper()} is {_SEED_BYTES} random bytes as base64url; {_SEED_RECIPE}"
                )
        if self.is_production:
            self._check_production()

    def _check_names(self) -> None:
        if not _is_sender(self.mail_from):
            raise BadSetting(
                "MAIL_FROM is an e-mail address, or a name before one in angle brackets, not"
                f" {self.mail_from!r}."
            )
        for name in self.payment_gateways:
            if name not in GATEWAYS:
                raise BadSetting(
                    f"PAYMENT_GATEWAYS lists {', '.join(GATEWAYS)}, or is none, not {name!r}."
                )
        self._check_stripe()
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

    def _check_numbers(self) -> None:
        for name, (lowest, highest) in _BOUNDS.items():
            if not lowest <= getattr(self, name) <= highest:
                raise BadSetting(f"{name.upper()} is from {lowest} to {highest}.")

    def _check_servers(self) -> None:
        if self.redis_url and not _is_valkey(self.redis_url):
            raise BadSetting(
                "REDIS_URL is redis://host:port/number, rediss://host:port/number or unix:///path."
            )
        if self.celery_broker_url:
            if self.celery_broker_url.startswith("unix:") or not _is_valkey(self.celery_broker_url):
                raise BadSetting(
                    "CELERY_BROKER_URL is redis://host:port/number or rediss://host:port/number."
                )
        elif self.redis_url.startswith("unix:"):
            # Celery and RedBeat do not agree on how to write a socket.
            raise BadSetting("CELERY_BROKER_URL is required when REDIS_URL is a socket.")

    def _check_public_url(self) -> None:
        if not self.public_url:
            return
        url = _split(self.public_url)
        if (
            url is None
            or url.scheme not in {"http", "https"}
            or not _is_host(url.hostname or "")
            or url.username is not None
            or url.query
            or url.fragment
        ):
            raise BadSetting(
                "PUBLIC_URL starts with http:// or https:// and a host, such as https://parking.example.org."
            )

    def _check_stripe(self) -> None:
        if "stripe" not in self.payment_gateways:
            return
        for name in ("stripe_secret_key", "stripe_webhook_secret"):
            if not getattr(self, name):
                raise BadSetting(
                    f"{name.upper()} is required when PAYMENT_GATEWAYS lists stripe; Stripe's dashboard shows it."
                )
        url = _split(self.stripe_api_base)
        if (
            url is None
            or url.scheme not in {"http", "https"}
            or not _is_host(url.hostname or "")
            or url.path.strip("/")
            or url.query
            or url.fragment
        ):
            raise BadSetting(
                "STRIPE_API_BASE starts with http:// or https:// and a host, such as https://api.stripe.com."
            )
        if self.is_production and url.scheme != "https":
            raise BadSetting("STRIPE_API_BASE starts with https:// in production.")

    def _check_map(self) -> None:
        if not self.map_tile_url:
            return
        url = _split(self.map_tile_url)
        if (
            url is None
            or url.scheme not in {"http", "https"}
            or not _is_host(url.hostname or "")
            or url.username is not None
            or not all(part in url.path + url.query for part in ("{z}", "{x}", "{y}"))
        ):
            raise BadSetting(
                "MAP_TILE_URL is an address of map tiles with {z}, {x} and {y}, such as"
                " https://tiles.example.org/{z}/{x}/{y}.png."
            )

    def _check_production(self) -> None:
        self._check_production_secrets()
        if not self.rate_limits:
            raise BadSetting("RATE_LIMITS cannot be off in production.")
        if self.clock_offset_seconds:
            raise BadSetting("CLOCK_OFFSET_SECONDS cannot be set in production.")
        if self.bcrypt_rounds < 12:
            raise BadSetting("BCRYPT_ROUNDS is at least 12 in production.")
        self._check_production_servers()
        if not self.public_url or _is_here(urlsplit(self.public_url).hostname or ""):
            raise BadSetting(
                "PUBLIC_URL is required in production, with the host under which people reach it."
            )
        if self.mail_server and not is_address(parseaddr(self.mail_from)[1]):
            raise BadSetting("MAIL_FROM needs a domain that receives answers in production.")
        if "sandbox" in self.payment_gateways:
            raise BadSetting(
                "PAYMENT_GATEWAYS cannot be sandbox in production, where anyone could pay with a test card;"
                " none takes no payments."
            )

    def _check_production_secrets(self) -> None:
        for name in ("jwt_secret", "secret_key"):
            value = getattr(self, name)
            if len(value) < _SHORTEST_SECRET or _SAMPLE.fullmatch(value):
                raise BadSetting(
                    f"{name.upper()} is required in production: at least {_SHORTEST_SECRET} characters, for example"
                    " from `python -c 'import secrets; print(secrets.token_urlsafe(48))'`."
                )
        if not self.ticket_signing_key:
            raise BadSetting(
                f"TICKET_SIGNING_KEY is required in production: {_SEED_BYTES} random bytes as base64url; {_SEED_RECIPE}"
            )
        for name in ("jwt_secret_before", "secret_key_before"):
            value = getattr(self, name)
            if value and (len(value) < _SHORTEST_SECRET or _SAMPLE.fullmatch(value)):
                raise BadSetting(
                    f"{name.upper()} is the secret that was in use before, or empty in production."
                )
        if self.jwt_secret == self.secret_key:
            raise BadSetting("JWT_SECRET and SECRET_KEY must differ in production.")

    def _check_production_servers(self) -> None:
        if not self.redis_url:
            raise BadSetting("REDIS_URL is required in production.")
        if not self.celery_broker_url:
            raise BadSetting(
                "CELERY_BROKER_URL is required in production, on another server than REDIS_URL."
            )
        if _server(self.celery_broker_url) == _server(self.redis_url):
            raise BadSetting(
                "In production CELERY_BROKER_URL must be another server than REDIS_URL."
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
        if text.lower() == "none":
            return ()
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


def _split(url: str) -> SplitResult | None:
    """Take a URL apart; None when it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # is read only when asked for, and raises when it is no port
    except ValueError:
        return None
    return parts


def _is_valkey(url: str) -> bool:
    parts = _split(url)
    if parts is None:
        return False
    database = parse_qs(parts.query, keep_blank_values=True).get("db")
    if parts.scheme == "unix":
        number = "0" if database is None else database[0]
        return len(parts.path) > 1 and re.fullmatch("[0-9]{1,5}", number) is not None
    return (
        parts.scheme in {"redis", "rediss"}
        and database is None
        and _is_host(parts.hostname or "")
        and re.fullmatch("/?|/[0-9]{1,5}", parts.path) is not None
    )


def _is_host(name: str) -> bool:
    return _HOST.fullmatch(name) is not None or _ip_address(name) is not None


def _is_here(host: str) -> bool:
    """Tell whether a host is the machine itself, by whichever name."""
    address = _ip_address(host)
    if address is not None:
        return address.is_loopback or address.is_unspecified
    return host.rstrip(".").lower() == "localhost" or host.lower().endswith(".localhost")


def _ip_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_sender(text: str) -> bool:
    """Tell whether mail may come from it: an address with or without a name; on this machine too."""
    addresses = [address for _, address in getaddresses([text])]
    if len(addresses) != 1 or not text.isprintable():
        return False
    (address,) = addresses
    local_part, _, domain = address.rpartition("@")
    return is_address(f"{local_part}@example.org" if domain == "localhost" else address)


def _server(url: str) -> tuple[str, int]:
    """Name the server of a checked URL alike, however it is written."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path, 0
    host = (parts.hostname or "").rstrip(".")
    return "localhost" if _is_here(host) else host, parts.port or _REDIS_PORT


def _decoded(text: str) -> bytes:
    """Read base64url, with or without its padding; nothing when it is none."""
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""


def _is_seed(text: str) -> bool:
    seed = _decoded(text)
    return len(seed) == _SEED_BYTES and len(set(seed)) >= _FEWEST_DIFFERENT


def _kept_secret(path: Path, *, size: int = 48) -> str:
    """Read a development secret, made on first use; of two processes at once, one makes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(size))
        try:
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
    return path.read_text().strip()
