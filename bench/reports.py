"""How fast the monthly reports of 10,000 drivers are drawn by two workers, and in how much memory.

Beside it the same pages with ReportLab's own charts, in turns in the same processes: what Matplotlib costs.
"""

import multiprocessing
import time
from collections.abc import Sequence
from unittest.mock import patch

import psutil
from reportlab.graphics import renderPDF
from reportlab.graphics.charts.barcharts import HorizontalBarChart, VerticalBarChart
from reportlab.graphics.shapes import Drawing
from reportlab.pdfgen.canvas import Canvas

from backend.reports.drawing import driver_pdf, driver_xlsx
from bench.table import Row
from tests.reports.months import driver_month

DRIVERS = 10_000
_WORKERS = 2
_TURN = 100
_EVERY = 5
"""Of so many turns one is drawn with the other charts too; that many say enough."""
_MOST = 3.0


def measure(drivers: int = DRIVERS) -> list[Row]:
    """Draw the reports of so many drivers."""
    turns = list(range(0, drivers, _TURN))
    with multiprocessing.get_context("spawn").Pool(_WORKERS) as pool:
        began = time.perf_counter()
        parts = pool.map(_draw, [turns[number::_WORKERS] for number in range(_WORKERS)])
        took = time.perf_counter() - began
    ours, ours_beside, theirs = (sum(part[side] for part in parts) for side in range(3))
    ratio = ours_beside / theirs
    peak = max(part[3] for part in parts)
    return [
        Row(
            f"monthly PDF with charts + XLSX for {drivers:,} drivers, 2 workers ÷ ReportLab's charts",
            f"{ratio:.2f}  ({ours / drivers * 1000:.0f} ms a report, {took:.0f} s in all,"
            f" peak {peak:.0f} MB over idle)",
            f"≤ {_MOST:.0f}",
            ratio <= _MOST,
        )
    ]


def _draw(turns: Sequence[int]) -> tuple[float, float, float, float]:
    """Draw some; give seconds of all, seconds of those drawn twice in both ways, and megabytes."""
    idle = _held()
    ours = beside = theirs = 0.0
    # What ReportLab's charts leave behind is not counted as ours.
    peak = of_theirs = 0
    _turn(0, 1)
    for number, first in enumerate(turns):
        took, held = _turn(first, _TURN)
        ours += took
        peak = max(peak, held - idle - of_theirs)
        if number % _EVERY == 0:
            beside += took
            before = _held()
            with patch.multiple(driver_pdf, columns=_columns, bars=_bars):
                theirs += _turn(first, _TURN)[0]
            of_theirs += _held() - before
    return ours, beside, theirs, peak / 1_000_000


def _turn(first: int, count: int) -> tuple[float, int]:
    """Draw so many; give the seconds, and the most bytes that were held after one of them."""
    began = time.perf_counter()
    most = 0
    for driver in range(first, first + count):
        month = driver_month(4 + driver % 20)
        driver_pdf.draw(month)
        driver_xlsx.draw(month)
        most = max(most, _held())
    return time.perf_counter() - began, most


def _held() -> int:
    return int(psutil.Process().memory_info().rss)


def _columns(
    canvas: Canvas,
    place: tuple[float, float, float, float],
    bars: Sequence[tuple[str, float, str]],
    *,
    marks: Sequence[tuple[float, str]],
    names: int = 1,
) -> None:
    del names
    chart = VerticalBarChart()
    chart.valueAxis.valueMin, chart.valueAxis.valueMax = 0, marks[-1][0] or 1
    chart.valueAxis.valueSteps = [mark for mark, _ in marks]
    chart.valueAxis.labelTextFormat = dict(marks).get
    _show(canvas, place, chart, bars)


def _bars(
    canvas: Canvas,
    place: tuple[float, float, float, float],
    rows: Sequence[tuple[str, float, str]],
    *,
    pitch: float,
) -> None:
    del pitch
    _show(canvas, place, HorizontalBarChart(), rows)


def _show(
    canvas: Canvas,
    place: tuple[float, float, float, float],
    chart: VerticalBarChart | HorizontalBarChart,
    bars: Sequence[tuple[str, float, str]],
) -> None:
    x, y, wide, high = place
    chart.x, chart.y, chart.width, chart.height = 40, 16, wide - 40, high - 16
    chart.data = [[value for _, value, _ in bars]]
    chart.barLabels.fontName = "Inter"
    chart.barLabels.fontSize = chart.categoryAxis.labels.fontSize = 7
    chart.barLabelFormat = "values"
    chart.barLabelArray = [[label for _, _, label in bars]]
    chart.categoryAxis.categoryNames = [name for name, _, _ in bars]
    for labels in (chart.categoryAxis.labels, chart.valueAxis.labels):
        labels.fontName, labels.fontSize = "Inter", 7
    drawing = Drawing(wide, high)
    drawing.add(chart)
    renderPDF.draw(drawing, canvas, x, y)
