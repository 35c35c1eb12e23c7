"""Users, their roles, their sign-ins, and the codes that prove an address."""

from datetime import datetime

from flask_security import RoleMixin, UserMixin
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.models.base import Base, BigId

users_roles = Table(
    "users_roles",
    Base.metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("roles.id"), primary_key=True),
)


class Role(Base, RoleMixin):
    """What a user may be: driver, attendant or admin."""

    __tablename__ = "roles"
    __table_args__ = (UniqueConstraint("name", name="uq_roles_name"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")


class User(Base, UserMixin):
    """A person with an address that was proven."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email", name="uq_users_email"),
        UniqueConstraint("fs_uniquifier", name="uq_users_fs_uniquifier"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str | None]
    password: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    epoch: Mapped[int] = mapped_column(default=0)
    """Counts the changes that end every sign-in: of password, roles, or being active."""
    accessible_permit: Mapped[bool] = mapped_column(default=False, server_default=false())
    """An admin has seen the permit for accessible bays."""
    tax_id: Mapped[str | None]
    """What their receipts say beside their name: a GSTIN or VAT number."""
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The key of the authenticator app, encrypted; without ``totp_since`` it is only being set up."""
    totp_since: Mapped[datetime | None]
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    """The time step of the last code that was used, so that none is used twice."""
    deleted_at: Mapped[datetime | None]
    """The account was closed: nothing of the person is left but the number that bookings refer to."""
    fs_uniquifier: Mapped[str]
    timezone: Mapped[str]
    locale: Mapped[str]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    roles: Mapped[list[Role]] = relationship(  # type: ignore[assignment] # a narrower list than its
        secondary=users_roles, lazy="raise", order_by=Role.id
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it as declared


class SignInSession(Base):
    """One sign-in: its access tokens live as long as it does, its refresh token counts generations."""

    __tablename__ = "sign_in_sessions"
    __table_args__ = (Index("ix_sign_in_sessions_user_id", "user_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    epoch: Mapped[int]
    generation: Mapped[int] = mapped_column(default=0)
    user_agent: Mapped[str] = mapped_column(default="")
    client: Mapped[str] = mapped_column(default="", server_default="")
    """The network address from which it began."""
    created_at: Mapped[datetime]
    verified_at: Mapped[datetime | None]
    """When its owner last proved who they are, by password and second factor."""
    refreshed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class OtpChallenge(Base):
    """A code on its way to an address, with what the sign-up said; it dies with its use or its time."""

    __tablename__ = "otp_challenges"
    __table_args__ = (
        UniqueConstraint("token", name="uq_otp_challenges_token"),
        CheckConstraint("tries >= 0 AND tries <= 5", name="tries_at_most_five"),
        Index("ix_otp_challenges_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token: Mapped[str]
    """The ``challenge_id`` of the API: random, so that nobody can use up another's tries."""
    email: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str | None]
    password: Mapped[str]
    timezone: Mapped[str]
    locale: Mapped[str]
    address_known: Mapped[bool]
    """The address belongs to a user: the mail says so, and no code opens this challenge."""
    code_digest: Mapped[str]
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    resend_after: Mapped[datetime]
    used_at: Mapped[datetime | None]


class OtpAddress(Base):
    """One row for each address that codes go to: the lock under which its issues are counted.

    What is no sign-up has its purpose before the address: ``reset:ada@example.org``.
    """

    __tablename__ = "otp_addresses"

    email: Mapped[str] = mapped_column(primary_key=True)


class OtpIssue(Base):
    """One code sent: at most three in fifteen minutes for an address."""

    __tablename__ = "otp_issues"
    __table_args__ = (Index("ix_otp_issues_email_issued_at", "email", "issued_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str] = mapped_column(ForeignKey("otp_addresses.email", ondelete="CASCADE"))
    issued_at: Mapped[datetime]


class RecoveryCode(Base):
    """A code that stands in once for the authenticator app."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("user_id", "digest", name="uq_recovery_codes_digest"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    digest: Mapped[str]
    used_at: Mapped[datetime | None]


class SecondFactorChallenge(Base):
    """A sign-in whose password was right, and which waits for its second factor."""

    __tablename__ = "second_factor_challenges"
    __table_args__ = (
        UniqueConstraint("token", name="uq_second_factor_challenges_token"),
        CheckConstraint("tries >= 0 AND tries <= 5", name="tries_at_most_five"),
        Index("ix_second_factor_challenges_user_id", "user_id"),
        Index("ix_second_factor_challenges_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token: Mapped[str]
    """The ``challenge_id`` of the API."""
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    epoch: Mapped[int]
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class PasswordReset(Base):
    """A link to choose another password; only a digest of what it carries is kept."""

    __tablename__ = "password_resets"
    __table_args__ = (
        UniqueConstraint("digest", name="uq_password_resets_digest"),
        Index("ix_password_resets_user_id", "user_id"),
        Index("ix_password_resets_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """Nobody's, when no user has the address: the same work is done for it, and it opens nothing."""
    digest: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class EmailChange(Base):
    """Another address for a user, to be confirmed by a code at the old one and one at the new one."""

    __tablename__ = "email_changes"
    __table_args__ = (
        UniqueConstraint("token", name="uq_email_changes_token"),
        CheckConstraint("tries >= 0 AND tries <= 5", name="tries_at_most_five"),
        Index("ix_email_changes_user_id", "user_id"),
        Index("ix_email_changes_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token: Mapped[str]
    """The ``challenge_id`` of the API."""
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    email: Mapped[str]
    address_known: Mapped[bool]
    """The new address belongs to a user: the mail there says so, and no code confirms it."""
    old_digest: Mapped[str]
    new_digest: Mapped[str]
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
