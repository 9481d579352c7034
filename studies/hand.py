"""Each framework's rung as the suite times it, against a loop written by hand around its call.

    python -m studies hand             # one thread and two, both dtypes
    python -m studies hand --write     # keeps the table in docs/fairness.md

In one process for each framework and number of threads both are timed in turns, so that what the
machine does meets them alike. A ratio above 1 is what the suite adds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from functools import partial

from forwardbench import processes
from forwardbench.statistics.intervals import log_interval
from studies import page
from studies.children import ENVIRONMENT, FOLDER
from studies.children.framework_turns import HAND


def main(arguments):
    """Measure, and print the table or keep it."""
    summary = __doc__.partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m studies hand", description=summary)
    parser.add_argument("--write", action="store_true", help="keep the table in docs/fairness.md")
    options = parser.parse_args(arguments)
    text = table()
    print(text)
    if options.write:
        page.write_between_marks("hand", text, page.FAIRNESS)


def table():
    """Measure every framework, one after another, and make the table."""
    rows = []
    for count in (1, 2):
        cpus = processes.cpus_for(count)
        for name in HAND:
            done = subprocess.run(
                [sys.executable, str(FOLDER / "framework_turns.py"), name],
                env={**ENVIRONMENT, **processes.thread_environment(count)}, check=False, text=True,
                preexec_fn=partial(os.sched_setaffinity, 0, cpus), capture_output=True,
            )  # fmt: skip
            answer = json.loads(done.stdout.splitlines()[-1])
            if answer["status"]:
                sys.exit(f"{name}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
            for dtype, both in answer["seconds"].items():
                pairs = zip(both["suite"], both["hand"], strict=True)
                found = log_interval([suite / hand for suite, hand in pairs])
                took = statistics.median(both["hand"]) * 1e6
                interval = f"{found.centre:.3f} ({found.low:.3f} to {found.high:.3f})"
                rows.append(f"| `{name}` | {dtype} | {count} | {took:,.0f} | {interval} |")
                print(rows[-1], file=sys.stderr, flush=True)
    head = ["| rung | dtype | threads | by hand, us | the suite's time as a multiple of it |"]
    return "\n".join([*head, "|---|---|---|---|---|", *rows])
