"""What is sent to the hosts, and what comes back."""

import io
import zipfile

import pytest

from forwardbench.cluster import agent, hosts
from forwardbench.cluster.connection import Worker, trouble_of
from forwardbench.cluster.hosts import BadRunError, unpack
from forwardbench.commands.main import make_parser
from forwardbench.commands.shared.arguments import run_options
from forwardbench.measure.run_options import RunOptions, options_of


def test_the_hosts_are_asked_for_what_was_asked_for():
    """Every option arrives, as the command line itself reads it."""
    asked = RunOptions.of(
        sweeps=["mlp"], shapes=["1x2-3"], implementations=["matmul", "compiled", "all"],
        baseline="matmul", dtypes=["float32"], threads=["2", "all"], workload="forward",
        passes=12, limit=0.25, precision=0.02, max_time=9.5, first_calls=2, quick=True,
    )  # fmt: skip
    arguments, files = hosts.arguments_of(asked)
    assert files == {}
    assert run_options(make_parser().parse_args(arguments)) == asked
    assert hosts.arguments_of(RunOptions.of())[0] == ["run"]
    not_sent = {each.name for each in options_of(RunOptions)} - asked.given
    assert not_sent == {"output", "scheduler", "resume"}
    here_only = RunOptions.of(output="x", scheduler="tcp://a:1")
    assert hosts.arguments_of(here_only)[0] == ["run"]


def test_a_file_travels_with_what_it_needs_beside_it(tmp_path):
    """Modules and packages in turn, each file once, and nothing else of the folder."""
    for name, text in {
        "mine.py": "import numpy\nfrom near import x\nimport packed.part\n",
        "near.py": "import far, mine\n",
        "far.py": "this does not parse",
        "packed/__init__.py": "",
        "packed/part.py": "from . import other\n",
        "packed/other.py": "",
        "secret.py": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    arguments, files = hosts.arguments_of(
        RunOptions.of(implementations=["matmul", str(tmp_path / "mine.py")])
    )
    assert arguments == ["run", "--implementation=matmul", "--implementation=files/1/mine.py"]
    assert set(files) == {
        f"files/1/{name}" for name in (
            "mine.py", "near.py", "far.py", "packed/__init__.py", "packed/part.py",
            "packed/other.py",
        )
    }  # fmt: skip
    assert files["files/1/near.py"] == b"import far, mine\n"


def test_a_host_is_asked_once_however_many_workers_it_has():
    """The first of each host, by address."""
    workers = [Worker("tcp://a:1", "a", 1, 0), Worker("tcp://a:2", "a", 1, 0),
               Worker("tcp://b:1", "b", 1, 0)]  # fmt: skip
    assert [each.address for each in hosts.one_of_each_host(workers)] == ["tcp://a:1", "tcp://b:1"]


def test_hosts_get_folders_that_any_file_system_takes():
    """No separator, nothing hidden, and no two alike, even where capitals do not count."""
    given = ["10.0.0.1", "..", "fe80::1", "fe80__1", "a/../b", "A/../B", "x" * 99]
    names = hosts.folder_names(given)
    assert [names[host] for host in given] == [
        "10.0.0.1", "host", "fe80__1", "fe80__1-2", "a_.._b", "A_.._B-2", "x" * 60,
    ]  # fmt: skip


def test_what_dask_sets_for_its_workers_is_not_passed_on(monkeypatch):
    """Threads, the allocator and Dask's own settings go; everything else stays."""
    by_dask = {"OMP_NUM_THREADS": "1", "MALLOC_TRIM_THRESHOLD_": "65536", "PYTHONHASHSEED": "6640",
               "DASK_SCHEDULER_ADDRESS": "tcp://a:1", "NUMBA_NUM_THREADS": "1"}  # fmt: skip
    for name, value in {**by_dask, "KEPT": "yes"}.items():
        monkeypatch.setenv(name, value)
    left = agent.plain_environment()
    assert left["KEPT"] == "yes"
    assert not by_dask.keys() & left.keys()


def test_the_innermost_reason_of_a_failure_is_told():
    """Those around it only say that something failed."""
    error = RuntimeError("Error during deserialization")
    error.__cause__ = ValueError("no\nsuch thing")
    assert trouble_of(error) == "ValueError: no such thing"


def archive(files):
    """A zip archive in memory."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
    return packed.getvalue()


def test_a_run_comes_back_as_it_was(write_run, ladder, tmp_path):
    """Every file but the hidden ones, byte for byte."""
    folder = write_run(ladder)
    (folder / ".lock").write_text("")
    (folder / "charts").mkdir()
    (folder / "charts" / "time.svg").write_text("<svg/>")
    target = tmp_path / "out" / "host"
    target.parent.mkdir()
    unpack(agent.pack(folder), target)
    kept = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    there = {path.relative_to(target) for path in target.rglob("*") if path.is_file()}
    assert {str(path) for path in kept - there} == {".lock"}
    assert all((target / path).read_bytes() == (folder / path).read_bytes() for path in there)


LINK = zipfile.ZipInfo("link")
LINK.external_attr = 0o120777 << 16


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"../run.json": "{}"}, "leads elsewhere: '../run.json'"),
        ({"/etc/run.json": "{}"}, "leads elsewhere: '/etc/run.json'"),
        ({"charts/../../x": ""}, "leads elsewhere"),
        ({"..\\x": ""}, "leads elsewhere"),
        ({"C:x": ""}, "leads elsewhere"),
        ({LINK: "/etc/passwd"}, "leads elsewhere: 'link'"),
        ({}, "brought back what is not a run"),
        ({"run.json": "{"}, "brought back what is not a run: .*is torn or is not JSON"),
        ({"run.json": "{}"}, "brought back what is not a run"),
    ],
)
def test_an_archive_that_is_no_run_is_refused_and_leaves_nothing(files, message, tmp_path):
    """Nothing leads out of the folder, and there is no half of a run."""
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(BadRunError, match=message):
        unpack(archive(files), folder / "host")
    assert not list(folder.iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_archive_that_is_too_large_or_no_archive_is_refused(tmp_path, monkeypatch):
    """What would fill the disk is not unpacked."""
    with pytest.raises(BadRunError, match="brought back what is not a run: File is not a zip"):
        unpack(b"no zip", tmp_path / "host")
    monkeypatch.setattr(hosts, "LARGEST_RUN", 10)
    with pytest.raises(BadRunError, match="brought back 0 MiB in 1 files: too much"):
        unpack(archive({"run.json": "x" * 11}), tmp_path / "host")
    assert not list(tmp_path.iterdir())
