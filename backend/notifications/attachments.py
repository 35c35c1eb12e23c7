"""Files that go with a mail, made by whoever owns them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a mail."""

    filename: str
    content_type: str
    content: bytes
    content_id: str = ""
    """For a picture that the HTML shows where it says ``cid:``; without one it is a file to open."""


AttachmentBuilder = Callable[[dict[str, Any]], list[Attachment]]

_builders: dict[str, AttachmentBuilder] = {}


def register_attachments(template: str, builder: AttachmentBuilder) -> None:
    """Let ``builder`` make the files of every mail of this template, from the mail's context.

    It is called outside any transaction, and opens its own for what it reads.
    """
    _builders[template] = builder


def build_attachments(template: str, context: dict[str, Any]) -> list[Attachment]:
    """Make the files of one mail."""
    builder = _builders.get(template)
    return builder(context) if builder else []
