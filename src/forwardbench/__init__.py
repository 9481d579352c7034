"""Measures how much faster forward propagation gets as its loops go away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forwardbench.api import load, run

__version__ = "0.1.0"
__all__ = ["__version__", "load", "run"]


def __getattr__(name: str) -> Any:
    """Import `load` and `run` at their first use, since they import pandas."""
    if name in ("load", "run"):
        from forwardbench import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List all public names, even those not yet imported."""
    return sorted({*globals(), *__all__})
