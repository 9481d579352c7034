"""A thousand damaged, foreign and hostile files: each ends in a table or in one clear line."""

import json
import random
import resource
import shutil
import signal
from contextlib import contextmanager
from typing import Any

import pytest

from forwardbench import results
from forwardbench.commands.main import main
from forwardbench.errors import UserError
from forwardbench.outputs import pictures
from forwardbench.outputs.bundle import Bundle, sweep_parts
from forwardbench.outputs.catalogue import chart_entries
from forwardbench.results import asv

SEED = 20
MUTATED = {"run": 270, "pass": 270, "lone": 200, "asv": 220, "machine": 40}
"""How many files of each kind: a run's two files, a pass by itself, asv's two files."""
DRAWN = 60
STUCK = 120
"""Seconds after which a file counts as a hang."""
MEMORY = 2**19
"""KiB by which the process may grow over all files."""

HOSTILE = [
    "", " ", "\x00", "a\nb\r\nc", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\u202egnp.exe",
    "[bold red]x[/bold red]", "[/nothing]", ":smile:", "<script>alert(1)</script>", "&amp;",
    "$\\frac{1}{0}$", "_x", "a" * 5000, "\ud800", "../../etc/passwd", "=1+1", "%s%n{0}", "nan",
    "python_loops (control)", "4x4-4", "0x0-0", "1e308", "\u0661x\u0662-\u0663", "'4x4-4'", "'a\\",
]  # fmt: skip
NUMBERS = [
    0, -1, 1, 2, 3.5, 10**9, 2**31, 2**63, 2**64, 10**400, -(10**400), 1e308, -1e308, 1e-308,
    5e-324, 1e-12, 1e9, float("nan"), float("inf"), float("-inf"), -0.0, 4300, 65536,
]  # fmt: skip
OTHERS = [None, True, False, [], {}, [None], {"": None}, [[]], [1, 2], {"case": {}}, {"a": [1.0]}]
FOREIGN = [
    "", " \n", "null", "true", "0", '"text"', "[]", "{}", "[[]]", "NaN", "Infinity", "{,}",
    "\ufeff{}", "<html></html>", "a,b\n1,2\n",
    '{"benchmarks": []}', '{"benchmarks": {}}', '{"benchmarks": [{}]}', '{"request": {}}',
    '{"request": {"baseline": "matmul"}}', '{"results": {}, "commit_hash": "a"}',
    '{"results": {}, "commit_hash": "a", "version": 2}', '{"name": "left-pad", "version": "1.0.0"}',
    '{"type": "FeatureCollection", "features": [{"geometry": null}]}',
    '{"machine": 1, "version": 9}', "%PDF-1.7", "[" * 100_000, '{"a":' * 5000 + "1" + "}" * 5000,
    "1" + "0" * 5000,
]  # fmt: skip


