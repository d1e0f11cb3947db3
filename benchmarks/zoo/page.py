"""Page of the comparison: `zoo.md`, `zoo.json` and `zoo.png`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks.zoo.plan import COMMON, OURS, RATES, Unit
from benchmarks.zoo.sixteen import ENOUGH, STEPS
from benchmarks.zoo.table import RIVALS, Row, rows, unfit
from engine.runs.environment import git_state, hardware, package_versions
from engine.runs.provenance import write_json

_COSTS = {"rate": "rate", "parameters_m": "parameters, M", "gflops": "GFLOPs a clip", "ms": "ms a clip"}
_FIT = {"auc": "AUC of 16", "steps": "steps", "seconds": "CPU s"}


_LINES = (
    "Of a family of lines the strongest reading is the rival. MPDRM and the readings *enrolment* and",
    "*both* know the person's other visits, without scores; all else knows the recording alone.",
)
_NO_LINES = (
    "MPDRM knows the person's other visits, without scores; all else knows the recording alone. Simple",
    "readers read series, and none were measured in these pixels (`overrides=data=faces,...` has them).",
)


def write_zoo(units: Sequence[Unit], *, command: str, out: Path) -> str:
    """Write the page of finished units of one input; return its text."""
    found, input = rows(units), units[0].input
    about = {
        "command": command,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": git_state()["commit"],
        "hardware": hardware(),
        "packages": package_versions(),
        "cpu_hours": sum(row.costs.get("cpu_seconds", 0.0) for row in found) * _seeds(units) / 3600,
    }
    text = _markdown(found, units, about)
    (out / f"{input}.md").write_text(text, encoding="utf-8")
    kept = {"rows": [asdict(row) for row in found], "unfit": unfit(units)}
    write_json(out / f"{input}.json", {**kept, **about})
    _draw(found, out / f"{input}.png", ours=OURS[input])
    return text


def _seeds(units: Sequence[Unit]) -> int:
    return len({unit.seed for unit in units})


def _markdown(found: Sequence[Row], units: Sequence[Unit], about: Mapping[str, Any]) -> str:
    input = units[0].input
    rates = ", ".join(f"{rate:g}" for rate in RATES)
    rivals = [name for name in (OURS[input], *RIVALS) if any(name in row.against for row in found)]
    lines = [
        f"# Networks on one protocol: {input}",
        "",
        f"Means over {_seeds(units)} seeds of weights on the same persons, with 95 % intervals over these.",
        f"At the first seed validation chose among {len(RATES)} trials of each network, learning rates",
        f"{rates}; the other seeds keep that rate.",
        *(_LINES if any(not row.costs for row in found) else _NO_LINES),
        f"Before that each network had to reach a training AUC of {ENOUGH} on 16 recordings, in at most",
        f"{STEPS} steps a rate; the steps and CPU seconds of all rates that were needed are told.",
        "Milliseconds are of one thread, beside what else the machine does.",
        "",
        f"![Test AUC](../../zoo/{input}.png)",
        "",
        *_table(found, rivals),
        "",
        *_unfit(units),
    ]
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items() if version)
    machine = ", ".join(f"{key} {value}" for key, value in about["hardware"].items() if value)
    lines += ["## How", "", f"    {about['command']}", ""]
    lines += [f"{about['date']}; commit {about['commit']}; {machine}; {packages}.", ""]
    lines += [f"Processor time of all trainings: {about['cpu_hours']:.1f} hours.", ""]
    return "\n".join([*lines, f"Overrides of every training: {' '.join(f'`{text}`' for text in COMMON)}", ""])


def _table(found: Sequence[Row], rivals: Sequence[str]) -> list[str]:
    """A row an entry or line, under their head."""
    against = [f"minus {name}" for name in rivals]
    head = ["network or line", "test AUC", *against, *_COSTS.values(), *_FIT.values(), "source"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in found:
        costs = [f"{row.costs[name]:.3g}" if name in row.costs else "" for name in _COSTS]
        fit = [f"{row.fit[name]:.3g}" if row.fit else "" for name in _FIT]
        apart = [_told(row.against.get(name)) for name in rivals]
        lines.append(f"| {' | '.join((row.name, _told(row.auc), *apart, *costs, *fit, row.source))} |")
    return lines


def _unfit(units: Sequence[Unit]) -> list[str]:
    """What is said of entries that were not trained."""
    return [
        f"Not trained, as it does not fit 16 recordings: {name} (training AUC {found['auc']:.2f} in "
        f"{found['steps']} steps, {found['seconds']:.0f} CPU s).\n"
        for name, found in unfit(units).items()
    ]


def _told(estimate: Mapping[str, Any] | None) -> str:
    if not estimate or estimate["value"] is None:
        return ""
    if estimate["low"] is None:
        return f"{estimate['value']:.3f}"
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"


def _draw(found: Sequence[Row], path: Path, *, ours: str) -> None:
    """Draw a row an entry: networks as squares, lines as crosses, ours filled."""
    figure = Figure(figsize=(7.0, 0.8 + 0.26 * len(found)), layout="constrained")
    ax = figure.subplots()
    for place, row in enumerate(reversed(found)):
        color, marker = ("tab:blue", "s") if row.costs else ("tab:orange", "x")
        filled = color if row.name == ours or not row.costs else "white"
        if row.auc["low"] is not None:
            ax.plot([row.auc["low"], row.auc["high"]], [place, place], color=color, lw=1)
        ax.plot(row.auc["value"], place, marker, color=color, mfc=filled, ms=5)
    ax.axvline(0.5, color="0.8", lw=1, zorder=0)
    ax.set_yticks(range(len(found)), [row.name.replace("_", " ") for row in reversed(found)], fontsize=8)
    ax.set_xlabel("test AUC; 95 % over persons")
    ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
