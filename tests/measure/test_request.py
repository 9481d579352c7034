"""What may be asked for, and what is said to what may not."""

import pytest

from forwardbench.errors import UserError
from forwardbench.implementations import requirements
from forwardbench.measure import request as module
from forwardbench.measure.request import make_request


def test_defaults_are_those_of_the_readme():
    """Sweeps square and course, all rungs that can run, python_loops as baseline, one thread."""
    request = make_request()
    assert [sweep.name for sweep in request.sweeps] == ["square", "course"]
    assert list(request.contenders) == module.usable_names()
    assert request.baseline == "python_loops"
    assert (request.dtypes, request.threads) == (("float64",), (1,))
    assert (request.passes, request.limit) == (10, 1.0)


def test_a_function_of_ones_own_is_compared_with_the_baseline(contenders):
    """One file and one shape are enough: the baseline is added."""
    path = str(contenders / "right" / "einsum.py")
    request = make_request(chosen=[path], shapes=["64x784-10"])
    assert request.contenders == {"einsum": path, "python_loops": "python_loops"}
    assert [str(case) for case in request.sweeps[0].cases] == ["64x784-10"]
    assert len(request.sweeps) == 1


def test_shapes_and_sweeps_may_be_asked_for_together():
    """Repeated choices count once, in the order given."""
    request = make_request(sweeps=["mlp", "mlp"], shapes=["1x2-3", "1x2-3"])
    assert [(sweep.name, len(sweep.cases)) for sweep in request.sweeps] == [
        ("mlp", 11),
        ("shapes", 1),
    ]


def test_each_run_draws_its_own_order():
    """The seed differs from run to run, unless it is given."""
    assert make_request().seed != make_request().seed
    assert make_request(seed=5).seed == 5


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"sweeps": ["round"]}, "there is no sweep 'round': choose from square"),
        ({"shapes": ["64"]}, "'64' is not a case: write BATCHxINPUTS-UNITS"),
        ({"chosen": ["matmull"]}, "there is no implementation 'matmull': choose from array_api"),
        ({"chosen": ["./nowhere.py"]}, "there is no implementation file"),
        ({"baseline": "torch"}, "'torch' is not among the contenders: choose from"),
        ({"baseline": "python_loops", "chosen": ["matmul"]}, "choose from matmul, or add it"),
        ({"dtypes": ["float16"]}, "there is no dtype 'float16': choose from float64, float32"),
        ({"threads": ["0"]}, "--threads '0' cannot be had: this process may use"),
        ({"threads": ["many"]}, "give a number from 1 to"),
        ({"threads": ["99999"]}, "cannot be had"),
        ({"passes": 0}, "--passes must be at least 1, not 0"),
        ({"limit": 0.0}, "--limit must be a number of seconds above 0, not 0"),
        ({"limit": float("nan")}, "--limit must be a number of seconds above 0, not nan"),
        ({"limit": float("inf")}, "--limit must be"),
        ({"shapes": ["999999999x999999999-9"]}, "GiB: choose a smaller case"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_one_line(asked, message):
    """The message names the valid choices or what to do instead."""
    with pytest.raises(UserError, match=message) as caught:
        make_request(**asked)
    assert "\n" not in str(caught.value)


def test_two_files_of_one_name_are_refused(tmp_path):
    """Their rows could not be told apart."""
    (tmp_path / "matmul.py").write_text("def forward(x, layers): return x\n")
    with pytest.raises(UserError, match="two implementations are called 'matmul'"):
        make_request(chosen=["matmul", str(tmp_path / "matmul.py")])


def test_all_threads_are_those_this_process_may_use(monkeypatch):
    """Affinity counts, not the number of CPUs in the machine."""
    monkeypatch.setattr(module, "available_cpus", lambda: [1, 4, 5])
    assert make_request(threads=["1", "all"]).threads == (1, 3)


def test_what_is_not_installed_is_left_out_unless_it_was_named(monkeypatch):
    """A dozen frameworks that nobody asked for are no news; a name that was given is meant."""
    monkeypatch.setattr(requirements, "_is_installed", lambda module: False)
    assert list(make_request().contenders) == [
        "einsum", "matmul", "matmul_inplace", "ndarray_loops", "neuron_dot", "neuron_dot_rows",
        "python_loops", "sample_matmul",
    ]  # fmt: skip
    assert "jax_cpu" in make_request(chosen=["jax_cpu"]).contenders
