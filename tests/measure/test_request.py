"""What may be asked for, and what is said to what may not."""

import pytest

from forwardbench import implementations
from forwardbench.errors import UserError
from forwardbench.implementations import requirements
from forwardbench.measure import request as module
from forwardbench.measure.request import Request, left_out, make_request, named_one_by_one
from forwardbench.measure.run_options import RunOptions

LADDER = [
    "einsum", "matmul", "matmul_inplace", "ndarray_loops", "neuron_dot", "neuron_dot_rows",
    "python_loops", "sample_matmul",
]  # fmt: skip


def ask(*, seed=None, here=True, **given):
    """Make the request of a run that is asked for by its keywords."""
    return make_request(RunOptions.of(**given), seed=seed, here=here)


def test_defaults_are_those_of_the_readme():
    """Sweeps square and course, the ladder, python_loops as baseline, one thread."""
    request = ask()
    assert [sweep.name for sweep in request.sweeps] == ["square", "course"]
    assert list(request.contenders) == LADDER
    assert request.baseline == "python_loops"
    assert (request.dtypes, request.threads) == (("float64",), (1,))
    assert (request.passes, request.limit) == (10, 0.5)


def test_a_function_of_ones_own_is_compared_with_the_baseline(contenders):
    """One file and one shape are enough: the baseline is added."""
    path = str(contenders / "right" / "einsum.py")
    request = ask(implementations=[path], shapes=["64x784-10"])
    assert request.contenders == {"einsum": path, "python_loops": "python_loops"}
    assert [str(case) for case in request.sweeps[0].cases] == ["64x784-10"]
    assert len(request.sweeps) == 1


def test_shapes_and_sweeps_may_be_asked_for_together():
    """Repeated choices count once, in the order given."""
    request = ask(sweeps=["mlp", "mlp"], shapes=["1x2-3", "1x2-3"])
    assert [(sweep.name, len(sweep.cases)) for sweep in request.sweeps] == [
        ("mlp", 11),
        ("shapes", 1),
    ]


def test_a_quick_run_has_every_second_size():
    """Of the sweeps that nobody named and that have sizes; `run.json` brings them back."""
    sizes = {sweep.name: len(sweep.cases) for sweep in ask().sweeps}
    assert sizes == {"square": 11, "course": 4}
    quick = ask(quick=True)
    assert {sweep.name: len(sweep.cases) for sweep in quick.sweeps} == {"square": 5}
    assert Request.from_json(quick.to_json()) == quick
    assert len(ask(quick=True, sweeps=["square"]).sweeps[0].cases) == 11


