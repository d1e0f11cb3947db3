"""Figure of the claim study: a dot and an interval per variant, oracles as vertical rules."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

_ORACLES = {"oracle raw": ":", "oracle enrolment": "-.", "oracle relative": "--"}


def draw_claim(lines: Mapping[tuple[str, str], Any], path: Path, *, title: str) -> None:
    """Draw test AUC by setting and line.

    Args:
        lines: (setting, line) -> interval with `mean, low, high`.
        path: PNG.
        title: above the panels.
    """
    settings = list(dict.fromkeys(setting for setting, _ in lines))
    names = list(dict.fromkeys(line for _, line in lines if line not in _ORACLES))
    height = 1.4 + 0.32 * len(names)
    figure = Figure(figsize=(1.8 + 3.2 * len(settings), height), layout="constrained")
    axes = figure.subplots(1, len(settings), sharex=True, sharey=True, squeeze=False)[0]
    for ax, setting in zip(axes, settings, strict=True):
        for place, name in enumerate(names):
            interval = lines.get((setting, name))
            if interval is None:
                continue
            if interval.low is not None:
                ax.plot([interval.low, interval.high], [place, place], color="0.3", lw=1.5)
            ax.plot(interval.mean, place, "o", color="tab:blue", ms=6)
        for oracle, style in _ORACLES.items():
            if (setting, oracle) in lines:
                ax.axvline(lines[setting, oracle].mean, ls=style, color="tab:red", lw=1, label=oracle)
        ax.set_title(setting.replace("-", ", ").replace("_", " "), fontsize=9)
        ax.set_xlabel("test AUC")
        ax.grid(axis="x", color="0.9")
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes[0].invert_yaxis()
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(_ORACLES), frameon=False, fontsize=8)
    figure.suptitle(f"Input: {title}", fontsize=10)
    figure.savefig(path, dpi=150)
