"""Notifications as JSON."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from backend.notifications.kinds import ALL
from backend.web import fields
from backend.web.pagination import PAGE_LIMIT_MAX, PageQuery
from backend.web.schema import Schema


class NotificationQuery(PageQuery):
    """Which notifications are wanted."""

    unread = fields.Flag(load_default=False, metadata={"description": "Only what is not read."})


class NotificationSchema(Schema):
    """One thing that somebody was told."""

    id = fields.Id()
    kind = fields.Choice(*(kind.name for kind in ALL))
    title = fields.Text()
    text = fields.Text()
    link = fields.Text(
        allow_none=True, metadata={"description": "Where the front end shows more of it."}
    )
    created_at = fields.Instant()
    read_at = fields.Instant(allow_none=True)


class NotificationsSchema(Schema):
    """A page of what somebody was told."""

    items = fields.List(fields.Nested(NotificationSchema))
    next_cursor = fields.Text(allow_none=True)
    unread = fields.Integer(min=0, metadata={"description": "How many are unread, of all."})


class NotificationsRead(Schema):
    """What was read: these, or all up to one."""

    ids = fields.List(fields.Id(), min=1, max=PAGE_LIMIT_MAX)
    until_id = fields.Id(metadata={"description": "All up to this one, the newest that was seen."})

    @validates_schema
    def check_one(self, values: dict[str, Any], **_: Any) -> None:
        """Ask for one of the two."""
        if len(values) != 1:
            raise ValidationError("Name either ids or until_id.", "ids")


class UnreadSchema(Schema):
    """How much is unread."""

    unread = fields.Integer(min=0)


class NotificationChoiceSchema(Schema):
    """How one kind of notification comes."""

    kind = fields.Choice(*(kind.name for kind in ALL))
    mail = fields.Flag()
    app = fields.Flag()
    mail_locked = fields.Flag(metadata={"description": "Its mail cannot be switched."})
    app_locked = fields.Flag(metadata={"description": "It cannot be switched in the app."})


class NotificationChoicesSchema(Schema):
    """How all kinds come."""

    items = fields.List(fields.Nested(NotificationChoiceSchema))


class NotificationWish(Schema):
    """How one kind should come; what is not named stays."""

    kind = fields.Choice(*(kind.name for kind in ALL), required=True)
    mail = fields.Flag()
    app = fields.Flag()


class NotificationWishes(Schema):
    """How some kinds should come."""

    items = fields.List(fields.Nested(NotificationWish), required=True, min=1, max=len(ALL))
