"""Page of the claim study: `claim.md`, `claim.json` and `claim.png`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.runs.environment import hardware, package_versions
from engine.runs.provenance import write_json
from studies.claim.figure import draw_claim
from studies.claim.plan import Cell
from studies.claim.table import CEILING, FAMILIES, SCORES, Results, Verdict
from studies.claim.verdicts import verdicts


def write_claim(records: Sequence[Mapping[str, Any]], *, input: str, command: str, out: Path) -> str:
    """Write `claim.md`, `claim.json` and `claim.png`; return the text of the first.

    Args:
        records: of finished units, each with its `folder`.
        input: what networks read.
        command: that does it again.
        out: where to.
    """
    results, about = Results(records), _about(records, input=input, command=command)
    found = verdicts(results)
    text = _markdown(results, found, about)
    (out / "claim.md").write_text(text, encoding="utf-8")
    kept = [{key: value for key, value in record.items() if key != "folder"} for record in records]
    write_json(
        out / "claim.json", {"verdicts": [asdict(verdict) for verdict in found], "runs": kept, **about}
    )
    draw_claim(results, out / "claim.png", title=input)
    return text


def _about(records: Sequence[Mapping[str, Any]], *, input: str, command: str) -> dict[str, Any]:
    return {
        "input": input,
        "command": command,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seeds": sorted({int(record["seed"]) for record in records}),
        "seconds": round(sum(float(record["seconds"]) for record in records), 1),
        "overrides": sorted(set.intersection(*(set(record["overrides"]) for record in records))),
        "commits": sorted(
            {f"{r['git']['commit']}{' (changed)' if r['git']['dirty'] else ''}" for r in records}
        ),
        "hardware": hardware(),
        "packages": package_versions(),
    }


def _markdown(results: Results, found: Sequence[Verdict], about: Mapping[str, Any]) -> str:
    lines = [f"# The claim under control: {about['input']}", ""]
    lines += [f"- **{'HOLDS' if v.holds else 'FAILED'}** {v.claim}: {v.found}" for v in found]
    lines += [
        "",
        "Means over cohorts, with 95 % t intervals over their seeds. Nobody who is tested was trained on;",
        "every visit of a tested person but the first is predicted, and all visits before it are known.",
        "",
        "![Test AUC over the stability of severity](../../claim/claim.png)",
    ]
    for cell in results.cells:
        lines += _cell(results, cell)
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items() if version)
    machine = ", ".join(f"{key} {value}" for key, value in about["hardware"].items() if value)
    lines += ["", "## How", "", f"    {about['command']}", "", f"{about['date']}; {machine}; {packages}."]
    lines += [
        f"Commit: {', '.join(about['commits'])}.",
        f"Processor time: {about['seconds'] / 3600:.1f} hours, one core a unit.",
    ]
    lines += ["", "Overrides of every unit: " + " ".join(f"`{text}`" for text in about["overrides"]), ""]
    return "\n".join(lines)


def _cell(results: Results, cell: Cell) -> list[str]:
    lines = [
        "",
        f"## {cell.name}",
        "",
        f"Movement {cell.movement:g}, stability {cell.stability:g}, confound {cell.confound:g}; "
        f"cohorts {', '.join(map(str, results.seeds(cell.name)))}.",
        "",
        "| line | test AUC | habits, probe R² | seconds a training |",
        "|---|---|---|---|",
    ]
    for name in results.lines(cell.name):
        seconds, habits = (results.interval(cell.name, name, column) for column in ("seconds", "habit_r2"))
        told = f"{seconds.mean:.0f}" if seconds else ""
        lines.append(f"| {name} | {results.interval(cell.name, name)} | {habits or ''} | {told} |")
    lines += ["", "| paired difference in AUC | over persons | over seeds |", "|---|---|---|"]
    for a, b in _pairs(results, cell.name):
        if (found := results.difference(cell.name, a, b)) is not None:
            lines.append(f"| {a} - {b} | {found[1]} | {found[0]} |")
    share = results.share(cell.name, "calibrated", floor="depression_branch", ceiling=CEILING)
    if share is not None:
        lines += ["", f"`calibrated` goes {share:.0%} of the way from the depression branch to `{CEILING}`."]
    return lines


def _pairs(results: Results, cell: str) -> list[tuple[str, str]]:
    """Every network against the depression branch, ours against all else that is no oracle."""
    networks = [line for line in results.lines(cell) if results.interval(cell, line, "seconds") is not None]
    lines = [line for family in (*SCORES, *FAMILIES) if (line := results.strongest(cell, family))]
    pairs = [(name, "depression_branch") for name in networks]
    pairs += [(ours, other) for ours in ("enrolment", "calibrated") for other in (*networks, *lines)]
    return [(a, b) for a, b in dict.fromkeys(pairs) if a != b]
