"""A real Dask cluster of processes on this machine, whose hosts are addresses of its own."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid

import psutil

from builders.places import ROOT
from builders.waiting import PATIENCE

MARK = "FORWARDBENCH_TEST_CLUSTER"
"""Environment variable by which a cluster's processes, and what they start, are found."""
TINY = ["--implementation", "matmul", "--shape", "4x6-3"]


class Cluster:
    """A scheduler and its workers, each a process with a nanny of its own."""

    def __init__(self, folder, protocol="tcp", **environment):
        self.folder = folder
        self.protocol = protocol
        self.mark = uuid.uuid4().hex
        self.processes = []
        file = folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--protocol", protocol,
            "--dashboard-address", "127.0.0.1:0", "--scheduler-file", file,
            **environment,
        )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while not (file.exists() and file.stat().st_size):
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]

    def _start(self, *command, **environment):
        self.log = self.folder / f"{len(self.processes)}.log"
        path = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *map(str, command)],
                stdout=log, stderr=log, cwd=self.folder,
                env={**os.environ, "PYTHONPATH": path, MARK: self.mark, **environment},
            )  # fmt: skip
        self.processes.append(process)
        return process

    def add(self, host, memory="1GiB", **environment):
        """Start a worker with one thread, wait until it is there, and return its nanny."""
        nanny = self._start(
            "worker", self.address, "--host", host, "--nthreads", "1", "--protocol", self.protocol,
            "--memory-limit", memory, "--no-dashboard", **environment,
        )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while "Registered to" not in self.log.read_text():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        return nanny

    def worker_of(self, nanny):
        """The process in which a nanny's worker runs."""
        children = psutil.Process(nanny.pid).children()
        (worker,) = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        return worker

    def host_runs(self):
        """Every process of forwardbench that was started by way of this cluster."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.mark and any(
                    each.startswith("forwardbench") for each in process.cmdline()
                ):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def no_host_run_is_left(self, seconds=PATIENCE):
        """Whether all of those are gone within some seconds."""
        deadline = time.monotonic() + seconds
        while self.host_runs():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def close(self):
        """End every process of the cluster, frozen ones too."""
        everything = [
            child
            for process in self.processes
            if process.poll() is None
            for child in psutil.Process(process.pid).children(recursive=True)
        ]
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in everything:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        for process in self.processes:
            process.kill()
            process.wait()


def start(*arguments, cwd, patch=""):
    """Start the command in a process of its own, after a line of Python."""
    code = (
        f"import sys\n{patch}\nfrom forwardbench.commands.main import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd,
    )  # fmt: skip


def finish(process, seconds=PATIENCE):
    """Wait for a command; its status, output and complaints."""
    out, err = process.communicate(timeout=seconds)
    assert "Traceback" not in err, err
    return process.returncode, out, err


def read_until(process, text):
    """Read what a command complains of up to a line with some text; that, and all before it."""
    seen = ""
    for line in process.stderr:
        seen += line
        if text in line:
            return seen
    raise AssertionError(seen)
