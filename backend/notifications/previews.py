"""The previews of development: every mail there is, in every language, with an example of what it tells."""

import base64
from functools import cache

from flask import Blueprint, abort, current_app, make_response, render_template
from flask.typing import ResponseReturnValue

from backend.config import ROOT, Settings
from backend.notifications.rendering import notice_words, render_mail
from backend.notifications.samples import list_templates, sample_context
from backend.notifications.wording import LANGUAGES

blueprint = Blueprint("previews", __name__)

_LOGO = ROOT / "backend" / "assets" / "logo.png"
# The frame's own address, so that the mail in it need not keep to what this page may do.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A mail may look as it likes and show what came with it; it loads nothing, runs nothing and sends nothing.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox"
)


@blueprint.get("/dev/mails")
def show_previews() -> ResponseReturnValue:
    """List every mail by its subject in every language."""
    _check_development()
    mails = [
        (
            template,
            [
                (language, notice_words(template, sample_context(template, language), language)[0])
                for language in LANGUAGES
            ],
        )
        for template in list_templates()
    ]
    response = make_response(render_template("previews.html", mails=mails))
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    return response


@blueprint.get("/dev/mails/<language>/<template>")
def show_preview(language: str, template: str) -> ResponseReturnValue:
    """Show one mail as people get it: its HTML in a frame, its text beside, and what the app would say."""
    _check_known(language, template)
    context = sample_context(template, language)
    title, notice = notice_words(template, context, language)
    page = render_template(
        "preview.html",
        template=template,
        language=language,
        languages=LANGUAGES,
        title=title,
        notice=notice,
        text=render_mail(template, context, language).text,
    )
    response = make_response(page)
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    return response


@blueprint.get("/dev/mails/<language>/<template>/html")
def show_preview_html(language: str, template: str) -> ResponseReturnValue:
    """Give the HTML of one mail, for its frame."""
    _check_known(language, template)
    mail = render_mail(template, sample_context(template, language), language)
    response = make_response(mail.html.replace("cid:logo", _read_logo()))
    response.headers["Content-Security-Policy"] = _MAIL_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _check_development() -> None:
    settings: Settings = current_app.extensions["settings"]
    if settings.is_production:
        abort(404)


def _check_known(language: str, template: str) -> None:
    _check_development()
    if language not in LANGUAGES or template not in list_templates():
        abort(404)


@cache
def _read_logo() -> str:
    return f"data:image/png;base64,{base64.b64encode(_LOGO.read_bytes()).decode()}"
