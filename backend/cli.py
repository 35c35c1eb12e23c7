"""The ``flask`` commands."""

import sys
from datetime import datetime
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from backend.auth.second_factor import reseal_keys
from backend.auth.service import create_admin
from backend.config import settings
from backend.errors import Problem
from backend.lots.import_lots import format_report, import_lots
from backend.reports.sending import send_reports
from backend.system.backups import BackupRefused, make_backup, restore_backup
from backend.system.invariants import Finding, check_invariants
from backend.transaction import transaction
from backend.web.api import to_json
from backend.web.openapi import document


def register_commands(app: Flask) -> None:
    """Give ``app`` its commands."""
    for command in (
        *(create_admin_command, import_lots_command, load_demo_command),
        *(openapi_command, reseal_secrets_command, check_invariants_command),
        *(backup_command, restore_command, send_reports_command),
    ):
        app.cli.add_command(command)


@click.command("create-admin")
@click.option("--email", required=True)
@click.option("--name", default="Administrator", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_appcontext
def create_admin_command(email: str, name: str, *, password_stdin: bool) -> None:
    """Make an admin, or make a user an admin."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        user_id = create_admin(email=email, name=name, password=password)
    except Problem as problem:
        raise click.ClickException(problem.detail) from problem
    click.echo(f"{email} is an admin now (user {user_id}).")


@click.command("import-lots")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Tell what would happen, and change nothing.")
@with_appcontext
def import_lots_command(file: Path, *, dry_run: bool) -> None:
    """Import car parks from FILE: ParkAPI's GeoJSON, CSV or XLSX. Says row by row what it did."""
    try:
        report = import_lots(filename=file.name, content=file.read_bytes(), dry_run=dry_run)
    except Problem as problem:
        raise click.ClickException(problem.detail) from problem
    for line in format_report(report):
        click.echo(line)


@click.command("load-demo")
@click.option(
    "--months",
    type=click.IntRange(0, 24),
    default=0,
    show_default=True,
    help="Months of history before the two weeks; 12 make over 300,000 bookings.",
)
@with_appcontext
def load_demo_command(months: int) -> None:
    """Load the demonstration: real car parks with two weeks of stays around now. Once is enough."""
    if settings().is_production:
        raise click.ClickException("The demonstration is never loaded in production.")
    from backend.demo.loader import load_demo  # noqa: PLC0415 - nobody but the demo pays for it

    for line in load_demo(months):
        click.echo(line)


@click.command("send-reports")
@click.option(
    "--month",
    required=True,
    type=click.DateTime(["%Y-%m"]),
    help="Such as 2026-10; it must be over.",
)
@click.option("--user", "email", help="The address of the one driver whose report is made.")
@with_appcontext
def send_reports_command(month: datetime, email: str | None) -> None:
    """Make and mail the reports of a month, as far as they are not made yet. Fails when one cannot be made."""
    try:
        sent = send_reports(month.date(), email=email)
    except Problem as problem:
        raise click.ClickException(problem.detail) from problem
    click.echo(
        f"{sent.made} made and mailed, {sent.before} were there before, {sent.waiting} wait."
    )
    for line in sent.failed:
        click.echo(f"     {line}")
    if sent.failed:
        sys.exit(1)


@click.command("reseal-secrets")
@with_appcontext
def reseal_secrets_command() -> None:
    """Encrypt what the database keeps with the new SECRET_KEY; then SECRET_KEY_BEFORE can go."""
    with transaction():
        count = reseal_keys()
    click.echo(f"{count} second factors are sealed with the present SECRET_KEY.")


@click.command("openapi")
@with_appcontext
def openapi_command() -> None:
    """Print the OpenAPI document."""
    click.echo(to_json(document(current_app)))


@click.command("check-invariants")
@with_appcontext
def check_invariants_command() -> None:
    """Look over what the system promises, row by row. Fails when a promise is broken."""
    _look_over()


@click.command("backup")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@with_appcontext
def backup_command(folder: Path) -> None:
    """Copy the database as it is now into DIR, which is made. The secrets of the installation are not in it."""
    try:
        backup = make_backup(folder)
    except (BackupRefused, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"{backup.row_count} rows of {len(backup.rows)} tables are in {folder}, version {backup.version}."
    )


@click.command("restore")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Let go of what is in the database now.")
@with_appcontext
def restore_command(folder: Path, *, replace: bool) -> None:
    """Bring the database to where the backup in DIR was made, and look over what it promises."""
    try:
        backup = restore_backup(folder, replace=replace)
    except (BackupRefused, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{backup.row_count} rows are back, as they were at {backup.made_at}.")
    _look_over()


def _look_over() -> None:
    findings = check_invariants()
    for finding in findings:
        click.echo(f"{finding.promise:<4} {_outcome(finding):<10} {finding.rule}")
        for row in finding.first:
            click.echo(f"     {row}")
        if finding.error is not None:
            click.echo(f"     {finding.error}")
    broken = [each for each in findings if not each.is_clean]
    click.echo(f"{len(findings)} rules looked at, {len(broken)} not kept.")
    if broken:
        sys.exit(1)


def _outcome(finding: Finding) -> str:
    if finding.error is not None:
        return "unknown"
    return f"{finding.violations} broken" if finding.violations else "kept"
