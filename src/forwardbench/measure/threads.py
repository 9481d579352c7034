"""Keeps this process off the CPUs on which others measure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from forwardbench.processes import available_cpus, cpus_for, own_cpus


@contextmanager
def keep_off_worker_cpus(counts: Iterable[int]) -> Iterator[None]:
    """Keep this process off the CPUs of workers with so many threads, if other CPUs are left."""
    worker_cpus = set().union(*(cpus_for(count) for count in counts))
    left = set(available_cpus()) - worker_cpus
    if not left or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = own_cpus()
    os.sched_setaffinity(0, left)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
