"""Charts by Matplotlib: its figure draws with the pens of the page, so lines are lines.

One figure and its axes serve all reports of a process; there is no picture in between. Words are
written by the page itself, in its type, so that they can be read, found and copied.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from reportlab.pdfgen.canvas import Canvas

from backend.reports.drawing.lettering import Type, draw, width

PINE, MARIGOLD, LINE, MUTED, INK = "#0c5c4a", "#e09a12", "#dfe0d9", "#626a64", "#151a17"


class PageRenderer(RendererBase):
    """Draws what Matplotlib wants on a page of ReportLab, one to one in points."""

    def __init__(self, canvas: Canvas, wide: float, high: float) -> None:
        super().__init__()
        self._canvas, self._size = canvas, (wide, high)

    def get_canvas_width_height(self) -> tuple[float, float]:
        """Say how large the chart is."""
        return self._size

    def flipy(self) -> bool:
        """Say that y grows upwards, as in PDF."""
        return False

    def points_to_pixels(self, points: Any) -> Any:
        """Give points as they are: they are what a page counts in."""
        return points

    def draw_path(
        self,
        gc: GraphicsContextBase,
        path: Path,
        transform: Any,
        rgbFace: Any = None,  # noqa: N803 - Matplotlib's signature
    ) -> None:
        """Draw a line or fill a shape."""
        pen: Any = self._canvas.beginPath()
        for points, code in path.iter_segments(transform, simplify=False, curves=True):
            at = [float(point) for point in points]
            if code == Path.MOVETO:
                pen.moveTo(*at)
            elif code == Path.LINETO:
                pen.lineTo(*at)
            elif code == Path.CURVE4:
                pen.curveTo(*at)
            elif code == Path.CLOSEPOLY:
                pen.close()
        canvas: Any = self._canvas
        line = gc.get_linewidth()
        if rgbFace is not None:
            canvas.setFillColorRGB(*rgbFace[:3])
        if line:
            canvas.setStrokeColorRGB(*gc.get_rgb()[:3])
            canvas.setLineWidth(line)
        canvas.drawPath(pen, stroke=int(line > 0), fill=int(rgbFace is not None))


@cache
def _figure() -> tuple[Figure, Any]:
    figure = Figure(dpi=72, frameon=False)
    axes = figure.add_axes((0, 0, 1, 1), frameon=False)
    axes.set_axis_off()
    axes.set_autoscale_on(False)
    return figure, axes


class Chart:
    """The one figure of the process, cleared and laid on a place of a page."""

    def __init__(self, canvas: Canvas, place: tuple[float, float, float, float]) -> None:
        x, y, self.wide, self.high = place
        self._canvas, self._at = canvas, (x, y)
        self._figure, self._axes = _figure()
        for artist in (*self._axes.patches, *self._axes.lines):
            artist.remove()
        self._figure.set_size_inches(self.wide / 72, self.high / 72, forward=False)
        self._axes.set_xlim(0, self.wide)
        self._axes.set_ylim(0, self.high)
        self._words: list[tuple[float, float, str, Type, str]] = []

    def box(self, x: float, y: float, wide: float, high: float, colour: str, r: float = 2) -> None:
        """Add a filled box; its corners are as round as it can bear."""
        patch = PathPatch(_round(x, y, wide, high, min(r, wide / 2, high / 2)))
        patch.set(facecolor=colour, linewidth=0, zorder=1)
        self._axes.add_artist(patch)

    def rule(self, left: float, right: float, y: float) -> None:
        """Add a line behind all else."""
        line = Line2D((left, right), (y, y), color=LINE, linewidth=0.6, zorder=0, clip_on=False)
        self._axes.add_artist(line)

    def word(self, x: float, y: float, text: str, look: Type, align: str = "left") -> None:
        """Add a word, taken as text whatever formula it looks like."""
        self._words.append((x, y, text, look, align))

    def show(self) -> None:
        """Draw it on the page."""
        canvas: Any = self._canvas
        canvas.saveState()
        canvas.translate(*self._at)
        self._figure.draw(PageRenderer(self._canvas, self.wide, self.high))
        for x, y, text, look, align in self._words:
            draw(self._canvas, x, y, text, look, align=align)
        canvas.restoreState()


def _round(x: float, y: float, wide: float, high: float, r: float) -> Path:
    """Give the outline of a box with round corners."""
    k, right, top = r * 0.5523, x + wide, y + high  # of a quarter of a circle as one curve
    points = [
        *((x + r, y), (right - r, y), (right - r + k, y), (right, y + r - k), (right, y + r)),
        *((right, top - r), (right, top - r + k), (right - r + k, top), (right - r, top)),
        *((x + r, top), (x + r - k, top), (x, top - r + k), (x, top - r)),
        *((x, y + r), (x, y + r - k), (x + r - k, y), (x + r, y), (x + r, y)),
    ]
    side = (Path.LINETO, *[Path.CURVE4] * 3)
    return Path(points, (Path.MOVETO, *side * 4, Path.CLOSEPOLY))


def columns(
    canvas: Canvas,
    place: tuple[float, float, float, float],
    bars: Sequence[tuple[str, float, str]],
    *,
    marks: Sequence[tuple[float, str]],
    names: int = 1,
) -> None:
    """Draw columns of (name, height, label) over gridlines; every ``names``-th is named, the highest is dark."""
    chart = Chart(canvas, place)
    top = marks[-1][0] or 1
    left = max(width(text, 7) for _, text in marks) + 6
    floor, ceiling = 16.0, chart.high - 14
    for value, text in marks:
        y = floor + (ceiling - floor) * value / top
        chart.rule(left, chart.wide, y)
        chart.word(left - 6, y - 2.5, text, Type(7, MUTED), "right")
    step = (chart.wide - left) / len(bars)
    thick = min(step * 0.62, 34)
    most = max(value for _, value, _ in bars)
    for index, (name, value, label) in enumerate(bars):
        middle = left + step * (index + 0.5)
        high = (ceiling - floor) * max(value, 0) / top
        best = value == most > 0
        if high > 0:
            colour = PINE if best else "#86aea4"
            chart.box(middle - thick / 2, floor, thick, high, colour, 2.5)
        if label:
            chart.word(middle, floor + high + 4, label, Type(7, INK, bold=best), "center")
        if index % names == 0:
            chart.word(middle, 4, name, Type(7, INK if best else MUTED, bold=best), "center")
    chart.show()


def bars(
    canvas: Canvas,
    place: tuple[float, float, float, float],
    rows: Sequence[tuple[str, float, str]],
    *,
    pitch: float,
) -> None:
    """Draw lying bars of (name, length, label), the name above each."""
    chart = Chart(canvas, place)
    most = max((value for _, value, _ in rows), default=0) or 1
    y = chart.high
    for name, value, label in rows:
        chart.word(0, y - 9, name, Type(8, INK))
        chart.word(chart.wide, y - 9, label, Type(8, INK, bold=True), "right")
        chart.box(0, y - 18, chart.wide, 4.5, "#eeeeea", 2.2)
        if value > 0:
            chart.box(0, y - 18, max(chart.wide * value / most, 4.5), 4.5, PINE, 2.2)
        y -= pitch
    chart.show()


def heat(
    canvas: Canvas,
    place: tuple[float, float, float, float],
    rows: Sequence[Sequence[float | None]],
    names: Sequence[str],
) -> None:
    """Draw a week of hours: the fuller, the darker; what was closed is empty."""
    chart = Chart(canvas, place)
    left = max(width(name, 7) for name in names) + 8
    across, down = (chart.wide - left) / 24, (chart.high - 14) / 7
    for day, hours in enumerate(rows):
        y = chart.high - down * (day + 1)
        chart.word(0, y + down / 2 - 2.5, names[day], Type(7, MUTED))
        for hour, share in enumerate(hours):
            colour = "#f5f5f1" if share is None else _shade(min(max(share, 0.0), 1.0))
            chart.box(left + across * hour + 0.8, y + 0.8, across - 1.6, down - 1.6, colour, 2)
    for hour in range(0, 24, 3):
        chart.word(left + across * hour + 1, 4, f"{hour:02d}:00", Type(6.5, MUTED))
    chart.show()


def _shade(share: float) -> str:
    light, dark = (226, 232, 227), (12, 92, 74)
    mixed = (round(a + (b - a) * share) for a, b in zip(light, dark, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def scale(most: int) -> list[int]:
    """Give marks from 0 to above ``most`` at round numbers, in four steps or fewer."""
    size = 1
    while True:
        for step in (1, 2, 5):
            if step * size * 4 >= most:
                count = max(-(-most // (step * size)), 1)
                return [step * size * index for index in range(count + 1)]
        size *= 10
