"""Learning curves with the chosen epoch, and what they say of the choice."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from evaluation.report.style import BLUE, GRAY, VERMILION, Form, canvas, svg

_SIZE = (4.7, 3.9)  # inches: half of the page's width
_RAW = "val_raw"  # of the history: metrics of the trained weights, where validation looks at their average
_CHANCE = 0.5  # AUC
_HARDLY, _ENOUGH = 2, 4  # best within so many of at least so many epochs is hardly trained: our choice


def training_curves(
    history: pd.DataFrame,
    *,
    chosen: int | None = None,
    monitor: str | None = None,
    warmup: float = 0.0,
    form: Form = svg,
) -> str | None:
    """Losses over epochs above, the validation metric below, lines at the chosen epoch and the warm-up's end.

    Args:
        history: One row per epoch, counted from 0; the figure counts from 1.
        chosen: The epoch that validation chose, from 0.
        monitor: The metric that chose it; where the history lacks it, AUC or else MAE. Where both sets of
            weights were validated, that of the trained weights (`val_raw/...`) stands beside it.
        warmup: Epochs in which the learning rate rose, such as 1.5.
        form: How it is written.
    """
    wanted = dict.fromkeys((monitor, "val/auc", "val/mae"))
    shown = next((c for c in wanted if c in history and history[c].notna().any()), None)
    losses = [c for c in ("train/loss", "val/loss") if c in history and history[c].notna().any()]
    if "epoch" not in history or not (losses or shown):
        return None
    raw = str(shown).replace("val/", f"{_RAW}/")
    metric = [str(name) for name in (shown, raw) if name in history and name not in losses]
    panels = [p for p in (losses, metric) if p]
    with canvas(*_SIZE) as figure:
        grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, names in zip(grid, panels, strict=True):
            for name, color in zip(names, _colors(names), strict=False):
                curve = history[["epoch", name]].dropna().groupby("epoch")[name].mean()
                style: Any = {"color": color, "marker": "o", "markersize": 2.5}
                axes.plot(curve.index + 1, curve.to_numpy(), label=name, **style)
            if warmup > 0:
                style = {"color": GRAY, "linewidth": 1.0, "linestyle": ":"}
                axes.axvline(warmup, label=f"warm-up ends: {warmup:.3g}", gid="warmup", **style)
            if chosen is not None:
                style = {"color": VERMILION, "linewidth": 1.4, "linestyle": (0, (4, 2))}
                axes.axvline(chosen + 1, label=f"chosen: epoch {chosen + 1}", gid="chosen", **style)
            axes.set_ylabel("loss" if names is losses else str(names[0]))
            axes.legend(loc="best", ncols=2)
        grid[-1].set_xlabel("epoch")
        grid[-1].xaxis.get_major_locator().set_params(integer=True)
        return form(figure)


def _colors(names: Sequence[str]) -> tuple[str, ...]:
    """Blue is what chooses, or the loss of validation; gray is beside it."""
    if len(names) == 1:
        return (BLUE,)
    return (BLUE, GRAY) if names[1].startswith(_RAW) else (GRAY, BLUE)


def explain_choice(history: pd.DataFrame, *, chosen: int | None, monitor: str | None) -> str:
    """The caption of the curves: which epoch was chosen, why, and what the validation loss does after it."""
    if chosen is None:
        return "Losses per epoch and the validation metric. Which epoch was chosen is not on record."
    last = int(history["epoch"].max()) + 1
    best = _by_epoch(history, monitor).get(chosen)
    value = "" if best is None else f" ({best:.3f})"
    words = [
        f"The dashed line marks epoch {chosen + 1} of {last}: {monitor or 'the validation metric'} was best "
        f"there{value}. The weights of that epoch were tested, not the last ones.",
        "history.csv counts epochs from 0.",
    ]
    loss = _by_epoch(history, "val/loss")
    if loss and (lowest := min(loss, key=lambda epoch: (loss[epoch], epoch))) < max(loss):
        words.insert(
            1,
            f"The validation loss is lowest in epoch {lowest + 1} ({loss[lowest]:.3g}) and ends at "
            f"{loss[max(loss)]:.3g}: from there on the network learns its training persons rather than "
            "depression (overfitting)." + _why_not_the_lowest(chosen, lowest, monitor),
        )
    return " ".join(words)


def _why_not_the_lowest(chosen: int, lowest: int, monitor: str | None) -> str:
    if monitor == "val/loss" or chosen == lowest:
        return " Later weights are not used."
    return (
        f" {monitor or 'The metric'} chose, not the loss: the order of persons can be best in another epoch "
        "than the probabilities."
    )


def remarks_on_training(history: pd.DataFrame | None, *, chosen: int | None) -> list[str]:
    """What of a training speaks against its result: for the report, and for the end of the command."""
    found = (hardly_trained(history, chosen=chosen), worse_than_chance(history, chosen=chosen))
    return [remark for remark in found if remark]


def worse_than_chance(history: pd.DataFrame | None, *, chosen: int | None) -> str | None:
    """The remark where validation has an AUC below .5 in the chosen epoch; None elsewhere."""
    if history is None or chosen is None:
        return None
    auc = _by_epoch(history, "val/auc").get(chosen)
    if auc is None or auc >= _CHANCE:
        return None
    return (
        f"The network ranked validation worse than chance: AUC {auc:.3f} in epoch {chosen + 1}, which was "
        "chosen. What it learned does not hold for other persons, and a better result of the test part would "
        "be luck. Check that labels and recordings belong together and how many persons of each class "
        "validation has; then train with another seed, more persons, a smaller learning rate or more "
        "regularization."
    )


def hardly_trained(history: pd.DataFrame | None, *, chosen: int | None) -> str | None:
    """The remark where the best epoch of several was one of the first; None elsewhere."""
    if history is None or chosen is None or "epoch" not in history:
        return None
    last = int(history["epoch"].max()) + 1
    if chosen + 1 > _HARDLY or last < _ENOUGH:
        return None
    return (
        f"Best in epoch {chosen + 1} of {last}: hardly trained. The result is that of a network a few steps "
        "from its random start, and validation was never better after it. Read it as such; a smaller "
        "learning rate, more regularization or more persons may change it."
    )


def _by_epoch(history: pd.DataFrame, name: str | None) -> Mapping[int, Any]:
    if name is None or name not in history:
        return {}
    means = history[["epoch", name]].dropna().groupby("epoch")[name].mean()
    return {int(epoch): float(value) for epoch, value in zip(means.index, means, strict=True)}
