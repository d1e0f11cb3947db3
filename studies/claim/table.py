"""Tables of the claim study: from its records to `claim.md`, `claim.json` and `claim.png`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from engine.runs.environment import hardware, package_versions
from engine.runs.provenance import write_json
from evaluation.uncertainty import confidence_intervals
from studies.claim.figure import draw_claim
from studies.claim.plan import ORACLE

CONFOUNDED, FREE = "confound_on-low_visibility", "confound_off"
MINIMUM = {"series": 0.08, "pixels": 0.05}  # AUC by which enrolment must beat the depression branch alone
SHARE = 0.5  # of the gap between the raw and the person-relative oracle, on series
_MD_PRECISION = 3


@dataclass(frozen=True)
class Interval:
    """Mean over seeds with Student's t interval; without bounds where there is a single seed."""

    mean: float
    low: float | None
    high: float | None
    n: int

    def __str__(self) -> str:
        """E.g. `0.731 [0.702, 0.760]`."""
        if self.low is None or self.high is None:
            return f"{self.mean:.{_MD_PRECISION}f} [one seed]"
        return f"{self.mean:.{_MD_PRECISION}f} [{self.low:.{_MD_PRECISION}f}, {self.high:.{_MD_PRECISION}f}]"


@dataclass(frozen=True)
class Verdict:
    """A claim, whether it holds, and the numbers that decided."""

    claim: str
    holds: bool
    found: str


def t_interval(values: Sequence[float]) -> Interval:
    """Return mean and 95 % t interval over seeds; of paired differences this is the paired interval."""
    return Interval(*confidence_intervals.t_interval(values), len(values))


