"""What travels about lots."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from marshmallow import ValidationError, post_dump, validates_schema

from backend.lots.hours import DAY_NAMES, LONGEST_TEXT, OpeningHours, parse_opening_hours
from backend.lots.importing import LONGEST
from backend.lots.service import LotDetail
from backend.models.lot import LOT_STATUSES, REFUND_POLICIES, SPOT_KINDS
from backend.models.vehicle import VEHICLE_KINDS
from backend.web import fields
from backend.web.pagination import PageQuery, PageSchema
from backend.web.schema import Schema

MOST_AMENITIES = 30
MOST_STAFF = 200
RADIUS_MAX_M = 50_000
REASONS = (
    "closed",
    "outside_opening_hours",
    "too_high",
    "no_tariff",
    "no_fitting_bay",
    "full",
)

_LONGEST_GATE_MINUTES = 24 * 60
_KEPT_STATUSES = ("draft", "open", "closed")
_BADGES = ("free_cancellation", "free_cancellation_24h")


@cache
def _zones() -> set[str]:
    return available_timezones()


def _check_zone(name: str) -> None:
    if name not in _zones():
        raise ValidationError("This is not a time zone of the IANA list, such as Europe/Berlin.")


def _check_hours(written: str) -> None:
    try:
        parse_opening_hours(written)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def _amenities(**kwargs: Any) -> fields.List:
    return fields.List(fields.Text(min=1, max=40), max=MOST_AMENITIES, **kwargs)


class WindowQuery(Schema):
    """A window to look at; without it the two hours from the next full quarter of an hour."""

    starts_at = fields.Instant(load_default=None)
    ends_at = fields.Instant(load_default=None)


class LotFilter(Schema):
    """Which lots, and for which vehicle."""

    q = fields.Text(
        max=100,
        load_default=None,
        metadata={"description": "Words of the name, the address or the city; all must match."},
    )
    lat = fields.Real(min=-90, max=90, load_default=None)
    lng = fields.Real(min=-180, max=180, load_default=None)
    radius_m = fields.Integer(min=1, max=RADIUS_MAX_M, load_default=None)
    spot_kind = fields.Choice(*SPOT_KINDS, load_default=None)
    vehicle_kind = fields.Choice(
        *VEHICLE_KINDS,
        load_default=None,
        metadata={"description": "Without it, a car, or what the kind of bay is for."},
    )
    electric = fields.Flag(
        load_default=False, metadata={"description": "The vehicle may use charging bays too."}
    )
    height_cm = fields.Integer(min=1, max=1_000, load_default=None)
    amenity = fields.List(
        fields.Text(min=1, max=40),
        max=MOST_AMENITIES,
        load_default=list,
        metadata={"description": "Give it more than once to ask for all of them."},
    )
    min_rating = fields.Real(
        min=1,
        max=5,
        load_default=None,
        metadata={"description": "Lots whose rating is at least this; unrated ones are left out."},
    )

    @validates_schema
    def _check_point(self, query: dict[str, Any], **_kwargs: Any) -> None:
        if (query.get("lat") is None) != (query.get("lng") is None):
            missing = "lat" if query.get("lat") is None else "lng"
            raise ValidationError("A point has two coordinates.", missing)
        if query.get("radius_m") and query.get("lat") is None and not query.get("q"):
            raise ValidationError("A radius needs a point or a text.", "radius_m")


class LotQuery(PageQuery, WindowQuery, LotFilter):
    """What lots are looked for."""

    status = fields.List(
        fields.Choice(*LOT_STATUSES),
        max=len(LOT_STATUSES),
        load_default=list,
        metadata={
            "description": "Give it more than once to ask for any of them; without it open and closed"
            " lots are found. Drafts and archived lots are found by admins alone."
        },
    )
    sort = fields.Choice("distance", "price", "rating", load_default=None)


class HoursQuery(WindowQuery, LotFilter):
    """Of which lots, and in which whole hours; without a window those of today."""

    lot_id = fields.Id(load_default=None, metadata={"description": "Of this lot alone."})


class FreeWindowSchema(Schema):
    """A window in which a bay is free."""

    starts_at = fields.Instant()
    ends_at = fields.Instant()


class FoundLotSchema(Schema):
    """A lot as lists show it, for the window that was asked for."""

    id = fields.Id()
    name = fields.Text()
    address = fields.Text(max=LONGEST["address"])
    city = fields.Text()
    lat = fields.Real()
    lng = fields.Real()
    timezone = fields.Text()
    status = fields.Choice(*LOT_STATUSES)
    capacity = fields.Integer(min=0)
    available = fields.Integer(
        min=0,
        metadata={
            "description": "Bays that are free for the whole window and fit the vehicle; bays for"
            " the disabled only for a driver whose permit is confirmed. `available_by_kind` counts all."
        },
    )
    available_by_kind = fields.Dict(keys=fields.Text(), values=fields.Integer(min=0))
    price_minor = fields.Money(allow_none=True)
    currency = fields.Text(min=3, max=3)
    height_limit_cm = fields.Integer(min=1, allow_none=True)
    always_open = fields.Flag()
    amenities = fields.List(fields.Text())
    distance_m = fields.Integer(min=0, allow_none=True)
    walking_minutes = fields.Integer(min=0, allow_none=True)
    rating = fields.Real(allow_none=True)
    review_count = fields.Integer(min=0)
    refund_badge = fields.Choice(*_BADGES, allow_none=True)
    bookable = fields.Flag()
    not_bookable_reason = fields.Choice(*REASONS, allow_none=True)
    next_window = fields.Nested(FreeWindowSchema, allow_none=True)


class PlaceSchema(Schema):
    """A point on earth; it has a name where it is that of a lot."""

    name = fields.Text(allow_none=True)
    lat = fields.Real()
    lng = fields.Real()


class LotListSchema(Schema):
    """A page of lots; unlike other lists it has an ETag, since it is the same for everybody."""

    items = fields.List(fields.Nested(FoundLotSchema))
    next_cursor = PageSchema._declared_fields["next_cursor"]  # noqa: SLF001 - the same field as in every list
    total = fields.Integer(min=0)
    place = fields.Nested(
        PlaceSchema,
        allow_none=True,
        metadata={"description": "From where distances are measured."},
    )


class FreeHourSchema(Schema):
    """One hour, and how many bays are free in all of it."""

    starts_at = fields.Instant()
    ends_at = fields.Instant()
    free = fields.Integer(min=0)
    capacity = fields.Integer(min=0)


class FreeHoursSchema(Schema):
    """The hours of a window, and of how many lots they tell."""

    items = fields.List(fields.Nested(FreeHourSchema))
    total_lots = fields.Integer(min=0)


class HoursRangeSchema(Schema):
    """Opening and closing time on a local day; a closing time before the opening one is the next day's."""

    opens = fields.Text(metadata={"example": "07:00"})
    closes = fields.Text(metadata={"example": "24:00"})


