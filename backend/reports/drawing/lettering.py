"""Text on a page: in the product's type, and in others for the signs which that does not have."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from reportlab.lib.colors import Color, HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import ShapedStr, TTFont, shapeStr
from reportlab.pdfgen.canvas import Canvas

_FONTS = Path(__file__).resolve().parents[2] / "assets" / "fonts"
# Inter first; then Hindi; then DejaVu, which comes with Matplotlib, for other alphabets and signs.
_FACES = {
    False: ("Inter", "NotoSansDevanagari", "DejaVuSans"),
    True: ("Inter-SemiBold", "NotoSansDevanagari-SemiBold", "DejaVuSans-Bold"),
}
_SHAPED = frozenset(face for faces in _FACES.values() for face in faces[1:])
"""Their letters change with their neighbours, or stand before them."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NO_CHARACTER = re.compile(r"[\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Type:
    """How words look."""

    size: float
    colour: str = "#151a17"
    bold: bool = False


@cache
def fonts() -> dict[str, TTFont]:
    """Register all fonts once in a process."""
    dejavu = Path(mpl.get_data_path()) / "fonts" / "ttf"
    files = {
        "Inter": _FONTS / "Inter-Regular.ttf",
        "Inter-SemiBold": _FONTS / "Inter-SemiBold.ttf",
        "NotoSansDevanagari": _FONTS / "NotoSansDevanagari-Regular.ttf",
        "NotoSansDevanagari-SemiBold": _FONTS / "NotoSansDevanagari-SemiBold.ttf",
        "DejaVuSans": dejavu / "DejaVuSans.ttf",
        "DejaVuSans-Bold": dejavu / "DejaVuSans-Bold.ttf",
    }
    found = {name: TTFont(name, file) for name, file in files.items()}
    for font in found.values():
        pdfmetrics.registerFont(font)
    return found


@cache
def colour_of(text: str) -> Color:
    """Give a colour of the page by its number; ReportLab would read it anew each time."""
    return HexColor(text)


@cache
def _signs() -> dict[str, frozenset[int]]:
    """Say which signs each face has; shaping adds some of its own to ReportLab's list later."""
    return {name: frozenset(font.face.charToGlyph) for name, font in fonts().items()}


def clean(text: str) -> str:
    """Make one line of a text: without what moves a cursor, and what is no character at all."""
    return _NO_CHARACTER.sub("\ufffd", _UNPRINTABLE.sub(" ", text)).strip()


@lru_cache(maxsize=4096)
def width(text: str, size: float, bold: bool = False) -> float:  # noqa: FBT001, FBT002 - the key of the cache
    """Say how wide a text is."""
    return sum(_run_width(part, face, size) for face, part in runs(text, bold=bold))


def draw(
    canvas: Canvas, x: float, y: float, text: str, look: Type, *, align: str = "left"
) -> float:
    """Write one line with its baseline at ``y``; give how wide it is."""
    text = clean(text)
    wide = width(text, look.size, look.bold)
    x -= {"left": 0.0, "center": wide / 2, "right": wide}[align]
    for face, part in runs(text, bold=look.bold):
        pen: Any = canvas.beginText(x, y)
        pen.setFillColor(colour_of(look.colour))
        pen.setFont(face, look.size)
        if face in _SHAPED or not all(ord(sign) in _signs()[face] for sign in part):
            # Who reads or copies it gets the letters, not the shapes that they were drawn with.
            spoken = f"\ufeff{part}".encode("utf-16-be").hex().upper()
            pen._code.append(f"/Span <</ActualText <{spoken}>>> BDC")  # noqa: SLF001 - ReportLab has no other way
            pen.textOut(_shape(part, face, look.size))
            pen._code.append("EMC")  # noqa: SLF001 - as above
        else:
            pen.textOut(part)
        canvas.drawText(pen)
        x += _run_width(part, face, look.size)
    return wide


def _shape(text: str, face: str, size: float) -> str:
    shaped: str = shapeStr(text, face, size) if face in _SHAPED and text.strip() else text
    return shaped


def _run_width(text: str, face: str, size: float) -> float:
    if face in _SHAPED:
        shaped = _shape(text, face, size)
        if isinstance(shaped, ShapedStr):
            return float(sum(each.x_advance for each in shaped.__shapeData__) * size / 1000)
    return float(pdfmetrics.stringWidth(text, face, size))


@lru_cache(maxsize=4096)
def wrap(text: str, look: Type, room: float, most: int = 4) -> tuple[str, ...]:
    """Break a text into lines of at most ``room``; what is longer than ``most`` of them ends in an ellipsis."""
    rest = clean(text)[:2000]
    lines: list[str] = []
    while rest:
        if width(rest, look.size, look.bold) <= room:
            lines.append(rest)
            break
        if len(lines) == most - 1:
            lines.append(_cut(rest, look, room - width("…", look.size, look.bold)).rstrip() + "…")
            break
        line = _cut(rest, look, room)
        blank = line.rfind(" ")
        if blank > 0 and not rest[len(line) :].startswith(" "):
            line = line[:blank]
        lines.append(line.rstrip())
        rest = rest[len(line) :].lstrip()
    return tuple(lines) or ("",)


def _cut(text: str, look: Type, room: float) -> str:
    """Give as much of the beginning of a text as there is room for, and never nothing."""
    low, high = 1, min(len(text), 400)
    while low < high:
        middle = (low + high + 1) // 2
        if width(text[:middle], look.size, look.bold) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low]


@lru_cache(maxsize=4096)
def runs(text: str, *, bold: bool = False) -> tuple[tuple[str, str], ...]:
    """Split a text by the first face that has each sign; one that none has stays with the first."""
    faces = _FACES[bold]
    if text.isascii():
        return ((faces[0], text),) if text else ()
    known = _signs()
    parts: list[tuple[str, str]] = []
    for sign in text:
        number = ord(sign)
        has = [face for face in faces if number in known[face]]
        face = has[0] if has else faces[0]
        # Signs that join letters belong to the word that they stand in.
        if parts and parts[-1][0] in has:
            face = parts[-1][0] if parts[-1][0] != faces[2] else face
        if parts and parts[-1][0] == face:
            parts[-1] = (face, parts[-1][1] + sign)
        else:
            parts.append((face, sign))
    return tuple(parts)
