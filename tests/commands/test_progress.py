"""What is said before and while measuring."""

import io

import pytest
from rich.console import Console

from forwardbench.cases import Sweep, parse_case
from forwardbench.commands.shared.progress import Progress, announce
from forwardbench.measure.passes import PlannedCell, predicted_seconds
from forwardbench.measure.plan import Plan, Skipped
from forwardbench.measure.request import Request
from forwardbench.records import Cell


def cell(shape):
    """One cell of the plain loops."""
    return Cell("python_loops", "python_loops", "square", parse_case(shape))


def test_the_announcement_says_how_long_and_what_is_left_out():
    """Cells, passes and seconds; then each contender's cells beyond the limit, in one line."""
    request = Request({}, (Sweep("square", "", "batch", ()),), "python_loops", passes=10, limit=0.1)
    beyond = [
        Skipped(cell(shape), "skipped", f"predicted {seconds} s", (seconds, None, None))
        for shape, seconds in (("512x512-512", 3.9), ("256x256-256", 0.47))
    ]
    rejected = Skipped(cell("1x1-1"), "rejected", "wrong")
    plan = Plan([PlannedCell(cell("1x1-1"), 1e-6)] * 100, [*beyond, rejected])
    seconds = 10 * predicted_seconds(plan.measured)
    assert list(announce(request, plan)) == [
        f"Measuring 100 cells, controls included, in 10 passes: about {seconds:.0f} s",
        "Not measured: python_loops at 256x256-256 and 1 larger (square): predicted 0.47 s",
    ]


def test_a_resumed_run_announces_what_is_left():
    """Finished passes cost no more time, and a limit on time is the most that is announced."""
    request = Request({}, (), "python_loops", passes=10, precision=0.02, max_time=5.0)
    plan = Plan([PlannedCell(cell("1x1-1"), 1e-6)] * 100)
    seconds = predicted_seconds(plan.measured)
    assert list(announce(request, plan, done=9)) == [
        "Measuring 100 cells, controls included, in 10 passes, of which 9 are done: about "
        f"{seconds:.0f} s",
        "Then cells with wider intervals than 0.02 of their speedup again, until none is left or "
        "5 s are over",
    ]
    assert next(announce(request, plan)).endswith("in 10 passes: about 5 s")


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(terminal):
    """Two passes of three visits, one more: a growing bar, or a line a pass without control."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=80, color_system=None)
    with Progress(2, console) as progress:
        for number in (1, 2, 3):
            progress.begin(number, 3)
            for _ in range(3):
                progress.visit()
            progress.end(number)
    if terminal:
        shown = file.getvalue()
        assert [text in shown for text in ("pass 1 of 2", "pass 2 of 2", "pass 3 of 3")] == [
            True
        ] * 3
        assert [text in shown for text in (" 17%", " 50%", "100%")] == [True] * 3
    else:
        assert file.getvalue() == (
            "Pass 1 of 2 is done\nPass 2 of 2 is done\nPass 3 is done (for precision)\n"
        )
