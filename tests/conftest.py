"""What several test files share."""

from pathlib import Path

import pytest

from forwardbench.measure import machine


def pytest_benchmark_update_machine_info(machine_info):
    """Say what the benchmarks ran on, in the same words as a run's workers do."""
    machine.complete_machine_info(machine_info)


@pytest.fixture
def contenders():
    """The folder of right, wrong and broken implementations."""
    return Path(__file__).parent / "contenders"
