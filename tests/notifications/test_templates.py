"""Every mail in every language: the same words' places, and nothing of people breaks out of them (P20)."""

import html
import re
from typing import Any

import pytest
from jinja2 import Environment, meta

from backend.notifications.rendering import TEMPLATES, notice_words, render_mail
from backend.notifications.samples import list_templates, sample_context
from backend.notifications.wording import LANGUAGES
from tests.nasty import NASTY

TAGS = re.compile(r"<[^>]*>")
# What a reader of HTML sees of it: no style, no head.
HIDDEN = re.compile(r"<(style|title)>.*?</\1>", re.DOTALL)


def _variables(language: str, name: str) -> set[str]:
    parsed = Environment(autoescape=True).parse((TEMPLATES / language / name).read_text("utf-8"))
    return meta.find_undeclared_variables(parsed)


def _spoil(value: Any, nasty: str) -> Any:
    """Put a text in place of every text, as deep as there are any; addresses of pages are ours."""
    if isinstance(value, str):
        return value if not value or value.startswith("https://") else nasty
    if isinstance(value, list):
        return [_spoil(item, nasty) for item in value]
    if isinstance(value, dict):
        return {name: _spoil(item, nasty) for name, item in value.items()}
    return value


def test_every_language_has_the_same_mails() -> None:
    files = {
        language: {path.name for path in (TEMPLATES / language).iterdir()} for language in LANGUAGES
    }
    assert files["en"] == files["hi"]
    assert {f"{name}.{kind}" for name in list_templates() for kind in ("txt", "html")} < files["en"]


@pytest.mark.parametrize("name", [*list_templates(), "foot"])
def test_every_language_tells_the_same(name: str) -> None:
    for kind in ("txt", "html"):
        english = _variables("en", f"{name}.{kind}")
        assert _variables("hi", f"{name}.{kind}") == english, kind


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list_templates())
def test_every_mail_is_whole(name: str, language: str) -> None:
    context = sample_context(name, language)
    subject, text, page = render_mail(name, context, language)
    assert subject
    assert f'<html lang="{language}">' in page
    assert text.rstrip().splitlines()[-1][-1] in ".।" or context["unsubscribe_url"]
    for written in (text, html.unescape(TAGS.sub("", HIDDEN.sub("", page)))):
        assert "{" not in written
        assert "None" not in written
        assert "\n\n\n\n" not in text
    is_hindi = re.search(r"[\u0900-\u097f]", text.replace(context["name"], "")) is not None
    assert is_hindi == (language == "hi")
    # Mail tells where it leads in its text too.
    assert set(re.findall(r'href="([^"]+)"', page)) - {"https://park.example/profile"} <= {
        html.escape(word) for word in text.split()
    }
    title, notice = notice_words(name, context, language)
    assert title == subject
    assert notice.endswith((".", "।"))
    assert notice in html.unescape(page)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list_templates())
def test_nothing_breaks_out_of_a_mail(name: str, language: str) -> None:
    sample = sample_context(name, language)
    tags = len(TAGS.findall(render_mail(name, sample, language).html))
    for nasty in NASTY.values():
        # Long ones are as safe as short ones, and there are many mails.
        context = _spoil(sample, f"x{nasty[:200]}") | {"public_url": sample["public_url"]}
        subject, _, page = render_mail(name, context, language)
        assert len(re.findall(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", subject)) == 0
        assert len(TAGS.findall(page)) == tags, nasty


@pytest.mark.parametrize(
    ("locale", "word"),
    [("hi", "नमस्ते"), ("hi-IN", "नमस्ते"), ("hi_IN", "नमस्ते"), ("de", "Hello"), ("", "Hello")],
)
def test_who_is_written_to_in_which_language(locale: str, word: str) -> None:
    assert word in render_mail("nudge", sample_context("nudge", "en"), locale).text