def test_each_run_draws_its_own_order():
    """The seed differs from run to run, unless it is given."""
    assert ask().seed != ask().seed
    assert ask(seed=5).seed == 5


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"sweeps": ["round"]}, "there is no sweep 'round': choose from square"),
        ({"shapes": ["64"]}, "'64' is not a case: write BATCHxINPUTS-UNITS"),
        ({"implementations": ["matmull"]}, "there is no implementation 'matmull': choose from"),
        ({"implementations": ["./nowhere.py"]}, "there is no implementation file"),
        ({"baseline": "torch"}, "'torch' is not among the contenders: choose from"),
        (
            {"baseline": "python_loops", "implementations": ["matmul"]},
            "choose from matmul, or add it with --implementation$",
        ),
        ({"baseline": "jax_cpu"}, "add it with --implementation ladder --implementation NAME"),
        ({"dtypes": ["float16"]}, "there is no dtype 'float16': choose from float64, float32"),
        ({"threads": ["0"]}, "--threads '0' is not possible: this process may use"),
        ({"threads": ["many"]}, "give a number from 1 to"),
        ({"threads": ["99999"]}, "is not possible"),
        ({"passes": 0}, "--passes must be 1 to 10,000, not 0"),
        ({"limit": 0.0}, "--limit must be a number of seconds above 0, not 0"),
        ({"limit": float("nan")}, "--limit must be a number of seconds above 0, not nan"),
        ({"limit": float("inf")}, "--limit must be"),
        ({"shapes": ["999999999x999999999-9"]}, "GiB: choose a smaller case"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_one_line(asked, message):
    """The message names the valid choices or what to do instead."""
    with pytest.raises(UserError, match=message) as caught:
        ask(**asked)
    assert "\n" not in str(caught.value)


def test_two_files_of_one_name_are_refused(tmp_path):
    """Their rows could not be told apart."""
    (tmp_path / "matmul.py").write_text("def forward(x, layers): return x\n")
    with pytest.raises(UserError, match="two implementations are called 'matmul'"):
        ask(implementations=["matmul", str(tmp_path / "matmul.py")])


def test_all_threads_are_those_this_process_may_use(monkeypatch):
    """Affinity counts, not the number of CPUs in the machine."""
    monkeypatch.setattr(module, "available_cpus", lambda: [1, 4, 5])
    assert ask(threads=["1", "all"]).threads == (1, 3)


# --- families ------------------------------------------------------------------------------


@pytest.fixture
def bare(monkeypatch):
    """A machine with NumPy and nothing else: no framework, no GPU."""
    monkeypatch.setattr(requirements, "_is_installed", lambda module: False)
    monkeypatch.setattr(requirements, "_gpu_trouble", lambda: "there is none")


def test_a_default_run_is_the_ladder_whatever_is_installed(bare, monkeypatch):
    """Frameworks that happen to be here change no run that did not ask for them."""
    assert list(ask().contenders) == LADDER
    monkeypatch.setattr(requirements, "_is_installed", lambda module: True)
    assert list(ask().contenders) == LADDER


def test_a_family_and_all_take_what_can_run_here(monkeypatch):
    """Members that lack something are left out, each reason is said once, and names are added."""
    monkeypatch.setattr(requirements, "_is_installed", lambda module: module != "jax")
    monkeypatch.setattr(requirements, "_gpu_trouble", lambda: "there is none")
    monkeypatch.setattr(requirements, "_has_compiler", lambda: True, raising=False)
    frameworks = ask(implementations=["matmul", "frameworks"]).contenders
    members = set(implementations.families()["frameworks"]) - {"jax_cpu"}
    assert set(frameworks) == {"matmul", "python_loops"} | members
    assert left_out(["frameworks", "matmul"]) == [
        "jax_cpu: needs jax, which is not installed: pip install 'forwardbench[jax]'"
    ]
    gpu = set(implementations.families()["gpu"])
    assert set(ask(implementations=["all"]).contenders) == (
        set(implementations.names()) - gpu - {"jax_cpu"}
    )
    assert left_out(["all"])[0].startswith(f"{', '.join(sorted(gpu))}: needs a CUDA GPU: there")


def test_an_implementation_named_by_itself_is_asked_for_wherever_it_is(bare):
    """It stays among the contenders, to fail there; beside its family, too."""
    assert "jax_cpu" in ask(implementations=["jax_cpu"]).contenders
    assert "jax_cpu" in ask(implementations=["all", "jax_cpu"]).contenders
    assert not any("jax_cpu" in line for line in left_out(["all", "jax_cpu"]))
    assert named_one_by_one(["all", "gpu", "jax_cpu"]) == {"jax_cpu"}


def test_a_family_of_which_nothing_can_run_is_one_clear_error(bare):
    """It says why, of each member."""
    with pytest.raises(UserError, match="nothing in the family gpu can run here: cupy_cuda, ") as e:
        ask(implementations=["gpu", "matmul"])
    assert str(e.value).count("needs a CUDA GPU: there is none") == 2  # CuPy, and PyTorch
    assert "\n" not in str(e.value)


def test_what_other_machines_can_run_is_theirs_to_say(bare):
    """Of a family that is for the hosts of a cluster, all members count here."""
    gpu = ask(implementations=["gpu"], here=False).contenders
    assert set(gpu) == {*implementations.families()["gpu"], "python_loops"}
