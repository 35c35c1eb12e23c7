"""Reports as files: from figures to bytes; nothing here knows the database or opens a connection.

What draws is imported when the first report is drawn: Matplotlib is half a second and 40 MB that no
process but a worker needs.
"""

from backend.reports.figures import DriverMonth, OperatorMonth


def draw_driver_pdf(month: DriverMonth) -> bytes:
    """Draw a driver's month as pages of A4."""
    from backend.reports.drawing import driver_pdf  # noqa: PLC0415 - see above

    return driver_pdf.draw(month)


def draw_driver_xlsx(month: DriverMonth) -> bytes:
    """Write a driver's month as a workbook."""
    from backend.reports.drawing import driver_xlsx  # noqa: PLC0415 - see above

    return driver_xlsx.draw(month)


def draw_operator_pdf(month: OperatorMonth) -> bytes:
    """Draw the operator's month as pages of A4."""
    from backend.reports.drawing import operator_pdf  # noqa: PLC0415 - see above

    return operator_pdf.draw(month)


def draw_operator_xlsx(month: OperatorMonth) -> bytes:
    """Write the operator's month as a workbook."""
    from backend.reports.drawing import operator_xlsx  # noqa: PLC0415 - see above

    return operator_xlsx.draw(month)
