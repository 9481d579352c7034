"""The report: one page that works offline."""

from __future__ import annotations

from forwardbench.outputs.bundle import Bundle
from forwardbench.outputs.report import make_page

ORDER = 9
SUMMARY = "one page with charts, tables and data, that works offline"
FILE = "report.html"
KEPT = True


def write(bundle: Bundle) -> str:
    """The page that `outputs.report.make_page` makes, with a line break at the end."""
    return make_page(bundle) + "\n"
