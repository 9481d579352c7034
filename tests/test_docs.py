"""What the documents say is so."""

import importlib.util
import json
import re
import statistics
from importlib import metadata

import pandas as pd
import pytest

from builders.places import REFERENCE, ROOT
from forwardbench import __version__, implementations, results
from forwardbench.analysis.noise import verdicts
from forwardbench.analysis.rows import sizes, work
from forwardbench.analysis.table import summarize
from forwardbench.commands.main import make_parser
from forwardbench.outputs import bundle, pictures
from forwardbench.units import format_interval, format_ratio
from forwardbench.verification.verify import verify

README = (ROOT / "README.md").read_text()
INSTALL = "python3 -m venv .venv && .venv/bin/pip install -q -e"
REFERENCES = [REFERENCE, ROOT / "results" / "after-matmul"]


def section(title):
    """The text of a section of the README."""
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_two_commands_do_everything_from_a_bare_python():
    """Each makes its environment, installs from this folder and runs; CI runs the second."""
    commands = re.findall(r"```sh\n(.*?)\n```", section("Two commands"))
    assert commands == [
        f"{INSTALL} . && .venv/bin/forwardbench run",
        f"{INSTALL} '.[test]' && .venv/bin/python -m pytest",
    ]
    assert commands[1] in (ROOT / ".ci" / "run").read_text().splitlines()
    assert commands[1] in (ROOT / "CONTRIBUTING.md").read_text().splitlines()


def test_the_citation_names_this_version_and_its_licence():
    """CITATION.cff says what the package says of itself."""
    lines = (ROOT / "CITATION.cff").read_text().splitlines()
    assert f"version: {__version__}" in lines
    assert f"license: {metadata.metadata('forwardbench')['License-Expression']}" in lines


def test_every_linked_file_is_there():
    """No link of the documents leads nowhere."""
    for name in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        for target, _, heading in re.findall(r"\]\(([^)#\s]*)(#([^)\s]+))?\)", name.read_text()):
            if "://" in target:
                continue
            path = name.parent / target if target else name
            assert path.exists(), f"{name}: {target}"
            if heading:
                titles = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
                assert heading in {title.lower().replace(" ", "-") for title in titles}


def test_every_rung_and_every_option_is_in_the_readme():
    """The table of rungs names each once, and the commands' options are all mentioned."""
    for name in implementations.names():
        assert README.count(f"| `{name}` |") == 1
    (commands,) = [
        action.choices for action in make_parser()._actions if isinstance(action.choices, dict)
    ]
    assert set(commands) == set(re.findall(r"\| `forwardbench (\w+)", README))
    options = {o for parser in commands.values() for a in parser._actions for o in a.option_strings}
    assert len(options) > 9
    assert {option for option in options if f"`{option}" not in README} == {"-h", "--help"}


def test_the_readmes_example_is_an_implementation(tmp_path):
    """The file that it shows is verified as it stands."""
    code, _ = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "mine.py").write_text(code)
    assert verify(str(tmp_path / "mine.py")).status == "verified"


def test_the_example_from_python_prints_what_the_readme_says(monkeypatch, capsys):
    """It is run as it stands, in the project's folder."""
    _, code = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(ROOT)
    exec(code, {})
    assert f"prints `{capsys.readouterr().out.strip()}`" in README


@pytest.mark.parametrize("folder", REFERENCES, ids=lambda path: path.name)
def test_a_reference_run_is_whole(folder):
    """Its table and charts are what its passes give today."""
    table = summarize(results.load(folder))
    kept = pd.read_csv(folder / "table.csv")
    for column in ("seconds", "speedup", "speedup_low", "speedup_high"):
        assert kept[column].tolist() == pytest.approx(table[column].tolist(), rel=1e-9, nan_ok=True)
    assert kept["status"].tolist() == table["status"].tolist()
    assert "dirty" not in kept["commit"].iloc[0]


