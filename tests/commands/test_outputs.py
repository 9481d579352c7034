"""Where commands write: names that are texts, and no links but those that were typed."""

import pytest

from forwardbench.commands.main import main
from forwardbench.outputs.exports import html


@pytest.mark.parametrize(
    "arguments",
    [["run", "--quick"], ["run", "--scheduler", "tcp://127.0.0.1:1"], ["report", "x"],
     ["chart", "x"], ["export", "x"], ["compare", "x", "y"]],
    ids=lambda arguments: " ".join(arguments[:2]),
)  # fmt: skip
@pytest.mark.parametrize("name", ["bad\udcff", "bad\udcff/inside"])
def test_an_output_whose_name_is_no_text_is_refused_at_once(
    arguments, name, tmp_path, monkeypatch, capsys
):
    """Before anything is read or measured, and nothing is made."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="^2$"):  # the parser exits, and a run returns
        raise SystemExit(main([*arguments, "--output", name]))
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"--output {name!a} cannot be written as text: choose another name" in said
    assert not list(tmp_path.iterdir())


@pytest.fixture
def quick_page(monkeypatch):
    """A page that needs no charts."""
    monkeypatch.setattr(html, "write", lambda bundle: "the page")


@pytest.mark.usefixtures("quick_page")
@pytest.mark.parametrize("command", ["chart", "report"])
def test_charts_are_not_drawn_behind_a_link(write_run, ladder, tmp_path, capsys, command):
    """A link in the results' folder is refused; one that is typed is followed."""
    folder, elsewhere = write_run(ladder), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / "charts").symlink_to(elsewhere)
    options = ["--kind", "time", "--format", "svg"] if command == "chart" else ["--charts"]
    assert main([command, str(folder), *options]) == 2
    said = capsys.readouterr().err
    assert said.endswith("charts is a link, so nothing is written there: remove the link\n")
    assert not list(elsewhere.iterdir())
    if command == "chart":
        assert main([command, str(folder), *options, "--output", str(folder / "charts")]) == 0
        assert [path.name for path in elsewhere.iterdir()] == ["time-square.svg"]


@pytest.mark.usefixtures("quick_page")
def test_no_output_beside_the_results_goes_through_a_link(write_run, ladder, tmp_path, capsys):
    """The page and every format of a chart replace links that lie in their places."""
    folder, kept = write_run(ladder), tmp_path / "kept"
    kept.write_text("as it was")
    (folder / "charts").mkdir()
    for name in ("report.html", *(f"charts/time-square.{end}" for end in ("svg", "png", "pdf"))):
        (folder / name).symlink_to(kept)
    assert main(["report", str(folder)]) == 0
    assert main(["chart", str(folder), "--kind", "time", "--format", "svg,png,pdf"]) == 0
    assert kept.read_text() == "as it was"
    written = [
        path for path in folder.rglob("*") if path.suffix in (".html", ".svg", ".png", ".pdf")
    ]
    assert len(written) == 4
    assert not any(path.is_symlink() for path in written)
    assert not list(folder.rglob("*.part"))


@pytest.mark.usefixtures("quick_page")
def test_a_page_goes_through_a_link_that_is_typed(write_run, ladder, tmp_path):
    """The link stays, and the file that it leads to is the page."""
    link = tmp_path / "link.html"
    link.symlink_to(tmp_path / "page.html")
    assert main(["report", str(write_run(ladder)), "--output", str(link)]) == 0
    assert link.is_symlink()
    assert (tmp_path / "page.html").read_text() == "the page"


def test_results_with_a_strange_name_can_be_compared(two_runs, tmp_path, capsys):
    """Charts say where the two sides came from, in letters that exist."""
    first, second = two_runs()
    strange = first.rename(tmp_path / "bad\udcff")
    out = tmp_path / "out"
    assert main(["compare", str(strange), str(second), "--output", str(out)]) == 0
    svg = next(out.glob("*.svg")).read_text(encoding="utf-8")
    assert "bad?" in " ".join(svg.split())
