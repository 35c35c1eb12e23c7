"""The words of a mail, from its templates."""

import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from backend.config import settings
from backend.notifications.wording import language_of

TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "mail"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SUBJECT = "Subject: "
_NOTICE = "Notice: "


class Mail(NamedTuple):
    """What a mail says."""

    subject: str
    text: str
    html: str


class _Parts(NamedTuple):
    """A template, its first lines apart from the rest: nothing that stands in one can begin another."""

    subject: Template
    notice: Template
    text: Template
    html: Template


def render_mail(template: str, context: dict[str, Any], locale: str) -> Mail:
    """Give the subject, the text and the HTML of a mail in the language of its reader, or else in English.

    ``unsubscribe_url`` in the context is the page on which one says that no more of these should come.
    """
    language = language_of(locale)
    parts = _parts(template, language)
    known = {"unsubscribe_url": "", **context, "language": language}
    subject = _on_one_line(parts.subject.render(known))
    text = parts.text.render(known).strip() + "\n"
    html = parts.html.render(
        known, subject=subject, notice=_on_one_line(parts.notice.render(known))
    )
    return Mail(subject, text, html)


def notice_words(template: str, context: dict[str, Any], locale: str) -> tuple[str, str]:
    """Give the title and the one sentence with which the app tells what a mail would tell."""
    parts = _parts(template, language_of(locale))
    known = context if "brand" in context else {**context, "brand": settings().brand_name}
    return _on_one_line(parts.subject.render(known)), _on_one_line(parts.notice.render(known))


def _on_one_line(written: str) -> str:
    return _CONTROL.sub(" ", written).strip()


@cache
def _parts(template: str, language: str) -> _Parts:
    """Read a template: a line ``Subject: …``, a line ``Notice: …``, an empty one, and the text."""
    environment, name = _environment(), f"{language}/{template}"
    written = (TEMPLATES / f"{name}.txt").read_text("utf-8")
    subject, notice, text = written.split("\n", 2)
    return _Parts(
        environment.from_string(subject.removeprefix(_SUBJECT)),
        environment.from_string(notice.removeprefix(_NOTICE)),
        environment.from_string(text),
        environment.get_template(f"{name}.html"),
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"], default_for_string=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
