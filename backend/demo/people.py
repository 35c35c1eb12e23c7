"""Who parks in the demo: a few people with names and passwords, and a crowd of drivers."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from backend.addresses import NOBODYS
from backend.demo.stays import Place, Stay
from backend.vehicles.plates import normalise_plate

MOST_LIVE = 4
"""Fewer than a driver may have, so that each can book more."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_TRIES = 60
_VAN_HEIGHT_CM = 198
_APART = timedelta(hours=20)
"""Between the starts of the bookings of a named driver, who parks about once a day."""

_CAR, _ELECTRIC, _MOTORCYCLE, _VAN = "car", "electric", "motorcycle", "van"
_CLASSES = {_CAR: 70, _ELECTRIC: 18, _MOTORCYCLE: 6, _VAN: 6}
_CLASS_OF_BAY = {
    "standard": (_CAR, _ELECTRIC),
    "electric": (_ELECTRIC,),
    "motorcycle": (_MOTORCYCLE,),
    "large": (_VAN, _CAR),
}
_MODELS = {
    _CAR: (("Volkswagen", "Golf"), ("Škoda", "Octavia"), ("Opel", "Corsa"), ("BMW", "320d")),
    _ELECTRIC: (("Tesla", "Model 3"), ("Volkswagen", "ID.3"), ("Hyundai", "Ioniq 5")),
    _MOTORCYCLE: (("BMW", "R 1250 GS"), ("Yamaha", "MT-07")),
    _VAN: (("Volkswagen", "Transporter"), ("Ford", "Transit Custom")),
}
_COLOURS = ("black", "white", "silver", "grey", "blue", "red", "green")


PAID, CANCELLED, EXPIRED = "paid", "cancelled", "expired"
RETURNED, ABSENT = "returned", "absent"
"""Paid and cancelled after, and paid by somebody who never came."""

# Of so many bookings of the crowd one has such a fate.
_RETURNED_ONE_IN = 120
_ABSENT_ONE_IN = 60
_TIME_TO_CANCEL = timedelta(minutes=30)

