"""Notifications over HTTP."""

from typing import Any

from backend.errors import InvalidInput
from backend.notifications import choosing, reading
from backend.notifications.schemas import (
    NotificationChoicesSchema,
    NotificationQuery,
    NotificationsRead,
    NotificationsSchema,
    NotificationWishes,
    UnreadSchema,
)
from backend.notifications.telling import count_unread
from backend.web.api import Resource, resource_blueprint
from backend.web.caller import caller
from backend.web.operation import operation
from backend.web.pagination import page_of, read_cursor

blueprint, api = resource_blueprint("notifications", __name__)


@api.resource("/notifications")
class NotificationList(Resource):
    """What the caller was told in the app."""

    @operation(query=NotificationQuery(), response=NotificationsSchema(), raises=(InvalidInput,))
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """List what you were told, the newest first, and how much of all is unread."""
        before_id = read_cursor(query["cursor"], int)[0] if query["cursor"] else None
        limit = query["limit"]
        page = page_of(
            reading.list_notifications(
                caller(), unread=query["unread"], limit=limit + 1, before_id=before_id
            ),
            limit,
            "id",
        )
        return {
            "items": page.items,
            "next_cursor": page.next_cursor,
            "unread": count_unread(caller().id),
        }


@api.resource("/notifications/read")
class ReadNotifications(Resource):
    """What of it the caller has read."""

    @operation(body=NotificationsRead(), response=UnreadSchema())
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take down that you have read these, or all up to one; tells how many are left unread."""
        return {"unread": reading.mark_read(caller(), **body)}


@api.resource("/me/notification-settings")
class NotificationSettings(Resource):
    """What the caller wants to be told."""

    @operation(response=NotificationChoicesSchema())
    def get(self) -> dict[str, Any]:
        """List by which way each kind of notification comes to you."""
        return {"items": choosing.list_choices(caller())}

    @operation(
        body=NotificationWishes(), response=NotificationChoicesSchema(), raises=(InvalidInput,)
    )
    def patch(self, body: dict[str, Any]) -> dict[str, Any]:
        """Choose by which way kinds of notifications come to you; what is locked comes in any case."""
        return {"items": choosing.choose(caller(), body["items"])}
