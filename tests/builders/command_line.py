"""The command in a process of its own."""

import os
import subprocess
import sys

FORWARDBENCH = [sys.executable, "-m", "forwardbench"]


def run(*arguments, cwd=None, **environment):
    """Run the command in a process of its own."""
    return subprocess.run(
        [*FORWARDBENCH, *map(str, arguments)],
        capture_output=True, text=True, cwd=cwd, env={**os.environ, **environment},
    )  # fmt: skip
