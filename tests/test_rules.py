"""The rules of `.semgrep/rules.yml`: each finds what it is for, and lets pass what it should."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.servers import ROOT

RULES = ROOT / ".semgrep" / "rules.yml"

# One sample a line; what a sample needs to mean what it says is imported above all of them.
_IMPORTS = """
import hmac, os, pickle, random, subprocess, uuid
import jwt, yaml, sqlalchemy as sa
from random import Random, choice
from flask import redirect, request, url_for
from markupsafe import Markup
from reportlab.platypus import Paragraph
from sqlalchemy import text
from xml.sax.saxutils import escape
"""
_LINES = _IMPORTS.count("\n")

FOUND = {
    "paragraph-without-escape": [
        "Paragraph(name, style)",
        'Paragraph(f"<b>{name}</b>", style)',
        'Paragraph("<b>" + name, style)',
        'Paragraph("<b>%s</b>" % name, style)',
    ],
    "sql-put-together": [
        'text(f"SELECT {name} FROM users")',
        "text(f\"SELECT 1 FROM users WHERE name = '{user.name}' AND {_CONSTANT}\")",
        'statement = f"SELECT {name}"; text(statement)',
        'text("SELECT %s" % name)',
        'text("SELECT {}".format(name))',
        'text("SELECT " + name)',
        'text(" ".join(parts))',
        'sa.text(f"SELECT {name}")',
        'connection.exec_driver_sql(f"DROP TABLE {name}")',
        'cursor.execute("SELECT " + name)',
    ],
    "random-is-guessable": [
        "random.randint(0, 999999)",
        "random.choice(letters)",
        "choice(letters)",
        "Random(7)",
        "uuid.uuid1()",
    ],
    "url-from-request": [
        "link = request.host_url + 'reset'",
        "link = f'https://{request.host}/reset'",
        "request.url_root",
        "request.headers['Host']",
        "url_for('reset', _external=True)",
        "redirect(request.args['next'])",
        "redirect(request.args.get('next', '/'))",
        "answer.headers['Location'] = request.args['next']",
    ],
    "markup-of-text": ["Markup(user.name)", "Markup(f'<b>{user.name}</b>')"],
    "template-without-escaping": [
        "<p>{{ name | safe }}</p>",
        "<p>{{ name|safe }}</p>",
        "{% autoescape false %}",
    ],
    "shell": [
        "subprocess.run(f'ls {folder}', shell=True)",
        "os.system('ls ' + folder)",
        "os.popen(command)",
    ],
    "unpickling": ["pickle.loads(kept)", "yaml.load(kept)", "yaml.load(kept, Loader=yaml.Loader)"],
    "token-unverified": [
        "jwt.decode(token, key)",
        "jwt.decode(token, key, algorithms=['HS256', 'none'])",
        "jwt.decode(token, key, algorithms=['HS256'], options={'verify_signature': False})",
        "jwt.get_unverified_header(token)",
    ],
    "secrets-compared-openly": [
        "hmac.new(key, text, 'sha256').hexdigest() == sent",
        "sent == hmac.digest(key, text, 'sha256')",
    ],
}

PASSED = {
    "paragraph-without-escape": ["Paragraph(escape(name), style)", 'Paragraph("Receipt", style)'],
    "sql-put-together": [
        'text("SELECT 1 FROM users WHERE name = :name")',
        'text(f"SELECT {_COLUMNS} FROM users WHERE name = :name")',
        'connection.exec_driver_sql("BEGIN IMMEDIATE")',
    ],
    "random-is-guessable": ["secrets.randbelow(1_000_000)", "uuid.uuid4()"],
    "url-from-request": [
        "link = settings().public_url + '/reset'",
        "redirect('/api/v1/docs')",
        "request.path",
        "request.url_rule",
        "url_for('reset')",
    ],
    "markup-of-text": ["Markup('<br>')"],
    "template-without-escaping": ["<p>{{ name }}</p>", "<p>{{ safe }}</p>"],
    "shell": ["subprocess.run(['ls', folder], check=True)"],
    "unpickling": [
        "json.loads(kept)",
        "yaml.safe_load(kept)",
        "yaml.load(kept, Loader=yaml.SafeLoader)",
    ],
    "token-unverified": ["jwt.decode(token, key, algorithms=['HS256'])"],
    "secrets-compared-openly": ["hmac.compare_digest(sent, made)"],
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Counter[tuple[str, str, int]]:
    """Run the rules once over all samples: how often each rule found each line of each kind."""
    folder = tmp_path_factory.mktemp("samples")
    for kind, samples in (("found", FOUND), ("passed", PASSED)):
        for rule, lines in samples.items():
            if rule == "template-without-escaping":
                (folder / f"{kind}.{rule}.html").write_text("\n".join(lines))
            else:
                (folder / f"{kind}.{rule}.py").write_text(_IMPORTS + "\n".join(lines))
    run = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "semgrep"), "scan", "--config", str(RULES)),
            *("--metrics", "off", "--disable-version-check", "--no-git-ignore", "--json", "."),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    report: dict[str, Any] = json.loads(run.stdout)
    assert report["errors"] == []
    return Counter(
        (each["path"].removeprefix("./"), each["check_id"].rpartition(".")[2], line)
        for each in report["results"]
        for line in range(each["start"]["line"], each["end"]["line"] + 1)
    )


def _first_line(rule: str) -> int:
    return 1 if rule == "template-without-escaping" else _LINES + 1


def _file(kind: str, rule: str) -> str:
    return f"{kind}.{rule}.{'html' if rule == 'template-without-escaping' else 'py'}"


@pytest.mark.parametrize("rule", FOUND)
def test_a_rule_finds_what_it_is_for(rule: str, found: Counter[tuple[str, str, int]]) -> None:
    missed = [
        line
        for number, line in enumerate(FOUND[rule], _first_line(rule))
        if not found[_file("found", rule), rule, number]
    ]
    assert missed == []


@pytest.mark.parametrize("rule", PASSED)
def test_a_rule_lets_pass_what_it_should(rule: str, found: Counter[tuple[str, str, int]]) -> None:
    assert [key for key in found if key[0] == _file("passed", rule)] == []


def test_every_rule_has_its_samples() -> None:
    rules = set(re.findall(r"^  - id: (\S+)$", RULES.read_text(), re.MULTILINE))
    assert rules == set(FOUND) == set(PASSED)
