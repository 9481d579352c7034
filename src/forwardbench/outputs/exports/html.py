"""The report: one page that works offline."""

from __future__ import annotations

from forwardbench.outputs.bundle import Bundle
from forwardbench.outputs.report import make_page

ORDER = 9
SUMMARY = "one page with charts, tables and data, that works offline"
FILE = "report.html"
KEPT = True


def write(bundle: Bundle) -> str:
    """The page, see `outputs.report.make_page`, as a file that ends as a line does."""
    return make_page(bundle) + "\n"
