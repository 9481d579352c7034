"""One bundle: made once, drawn once, and without anything that measures."""

import subprocess
import sys
from collections import Counter

import pytest

from builders.places import REFERENCE
from builders.tables import MEASURED_LADDER, make, square
from forwardbench.outputs import at_once, pictures, report
from forwardbench.outputs.catalogue import chart_entries

LINES = ("time", "speedup", "cost")


@pytest.fixture
def drawn(monkeypatch):
    """How often each chart was drawn, by name, part and whether its scale is linear."""
    counts = Counter()

    def count(entry):
        draw = entry.load().draw

        def drawing(part, view):
            counts[entry.name, part.name, view.linear] += 1
            return draw(part, view)

        monkeypatch.setattr(entry.load(), "draw", drawing)

    for entry in chart_entries():
        count(entry)
    monkeypatch.setattr(at_once, "own_cpus", lambda: [0])  # all is drawn here, where it is counted
    return counts


@pytest.mark.slow
def test_nothing_is_drawn_twice(drawn, tmp_path):
    """A page and the saved charts share each drawing; only linear forms are drawn besides."""
    firsts = {("matmul", square(64)): [0.9, 1.0], ("ndarray_loops", square(64)): [1.0, 1.1]}
    whole = make(MEASURED_LADDER, first_calls=firsts)
    page = report.make_page(whole)
    files = [path for each in pictures.pictures_of(whole) for path in pictures.save(each, tmp_path)]
    assert report.make_page(whole) == page
    kinds = [*LINES, "heatmap", "samples", "break-even"]
    assert sorted(path.name for path in files) == sorted(
        f"{kind}-square.{suffix}" for kind in kinds for suffix in ("svg", "png")
    )
    assert {key: count for key, count in drawn.items() if not key[2]} == {
        (kind, "square", False): 1 for kind in kinds
    }
    assert {key for key in drawn if key[2]} == {(kind, "square", True) for kind in LINES}


READS = f"""
from forwardbench.outputs import bundle
whole = bundle.load({str(REFERENCE)!r})
assert len(whole.table) > 10 and len(whole.evidence.passes) == len(whole.table)
whole.break_evens, whole.warnings
from forwardbench.outputs.catalogue import export_entries
written = {{entry.name: entry.load().write(whole) for entry in export_entries()
           if entry.name in ("csv", "markdown", "json", "pyperf")}}
assert len(written) == 4 and all(written.values())
import sys
print(*sorted(sys.modules))
"""


def test_reading_is_not_timing():
    """Whoever reads, tables and exports results loads no test runner and nothing that measures."""
    done = subprocess.run([sys.executable, "-c", READS], capture_output=True, text=True, check=True)
    modules = done.stdout.split()
    assert "forwardbench.analysis.table" in modules
    assert [name for name in modules if name.partition(".")[0] in ("pytest", "_pytest")] == []
    assert [name for name in modules if name.startswith("forwardbench.measure")] == []
