"""Compare two runs: `python -m evaluation.comparison run_a run_b [metric=auc] [out=<folder>]`.

A run is a folder with `predictions.csv`, or the folder of a multirun over seeds. Written are a table on the
screen, `compare.json` and `compare.html`. Without `metric=` all metrics are compared and their p-values
corrected; name the one that was chosen before looking, and there is nothing to correct.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from datamodules.command_line import UsageError, run
from datamodules.commands import typed
from evaluation.comparison.runs import RunError, read_run
from evaluation.comparison.statistics import compare
from evaluation.metrics.catalog import METRICS
from evaluation.report.forest import mark_estimate, mark_line, name_rows
from evaluation.report.headline import number
from evaluation.report.page import environment, header
from evaluation.report.run_facts import trial
from evaluation.report.style import BLUE, GRAY, canvas, svg
from evaluation.report.terminal_summary import block
from evaluation.tables.predictions import PredictionError
from evaluation.uncertainty.paired_permutation import PERMUTATIONS

_FEWEST = 99  # exchanges from which a p-value of .01 can come


def main(
    run_a: Path,
    run_b: Path,
    *,
    metric: tuple[str, ...] = (),
    out: Path | None = None,
    n_perm: int = PERMUTATIONS,
    seed: int = 0,
) -> int:
    """Compare, write and print; the exit status is 2 where the runs cannot be compared.

    Args:
        run_a: Folder of a run, or of a multirun over seeds.
        run_b: The other.
        metric: Compare these only, as in metric=auc,mae; all by default.
        out: Folder of the results; outputs/compare/<time> by default.
        n_perm: Exchanges that the permutation test draws.
        seed: Of these draws.
    """
    for name, value, least in (("n_perm", n_perm, _FEWEST), ("seed", seed, 0)):
        if value < least:
            raise UsageError(f"{name}={value}: give a whole number, {least} or more")
    try:
        a, b = read_run(run_a), read_run(run_b)
        found = compare(a, b, only=metric, n_perm=n_perm, seed=seed)
        out = out or Path(f"outputs/compare/{datetime.now():%Y-%m-%d_%H-%M-%S}")
        out.mkdir(parents=True, exist_ok=True)
    except (RunError, PredictionError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}. Choose another folder with out=...\n")
        return 2
    text = json.dumps(found, indent=2, allow_nan=False) + "\n"
    (out / "compare.json").write_text(text, encoding="utf-8")
    (out / "compare.html").write_text(page(found, a.record, b.record), encoding="utf-8")
    rows = [("folder", str(out)), ("page", str(out / "compare.html")), ("next", following(found))]
    sys.stdout.write(f"{table(found)}\n{block('comparison is finished', rows)}\n")
    return 0


def table(found: Mapping[str, Any]) -> str:
    """The comparison as text, one line a metric."""
    lines = [
        f"a: {found['a']['name']}",
        f"b: {found['b']['name']}",
        f"{found['recordings']} recordings of {found['persons']} persons",
        "",
        f"{'metric':<18}{'a':>8}{'b':>8}   {'a minus b':<24}{'p':>8}{'Holm':>8}  better",
    ]
    for name, row in found["metrics"].items():
        lines.append(
            f"{name:<18}{row['a']:>8.3f}{row['b']:>8.3f}   {number(row['difference'], 3):<24}"
            f"{_p(row['p_value']):>8}{_p(row.get('p_holm')):>8}  {row['better'] or '-'}"
        )
    reasons = {name: row["reason"] for name, row in found["metrics"].items() if "reason" in row}
    lines += [f"{name}: {why}" for name, why in (found["not_compared"] | reasons).items()]
    said: dict[str, list[str]] = {}
    for name, row in found["metrics"].items():
        for why in remarks(row):
            said.setdefault(why, []).append(name)
    lines += [f"{', '.join(names)}: {why}" for why, names in said.items()]
    lines.append(f"better: {found['verdict']}")
    return "\n".join(lines)


def following(found: Mapping[str, Any]) -> str:
    """What to do after a comparison: with one training a side, train others, as seeds differ as well."""
    if min(len(found[side]["folders"]) for side in "ab") > 1:
        return "open the page in a browser"
    return f"{typed('train')} <settings of each> sweep=seeds, and compare the folders of both sweeps"


def remarks(row: Mapping[str, Any]) -> list[str]:
    """What to know of a compared metric: no interval, few persons, interval and test that disagree."""
    gap = row["difference"]
    return [note for note in (gap.get("reason"), gap.get("warning"), row.get("disagree")) if note]


def forest(found: Mapping[str, Any]) -> str:
    """Differences with their intervals, each in units of the half width, as a data URI.

    Metrics have different units (points, shares); what a reader needs is where the interval lies beside 0.
    """
    rows = [(n, r["difference"]) for n, r in found["metrics"].items() if r["difference"]["low"] is not None]
    with canvas(9.8, 0.9 + 0.3 * max(1, len(rows))) as figure:
        axes = figure.add_subplot()
        for place, (name, gap) in enumerate(rows):
            sign = 1 if METRICS[name].higher_is_better else -1
            scale = sign * max((gap["high"] - gap["low"]) / 2, 1e-12)
            ends = sorted((gap["low"] / scale, gap["high"] / scale))
            clear = ends[0] > 0 or ends[1] < 0
            scaled = {"value": gap["value"] / scale, "low": ends[0], "high": ends[1]}
            mark_estimate(axes, place, scaled, color=BLUE if clear else GRAY, width=2.4, size=30)
        mark_line(axes, 0)
        name_rows(axes, [name for name, _ in rows])
        axes.set_xlabel("b better   ←   difference in half widths of its interval   →   a better")
        axes.grid(axis="y", visible=False)
        return svg(figure)


def page(found: Mapping[str, Any], *records: Mapping[str, Any]) -> str:
    """`compare.html`: the table, the plot and how both were made.

    Args:
        found: What `compare` found.
        records: Content of `manifest.json` of both runs, which were tested on the same recordings.
    """
    templates = environment()
    templates.filters |= {"p": _p, "remarks": remarks}
    rows = [(name, row, row["better"] or "-") for name, row in found["metrics"].items()]
    content: dict[str, Any] = {"found": found, "rows": rows, "plot": forest(found)}
    return str(templates.get_template("compare.html").render(**_header(records), **content))


def _header(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Title, facts and banners that hold for both runs: their data, and what is wrong with either."""
    either = ("synthetic", "leaks_on_purpose")
    shared = {name: any(record.get(name) for record in records) for name in either}
    first = {name: records[0].get(name) for name in ("data", "questionnaires")} if records else {}
    top = header("Two runs on the same recordings", first | shared)
    trials = [
        f"Trial run ({name}): {why}." for name, why in zip("ab", map(trial, records), strict=False) if why
    ]
    return top | {"banners": [*top["banners"], *trials], "subtitle": ""}


def _p(value: float | None) -> str:
    return "-" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


if __name__ == "__main__":
    raise SystemExit(run(main))