class DayHoursSchema(Schema):
    """When a lot is open on one day of the week."""

    day = fields.Choice(*DAY_NAMES)
    ranges = fields.List(fields.Nested(HoursRangeSchema))


class LotTariffIncrementSchema(Schema):
    """So much for so many started minutes; the last one repeats."""

    minutes = fields.Integer(min=1)
    amount_minor = fields.Money()


class LotTariffSchema(Schema):
    """What a lot charges now, in short."""

    id = fields.Id()
    version = fields.Integer(min=1)
    name = fields.Text()
    currency = fields.Text(min=3, max=3)
    increments = fields.List(fields.Nested(LotTariffIncrementSchema))
    billing_step_minutes = fields.Integer()
    free_minutes = fields.Integer()
    day_cap_minor = fields.Money(allow_none=True)
    tax_inclusive = fields.Flag()


class LotSchema(Schema):
    """Everything about one lot that does not depend on a window."""

    id = fields.Id(attribute="lot.id")
    name = fields.Text(attribute="lot.name")
    address = fields.Text(attribute="lot.address", max=LONGEST["address"])
    city = fields.Text(attribute="lot.city")
    lat = fields.Real(attribute="lot.lat")
    lng = fields.Real(attribute="lot.lng")
    timezone = fields.Text(attribute="lot.timezone")
    status = fields.Choice(*LOT_STATUSES, attribute="lot.status")
    opening_hours = fields.Text(attribute="lot.opening_hours")
    opening_hours_by_day = fields.List(fields.Nested(DayHoursSchema))
    height_limit_cm = fields.Integer(attribute="lot.height_limit_cm", allow_none=True)
    amenities = fields.List(fields.Text())
    refund_policy = fields.Choice(*REFUND_POLICIES, attribute="lot.refund_policy")
    entry_minutes = fields.Integer(attribute="lot.entry_minutes")
    entry_minutes_long = fields.Integer(attribute="lot.entry_minutes_long")
    grace_minutes = fields.Integer(attribute="lot.grace_minutes")
    refunds_early_exit = fields.Flag(attribute="lot.refunds_early_exit")
    allows_reentry = fields.Flag(attribute="lot.allows_reentry")
    allows_self_check_in = fields.Flag(attribute="lot.allows_self_check_in")
    capacity = fields.Integer(min=0)
    capacity_by_kind = fields.Dict(keys=fields.Text(), values=fields.Integer(min=0))
    levels = fields.List(fields.Text())
    tariff = fields.Nested(LotTariffSchema, allow_none=True)
    rating = fields.Real(attribute="rating.rating", allow_none=True, min=1, max=5)
    review_count = fields.Integer(attribute="rating.review_count", min=0)

    @post_dump(pass_original=True)
    def _write_days(
        self, document: dict[str, Any], detail: LotDetail, **_kwargs: Any
    ) -> dict[str, Any]:
        return {**document, "opening_hours_by_day": _by_day(detail.hours)}