def tabulate(results: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Long table `setting, seed, line, auc, habit_r2, seconds`; oracles are lines such as `oracle raw`."""
    rows: list[dict[str, Any]] = []
    for result in results:
        ids = {"setting": result["setting"], "seed": result["seed"]}
        if result["variant"] == ORACLE:
            rows += [{**ids, "line": f"oracle {name}", "auc": auc} for name, auc in result["auc"].items()]
            continue
        extras = {name: result[name] for name in ("habit_r2", "seconds")}
        rows.append({**ids, "line": result["variant"], "auc": result["test_auc"], **extras})
    columns = ["setting", "seed", "line", "auc", "habit_r2", "seconds"]
    table = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[3:], "float64"))
    if len(bad := table[table["auc"].isna()]):
        raise ValueError(
            f"no AUC for {bad[columns[:3]].to_dict('records')}: one class in test, take more subjects="
        )
    return table


def differences(table: pd.DataFrame) -> dict[str, dict[str, Interval]]:
    """Paired differences in AUC, by setting: each line minus `depression_branch`, `enrolment` minus each."""
    found: dict[str, dict[str, Interval]] = {}
    for setting, part in table.groupby("setting", sort=False):
        wide = part.pivot(index="seed", columns="line", values="auc")
        variants = [line for line in part["line"].unique() if not str(line).startswith("oracle")]
        pairs = [(name, "depression_branch") for name in variants]
        pairs += [("enrolment", name) for name in variants]
        found[str(setting)] = {
            f"{a} - {b}": t_interval((wide[a] - wide[b]).dropna().tolist())
            for a, b in dict.fromkeys(pairs)
            if a != b and a in wide and b in wide
        }
    return found


def verdicts(table: pd.DataFrame, *, input: str) -> list[Verdict]:
    """Check the claims against the numbers; what was not run cannot be claimed and is left out."""
    pairs = differences(table)
    gain, tie = (pairs.get(name, {}).get("enrolment - depression_branch") for name in (CONFOUNDED, FREE))
    found = []
    if gain is not None:
        found.append(_gain(gain, MINIMUM[input]))
        if input == "series":
            found.append(_gap(table[table["setting"] == CONFOUNDED].groupby("line")["auc"].mean()))
    if tie is not None:
        holds = tie.low is not None and tie.high is not None and tie.low <= 0 <= tie.high
        claim = (
            "Confound off: enrolment and the depression branch tie (the interval of the difference holds 0)"
        )
        found.append(Verdict(claim, holds, str(tie)))
    return found


def _gain(gain: Interval, minimum: float) -> Verdict:
    claim = (
        f"Confound on, low visibility: enrolment beats the depression branch by at least {minimum} AUC, "
        "and the interval excludes 0"
    )
    return Verdict(claim, gain.mean >= minimum and gain.low is not None and gain.low > 0, str(gain))


def _gap(means: "pd.Series[float]") -> Verdict:
    raw, relative = float(means["oracle raw"]), float(means["oracle relative"])
    claim = (
        "Confound on, low visibility: enrolment closes at least half of the gap between the raw and the "
        "person-relative oracle"
    )
    if relative <= raw:
        return Verdict(claim, False, f"there is no gap: raw {raw:.3f}, relative {relative:.3f}")
    share = (float(means["enrolment"]) - raw) / (relative - raw)
    return Verdict(claim, share >= SHARE, f"{share:.0%} of the gap from {raw:.3f} to {relative:.3f}")


def write_claim(results: Sequence[Mapping[str, Any]], *, input: str, command: str, out: Path) -> str:
    """Write `claim.md`, `claim.json` and `claim.png`; return the text of the first."""
    table = tabulate(results)
    pairs, found = differences(table), verdicts(table, input=input)
    commits = sorted({f"{r['git']['commit']}{' (changed)' if r['git']['dirty'] else ''}" for r in results})
    about = {
        "input": input,
        "command": command,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seeds": sorted({int(result["seed"]) for result in results}),
        "seconds": round(float(table["seconds"].sum()), 1),
        "overrides": sorted(set.intersection(*(set(result["overrides"]) for result in results))),
        "commits": commits,
        "hardware": hardware(),
        "packages": package_versions(),
    }
    means = {
        (str(setting), str(line)): _line(part)
        for (setting, line), part in table.groupby(["setting", "line"], sort=False)
    }
    text = _markdown(means, pairs, found, about)
    (out / "claim.md").write_text(text, encoding="utf-8")
    content = {
        "verdicts": [asdict(verdict) for verdict in found],
        "lines": [
            {"setting": setting, "line": line, **{k: v and asdict(v) for k, v in values.items()}}
            for (setting, line), values in means.items()
        ],
        "differences": {s: {name: asdict(pair) for name, pair in part.items()} for s, part in pairs.items()},
        "runs": [dict(result) for result in results],
        **about,
    }
    write_json(out / "claim.json", content)
    draw_claim({key: values["auc"] for key, values in means.items()}, out / "claim.png", title=input)
    return text


def _line(part: pd.DataFrame) -> dict[str, Any]:
    """Intervals over seeds of what a line has."""
    known = {name: part[name].dropna().tolist() for name in ("auc", "habit_r2", "seconds")}
    return {name: t_interval(values) if values else None for name, values in known.items()}


def _markdown(
    means: Mapping[tuple[str, str], Mapping[str, Any]],
    pairs: Mapping[str, Mapping[str, Interval]],
    found: Sequence[Verdict],
    about: Mapping[str, Any],
) -> str:
    lines = [f"# The claim under control: {about['input']}", ""]
    lines += [f"- **{'HOLDS' if v.holds else 'FAILED'}** {v.claim}: {v.found}" for v in found]
    lines += [
        "",
        f"Means over seeds {about['seeds']} with 95 % t intervals; persons of test are never trained on.",
    ]
    for setting, part in pairs.items():
        lines += ["", f"## {setting}", "", "| line | test AUC | habits, probe R² | seconds a training |"]
        lines.append("|---|---|---|---|")
        for (where, line), values in means.items():
            if where == setting:
                seconds = f"{values['seconds'].mean:.0f}" if values["seconds"] else ""
                lines.append(f"| {line} | {values['auc']} | {values['habit_r2'] or ''} | {seconds} |")
        lines += ["", "| paired difference in AUC | |", "|---|---|"]
        lines += [f"| {name} | {pair} |" for name, pair in part.items()]
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items() if version)
    machine = ", ".join(f"{key} {value}" for key, value in about["hardware"].items() if value)
    lines += ["", "## How", "", f"    {about['command']}", "", f"{about['date']}; {machine}; {packages}."]
    lines += [
        f"Commit: {', '.join(about['commits'])}.",
        f"Training time: {about['seconds'] / 60:.0f} minutes.",
    ]
    lines += ["", "Overrides of every training: " + " ".join(f"`{text}`" for text in about["overrides"]), ""]
    return "\n".join(lines)
