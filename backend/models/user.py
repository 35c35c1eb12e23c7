"""Users, their roles, their sign-ins, and the codes that prove an address."""

from datetime import datetime

from flask_security import RoleMixin, UserMixin
from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, UniqueConstraint
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
    created_at: Mapped[datetime]
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
    """One row for each address that codes go to: the lock under which its issues are counted."""

    __tablename__ = "otp_addresses"

    email: Mapped[str] = mapped_column(primary_key=True)


class OtpIssue(Base):
    """One code sent: at most three in fifteen minutes for an address."""

    __tablename__ = "otp_issues"
    __table_args__ = (Index("ix_otp_issues_email_issued_at", "email", "issued_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str] = mapped_column(ForeignKey("otp_addresses.email", ondelete="CASCADE"))
    issued_at: Mapped[datetime]