def places(value, prefix=()):
    """Every place inside a JSON value but the whole."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield (*prefix, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*prefix, key))


def _at(value, path):
    for key in path:
        value = value[key]
    return value


class Mutator:
    """Makes one damaged text after another from whole ones."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def mutate(self, whole):
        """Damage the text of a JSON file, in one of the ways that are methods here."""
        ways = {
            self.replaced: 6, self.spoiled: 7, self.scaled: 6, self.misnamed: 7, self.removed: 3,
            self.doubled: 3, self.renamed: 1, self.swapped: 4, self.nested: 1,
            self.doubled_key: 1, self.cut: 2, self.bytes_changed: 2, self.foreign: 2,
        }  # fmt: skip
        (way,) = self.random.choices(list(ways), list(ways.values()))
        return way.__name__, way(whole)

    def _at_random(self, whole):
        """A copy of the value, and the container and key of some place in it."""
        document = json.loads(whole)
        *parents, last = self.random.choice(list(places(document)))
        return document, _at(document, parents), last

    def replaced(self, whole):
        """One to three values by others."""
        for _ in range(self.random.choice([1, 1, 2, 3])):
            document, container, key = self._at_random(whole)
            kind: list[Any] = self.random.choice([HOSTILE, NUMBERS, OTHERS])
            container[key] = self.random.choice(kind)
            whole = json.dumps(document)
        return whole

    def spoiled(self, whole):
        """One number by another, at the ends of what a computer can hold."""
        document = json.loads(whole)
        numbers = [
            (*parents, last)
            for *parents, last in places(document)
            if type(_at(document, (*parents, last))) in (int, float)
        ]
        if not numbers:
            return self.replaced(whole)
        *parents, last = self.random.choice(numbers)
        _at(document, parents)[last] = self.random.choice(NUMBERS)
        return json.dumps(document)

    def scaled(self, whole):
        """Some numbers by powers of ten, which often stay possible."""
        document = json.loads(whole)
        for *parents, last in list(places(document)):
            container = _at(document, parents)
            number = container[last]
            if type(number) in (int, float) and self.random.random() < 0.2:
                factor = 10.0 ** self.random.randint(-9, 9)
                container[last] = number * factor if type(number) is float else number + 1
        return json.dumps(document)

    def misnamed(self, whole):
        """Some text, wherever it stands, by a hostile one."""
        document = json.loads(whole)
        found = [(*parents, last) for *parents, last in places(document)]
        texts = sorted({each for path in found if isinstance(each := _at(document, path), str)})
        old, new = self.random.choice(texts), self.random.choice(HOSTILE)
        for *parents, last in found:
            container = _at(document, parents)
            if container[last] == old:
                container[last] = new
        return json.dumps(document)

    def removed(self, whole):
        """One key or item."""
        document, container, key = self._at_random(whole)
        del container[key]
        return json.dumps(document)

    def doubled(self, whole):
        """One item of a list, many times over."""
        document, container, key = self._at_random(whole)
        if isinstance(container, list):
            container[key:key] = [container[key]] * self.random.choice([1, 1, 2, 50])
        else:
            container[key] = [container[key]] * 2
        return json.dumps(document)

    def renamed(self, whole):
        """One key by a hostile one."""
        document, container, key = self._at_random(whole)
        value = container.pop(key)
        if isinstance(container, dict):
            container[self.random.choice(HOSTILE)] = value
        return json.dumps(document)

    def swapped(self, whole):
        """Two values with each other."""
        document, container, key = self._at_random(whole)
        *parents, last = self.random.choice(list(places(document)))
        other = _at(document, parents)
        first, second = json.dumps(container[key]), json.dumps(other[last])
        container[key] = json.loads(second)
        if isinstance(other, dict) or last < len(other):
            other[last] = json.loads(first)
        return json.dumps(document)

    def nested(self, whole):
        """One value inside many lists."""
        document, container, key = self._at_random(whole)
        for _ in range(self.random.choice([3, 100, 400])):
            container[key] = [container[key]]
        return json.dumps(document)

    def doubled_key(self, whole):
        """One key there twice, the second time with something else."""
        document = json.loads(whole)
        key = self.random.choice(list(document))
        value = self.random.choice([*HOSTILE, *NUMBERS, *OTHERS])
        return whole.rstrip().removesuffix("}") + f", {json.dumps(key)}: {json.dumps(value)}}}"

    def cut(self, whole):
        """Ended somewhere, as by a full disk."""
        return whole[: self.random.randrange(len(whole))]

    def bytes_changed(self, whole):
        """A few bytes by any others: invalid UTF-8, NUL, other digits."""
        data = bytearray(whole.encode())
        for _ in range(self.random.choice([1, 3, 20])):
            data[self.random.randrange(len(data))] = self.random.randrange(256)
        return bytes(data)

    def foreign(self, whole):
        """Something else altogether."""
        return self.random.choice(FOREIGN)


@pytest.fixture
def whole_run(write_run):
    """A small run's folder with everything that a run may hold."""
    times = {
        "python_loops": {"1x1-1": [1e-6, 1e-6], "4x4-4": [4e-6, 4.1e-6], "16x16-16": [2e-4, 2e-4]},
        "python_loops (control)": {"4x4-4": [4e-6, 4e-6]},
        "matmul": {"1x1-1": [4e-6, 4e-6], "4x4-4": [3e-6, 3.1e-6], "16x16-16": [5e-6, 5.1e-6]},
    }  # fmt: skip
    skipped = {("python_loops", "64x64-64"): [0.5, 0.4, 0.7], ("matmul", "64x64-64"): [None] * 3}
    ceilings = [{"dtype": "float64", "threads": 1, "gflops": 50.0, "bytes_per_second": 1e10}]
    folder = write_run(times, skipped=skipped, ceilings=ceilings, name="whole")
    run = json.loads((folder / "run.json").read_text())
    run["request"] |= {"limit": 1.0, "seed": 3, "precision": 0.02}
    run |= {
        "environment": {"timer_step": 1e-8, "on_gpu": ["matmul"]},
        "started": "2026-01-02T03:04:05",
        "extended": [],
    }
    (folder / "run.json").write_text(json.dumps(run))
    for path in folder.glob("pass-*.json"):
        one = json.loads(path.read_text())
        one["machine_info"] |= {"memory_bytes": 2**34, "governor": "powersave", "system": "Linux"}
        one["meanwhile"] = {
            "others": 0.2, "stolen": 0.1, "busiest": "editor", "busiest_cpus": 0.1, "seconds": 9.0,
        }  # fmt: skip
        one["failures"]["matmul-square-256x256-256-float64-1"] = "ValueError: no"
        for entry in one["benchmarks"]:
            entry["stats"]["iterations"] = 10
            entry["extra_info"] |= {"timed_seconds": 1.0, "timed_cpu_seconds": 0.9}
            entry["extra_info"]["ran_on"] = {"cpus": [0], "threads": [1], "framework": 1}
        path.write_text(json.dumps(one))
    return folder


