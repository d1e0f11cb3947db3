"""Page and picture of the study of item heads."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from evaluation.report.style import BLUE, INK, VERMILION, canvas
from studies.item_heads.joint import TESTED
from studies.item_heads.persons import SCALES, SIZES
from studies.item_heads.recovery import FEATURES, FRESH

Array = NDArray[np.float64]
TARGET = 0.9
_PLACE = Path(__file__).with_name("page.md")
_RECOVERED = {
    "discrimination": "discriminations a, 21 items",
    "difficulty": "difficulties b, 63 steps",
    "severity": "severity given the answers (EAP)",
    "severity_predicted": f"severity from features alone, {FRESH:,} new persons",
}


def interval(values: Array) -> tuple[float, float, float]:
    """Mean and 95 % interval of it over repetitions, by Student's t."""
    mean, error = float(np.mean(values)), float(stats.sem(values))
    low, high = stats.t.interval(0.95, len(values) - 1, mean, error) if error else (mean, mean)
    return mean, float(low), float(high)


def write_page(
    docs: Path, recovery: pd.DataFrame, joint: pd.DataFrame, *, persons: int, command: str
) -> None:
    """Write docs/results/item_heads.md and docs/results/images/item_heads.png."""
    gaps = {scale: (joint[f"{scale}_joint"] - joint[f"{scale}_own"]).to_numpy() for scale in SCALES}
    told = {
        "command": command,
        "persons": f"{persons:,}",
        "features": FEATURES,
        "seeds": len(recovery),
        "repetitions": len(joint),
        "tested": TESTED,
        "recovered": "\n".join(_recovered(recovery, name, label) for name, label in _RECOVERED.items()),
        "held": f"{recovery['held'].mean():.1%}",
        "held_predicted": f"{recovery['held_predicted'].mean():.1%}",
        "found": _found(recovery),
        "compared": "\n".join(_compared(joint, scale, gaps[scale]) for scale in SCALES),
        "verdict": "\n".join(f"- {scale}: {_verdict(scale, gaps[scale])}" for scale in SCALES),
    }
    text = _PLACE.read_text(encoding="utf-8")
    for name, value in told.items():
        text = text.replace(f"<{name}>", str(value))
    (docs / "images").mkdir(parents=True, exist_ok=True)
    (docs / "item_heads.md").write_text(text, encoding="utf-8")
    _picture(gaps, docs / "images" / "item_heads.png")


def _recovered(table: pd.DataFrame, name: str, label: str) -> str:
    mean, low, high = interval(table[name].to_numpy())
    start = f"{table[f'{name}_start'].mean():.3f}" if f"{name}_start" in table else "-"
    return f"| {label} | **{mean:.3f}** [{low:.3f}, {high:.3f}] | {table[name].min():.3f} | {start} |"


def _found(table: pd.DataFrame) -> str:
    """Whether the three that are to be recovered reach the target in every simulation."""
    least = {name: float(table[name].min()) for name in ("discrimination", "difficulty", "severity")}
    low = [f"{name} {value:.3f}" for name, value in least.items() if value < TARGET]
    if low:
        return f"The target of {TARGET} is missed in some simulation: least {', '.join(low)}."
    return f"Items and severities reach the target of {TARGET} in every simulation."


def _compared(table: pd.DataFrame, scale: str, gap: Array) -> str:
    mean, low, high = interval(gap)
    constant, own, one = (f"{table[f'{scale}_{name}'].mean():.2f}" for name in ("constant", "own", "joint"))
    better = f"{int((gap < 0).sum())} of {len(gap)}"
    told = f"**{mean:+.2f}** [{low:+.2f}, {high:+.2f}]"
    return f"| {scale} | {SIZES[scale]} | {constant} | {own} | {one} | {told} | {better} |"


def _verdict(scale: str, gap: Array) -> str:
    mean, low, high = interval(gap)
    if high < 0:
        return f"better than a network of its own, by {-mean:.2f} points of {scale}"
    if low > 0:
        return f"worse than a network of its own, by {mean:.2f} points of {scale}: the target is missed here"
    return f"not told apart from a network of its own; up to {high:.2f} points worse cannot be excluded"


def _picture(gaps: dict[str, Array], path: Path) -> None:
    """Differences of single repetitions and their mean with its interval, a line a questionnaire."""
    with canvas(6.4, 2.3) as figure:
        axes = figure.subplots()
        rng = np.random.default_rng(0)  # dots beside each other; nothing is drawn from it
        for place, gap in enumerate(gaps.values()):
            mean, low, high = interval(gap)
            axes.plot(gap, place + rng.uniform(-0.2, 0.2, len(gap)), "o", color=BLUE, markersize=3, alpha=0.5)
            axes.plot([low, high], [place, place], color=VERMILION)
            axes.plot(mean, place, "D", color=VERMILION, markersize=5)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks(range(len(gaps)), [f"{scale}, {SIZES[scale]} persons" for scale in gaps])
        axes.set_ylim(len(gaps) - 0.5, -0.5)
        axes.set_xlabel("MAE of totals, one network minus a network of its own, in points")
        figure.savefig(path, dpi=150, metadata={"Software": None})
