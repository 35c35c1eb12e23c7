"""Vehicles of drivers."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId

VEHICLE_KINDS = ("car", "motorcycle", "van")


class Vehicle(Base):
    """A vehicle of one driver; a deleted one stays for the history of its stays."""

    __tablename__ = "vehicles"
    __table_args__ = (
        CheckConstraint("kind IN ('car', 'motorcycle', 'van')", name="kind_known"),
        CheckConstraint("height_cm > 0", name="height_positive"),
        Index(
            "uq_vehicles_user_plate",
            "user_id",
            "plate",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
            sqlite_where=text("deleted_at IS NULL"),
        ),
        Index(
            "uq_vehicles_one_default",
            "user_id",
            unique=True,
            postgresql_where=text("is_default AND deleted_at IS NULL"),
            sqlite_where=text("is_default AND deleted_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    plate: Mapped[str]
    """Normalised: upper case, no spaces or dashes."""
    kind: Mapped[str]
    electric: Mapped[bool] = mapped_column(default=False)
    height_cm: Mapped[int | None]
    label: Mapped[str] = mapped_column(default="")
    make: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    colour: Mapped[str] = mapped_column(default="")
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it as declared
