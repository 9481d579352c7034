"""What is sent to the hosts, and what comes back."""

import io
import zipfile

import pytest

from forwardbench.cluster import agent, answers, hosts
from forwardbench.cluster.answers import Answer, BadRunError, pack, read_answer, write_answer
from forwardbench.cluster.connection import Worker, trouble_of
from forwardbench.cluster.hosts import keep_run
from forwardbench.commands.main import make_parser
from forwardbench.commands.shared.arguments import run_options
from forwardbench.measure.run_options import RunOptions, options_of


def test_the_hosts_are_asked_for_what_was_asked_for():
    """Every option arrives, as the command line itself reads it."""
    asked = RunOptions.of(
        sweeps=["mlp"], shapes=["1x2-3"], implementations=["matmul", "compiled", "all"],
        baseline="matmul", dtypes=["float32"], threads=["2", "all"], workload="forward",
        passes=12, visits=3, limit=0.25, precision=0.02, max_time=9.5, first_calls=2,
        quick=True,
    )  # fmt: skip
    arguments, files = hosts.arguments_of(asked)
    assert files == {}
    assert run_options(make_parser().parse_args(arguments)) == asked
    assert hosts.arguments_of(RunOptions.of())[0] == ["run"]
    not_sent = {each.name for each in options_of(RunOptions)} - asked.given
    assert not_sent == {"output", "scheduler", "insecure", "resume"}
    here_only = RunOptions.of(output="x", scheduler="tcp://a:1", insecure=True)
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


def test_the_data_of_a_run_come_back_as_they_were_and_nothing_else(write_run, ladder, tmp_path):
    """Its JSON byte for byte; tables, charts and pages stay where they were made."""
    folder = write_run(ladder)
    data = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    (folder / ".lock").write_text("")
    (folder / "report.html").write_text("<script>steal()</script>")
    (folder / "notes.json").write_text("{}")
    (folder / "pass-999.json").symlink_to("/etc/passwd")
    (folder / "charts").mkdir()
    (folder / "charts" / "time.svg").write_text("<svg/>")
    target = tmp_path / "out" / "host"
    target.parent.mkdir()
    keep_run(pack(folder), target)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == data
    assert {"run.json", "pass-001.json"} <= set(data)


