"""forwardbench from Python and in notebooks: `load` and `run`, which return a `Table`."""

from __future__ import annotations

import base64
import inspect
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment

from forwardbench.analysis import selection
from forwardbench.analysis.columns import COLUMNS
from forwardbench.analysis.evidence import Evidence
from forwardbench.analysis.findings import (
    describe_sweep,
    finding,
    name_setting,
    noise_sentence,
    problems,
    settings,
)
from forwardbench.analysis.noise import noise_floors
from forwardbench.analysis.warnings import warnings_of
from forwardbench.commands.shared.carry_out import begin, carry_out
from forwardbench.commands.shared.exit_status import INTERRUPTED
from forwardbench.errors import UserError
from forwardbench.measure.run_options import RunOptions, describe_keywords, signature_of
from forwardbench.outputs import bundle as bundles
from forwardbench.outputs.bundle import SweepPart
from forwardbench.outputs.catalogue import chart_entries
from forwardbench.outputs.pictures import draw
from forwardbench.outputs.report.cells import columns_of, list_rows
from forwardbench.results import CELL_KEY, HOST

PASS_SECONDS, LEVEL = "pass_seconds", "level"
"""Columns of a `Table` that `table.csv` lacks: a tuple with the seconds of each pass, and the
confidence level of its intervals."""

_TEMPLATE = """<div>
{% for part in parts %}<p><strong>{{ part.finding }}.</strong><br>{{ part.about }}</p>
{% if part.chart %}<img alt="{{ part.alternative }}" src="{{ part.chart }}" style="max-width: 100%">
{% endif %}{% for line in part.notes %}<p>{{ line }}</p>{% endfor %}
<details><summary>{{ part.rows | length }} cells</summary><table>
<thead><tr>{% for column in columns %}<th>{{ column.name }}</th>{% endfor %}</tr></thead>
<tbody>{% for row in part.rows %}<tr>
{% for cell in row.cells %}<td>{{ cell.text }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></details>
{% endfor %}{% for line in warnings %}<p>Warning: {{ line }}</p>{% endfor %}
</div>"""


class Table(pd.DataFrame):
    """A run's table: a pandas DataFrame that shows its finding and its chart in a notebook.

    Its columns are those of `table.csv`, `forwardbench.analysis.columns.COLUMNS`, then
    ``pass_seconds``, a tuple with the seconds of each pass, and ``level``, the confidence level of
    its intervals. ``attrs`` holds ``path`` and ``warnings``.
    """

    @property
    def _constructor(self) -> type[Table]:  # pandas uses it for parts of the table
        return Table

    def _repr_html_(self) -> str:
        whole = pd.DataFrame(self).reset_index(drop=True)
        if not _is_of_one_run(whole):
            return whole.to_html(max_rows=20)
        evidence = _evidence_of(whole)
        sweeps = whole.groupby(["workload", "sweep"], sort=False)
        shown, listed = (set(choose(whole)) for choose in (selection.charted, selection.listed))
        parts = [
            _part(SweepPart(str(name[1]), rows, rows[rows.index.isin(shown)], evidence), listed)
            for name, rows in sweeps
        ]
        template = Environment(autoescape=True).from_string(_TEMPLATE)
        warnings = self.attrs.get("warnings", [])
        return template.render(parts=parts, columns=columns_of(whole), warnings=warnings)


def _is_of_one_run(table: pd.DataFrame) -> bool:
    """Whether these are still the rows of one run; any other table is shown like a DataFrame."""
    if table.empty or table.columns.has_duplicates:
        return False
    if not {*COLUMNS, PASS_SECONDS, LEVEL} <= set(table.columns):
        return False
    if not table[PASS_SECONDS].map(lambda seconds: isinstance(seconds, tuple)).all():
        return False
    machines = table.groupby(HOST)[["machine", "commit"]].nunique(dropna=False)
    one_run_per_host = bool((machines == 1).all(axis=None))
    has_duplicates = table[[HOST, *CELL_KEY]].duplicated().any()
    return one_run_per_host and not has_duplicates and not table["reason"].isna().any()


def _evidence_of(table: pd.DataFrame) -> Evidence:
    """The evidence for the rows of a table, as far as the table itself holds it."""
    return Evidence(table[PASS_SECONDS], noise_floors(table), float(table[LEVEL].max()), {})


def _part(part: SweepPart, listed: set[Hashable]) -> dict[str, Any]:
    """What a notebook shows for one sweep, as values for the template."""
    rows = part.rows
    some = rows[rows.index.isin(listed)]
    shown = {
        "finding": finding(rows, part.evidence),
        "about": f"{describe_sweep(rows)}; {', '.join(map(name_setting, settings(rows)))}",
        "notes": [
            line
            for line in (noise_sentence(rows), *problems(rows), selection.choice_words(rows, some))
            if line
        ],
        "rows": list(list_rows(rows, [], list(some.index))),
        "chart": "",
        "alternative": "",
    }
    if rows["seconds"].notna().any():
        (speedup,) = [entry for entry in chart_entries() if entry.name == "speedup"]
        drawn = draw(speedup, part)
        encoded = base64.b64encode(drawn.chart.svg.encode()).decode()
        shown["chart"] = f"data:image/svg+xml;base64,{encoded}"
        shown["alternative"] = drawn.alternative
    return shown


def load(path: str | Path, baseline: str | None = None) -> Table:
    """Read results as a table, one row per cell.

    ``path`` is a run's folder, a pytest-benchmark JSON file, or asv's results (``PATH@COMMIT``
    for one commit). ``baseline`` is what speedups are relative to; the default is the run's own.
    Raises `forwardbench.errors.UserError` if the results cannot be read.
    """
    bundle = bundles.load(path, baseline)
    evidence = bundle.evidence
    table = Table(bundle.table.assign(pass_seconds=evidence.passes, level=evidence.level))
    table.attrs["path"] = str(path)
    table.attrs["warnings"] = warnings_of(bundle.results, bundle.table, None)
    return table


def run(**options: Any) -> Table:
    """Verify, measure, chart and report, as the command `forwardbench run` does.

    Verification, plan and progress are printed on stderr. Returns the table of the run, with the
    run's folder in ``attrs["path"]``. Raises `forwardbench.errors.UserError` if the run is not
    possible or if nothing was measured. The keywords are the command's options:

    """
    signature_of(RunOptions).bind(**options)  # raises TypeError for an unknown option
    run_options = RunOptions.of(**options)
    folder, request = begin(run_options)
    status = carry_out(folder, request, run_options, show=False)
    if status == INTERRUPTED:
        raise KeyboardInterrupt
    if not folder.finished_passes().numbers:
        raise UserError(f"nothing was measured; why is in {folder.path}/run.json")
    table = load(folder.path)
    table.attrs["status"] = status
    return table


# What `help(forwardbench.run)` and notebooks show.
run.__signature__ = signature_of(RunOptions).replace(return_annotation="Table")  # type: ignore[attr-defined]
run.__doc__ = f"{inspect.getdoc(run)}\n\n{describe_keywords(RunOptions)}"
