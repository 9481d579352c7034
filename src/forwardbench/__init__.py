"""How much faster forward propagation gets as its loops go away."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forwardbench.api import Table

__version__ = "0.1.0"
__all__ = ["__version__", "load", "run"]


def load(path: str | Path, baseline: str | None = None) -> Table:
    """Read a run's folder, a pytest-benchmark JSON file or asv's results as a pandas table.

    See `forwardbench.api.load`.
    """
    from forwardbench import api

    return api.load(path, baseline)


def run(
    *,
    sweeps: Sequence[str] = (),
    shapes: Sequence[str] = (),
    implementations: Sequence[str | Path] = (),
    baseline: str | None = None,
    dtypes: Sequence[str] = (),
    threads: Sequence[int | str] = (),
    passes: int | None = None,
    limit: float | None = None,
    precision: float | None = None,
    max_time: float | None = None,
    first_calls: int | None = None,
    quick: bool = False,
    output: str | Path | None = None,
) -> Table:
    """Verify, measure, chart and report, as the command `forwardbench run` does.

    Keywords are its options; ``limit`` and ``max_time`` are in seconds, ``precision`` is a share.
    See `forwardbench.api.run`.
    """
    from forwardbench import api
    from forwardbench.commands import run as job

    wish = job.Wish(
        sweeps=job.texts("sweeps", sweeps),
        shapes=job.texts("shapes", shapes),
        implementations=job.texts("implementations", implementations),
        baseline=baseline,
        dtypes=job.texts("dtypes", dtypes),
        threads=job.texts("threads", threads),
        passes=passes,
        limit=limit,
        precision=precision,
        max_time=max_time,
        first_calls=first_calls,
        quick=quick,
        output=None if output is None else str(output),
    )
    return api.run(wish)
