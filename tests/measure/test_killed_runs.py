"""Runs that are killed at any moment."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from builders.waiting import wait_until
from forwardbench import results

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("FORWARDBENCH_KILLS", "6"))
"""CI makes a few; for a release make 50."""
TINY = ["--shape", "1x2-3", "--implementation", "matmul", "--implementation", "python_loops"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("moment", range(KILLS))
def test_a_killed_run_loses_no_finished_pass(tmp_path, moment):
    """SIGKILL at any time: what was there stays, byte for byte, and resuming completes it.

    Every other kill comes shortly after one of the first three passes has ended.
    """
    path = tmp_path / "run"
    command = [sys.executable, "-m", "forwardbench", "run"]
    passes = ["--passes", "4"]
    started = time.monotonic()
    victim = subprocess.Popen(
        [*command, *TINY, *passes, "--output", str(path)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    if moment % 2:
        waited_for = path / f"pass-{1 + moment // 2 % 3:03d}.json"
        wait_until(waited_for.exists)
        time.sleep(0.5 * random.Random(moment).random())
    else:
        # Spread over a run of about nine seconds, wherever a machine then is in it.
        time.sleep(max(0.0, 0.3 + 8.7 * (moment + 0.5) / KILLS - (time.monotonic() - started)))
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    kept = {file.name: file.read_bytes() for file in path.glob("pass-*.json")}
    assert kept or moment % 2 == 0
    for text in kept.values():
        json.loads(text)
    if path.exists():
        json.loads((path / "run.json").read_text())
        again = [*command, "--resume", str(path)]
    else:  # it was killed before it had begun
        again = [*command, *TINY, *passes, "--output", str(path)]
    done = subprocess.run(again, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name, text in kept.items():
        assert (path / name).read_bytes() == text
    assert len(list(path.glob("pass-*.json"))) == 4
    assert not list(path.glob("*.part"))
    assert set(results.load(path).cells["status"]) == {"measured"}
    shutil.rmtree(path)
