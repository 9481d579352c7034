"""What a study starts in processes of their own, each file by its path."""

import os
from pathlib import Path

from forwardbench import processes

FOLDER = Path(__file__).parent
PATHS = os.pathsep.join(filter(None, [str(FOLDER.parents[1]), os.environ.get("PYTHONPATH")]))
ENVIRONMENT = {**os.environ, **processes.thread_environment(1), "PYTHONPATH": PATHS}
"""One thread, and the project's folder among those that modules are taken from."""
