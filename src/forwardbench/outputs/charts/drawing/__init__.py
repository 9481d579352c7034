"""What charts are drawn with, and Matplotlib as they need it."""

from __future__ import annotations

import contextlib
import os
import sys
from contextlib import AbstractContextManager
from typing import Any


def _import_matplotlib() -> None:
    """Import Matplotlib, which refuses to be imported if MPLBACKEND is none that it knows.

    No chart needs a backend: each is drawn straight into a file, and no window opens. One that is
    known is set all the same, since a notebook needs it.
    """
    if "matplotlib" in sys.modules or "MPLBACKEND" not in os.environ:
        return
    backend = os.environ.pop("MPLBACKEND")
    try:
        import matplotlib
    finally:
        os.environ["MPLBACKEND"] = backend
    with contextlib.suppress(ValueError):
        matplotlib.rcParams["backend"] = backend


_import_matplotlib()


def settings(changes: dict[str, Any]) -> AbstractContextManager[None]:
    """Draw with Matplotlib's own defaults and these changes, whatever else is set.

    A `matplotlibrc` is read even from the current folder, and must not change a chart.
    """
    import matplotlib.style

    return matplotlib.style.context(["default", changes])
