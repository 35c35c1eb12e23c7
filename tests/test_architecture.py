"""Rules of this code that no linter knows."""

import ast
import dataclasses
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from flask import Flask

from backend import errors
from backend.config import Settings
from backend.errors import InternalError, MethodNotAllowed, NotFound, Problem
from backend.schedule import SCHEDULE
from backend.web.openapi import operations, problems_of
from tests.servers import ROOT

BACKEND = ROOT / "backend"
TESTS = ROOT / "tests"

_VERSIONS = BACKEND / "migrations"


def _sources(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.rglob("*.py")):
        yield path, path.read_text(encoding="utf-8")


def _calls(source: str, *names: str) -> Iterator[tuple[ast.Call, ast.Attribute]]:
    """Find the calls of methods of these names."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in names
        ):
            yield node, node.func


def _where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def test_only_transaction_py_commits_and_rolls_back() -> None:
    found = [
        _where(path, call)
        for path, source in _sources(BACKEND)
        if path.name != "transaction.py" and _VERSIONS not in path.parents
        for call, method in _calls(source, "commit", "rollback")
        # A savepoint ends within its transaction, whose end it is not.
        if ast.unparse(method.value) not in _savepoints(source)
    ]
    assert found == []


def test_every_flush_says_why() -> None:
    found = []
    for path, source in _sources(BACKEND):
        lines = source.splitlines()
        found += [
            _where(path, call)
            for call, method in _calls(source, "flush")
            if ast.unparse(method.value).endswith("session")
            and "#" not in lines[call.lineno - 1]
            and not lines[call.lineno - 2].strip().startswith("#")
        ]
    assert found == []


def test_only_the_clock_tells_the_time() -> None:
    found = [
        _where(path, call)
        for path, source in _sources(BACKEND)
        if path.name != "clock.py"
        for call, method in _calls(source, "now", "utcnow", "today")
        if isinstance(method.value, ast.Name) and method.value.id in {"datetime", "date"}
    ]
    assert found == []


def test_nothing_prints() -> None:
    found = [
        _where(path, node)
        for path, source in _sources(BACKEND)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert found == []


def test_every_problem_is_raised_by_some_operation_or_implied(app: Flask) -> None:
    told = {InternalError, MethodNotAllowed, NotFound}
    for method, _, rule, described in operations(app):
        told |= set(problems_of(described, method, has_path=bool(rule.arguments)))
    unused = {problem.__name__ for problem in _problems()} - {each.__name__ for each in told}
    assert unused == set()


def test_every_problem_of_an_operation_stands_in_a_docstring_of_its_service(app: Flask) -> None:
    missing = []
    for method, path, rule, described in operations(app):
        module = app.view_functions[rule.endpoint].__module__
        promised = _raises_in(BACKEND / module.split(".")[1]) if module != "backend.web" else set()
        missing += [
            f"{method} {path}: {problem.__name__}"
            for problem in described.raises
            if problem.__name__ not in promised
        ]
    assert missing == []


def test_every_problem_has_its_own_words() -> None:
    titles = [problem.title for problem in _problems()]
    assert [title for title in titles if titles.count(title) > 1] in ([], ["Something went wrong"])
    assert all(problem.__doc__ for problem in _problems())


def test_env_example_lists_exactly_the_settings() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = re.findall(r"^#? ?([A-Z][A-Z_]+)=", text, re.MULTILINE)
    assert sorted(listed) == sorted(field.name.upper() for field in dataclasses.fields(Settings))


def test_env_example_tells_the_defaults() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    told = dict(re.findall(r"^([A-Z][A-Z_]+)=(.*)$", text, re.MULTILINE))
    words = {True: "on", False: "off"}
    wrong = {
        field.name: told[field.name.upper()]
        for field in dataclasses.fields(Settings)
        # Addresses follow from HOST and PORT where nobody sets them.
        if field.name not in {"public_url", "events_url"}
        and told[field.name.upper()]
        != (
            words[field.default]
            if isinstance(field.default, bool)
            else ",".join(field.default)
            if isinstance(field.default, tuple)
            else str(field.default)
        )
    }
    assert wrong == {}


def test_every_scheduled_task_exists(app: Flask) -> None:
    celery = app.extensions["celery"]
    celery.loader.import_default_modules()
    assert {entry["task"] for entry in SCHEDULE.values()} <= set(celery.tasks)


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path, source in _sources(BACKEND)
        if source.strip() and ast.get_docstring(ast.parse(source)) is None
    ]
    assert silent == []


def test_every_function_of_a_test_module_runs() -> None:
    lost = []
    for path, source in _sources(TESTS):
        if not path.name.startswith("test_"):
            continue
        tree = ast.parse(source)
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        scopes = [tree.body, *(node.body for node in classes if node.name.startswith("Test"))]
        used = _names_used(tree)
        lost += [
            _where(path, node)
            for scope in scopes
            for node in scope
            if isinstance(node, ast.FunctionDef) and not _runs(node) and node.name not in used
        ]
        lost += [
            _where(path, node)
            for node in classes
            if not node.name.startswith(("Test", "_")) and node.name not in used
        ]
    assert lost == []


def test_no_two_tests_of_a_place_share_a_name() -> None:
    doubled = []
    for path, source in _sources(TESTS):
        tree = ast.parse(source)
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        for scope in (tree.body, *(node.body for node in classes)):
            names = [node.name for node in scope if isinstance(node, ast.FunctionDef)]
            doubled += [f"{path.name}: {name}" for name in set(names) if names.count(name) > 1]
    assert doubled == []


def _runs(function: ast.FunctionDef) -> bool:
    """Tell whether pytest runs a function: a test or a fixture."""
    if function.name.startswith("test_"):
        return True
    return any("fixture" in ast.unparse(decorator) for decorator in function.decorator_list)


def _names_used(tree: ast.AST) -> set[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def _savepoints(source: str) -> set[str]:
    """Name what a module calls its savepoints."""
    return {
        ast.unparse(node.targets[0])
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assign) and ast.unparse(node.value).endswith(".begin_nested()")
    }


def _problems() -> list[type[Problem]]:
    return [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, Problem) and each is not Problem
    ]


@cache
def _raises_in(package: Path) -> set[str]:
    """Give the Problems that the docstrings of a package's services promise."""
    promised: set[str] = set()
    for path, source in _sources(package):
        if path.name in {"resources.py", "schemas.py"}:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                _, _, raises = (ast.get_docstring(node) or "").partition("Raises:")
                promised |= set(re.findall(r"\b([A-Z]\w+):", raises))
    return promised