class LotUpdate(Schema):
    """Facts of a lot that change; what is left out stays."""

    name = fields.Text(min=1, max=LONGEST["name"])
    address = fields.Text(min=1, max=LONGEST["address"])
    city = fields.Text(min=1, max=LONGEST["city"])
    lat = fields.Real(min=-90, max=90)
    lng = fields.Real(min=-180, max=180)
    timezone = fields.Text(min=1, max=64, validate=_check_zone)
    status = fields.Choice(*_KEPT_STATUSES)
    opening_hours = fields.Text(
        min=1,
        max=LONGEST_TEXT,
        validate=_check_hours,
        metadata={
            "description": "As in OpenStreetMap: `24/7` or `Mo-Fr 07:00-20:30; Sa 07:00-21:00`."
        },
    )
    height_limit_cm = fields.Integer(min=100, max=1_000, allow_none=True)
    amenities = _amenities()
    refund_policy = fields.Choice(*REFUND_POLICIES)
    entry_minutes = fields.Integer(
        min=0,
        max=_LONGEST_GATE_MINUTES,
        metadata={"description": "So long before its start a booking opens the entrance."},
    )
    entry_minutes_long = fields.Integer(
        min=0,
        max=_LONGEST_GATE_MINUTES,
        metadata={"description": "The same for stays over 24 hours."},
    )
    grace_minutes = fields.Integer(
        min=0,
        max=_LONGEST_GATE_MINUTES,
        metadata={"description": "So long after the end leaving costs nothing more."},
    )
    refunds_early_exit = fields.Flag(
        metadata={"description": "Whoever leaves early gets back what the rest of the time cost."}
    )
    allows_reentry = fields.Flag(
        metadata={"description": "A car may leave and come back until its booking ends."}
    )
    allows_self_check_in = fields.Flag(
        metadata={"description": "Drivers may check in and out by themselves in the app."}
    )


class LotCreate(LotUpdate):
    """A new lot. Without a time zone it has that of its point."""

    name = fields.Text(required=True, min=1, max=LONGEST["name"])
    address = fields.Text(required=True, min=1, max=LONGEST["address"])
    city = fields.Text(required=True, min=1, max=LONGEST["city"])
    lat = fields.Real(required=True, min=-90, max=90)
    lng = fields.Real(required=True, min=-180, max=180)


class StaffMemberSchema(Schema):
    """An attendant of a lot."""

    id = fields.Id()
    name = fields.Text(max=100)
    email = fields.Text(max=254)


class StaffListSchema(Schema):
    """All attendants of a lot."""

    items = fields.List(fields.Nested(StaffMemberSchema))


class StaffUpdate(Schema):
    """Who works at a lot from now on; whoever is left out does not any more."""

    user_ids = fields.List(fields.Id(), required=True, max=MOST_STAFF)


def _by_day(hours: OpeningHours) -> list[dict[str, Any]]:
    return [
        {
            "day": day,
            "ranges": [
                {"opens": _write_time(opens), "closes": _write_time(closes)}
                for opens, closes in ranges
            ],
        }
        for day, ranges in zip(DAY_NAMES, hours.days, strict=True)
    ]


def _write_time(minutes: int) -> str:
    # Midnight as an end is 24:00; later ends lie on the next day and are written as its time.
    hour, minute = divmod(minutes if minutes <= 24 * 60 else minutes - 24 * 60, 60)
    return f"{hour:02}:{minute:02}"
