"""Where the time of a run goes, and whether it was announced rightly.

python -m studies overhead NEW_FOLDER [--write] [OPTIONS OF RUN ...]
"""

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path

from studies import page


def main(arguments):
    """Make a run and print where its wall time went."""
    summary = __doc__.partition("\n")[0]
    parser = argparse.ArgumentParser(
        prog="python -m studies overhead", description=summary, allow_abbrev=False
    )
    parser.add_argument("folder", help="where the run goes; any other option is one of `run`")
    parser.add_argument("--write", action="store_true", help="keep the table in docs/method.md")
    options, of_run = parser.parse_known_args(arguments)
    text = table(options.folder, of_run)
    print(text)
    if options.write:
        page.write_between_marks("overhead", text)


def table(folder, options):
    """Make a run, and a table of where its wall time went."""
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "forwardbench", "run", "--output", folder, *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wall = time.perf_counter() - begin
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    run = json.loads((Path(folder) / "run.json").read_text())
    passes = [json.loads(path.read_text()) for path in sorted(Path(folder).glob("pass-*.json"))]
    in_passes = sum(each["meanwhile"]["seconds"] for each in passes)
    infos = [entry["extra_info"] for each in passes for entry in each["benchmarks"]]
    timed, disturbed, warming = (
        sum(info[f"{name}_seconds"] for info in infos) for name in ("timed", "disturbed", "warming")
    )
    after = wall - run["spent"]["verification"]
    planning = run["spent"]["planning"]
    announced = int(re.search(r"about (\d+) s", done.stderr)[1])
    rows = {
        "planning: timed calls": run["probing_seconds"],
        "planning: starting probes, inputs, the machine's peaks": planning - run["probing_seconds"],
        "passes: timed calls": timed,
        "passes: timed calls that were disturbed": disturbed,
        "passes: warm-up calls": warming,
        "passes: processes, checks, pytest": in_passes - timed - disturbed - warming,
        "start, table, charts": after - planning - in_passes,
    }
    lines = ["| what | seconds | share |", "|---|---|---|"]
    lines += [f"| {what} | {spent:.1f} | {spent / after:.1%} |" for what, spent in rows.items()]
    lines += [
        f"| in all, after {run['spent']['verification']:.1f} s of verification | {after:.1f} | |",
        "",
        f"Announced for the passes: {announced} s; taken: {in_passes:.1f} s.",
    ]
    return "\n".join(lines)
