"""Distances on the ground, and the box around a point that a database can search."""

import math
from dataclasses import dataclass

EARTH_RADIUS_M = 6_371_009
# People walk round corners, and about 80 m in a minute.
_DETOUR = 1.3
_METRES_A_MINUTE = 80


@dataclass(frozen=True, slots=True)
class Point:
    """A place on earth, in degrees."""

    lat: float
    lng: float


@dataclass(frozen=True, slots=True)
class Box:
    """All that lies around a point: a range of latitudes, and one or two of longitudes."""

    south: float
    north: float
    longitudes: tuple[tuple[float, float], ...]
    """Two where the box lies across the date line, none where it goes all around."""


def metres_between(first: Point, second: Point) -> int:
    """Measure the way of a bird, to the metre."""
    first_lat, second_lat = math.radians(first.lat), math.radians(second.lat)
    half_lat = (second_lat - first_lat) / 2
    half_lng = math.radians(second.lng - first.lng) / 2
    chord = (
        math.sin(half_lat) ** 2
        + math.cos(first_lat) * math.cos(second_lat) * math.sin(half_lng) ** 2
    )
    return round(2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, chord))))


def walking_minutes(metres: int) -> int:
    """Tell how long a walk takes that a bird would fly in ``metres``."""
    return math.ceil(metres * _DETOUR / _METRES_A_MINUTE)


def box_around(point: Point, radius_m: int) -> Box:
    """Give the smallest box that holds all points within ``radius_m``."""
    # A little more than needed: the exact distance decides afterwards.
    angle = (radius_m + 1) / EARTH_RADIUS_M
    degrees = math.degrees(angle)
    south, north = point.lat - degrees, point.lat + degrees
    if south <= -90 or north >= 90:
        return Box(max(south, -90.0), min(north, 90.0), ())
    # Meridians draw together: the box is widest in longitude away from the point's own latitude.
    width = math.degrees(math.asin(math.sin(angle) / math.cos(math.radians(point.lat))))
    west, east = point.lng - width, point.lng + width
    if west < -180:
        return Box(south, north, ((west + 360, 180.0), (-180.0, east)))
    if east > 180:
        return Box(south, north, ((west, 180.0), (-180.0, east - 360)))
    return Box(south, north, ((west, east),))
