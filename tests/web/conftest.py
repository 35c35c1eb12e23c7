"""A small application that speaks our HTTP, with notes in place of parking."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask, Request, Response
from flask_security import SQLAlchemyUserDatastore
from sqlalchemy import UniqueConstraint, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from backend import config
from backend.clock import now
from backend.config import Settings
from backend.database import engine_options, prepare_engine
from backend.errors import Conflict, InvalidInput, NotFound, TooManyRequests
from backend.extensions import db, security
from backend.identity import Caller
from backend.models import Base, Role, User
from backend.web import fields, init_web, limits
from backend.web.api import Resource, resource_blueprint
from backend.web.cache import cached_bytes
from backend.web.caller import authenticate_with, caller, find_caller
from backend.web.idempotency import remember
from backend.web.operation import MULTIPART, operation
from backend.web.pagination import Page, PageQuery, page_of, page_schema, read_cursor
from backend.web.schema import Schema
from tests.contract import ContractClient


class NoteBase(DeclarativeBase):
    pass


class Note(NoteBase):
    __tablename__ = "notes"
    __table_args__ = (UniqueConstraint("text", name="uq_notes_text"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it as declared


class NoteSchema(Schema):
    id = fields.Id()
    text = fields.Text(min=1, max=40)


class NoteCreate(Schema):
    text = fields.Text(min=1, max=40, required=True)
    at = fields.Instant()
    tags = fields.List(fields.Text(max=8), max=3)
    anything = fields.Dict()


class NoteUpdate(Schema):
    text = fields.Text(min=1, max=40, required=True)


class NoteQuery(PageQuery):
    starred = fields.Flag()
    near = fields.Real(min=-90, max=90)


class UploadBody(Schema):
    file = fields.Upload(required=True)
    dry_run = fields.Flag(load_default=False)


@dataclass
class Knobs:
    """What a test may turn inside the application."""

    effects: int = 0
    during: Callable[[], Any] = lambda: None
    fault: Callable[[], Any] = lambda: None


def _make_resources(knobs: Knobs) -> Any:  # noqa: C901 - it only lists the resources
    blueprint, api = resource_blueprint("notes", __name__)

    def get_note(note_id: int) -> Note:
        note = db.session.get(Note, note_id)
        if note is None:
            raise NotFound
        return note

    @api.resource("/notes")
    class NoteList(Resource):
        @operation(public=True, query=NoteQuery(), response=page_schema(NoteSchema))
        def get(self, query: dict[str, Any]) -> Page:
            """List notes."""
            after = 0 if query["cursor"] is None else read_cursor(query["cursor"], int)[0]
            rows = db.session.scalars(
                select(Note).where(Note.id > after).order_by(Note.id).limit(query["limit"] + 1)
            ).all()
            return page_of(rows, query["limit"], "id")

        @operation(
            roles=("driver",),
            body=NoteCreate(),
            response=NoteSchema(),
            status=HTTPStatus.CREATED,
            idempotent=True,
            raises=(Conflict,),
        )
        def post(self, body: dict[str, Any]) -> Note:
            """Write a note.

            It is kept for ever.
            """
            note = Note(text=body["text"])
            db.session.add(note)
            db.session.flush()  # gives note.id
            knobs.during()
            remember(id=note.id)
            knobs.effects += 1
            return note

        def replay(self, facts: dict[str, Any]) -> Note:
            return get_note(facts["id"])

    @api.resource("/notes/<id:note_id>")
    class NoteDetail(Resource):
        @operation(response=NoteSchema(), raises=(NotFound,))
        def get(self, note_id: int) -> Note:
            """Read a note."""
            return get_note(note_id)

        @operation(body=NoteUpdate(), response=NoteSchema(), raises=(NotFound,))
        def patch(self, note_id: int, body: dict[str, Any]) -> Note:
            """Change a note."""
            note = get_note(note_id)
            note.text = body["text"]
            knobs.during()
            return note

        @operation(status=HTTPStatus.NO_CONTENT, raises=(NotFound,))
        def delete(self, note_id: int) -> None:
            """Delete a note."""
            db.session.delete(get_note(note_id))

    @api.resource("/payments")
    class PaymentList(Resource):
        @operation(
            body=NoteUpdate(),
            response=NoteSchema(),
            status=HTTPStatus.CREATED,
            idempotent=True,
            transaction=False,
        )
        def post(self, body: dict[str, Any]) -> dict[str, Any]:
            """Do something slow between two transactions."""
            from backend.transaction import transaction  # noqa: PLC0415 - one resource needs it

            with transaction():
                note = Note(text=body["text"])
                db.session.add(note)
                db.session.flush()  # gives note.id
                remember(id=note.id)
            knobs.during()
            knobs.effects += 1
            return {"id": note.id, "text": note.text}

        def replay(self, facts: dict[str, Any]) -> Note:
            return get_note(facts["id"])

    @api.resource("/faults")
    class Faults(Resource):
        @operation(public=True, response=NoteSchema())
        def get(self) -> None:
            """Fail as the test says."""
            knobs.fault()

        @operation(public=True, status=HTTPStatus.NO_CONTENT)
        def post(self) -> None:
            """Fail as the test says, while writing."""
            knobs.fault()

    @api.resource("/limited")
    class Limited(Resource):
        @operation(
            public=True, transaction=False, status=HTTPStatus.NO_CONTENT, raises=(TooManyRequests,)
        )
        def post(self) -> None:
            """Allow three in a minute."""
            limits.hit("limited", "3 per minute", "someone@example.org")

    @api.resource("/cached")
    class Cached(Resource):
        @operation(public=True, transaction=False, response=NoteSchema())
        def get(self) -> Response:
            """Answer kept bytes."""

            def build() -> bytes:
                knobs.effects += 1
                return b'{"id":%d,"text":"kept"}' % knobs.effects

            answer = Response(cached_bytes("notes", "all", build), content_type="application/json")
            answer.add_etag()
            return answer

    @api.resource("/uploads")
    class Uploads(Resource):
        @operation(
            body=UploadBody(),
            body_type=MULTIPART,
            max_body=10_000_000,
            response=NoteSchema(),
            raises=(InvalidInput,),
        )
        def post(self, body: dict[str, Any]) -> dict[str, Any]:
            """Take a file."""
            return {"id": len(body["file"].read()), "text": str(body["dry_run"])}

    @api.resource("/me")
    class Me(Resource):
        @operation(roles=("admin",), response=NoteSchema())
        def get(self) -> dict[str, Any]:
            """Tell an admin who asks."""
            return {"id": caller().id, "text": caller().name}

    @api.resource("/maybe-me")
    class MaybeMe(Resource):
        @operation(public=True, response=NoteSchema())
        def get(self) -> dict[str, Any]:
            """Tell who asks, if anybody."""
            found = find_caller()
            return {"id": found.id if found else 1, "text": found.name if found else "nobody"}

    return blueprint


def _load(request: Request) -> Caller | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not token.isdigit():
        return None
    user = db.session.get(User, int(token))
    if user is None:
        return None
    roles = ("admin",) if user.id == 2 else ("driver",)
    return Caller(user.id, 1, user.email, user.name, roles, user.timezone, user.locale)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        database_url=f"sqlite:///{tmp_path}/web.db",
        secret_key="s" * 40,
        public_url="https://parking.example.org",
        cors_origins=("https://app.example.org",),
        events_url="https://live.example.org/events",
    )


@pytest.fixture
def make_app(settings: Settings, knobs: Knobs) -> Iterator[Callable[..., Flask]]:
    made: list[Flask] = []

    def make(*, testing: bool = True, **changes: Any) -> Flask:
        chosen = replace(settings, **changes)
        config.use(chosen)
        app = Flask(__name__, static_folder=None)
        app.extensions["settings"] = chosen
        app.config.update(
            TESTING=testing,
            SECRET_KEY=chosen.secret_key,
            SQLALCHEMY_DATABASE_URI=chosen.database_url,
            SQLALCHEMY_ENGINE_OPTIONS=engine_options(chosen.database_url, threads=20),
            SECURITY_PASSWORD_SALT="salt",
            WTF_CSRF_ENABLED=False,
        )
        db.init_app(app)
        security.init_app(app, SQLAlchemyUserDatastore(db, User, Role), register_blueprint=False)
        init_web(app, chosen)
        authenticate_with(app, _load)
        app.register_blueprint(_make_resources(knobs), url_prefix="/api/v1")
        with app.app_context():
            prepare_engine(db.engine)
            Base.metadata.create_all(db.engine)
            NoteBase.metadata.create_all(db.engine)
            with db.engine.begin() as connection:
                if connection.execute(select(User.id)).first() is None:
                    _add_people(connection)
        app.test_client_class = ContractClient
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


def _add_people(connection: Any) -> None:
    moment: datetime = now()
    connection.execute(
        insert(User),
        [
            {
                "id": number,
                "email": f"{name}@example.org",
                "name": name,
                "password": "",
                "fs_uniquifier": name,
                "active": True,
                "epoch": 0,
                "timezone": "UTC",
                "locale": "en",
                "created_at": moment,
                "version": 1,
            }
            for number, name in ((1, "ann"), (2, "bob"), (3, "cy"))
        ],
    )
    connection.execute(insert(Note), [{"text": f"note {n}", "version": 1} for n in range(5)])


@pytest.fixture
def knobs() -> Knobs:
    return Knobs()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> ContractClient:
    made: ContractClient = app.test_client()
    return made


@pytest.fixture
def ann() -> dict[str, str]:
    return {"Authorization": "Bearer 1"}


@pytest.fixture
def bob() -> dict[str, str]:
    return {"Authorization": "Bearer 2"}


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def valkey_url(valkey_url: str) -> str:
    """This worker's Valkey, empty."""
    with redis.Redis.from_url(valkey_url) as connection:
        connection.flushdb()
    return valkey_url