@pytest.mark.slow
@pytest.mark.parametrize("folder", REFERENCES, ids=lambda path: path.name)
def test_reference_charts_are_redrawn_from_the_table(folder, tmp_path):
    """The files are there, and say what the table says today."""
    drawn = pictures.pictures_of(bundle.load(folder))
    assert {each.entry.needs for each in drawn} >= {"sweeps"}
    for each in drawn:
        (path,) = pictures.save(each, tmp_path, ("svg",))
        kept = folder / "charts" / path.name
        assert kept.with_suffix(".png").exists()
        assert re.search("<title>(.*?)</title>", path.read_text())[1] in kept.read_text()


@pytest.mark.parametrize("folder", REFERENCES, ids=lambda path: path.name)
def test_figures_in_the_readme_are_those_of_the_reference_runs(folder):
    """Each ratio that is quoted with a case is in the table, and so is its interval."""
    table = summarize(results.load(folder))
    loops, _, beyond = README.partition("## After np.matmul")
    text = loops if folder == REFERENCE else beyond
    quoted = re.findall(r"`(\w+)` at `([\dx-]+)`: ([\d.,]+x) \(([\d.,]+ to [\d.,]+)\)", text)
    assert len(quoted) >= 4
    for name, case, ratio, interval in quoted:
        rows = table[(table["implementation"] == name) & (table["case"] == case)]
        row = rows.iloc[0]
        assert format_ratio(row["speedup"]) == ratio
        assert format_interval(row["speedup_low"], row["speedup_high"]) == interval


def methods_page():
    """The module that writes the tables of docs/method.md."""
    spec = importlib.util.spec_from_file_location("page", ROOT / "studies" / "page.py")
    assert spec
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_methods_is_what_its_command_wrote():
    """The page says what results/methods.json holds, and every other table is filled in."""
    page = methods_page()
    figures = json.loads(page.FIGURES.read_text())
    assert page.between_marks("figures")[1] == page.tables(figures) + "\n"
    compared = json.loads(page.COMPARISONS.read_text())
    assert page.between_marks("runs")[1] == page.table_of_runs(compared) + "\n"
    for name in ("visits", "overhead"):
        assert page.between_marks(name)[1].startswith("| ")


def test_identical_code_comes_out_identical():
    """The claims of docs/method.md, on the figures that are kept."""
    figures = json.loads(methods_page().FIGURES.read_text())
    methods = {method["tool"]: method for method in figures["methods"]}
    own = methods["forwardbench"]
    assert len(own["pairs"]) >= 100
    assert sum(pair["different"] for pair in own["pairs"]) <= 0.08 * len(own["pairs"])
    assert statistics.median(pair["half_width"] for pair in own["pairs"]) <= 0.015
    assert own["seconds"] < methods["pyperf"]["seconds"]
    assert sum(figures["announced"]) == pytest.approx(sum(figures["taken"]), rel=0.25)


def test_what_the_readme_says_in_words_is_in_the_table():
    """Who wins where, and at which level the loops flatten out."""
    table = summarize(results.load(REFERENCE))
    table = table.assign(verdict=verdicts(table), size=sizes(table))
    matmul = table[(table["implementation"] == "matmul") & (table["sweep"] == "square")]
    shown = dict(zip(matmul["size"], matmul["verdict"], strict=True))
    assert "at 1 and 2 the plain loop wins, from 4 on matmul\nis faster" in README
    assert {shown[1], shown[2]} == {"slower"}
    assert {shown[size] for size in (4, 8, 16, 32, 64, 128, 256)} == {"faster"}
    cost = (table["seconds"] / work(table) * 1e9).groupby(table["implementation"]).min()
    assert "loops level out at 30 and 190 nanoseconds" in README
    assert round(cost["python_loops"], -1) == 30
    assert round(cost["ndarray_loops"], -1) == 190
    assert "to hundredths of a nanosecond" in README
    assert 0.01 < cost["matmul"] < 0.1
