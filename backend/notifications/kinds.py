"""What people can be told, and what they may choose not to be told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notification: how it comes unless its reader chose otherwise."""

    name: str
    mail: bool = True
    app: bool = True
    mail_locked: bool = False
    """Its mail cannot be switched off."""
    app_locked: bool = False
    """It never comes in the app, or always does."""
    admins_only: bool = False
    bulk: bool = False
    """Many come at once, and half a minute makes no difference to any."""


ALL = (
    # Codes, passwords, sign-ins, one's data: never by another way, never switched off.
    Kind("account", app=False, mail_locked=True, app_locked=True),
    # Whatever money came, went or is due is told in any case.
    Kind("money", mail_locked=True),
    Kind("booking"),
    Kind("waitlist"),
    Kind("start_day", bulk=True),
    Kind("start_hour", bulk=True),
    Kind("end_half_hour"),
    # Minutes before the end a mail comes too late for most; the app does not.
    Kind("end_soon", mail=False),
    Kind("hold_ending", mail=False),
    # Opt-in.
    Kind("nudge", mail=False, app=False, bulk=True),
    Kind("monthly_report", bulk=True),
    Kind("operator_report", admins_only=True, bulk=True),
    Kind("digest", app=False, app_locked=True, admins_only=True, bulk=True),
)
"""Every kind, in the order in which settings show them."""

BY_NAME = {kind.name: kind for kind in ALL}
