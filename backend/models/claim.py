"""The one table that guards every bay."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId


class SpotClaim(Base):
    """A bay that is not free for a window: reserved, walked into, or closed.

    Two live claims of one bay never overlap, unless both are closures: PostgreSQL holds that by the
    exclusion constraint ``ex_spot_claims_overlap``, SQLite by a pair of triggers of the same name.
    """

    __tablename__ = "spot_claims"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="starts_before_end"),
        CheckConstraint("kind IN ('reservation', 'closure', 'walk_in')", name="kind_known"),
        CheckConstraint(
            "(kind = 'closure') = (closure_id IS NOT NULL) AND (kind = 'closure') = (reservation_id IS NULL)",
            name="has_one_cause",
        ),
        # Availability: the live claims of a lot that end after the window's start.
        Index(
            "ix_spot_claims_lot_ends_live",
            "lot_id",
            "ends_at",
            "starts_at",
            "spot_id",
            postgresql_where=text("live"),
            sqlite_where=text("live"),
        ),
        # The triggers' way to the neighbours of a claim, and the plan of one bay.
        Index(
            "ix_spot_claims_spot_ends_live",
            "spot_id",
            "ends_at",
            postgresql_where=text("live"),
            sqlite_where=text("live"),
        ),
        Index(
            "uq_spot_claims_reservation",
            "reservation_id",
            unique=True,
        ),
        Index("ix_spot_claims_closure_id", "closure_id"),
        Index(
            "ix_spot_claims_expires_live",
            "lot_id",
            "expires_at",
            postgresql_where=text("live AND expires_at IS NOT NULL"),
            sqlite_where=text("live AND expires_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    spot_id: Mapped[int] = mapped_column(ForeignKey("spots.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("lots.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    kind: Mapped[str]
    reservation_id: Mapped[int | None] = mapped_column(ForeignKey("reservations.id"))
    closure_id: Mapped[int | None] = mapped_column(ForeignKey("closures.id"))
    live: Mapped[bool] = mapped_column(default=True)
    expires_at: Mapped[datetime | None]
    """The deadline of an unpaid hold: past it the claim counts for nothing, and the next who wants the bay ends it."""


OVERLAP = "ex_spot_claims_overlap"
