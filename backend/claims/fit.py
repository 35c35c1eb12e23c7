"""Which kinds of bay a vehicle may use."""

_FITS = {
    "car": ("standard", "compact", "large"),
    "motorcycle": ("motorcycle",),
    "van": ("large",),
}


def fitting_kinds(vehicle_kind: str, *, electric: bool = False) -> tuple[str, ...]:
    """Give the kinds of bay that a vehicle fits, the one to try first foremost.

    A charging bay comes last, so that an electric car that asks for nothing leaves it to one that does.
    """
    kinds = _FITS[vehicle_kind]
    return (*kinds, "electric") if electric and vehicle_kind == "car" else kinds