LINK = zipfile.ZipInfo("run.json")
LINK.external_attr = 0o120777 << 16
IN_BZIP2 = zipfile.ZipInfo("run.json")
IN_BZIP2.compress_type = zipfile.ZIP_BZIP2


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"../run.json": "{}"}, "a file that is not a run's data: '../run.json'"),
        ({"/etc/run.json": "{}"}, "a file that is not a run's data: '/etc/run.json'"),
        ({"charts/run.json": "{}"}, "is not a run's data"),
        ({"..\\run.json": ""}, "is not a run's data"),
        ({"C:run.json": ""}, "is not a run's data"),
        ({"run.json\n": ""}, "is not a run's data: 'run.json'"),
        ({"run.json": "{}", "report.html": "<script>"}, "is not a run's data: 'report.html'"),
        ({"run.json": "{}", "charts/time.svg": ""}, "is not a run's data: 'charts/time.svg'"),
        ({"pass-1.json": "{}"}, "is not a run's data: 'pass-1.json'"),
        ({"pass-\u0661\u0661\u0661.json": "{}"}, "is not a run's data"),
        ({LINK: "/etc/passwd"}, "is not a run's data: 'run.json'"),
        ({IN_BZIP2: "{}"}, "brought back 'run.json' in a compression that is not expected"),
        ({}, "brought back what is not a run"),
        ({"run.json": "{"}, "brought back what is not a run: .*is torn or is not JSON"),
        ({"run.json": "[" * 100_000}, "brought back what is not a run: .*is torn or is not JSON"),
        ({"run.json": "{}"}, "brought back what is not a run"),
    ],
)
def test_an_archive_that_is_no_run_is_refused_and_leaves_nothing(files, message, tmp_path):
    """Only the names of a run's data are written, and there is no half of a run."""
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(BadRunError, match=message):
        keep_run(archive(files), folder / "host")
    assert not list(folder.iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_name_that_comes_twice_is_refused(tmp_path):
    """What was checked and what is kept could be two different files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("run.json", "{}")
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("run.json", "[]")
    with pytest.raises(BadRunError, match="brought back 'run.json' twice"):
        keep_run(packed.getvalue(), tmp_path / "host")
    assert not list(tmp_path.iterdir())


def test_an_archive_that_is_too_large_or_no_archive_is_refused(tmp_path, monkeypatch):
    """What would fill the disk is not unpacked."""
    with pytest.raises(BadRunError, match="brought back what is not a run: File is not a zip"):
        keep_run(b"no zip", tmp_path / "host")
    monkeypatch.setattr(answers, "LARGEST_FILE", 10)
    with pytest.raises(BadRunError, match="brought back 'run.json' of 0 MiB"):
        keep_run(archive({"run.json": "x" * 11}), tmp_path / "host")
    monkeypatch.setattr(answers, "MOST_FILES", 1)
    with pytest.raises(BadRunError, match="brought back 0 MiB in 2 files: too much"):
        keep_run(archive({"run.json": "", "pass-001.json": ""}), tmp_path / "host")
    monkeypatch.setattr(answers, "LARGEST_RUN", 10)
    with pytest.raises(BadRunError, match="brought back 0 MiB: too much"):
        keep_run(archive({"run.json": "x" * 11}), tmp_path / "host")
    assert not list(tmp_path.iterdir())


def test_an_archive_whose_list_says_less_than_it_holds_is_refused(tmp_path):
    """The size that is checked is the one in the list, and no more than that is ever written."""
    packed = bytearray(archive({"run.json": "x" * 300}))
    size = (300).to_bytes(4, "little")
    place = packed.rindex(size)  # in the list at the end, where the unpacked size comes last
    packed[place : place + 4] = (3).to_bytes(4, "little")
    with pytest.raises(BadRunError, match="brought back what is not a run"):
        keep_run(bytes(packed), tmp_path / "host")
    assert not list(tmp_path.iterdir())


def test_an_answer_comes_back_as_it_was_sent():
    """Its archive may hold any byte, also the one that ends its first line."""
    for answer in (Answer("", 0, b"\n\x00zip\n"), Answer("gave up", 3), Answer("killed", -9)):
        assert read_answer(write_answer(answer)) == answer
    assert read_answer(write_answer(Answer("one\ntwo\x1b[2J", 1))).trouble == "one two?[2J"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"trouble": "", "status": 0, "run": b""}, "sent a dict instead of bytes"),
        ("text", "sent a str instead of bytes"),
        (b"", "sent what is not JSON"),
        (b"\x80\x05\x95pickle", "sent what is not JSON"),
        (b"x" * 70_000, "sent 70,000 bytes where at most 65,536 are expected"),
        (b"[1]\n", "sent what is not an answer"),
        (b'{"status": 0}\n', "sent what is not an answer"),
        (b'{"trouble": 1, "status": 0}\n', "sent what is not an answer"),
        (b'{"trouble": "", "status": true}\n', "sent what is not an answer"),
        (b'{"trouble": "", "status": 1e9}\n', "sent what is not an answer"),
        (b'{"trouble": "", "status": 9999}\n', "sent what is not an answer"),
        (b'{"trouble": "", "status": 0}\n', "brought nothing back"),
    ],
)
def test_what_is_not_an_answer_is_refused(data, message):
    """Each with the one line that a user reads after the name of the host."""
    with pytest.raises(BadRunError, match=f"^{message}$"):
        read_answer(data)


def test_a_failure_on_a_host_is_told_in_its_answer():
    """Outside a worker the run cannot begin; the reason comes back as data, not as an exception."""
    answer = read_answer(agent.run_for_client({}))
    assert answer.trouble.startswith("could not make the run: ")
    assert (answer.status, answer.run) == (1, b"")
