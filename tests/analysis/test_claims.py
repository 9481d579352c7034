"""What the course notes claim: each gets an answer from the table, if only that it has none."""

from dataclasses import replace

import pytest

from forwardbench.analysis import claims


@pytest.fixture
def said(make_bundle):
    """Evidence for each claim, by its first words."""

    def weigh(times, ceilings=(), **options):
        whole = make_bundle(times, **options)
        evidence = replace(whole.evidence, ceilings=dict(ceilings))
        found = claims.judge_claims(whole.table, evidence)
        return {claim.text.split(",")[0].split(";")[0]: claim.evidence for claim in found}

    return weigh


TIMES = "Vectorizing makes networks 10 to 100 times faster"
PRODUCTS = "CPUs and GPUs are built for large matrix multiplications"
CASES = [f"{n}x{n}-{n}" for n in (1, 4, 16, 64)]


def ladder_of(*ratios):
    """A loop of 1 s, and matmul so many times as fast at each size."""
    return {
        "python_loops": {case: [1.0, 1.0] for case in CASES},
        "matmul": {case: [1 / ratio] * 2 for case, ratio in zip(CASES, ratios, strict=True)},
    }


def test_ten_times_is_passed_from_a_size_on(said):
    """1/4, 4, 16, 1024: ten times lies between 4 and 16, and is too little for large models."""
    (line,) = said(ladder_of(0.25, 4, 16, 1024))["A loop is 10 times slower"]
    assert line == (
        "square, float64, 1 thread: the loop takes 1,024 times as long at 64x64-64 (95 % interval "
        "1,024 to 1,024); 10 times is passed from size 16 on (crossing 10, 8.43 to 12.3), so for "
        "large models the claim says too little."
    ).replace("1,024", "1,020")


def test_ten_to_a_hundred_has_both_ends_and_where_it_is_slower(said):
    """Between the sizes at which 10 and 100 times are passed the claim holds."""
    (line,) = said(ladder_of(0.25, 4, 16, 1024))[
        "Vectorizing makes networks 10 to 100 times faster"
    ]
    assert "10 times is passed from size 16 on (crossing 10, 8.43 to 12.3)" in line
    assert "100 times is passed from size 64 on (crossing 29.5, 29.5 to 33.1)" in line
    assert line.endswith("; up to size 1 vectorizing makes it slower.")


def test_a_claim_that_never_holds_says_so(said):
    """On a range without ten times, never is the answer."""
    (line,) = said(ladder_of(0.2, 0.5, 2, 3))["A loop is 10 times slower"]
    assert "10 times is never reached in this range" in line
    assert "too little" not in line


def test_what_computes_on_a_gpu_is_known_by_its_name(said):
    """With the copies or without: it says something of GPUs, and nothing of frameworks' CPUs."""
    times = ladder_of(0.25, 4, 16, 1024)
    for name, factor in {"torch_cpu": 2, "torch_cuda": 10, "torch_cuda_copies": 4}.items():
        times[name] = {
            case: [each / factor for each in row] for case, row in times["matmul"].items()
        }
    found = said(times)
    assert found[PRODUCTS][1:] == (
        "square, float64, 1 thread: torch_cuda is 10.0 times as fast as matmul at 64x64-64.",
        "square, float64, 1 thread: torch_cuda_copies is 4.00 times as fast as matmul at 64x64-64.",
    )
    (line,) = found["Frameworks (TensorFlow"]
    assert (
        line == "square, float64, 1 thread: torch_cpu is 2.00 times as fast as matmul at 64x64-64."
    )


def test_one_thread_cannot_be_parallel(said):
    """What is gained without a second thread is not gained by threads."""
    lines = said(ladder_of(0.25, 4, 16, 1024))["The work is the same"]
    assert "no further than 1e-16 from the exact ones" in lines[0]
    assert "1,020x without a second thread" in lines[1]


def test_large_products_come_near_the_machines_peak(said):
    """GFLOP/s at both ends, and the share of what the machine's own product reached."""
    peaks = {("float64", 1): (0.001, 1e10)}
    line, rest = said(ladder_of(0.25, 4, 16, 1024), peaks)[
        "CPUs and GPUs are built for large matrix multiplications"
    ]
    assert rest == "No GPU was measured."
    assert "matmul does 5e-10 GFLOP/s at 1x1-1 and 0.537 at 64x64-64" in line
    assert "53687% of what this CPU's matrix product reached" in line


def test_a_run_without_frameworks_does_not_speak_of_them(said):
    """No evidence is said to be none; with a framework there is a ratio."""
    key = "Frameworks (TensorFlow"
    times = ladder_of(0.25, 4, 16, 1024)
    assert said(times)[key] == ("This run does not show it.",)
    times["torch_cpu"] = {case: [row[0] / 2] * 2 for case, row in times["matmul"].items()}
    assert said(times, name="b")[key] == (
        "square, float64, 1 thread: torch_cpu is 2.00 times as fast as matmul at 64x64-64.",
    )


def test_a_run_of_something_else_shows_nothing(said):
    """Without the loop and the vectorized form there is nothing to say."""
    found = said({"mine": {"4x4-4": [1.0, 1.0]}}, baseline="mine")
    assert set(found.values()) == {("This run does not show it.",)}