# What becomes of bookings of a named driver: of so many, that lie in the past, the present or the future.
_FATES = (
    *(("future", PAID, 2), ("future", CANCELLED, 1), ("future", RETURNED, 1)),
    *(("past", EXPIRED, 1), ("past", PAID, 6)),
)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody whose password the operator is told."""

    email: str
    name: str
    roles: tuple[str, ...]
    plates: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class DemoVehicle:
    """A vehicle to come; its id is known once it is in the database."""

    plate: str
    type: str
    make: str
    model: str
    colour: str
    is_default: bool
    id: int = 0

    @property
    def kind(self) -> str:
        """The kind by which bays are chosen."""
        return _CAR if self.type == _ELECTRIC else self.type

    @property
    def electric(self) -> bool:
        """Whether it may charge."""
        return self.type == _ELECTRIC

    @property
    def height_cm(self) -> int | None:
        """Known of vans only; everything else fits anywhere."""
        return _VAN_HEIGHT_CM if self.type == _VAN else None


@dataclass(slots=True, eq=False)
class DemoDriver:
    """A driver to come, and when they are busy."""

    email: str
    name: str
    vehicles: list[DemoVehicle]
    is_named: bool = False
    id: int = 0
    live: int = 0
    free_at: datetime = _LONG_AGO
    busy: list[Stay] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Booked:
    """A stay as somebody booked it, and what came of it."""

    stay: Stay
    driver: DemoDriver
    vehicle: DemoVehicle
    fate: str = PAID


@dataclass(frozen=True, slots=True)
class Customs:
    """What people and plates look like where the currency is at home."""

    accounts: tuple[Account, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    plate_prefixes: tuple[str, ...]


_STAFF = (
    Account("admin@demo.example", "Alex Admin", ("driver", "admin")),
    Account("attendant@demo.example", "Toni Torwart", ("driver", "attendant")),
)
ADMIN, ATTENDANT = _STAFF

CUSTOMS = {
    "EUR": Customs(
        (
            *_STAFF,
            Account(
                "anna@demo.example", "Anna Schneider", ("driver",), ("DD AS 1204", "DD AK 77E")
            ),
            Account("jonas@demo.example", "Jonas Weber", ("driver",), ("HD JW 88",)),
            Account("leyla@demo.example", "Leyla Kaya", ("driver",), ("DD LK 310", "UL LK 31")),
        ),
        (
            "Emma",
            "Paul",
            "Mia",
            "Ben",
            "Hannah",
            "Leon",
            "Sofia",
            "Felix",
            "Marie",
            "Emil",
            "Ida",
            "Karl",
            "Frieda",
            "Anton",
            "Greta",
            "Oskar",
            "Amira",
            "Deniz",
            "Olga",
            "Piotr",
        ),
        (
            "Müller",
            "Schmidt",
            "Fischer",
            "Meyer",
            "Wagner",
            "Becker",
            "Schulz",
            "Hoffmann",
            "Koch",
            "Richter",
            "Klein",
            "Wolf",
            "Neumann",
            "Zimmermann",
            "Krüger",
            "Yildiz",
        ),
        ("DD", "HD", "UL", "AA", "PIR", "MEI", "L", "B"),
    ),
    "INR": Customs(
        (
            *_STAFF,
            Account(
                "ananya@demo.example", "Ananya Rao", ("driver",), ("KA 01 AR 1204", "KA 05 AK 7700")
            ),
            Account("rohan@demo.example", "Rohan Gowda", ("driver",), ("KA 03 RG 8800",)),
            Account("sara@demo.example", "Sara Khan", ("driver",), ("KA 41 SK 3100",)),
        ),
        (
            "Aarav",
            "Diya",
            "Vihaan",
            "Meera",
            "Arjun",
            "Kavya",
            "Imran",
            "Priya",
            "Kiran",
            "Asha",
            "Ravi",
            "Nisha",
            "Suresh",
            "Lakshmi",
            "Joseph",
            "Fatima",
        ),
        ("Kumar", "Reddy", "Shetty", "Nair", "Iyer", "Hegde", "Patil", "Thomas", "Ahmed", "Das"),
        ("KA01", "KA02", "KA03", "KA04", "KA05", "KA41", "KA51", "TN09"),
    ),
}


def name_drivers(customs: Customs) -> list[DemoDriver]:
    """Make those drivers whose passwords are told."""
    return [
        DemoDriver(
            account.email,
            account.name,
            [
                _vehicle(normalise_plate(plate), _ELECTRIC if plate.endswith("E") else _CAR, number)
                for number, plate in enumerate(account.plates)
            ],
            is_named=True,
        )
        for account in customs.accounts
        if account.plates
    ]


def gather_crowd(customs: Customs, count: int, rng: Random) -> list[DemoDriver]:
    """Make a crowd of drivers, each with a plate of their own."""
    taken = {normalise_plate(plate) for account in customs.accounts for plate in account.plates}
    drivers = []
    for number in range(1, count + 1):
        name = f"{rng.choice(customs.first_names)} {rng.choice(customs.last_names)}"
        plate = _new_plate(customs, taken, rng)
        chosen = rng.choices(list(_CLASSES), list(_CLASSES.values()))[0]
        vehicle = _vehicle(plate, chosen, rng.randrange(1000))
        vehicle.is_default = True
        drivers.append(DemoDriver(f"driver{number:04}@crowd{NOBODYS}", name, [vehicle]))
    return drivers


def assign(
    stays: Sequence[Stay],
    named: Sequence[DemoDriver],
    crowd: Sequence[DemoDriver],
    *,
    now: datetime,
    rng: Random,
) -> Iterator[Booked]:
    """Give stays, which come by their starts, to people; a stay that suits nobody is left out.

    Nobody is in two places at once. Each named driver has some history, something ahead, a booking that
    was cancelled and one that expired, and the first one is parked now.
    """
    claimed = _claim_for_named(stays, named, now, rng)
    by_class: dict[str, list[DemoDriver]] = defaultdict(list)
    for driver in crowd:
        by_class[driver.vehicles[0].type].append(driver)
    for position, stay in enumerate(stays):
        if position in claimed:
            driver, fate = claimed[position]
            yield Booked(stay, driver, rng.choice(driver.vehicles), fate)
        elif (found := _find_driver(stay, by_class, now, rng)) is not None:
            yield Booked(stay, found, found.vehicles[0], _fate(stay, now, rng))


def _fate(stay: Stay, now: datetime, rng: Random) -> str:
    if not rng.randrange(_RETURNED_ONE_IN):
        return RETURNED if _can_be_let_go(stay, now) else PAID
    if stay.ends_at <= now and not rng.randrange(_ABSENT_ONE_IN):
        return ABSENT
    return PAID


def _can_be_let_go(stay: Stay, now: datetime) -> bool:
    return min(stay.starts_at, now) - stay.paid_at > _TIME_TO_CANCEL


def _claim_for_named(
    stays: Sequence[Stay], named: Sequence[DemoDriver], now: datetime, rng: Random
) -> dict[int, tuple[DemoDriver, str]]:
    claimed: dict[int, tuple[DemoDriver, str]] = {}
    positions = [index for index, stay in enumerate(stays) if stay.kind == "standard"]
    rng.shuffle(positions)
    for number, driver in enumerate(named):
        # The present first: at night there are few to choose from.
        for tense, fate, count in (("present", PAID, int(number == 0)), *_FATES):
            left = count
            for position in positions if left else ():
                stay = stays[position]
                if position in claimed or _tense(stay, now) != tense or not _suits(stay, driver):
                    continue
                if fate == RETURNED and not _can_be_let_go(stay, now):
                    continue
                driver.busy.append(stay)
                claimed[position] = (driver, fate)
                left -= 1
                if not left:
                    break
    return claimed


def _suits(stay: Stay, driver: DemoDriver) -> bool:
    return all(abs(stay.starts_at - other.starts_at) >= _APART for other in driver.busy)


def _tense(stay: Stay, now: datetime) -> str:
    if stay.ends_at <= now:
        return "past"
    return "present" if stay.starts_at <= now else "future"


def _find_driver(
    stay: Stay, by_class: dict[str, list[DemoDriver]], now: datetime, rng: Random
) -> DemoDriver | None:
    is_live = stay.ends_at > now
    for vehicle_class in _CLASS_OF_BAY[stay.kind]:
        if vehicle_class == _VAN and not _has_room_for_vans(stay.place):
            continue
        drivers = by_class[vehicle_class]
        for _ in range(_TRIES if drivers else 0):
            driver = rng.choice(drivers)
            if driver.free_at <= stay.starts_at and not (is_live and driver.live >= MOST_LIVE):
                driver.free_at = stay.ends_at
                driver.live += is_live
                return driver
    return None


def _has_room_for_vans(place: Place) -> bool:
    return place.height_limit_cm is None or place.height_limit_cm >= _VAN_HEIGHT_CM


def _vehicle(plate: str, vehicle_class: str, number: int) -> DemoVehicle:
    models = _MODELS[vehicle_class]
    make, model = models[number % len(models)]
    colour = _COLOURS[number % len(_COLOURS)]
    return DemoVehicle(plate, vehicle_class, make, model, colour, is_default=number == 0)


def _new_plate(customs: Customs, taken: set[str], rng: Random) -> str:
    while True:
        letters = "".join(rng.choices("ABCDEFGHJKLMNPRSTUVWXYZ", k=2))
        plate = f"{rng.choice(customs.plate_prefixes)}{letters}{rng.randrange(1000, 10000)}"
        if plate not in taken:
            taken.add(plate)
            return plate
