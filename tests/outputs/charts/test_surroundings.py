"""Charts are the same bytes whatever Matplotlib is told from outside."""

import os

import pytest

from builders.command_line import run
from builders.tables import MEASURED_LADDER

RC_FILE = "backend: nonsense\ntext.usetex: True\nlines.linewidth: 20\nno\x1b[31m: 1\n"


def drawn(folder, place, **environment):
    """The bytes of a run's charts, by name, drawn in a folder of their own; and what was said."""
    place.mkdir(exist_ok=True)
    done = run("chart", folder, "--kind", "time", "--output", "out", cwd=place, **environment)
    assert (done.returncode, done.stdout) == (0, "Charts: out (2 files)\n")
    return {path.name: path.read_bytes() for path in (place / "out").iterdir()}, done.stderr


@pytest.mark.slow
def test_no_backend_and_no_settings_change_a_chart(write_run, tmp_path):
    """An unknown backend, a module, a window, and a file of settings where the command runs."""
    folder = write_run(MEASURED_LADDER)
    plain, said = drawn(folder, tmp_path / "plain", MPLBACKEND="")
    assert (len(plain), said) == (2, "")
    for number, backend in enumerate(("nonsense", "module://evil", "TkAgg")):
        place = tmp_path / f"place{number}"
        place.mkdir()
        (place / "evil.py").write_text("open('imported', 'w')\n")
        path = os.pathsep.join([str(place), os.environ.get("PYTHONPATH", "")])
        assert drawn(folder, place, MPLBACKEND=backend, PYTHONPATH=path) == (plain, "")
        assert not (place / "imported").exists()
    place = tmp_path / "settings"
    place.mkdir()
    (place / "matplotlibrc").write_text(RC_FILE)
    charts, said = drawn(folder, place)
    assert charts == plain
    assert all(line.isprintable() for line in said.splitlines())
