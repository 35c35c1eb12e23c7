"""Which kinds of bay a vehicle may use."""

_FITS = {
    "car": ("standard", "compact", "large"),
    "motorcycle": ("motorcycle",),
    "van": ("large",),
}


def fitting_kinds(
    vehicle_kind: str, *, electric: bool = False, has_permit: bool = False
) -> tuple[str, ...]:
    """Give the kinds of bay that a vehicle fits, the one to try first foremost.

    A charging bay comes late, so that an electric car that asks for nothing leaves it to one that does;
    and last an accessible one, which any vehicle of a driver with a confirmed permit may use.
    """
    kinds = _FITS[vehicle_kind]
    if electric and vehicle_kind == "car":
        kinds = (*kinds, "electric")
    return (*kinds, "accessible") if has_permit else kinds
