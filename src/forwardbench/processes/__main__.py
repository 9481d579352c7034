"""The child's side of `forwardbench.processes.call`."""

import sys

from forwardbench.processes import run_child

run_child(sys.argv[1])
