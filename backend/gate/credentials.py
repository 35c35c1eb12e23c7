"""What somebody shows at a gate: the QR code of a ticket, its code, or a number plate."""

from dataclasses import dataclass

from backend.reservations.codes import ALPHABET, read_code
from backend.reservations.signed_ticket import read_ticket
from backend.vehicles.plates import normalise_plate

LONGEST = 1_000
"""Characters of a credential: a signed ticket has a few hundred."""

_SIGNED = "eyJ"
_CODE_LENGTH = len("VV-8F3K-29QX")


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential as it was read: what it may be a code of, and what a plate."""

    kind: str
    """``qr``, ``code``, ``plate``, or ``none`` when nobody can read it."""
    code: str | None = None
    plate: str | None = None
    lot_id: int | None = None
    """The lot for which a signed ticket was issued."""

    @property
    def shown(self) -> str:
        """What is kept of it; of what nobody can read, nothing."""
        return (self.plate if self.kind == "plate" else self.code) or ""


def read_credential(written: str) -> Credential:
    """Read what was shown; a ticket that we did not sign is one that nobody can read.

    Eight letters may be a code without its VV or a plate: then both stand in the answer.
    """
    if written.startswith(_SIGNED) and written.count(".") == 2:
        ticket = read_ticket(written)
        if ticket is None:
            return Credential("none")
        return Credential("qr", code=ticket.code, lot_id=ticket.lot_id)
    code = read_code(written)
    letters = code.removeprefix("VV-").replace("-", "")
    if len(code) != _CODE_LENGTH or any(letter not in ALPHABET for letter in letters):
        code = ""
    try:
        plate = normalise_plate(written)
    except ValueError:
        plate = ""
    if code and (not plate or written.strip().upper().startswith("VV")):
        return Credential("code", code=code, plate=plate or None)
    if plate:
        return Credential("plate", code=code or None, plate=plate)
    return Credential("none")
