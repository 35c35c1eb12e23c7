"""The matrix of docs/access.md, as tests read it."""

import re
from dataclasses import dataclass

from tests.servers import ROOT

COLUMNS = (
    "anonymous",
    "owner",
    "other driver",
    "attendant",
    "attendant elsewhere",
    "admin",
    "disabled",
    "expired",
    "stale",
)
ROLES = {"driver", "attendant", "admin"}
PUBLIC: set[str] = set()
SIGNED_IN = ROLES

_ROW = re.compile(r"^\| `([A-Z]+ /[^`]*)` *\|(.*)\|$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Row:
    """What one operation answers to whom."""

    name: str
    """As the table calls it: ``POST /quotes``, or ``POST /quotes for a vehicle``."""
    may: str
    cells: dict[str, str]

    @property
    def operation(self) -> str:
        """The operation as routes tell it: ``POST /api/v1/quotes``."""
        method, path = self.name.split(" ")[:2]
        return f"{method} {path}" if path in {"/healthz", "/readyz"} else f"{method} /api/v1{path}"

    @property
    def is_public(self) -> bool:
        return self.may == "public"

    @property
    def is_fresh(self) -> bool:
        return self.may.endswith("· fresh")

    @property
    def roles(self) -> set[str]:
        """Who may call it."""
        words = self.may.partition(" · ")[0]
        if words == "public":
            return PUBLIC
        return SIGNED_IN if words == "signed in" else set(words.split(", "))


def read_matrix() -> list[Row]:
    """Read the table."""
    text = (ROOT / "docs" / "access.md").read_text(encoding="utf-8")
    rows = []
    for name, rest in _ROW.findall(text):
        may, *cells = (cell.strip() for cell in rest.split("|"))
        rows.append(Row(name, may, dict(zip(COLUMNS, cells, strict=True))))
    return rows


ROWS = read_matrix()