@pytest.fixture
def whole_asv(tmp_path):
    """A small folder of asv's results."""
    folder = tmp_path / "whole-asv"
    (folder / "desk").mkdir(parents=True)
    (folder / "benchmarks.json").write_text("{}")
    machine = {"machine": "desk", "cpu": "Made-up CPU", "num_cpu": "2", "ram": "8", "os": "Linux"}
    (folder / "desk" / "machine.json").write_text(json.dumps({**machine, "version": 1}))
    axes = [["'python_loops'", "'matmul'"], ["'4x4-4'", "'16x16-16'", "'1x2-3'"]]
    nan = float("nan")
    row = [
        [4e-6, 2e-4, None, 3e-6, 5e-6, nan], axes, "1", 7, 1.5,
        [3.9e-6, 1.9e-4, None, 2.9e-6, 4.9e-6, nan], [4.2e-6, 2.1e-4, None, 3.2e-6, 5.1e-6, nan],
    ]  # fmt: skip
    document = {
        "commit_hash": "1a2b3c4d5e6f", "env_name": "py3.11", "date": 1_700_000_000_000,
        "params": machine, "python": "3.11", "env_vars": {"OMP_NUM_THREADS": "1"},
        "result_columns": [
            "result", "params", "version", "started_at", "duration", "stats_ci_99_a",
            "stats_ci_99_b",
        ],
        "results": {asv.BENCHMARK: row}, "version": 2,
    }  # fmt: skip
    (folder / "desk" / "1a2b3c4d-py3.11.json").write_text(json.dumps(document))
    return folder


@pytest.fixture
def mutants(tmp_path, whole_run, whole_asv):
    """Write one mutated file after another; yields what was done and what is to be shown."""
    targets = {
        "run": (whole_run, "run.json", ""),
        "pass": (whole_run, "pass-002.json", ""),
        "lone": (whole_run, "pass-001.json", "pass-001.json"),
        "asv": (whole_asv, "desk/1a2b3c4d-py3.11.json", ""),
        "machine": (whole_asv, "desk/machine.json", "desk"),
    }

    def make():
        mutator = Mutator(SEED)
        kinds = [kind for kind, count in MUTATED.items() for _ in range(count)]
        mutator.random.shuffle(kinds)
        for number, kind in enumerate(kinds):
            folder, name, shown = targets[kind]
            way, content = mutator.mutate((folder / name).read_text())
            copy = tmp_path / f"{number:04}-{kind}-{way}"
            shutil.copytree(folder, copy)
            data = content if isinstance(content, bytes) else content.encode(errors="replace")
            (copy / name).write_bytes(data)
            yield copy / shown
            shutil.rmtree(copy)  # only that of a failure stays

    return make


@contextmanager
def no_hang():
    """Raise what nothing catches if something takes far too long."""

    def stuck(number, frame):
        raise SystemError("stuck")

    before = signal.signal(signal.SIGALRM, stuck)
    signal.alarm(STUCK)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def is_plain(text):
    """Whether a terminal has nothing in it to obey."""
    return all(letter.isprintable() for line in text.split("\n") for letter in line)


@pytest.mark.exhaustive
def test_a_thousand_mutated_files_end_in_a_table_or_in_one_line(mutants, capsys):
    """Neither a traceback, nor a hang, nor a full memory, nor a control character."""
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ends = []
    for path in mutants():
        with no_hang():
            status = main(["show", str(path)])
        out, err = capsys.readouterr()
        assert status in (0, 2), path
        assert is_plain(out), path
        assert is_plain(err), path
        if status == 2:
            assert err.startswith("forwardbench: "), path
            assert err.count("\n") == 1, path
            assert err.endswith("\n"), path
            assert len(err) < len(str(path)) + 600, path
            assert out == "", path
        else:
            assert "speedup" in out, path
        ends.append(status)
    assert len(ends) == sum(MUTATED.values()) == 1000
    assert 300 < ends.count(0) < 700  # both ends are well tried
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - grown < MEMORY


@pytest.mark.exhaustive
def test_what_could_be_read_can_be_drawn(mutants):
    """Whatever a mutated file's table holds, every kind of chart can be made of it."""
    kinds = [entry for entry in chart_entries() if entry.needs == "sweeps"]
    drawn = 0
    for path in mutants():
        try:
            whole = Bundle(results.load(path))
            timed = list(sweep_parts(whole))
        except UserError:
            continue
        for entry in kinds if timed else ():
            assert pictures.draw(entry, timed[0]).chart.title, path
        drawn += bool(timed)
        if drawn == DRAWN:
            return
    pytest.fail(f"only {drawn} files could be drawn")
