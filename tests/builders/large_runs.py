"""Run folders with thousands of cells, with times that follow simple laws."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from builders.run_folders import write_cells
from forwardbench.cases import Case
from forwardbench.records import Cell

BASELINE = "python_loops"
OVERHEAD = 2e-6
"""Seconds that each call takes, whatever the size."""
SPREAD = 0.01
"""Passes differ by this share."""


def many_settings(
    folder: Path,
    *,
    implementations: int = 40,
    sizes: int = 25,
    dtypes: tuple[str, ...] = ("float64", "float32"),
    threads: tuple[int, ...] = (1, 2, 4, 8, 16),
    passes: int = 3,
) -> Path:
    """Many implementations on the sizes of a sweep, for each dtype and number of threads.

    The baseline has a control. The second implementation fails on the largest size, the third is
    skipped there with an estimate, and the fourth is rejected on all sizes of its first setting.
    """
    widths = sorted({round(2 ** (10 * step / (sizes - 1))) + step for step in range(sizes)})
    names = [BASELINE, *(f"rung_{number:02d}" for number in range(1, implementations))]
    chance = np.random.default_rng(7)
    measured: dict[Cell, list[Any]] = {}
    left_out: list[dict[str, Any]] = []
    for dtype in dtypes:
        for count in threads:
            first = (dtype, count) == (dtypes[0], threads[0])
            for label, width in _labels_and_widths(names, widths):
                name, control = label
                place = names.index(name)
                case = Case(width, (width, width), dtype=dtype)
                cell = Cell(name, name, "square", case, count, control)
                times = _times(case, 1e-9 * 0.75**place / count, passes, chance)
                measured[cell] = times
                if place == 1 and width == widths[-1]:
                    measured[cell] = ["ValueError: out of range"] * passes
                elif place == 2 and width == widths[-1]:
                    left_out.append(_skipped(measured, cell))
                elif place == 3 and first:
                    left_out.append(_rejected(measured, cell))
    return write_cells(folder, measured, left_out)


def many_shapes(folder: Path, *, shapes: int = 5000, passes: int = 3) -> Path:
    """The baseline with its control and one implementation on many unrelated shapes.

    The implementation fails on every thousandth shape.
    """
    chance = np.random.default_rng(7)
    measured: dict[Cell, list[Any]] = {}
    for number in range(shapes):
        case = Case(1 + number % 64, (1 + number // 64, 2 + number % 7, 10))
        loops = _times(case, 3e-8, passes, chance)
        measured[Cell(BASELINE, BASELINE, "shapes", case)] = loops
        measured[Cell("matmul", "matmul", "shapes", case)] = (
            _times(case, 1e-9, passes, chance)
            if number % 1000 != 999
            else ["ValueError: shapes do not fit"] * passes
        )
        if number % 100 == 0:
            again = _times(case, 3e-8, passes, chance)
            measured[Cell(BASELINE, BASELINE, "shapes", case, control=True)] = again
    return write_cells(folder, measured)


def _labels_and_widths(
    names: list[str], widths: list[int]
) -> Iterator[tuple[tuple[str, bool], int]]:
    """Every implementation, and the baseline again as a control, with every size."""
    for label in [*((name, False) for name in names), (names[0], True)]:
        for width in widths:
            yield label, width


def _times(case: Case, cost: float, passes: int, chance: np.random.Generator) -> list[Any]:
    """Seconds in each pass: an overhead, and a cost for each multiply-add."""
    multiply_adds = case.batch * sum(rows * columns for rows, columns in case.layer_shapes)
    seconds = OVERHEAD + cost * multiply_adds
    return [float(seconds * np.exp(SPREAD * each)) for each in chance.normal(size=passes)]


def _skipped(measured: dict[Cell, list[Any]], cell: Cell) -> dict[str, Any]:
    """Move a cell to those that are predicted to be too slow."""
    seconds = measured.pop(cell)[0]
    reason = "predicted 9 s a call, over the limit of 1 s"
    estimate = [seconds, seconds / 2, seconds * 2]
    return {
        "cell": cell.to_json(), "status": "skipped", "reason": reason, "estimate": estimate
    }  # fmt: skip


def _rejected(measured: dict[Cell, list[Any]], cell: Cell) -> dict[str, Any]:
    """Move a cell to those whose implementation was wrong before anything was timed."""
    del measured[cell]
    reason = "wrong: expected 0.5, found 0.75"
    return {"cell": cell.to_json(), "status": "rejected", "reason": reason, "estimate": []}
