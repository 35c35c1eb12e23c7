"""Settings: what is refused, each in one clear line, and what is taken."""

from pathlib import Path

import pytest

from backend.config import BadSetting, Settings

PRODUCTION = {
    "APP_ENV": "production",
    "JWT_SECRET": "j" * 48,
    "SECRET_KEY": "s" * 48,
    "TICKET_SIGNING_KEY": "eXgHPxrWiLzoUj0JcvSCdaLD-bbI5NqoYJ9qSRmIr_Y",
    "REDIS_URL": "redis://cache.example/0",
    "CELERY_BROKER_URL": "redis://broker.example/0",
    "PUBLIC_URL": "https://parking.example.org",
    "PAYMENT_GATEWAYS": "none",
}


@pytest.fixture(autouse=True)
def _own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "none.env"))
    monkeypatch.setenv("INSTANCE_PATH", str(tmp_path))


def _load(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings.load()


def _refusal(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> str:
    with pytest.raises(BadSetting) as refusal:
        _load(monkeypatch, environment)
    line = str(refusal.value)
    assert "\n" not in line
    assert line.endswith(".")
    return line


class TestAnywhere:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("REDIS_URL", "nonsense://x"),
            ("REDIS_URL", "redis://h/abc"),
            ("REDIS_URL", "redis://h/-1"),
            ("REDIS_URL", "redis://h/0?db=x"),
            ("REDIS_URL", "redis://h:port/0"),
            ("REDIS_URL", "redis://h:99999/0"),
            ("REDIS_URL", "redis:///0"),
            ("REDIS_URL", "redis://a b/0"),
            ("REDIS_URL", "redis://[::1/0"),
            ("REDIS_URL", "unix://"),
            ("REDIS_URL", "unix:///run/valkey.sock?db=x"),
            ("REDIS_URL", "localhost:6379"),
            ("CELERY_BROKER_URL", "amqp://h"),
            ("CELERY_BROKER_URL", "redis://h/abc"),
            ("CELERY_BROKER_URL", "unix:///run/valkey.sock"),
            ("CLOCK_OFFSET_SECONDS", "9999999999999999"),
            ("CLOCK_OFFSET_SECONDS", "-9999999999999999"),
            ("HOLD_MINUTES", "0"),
            ("HOLD_MINUTES", "1441"),
            ("QUOTE_MINUTES", "99999999999999"),
            ("ACCESS_TOKEN_MINUTES", "1441"),
            ("REFRESH_TOKEN_DAYS", "99999"),
            ("WEB_WORKERS", "257"),
            ("WEB_THREADS", "257"),
            ("WEB_THREADS", "9" * 5000),
            ("TRUSTED_PROXIES", "-1"),
            ("PORT", "65536"),
            ("BCRYPT_ROUNDS", "3"),
            ("PUBLIC_URL", "https://"),
            ("PUBLIC_URL", "http://x y/"),
            ("PUBLIC_URL", "ftp://parking.example.org"),
            ("PUBLIC_URL", "parking.example.org"),
            ("PUBLIC_URL", "https://parking.example.org:port"),
            ("PUBLIC_URL", "https://me@parking.example.org"),
            ("PUBLIC_URL", "https://parking.example.org/?a=b"),
            ("MAIL_FROM", "nonsense"),
            ("MAIL_FROM", "Vehicle Vault <nonsense>"),
            ("MAIL_FROM", "a,b@example.org"),
            ("MAIL_FROM", "a@example.org, b@example.org"),
            ("MAIL_FROM", "Vault <a@example.org>\nBcc: b@example.org"),
            ("PAYMENT_GATEWAYS", "paypal"),
            ("PAYMENT_GATEWAYS", "sandbox,none"),
            ("TICKET_SIGNING_KEY", "short"),
            ("TICKET_SIGNING_KEY", "A" * 43),
            ("TICKET_SIGNING_KEY", "eXgHPxrWiLzoUj0JcvSCdaLD-bbI5NqoYJ9qSRmIr_YAAAA"),
            ("TICKET_SIGNING_KEY", "ключ"),
            ("MAP_TILE_URL", "https://tiles.example.org/"),
            ("MAP_TILE_URL", "https://tiles.example.org/{z}/{x}.png"),
            ("MAP_TILE_URL", "https://{s}.tiles.example.org/{z}/{x}/{y}.png"),
            ("MAP_TILE_URL", "https://me@tiles.example.org/{z}/{x}/{y}.png"),
            ("MAP_TILE_URL", "/tiles/{z}/{x}/{y}.png"),
        ],
    )
    def test_what_makes_no_sense_is_one_clear_line(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        assert _refusal(monkeypatch, {name: value}).startswith(f"{name} ")

    def test_a_socket_needs_a_broker_beside_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        socket = {"REDIS_URL": "unix:///run/valkey.sock?db=1"}
        assert _refusal(monkeypatch, socket).startswith("CELERY_BROKER_URL is required")
        found = _load(monkeypatch, socket | {"CELERY_BROKER_URL": "redis://h/1"})
        assert found.redis_url == socket["REDIS_URL"]

    @pytest.mark.parametrize(
        ("cache", "broker"),
        [
            ("redis://h", "redis://h/1"),
            ("redis://h/", "redis://h/1"),
            ("rediss://user:word@h:7000/3", "rediss://user:word@h:7000/4"),
            ("redis://[::1]:6379/0", "redis://[::1]:6379/1"),
        ],
    )
    def test_the_broker_is_the_next_database(
        self, monkeypatch: pytest.MonkeyPatch, cache: str, broker: str
    ) -> None:
        assert _load(monkeypatch, {"REDIS_URL": cache}).celery_broker_url == broker

    @pytest.mark.parametrize(
        ("missing", "value"),
        [
            ("STRIPE_SECRET_KEY", ""),
            ("STRIPE_WEBHOOK_SECRET", ""),
            ("STRIPE_API_BASE", "ftp://api.stripe.com"),
            ("STRIPE_API_BASE", "https://"),
            ("STRIPE_API_BASE", "https://api.stripe.com/v1"),
        ],
    )
    def test_stripe_is_offered_when_it_can_be_asked(
        self, monkeypatch: pytest.MonkeyPatch, missing: str, value: str
    ) -> None:
        given = {
            "PAYMENT_GATEWAYS": "stripe, cash",
            "STRIPE_SECRET_KEY": "sk_test_x",
            "STRIPE_WEBHOOK_SECRET": "whsec_x",
        }
        assert _load(monkeypatch, given).payment_gateways == ("stripe", "cash")
        assert _refusal(monkeypatch, given | {missing: value}).startswith(f"{missing} ")

    @pytest.mark.parametrize(
        ("text", "gateways"), [("", ("sandbox", "cash")), ("sandbox", ("sandbox",)), ("None", ())]
    )
    def test_gateways_are_listed(
        self, monkeypatch: pytest.MonkeyPatch, text: str, gateways: tuple[str, ...]
    ) -> None:
        assert _load(monkeypatch, {"PAYMENT_GATEWAYS": text}).payment_gateways == gateways

    @pytest.mark.parametrize(
        "address",
        ["https://tiles.example.org/{z}/{x}/{y}.png", "http://[::1]:81/t?z={z}&x={x}&y={y}"],
    )
    def test_maps_may_come_from(self, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
        assert _load(monkeypatch, {"MAP_TILE_URL": address}).map_tile_url == address

    @pytest.mark.parametrize(
        "sender", ["parking@localhost", "a.b@example.org", '"Vault, the" <parking@example.org>']
    )
    def test_mail_may_come_from(self, monkeypatch: pytest.MonkeyPatch, sender: str) -> None:
        assert _load(monkeypatch, {"MAIL_FROM": sender}).mail_from == sender

    def test_links_begin_with_the_own_address_unless_told(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert _load(monkeypatch, {"PORT": "8010"}).public_url == "http://127.0.0.1:8010"
        told = _load(monkeypatch, {"PUBLIC_URL": "https://parking.example.org/"})
        assert told.public_url == "https://parking.example.org"

    def test_secrets_of_development_are_made_once_and_kept(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        made, again = _load(monkeypatch, {}), _load(monkeypatch, {})
        for name in ("jwt_secret", "secret_key", "ticket_signing_key"):
            assert getattr(made, name) == getattr(again, name)
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        assert len(made.ticket_seeds[0]) == 32

    @pytest.mark.parametrize("padding", ["", "="])
    def test_the_key_of_tickets_is_32_bytes(
        self, monkeypatch: pytest.MonkeyPatch, padding: str
    ) -> None:
        given = {"TICKET_SIGNING_KEY": PRODUCTION["TICKET_SIGNING_KEY"] + padding}
        assert len(_load(monkeypatch, given).ticket_seeds[0]) == 32


class TestProduction:
    def test_it_starts_without_a_gateway(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = _load(monkeypatch, PRODUCTION | {"DEMO": "on"})
        assert (found.payment_gateways, found.demo) == ((), False)

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"PAYMENT_GATEWAYS": ""}, "PAYMENT_GATEWAYS"),
            ({"PAYMENT_GATEWAYS": "sandbox"}, "PAYMENT_GATEWAYS"),
            ({"JWT_SECRET": ""}, "JWT_SECRET"),
            ({"JWT_SECRET": "short"}, "JWT_SECRET"),
            ({"JWT_SECRET": "change-me" * 5}, "JWT_SECRET"),
            ({"SECRET_KEY": "change_me-" * 5}, "SECRET_KEY"),
            ({"SECRET_KEY": "Your Secret Key, your secret key, 12345"}, "SECRET_KEY"),
            ({"SECRET_KEY": "secret" * 8}, "SECRET_KEY"),
            ({"JWT_SECRET": "s" * 48}, "JWT_SECRET"),
            ({"TICKET_SIGNING_KEY": ""}, "TICKET_SIGNING_KEY"),
            ({"RATE_LIMITS": "off"}, "RATE_LIMITS"),
            ({"CLOCK_OFFSET_SECONDS": "60"}, "CLOCK_OFFSET_SECONDS"),
            ({"BCRYPT_ROUNDS": "11"}, "BCRYPT_ROUNDS"),
            ({"REDIS_URL": ""}, "REDIS_URL"),
            ({"CELERY_BROKER_URL": ""}, "CELERY_BROKER_URL"),
            ({"PUBLIC_URL": ""}, "PUBLIC_URL"),
            ({"PUBLIC_URL": "", "HOST": "192.0.2.7"}, "PUBLIC_URL"),
            ({"PUBLIC_URL": "http://localhost:8000"}, "PUBLIC_URL"),
            ({"PUBLIC_URL": "http://127.0.0.1:8000"}, "PUBLIC_URL"),
            ({"PUBLIC_URL": "http://0.0.0.0"}, "PUBLIC_URL"),
            ({"PUBLIC_URL": "http://[::1]"}, "PUBLIC_URL"),
            ({"MAIL_SERVER": "mail.example.org"}, "MAIL_FROM"),
        ],
    )
    def test_what_is_unsafe_is_one_clear_line(
        self, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], named: str
    ) -> None:
        assert _refusal(monkeypatch, PRODUCTION | change).startswith(f"{named} ")

    @pytest.mark.parametrize(
        ("cache", "broker"),
        [
            ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/1"),
            ("redis://127.0.0.1:6379/0", "redis://localhost:6379/1"),
            ("redis://127.0.0.1/0", "redis://localhost:6379/1"),
            ("redis://[::1]/0", "redis://127.0.0.2/1"),
            ("redis://:word@Cache.example/0", "rediss://:other@cache.example:6379/1"),
        ],
    )
    def test_one_server_is_not_cache_and_broker(
        self, monkeypatch: pytest.MonkeyPatch, cache: str, broker: str
    ) -> None:
        servers = {"REDIS_URL": cache, "CELERY_BROKER_URL": broker}
        assert "another server" in _refusal(monkeypatch, PRODUCTION | servers)

    def test_two_ports_of_a_host_are_two_servers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        servers = {"REDIS_URL": "redis://localhost:1/0", "CELERY_BROKER_URL": "redis://localhost:2"}
        assert _load(monkeypatch, PRODUCTION | servers).is_production
