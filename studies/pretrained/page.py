"""The page docs/results/pretrained.md."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from engine.runs.environment import hardware
from studies.face_crops.page import compared, paired, paired_interval, reached, seeds_interval
from studies.face_crops.plan import COHORT
from studies.pretrained.plan import (
    ARMS,
    CHANNELS,
    CLIPS,
    FRAMES,
    LAYER_DECAY,
    PIXELS,
    PLACES,
    RATES,
    STEP,
    STRIDE,
    TEST,
    VAL,
)

_HEAD = """# Do pretrained weights pay?

{persons} drawn persons of {visits} visits each, filmed in rooms ([cohort.md](../guide/cohort.md#rooms)),
preprocessed by `preprocess.py` with its defaults, and read as crops of {pixels} x {pixels} pixels, as in
[face_crops.md](face_crops.md). One network, EfficientNet-Lite0 frame by frame, its 4 x 4 places as tokens,
an attentive pool and the usual heads ([encoders.md](../guide/encoders.md)), is trained with and without the
ImageNet weights of the extra `weights`. Habits are switched off (`confound=0`). Depression is a BDI-II of 14
or more.

    {command}

| arm | test AUC, mean of {seeds} seeds | by seed | validation AUC | rate | epochs | CPU seconds |
|---|---|---|---|---|---|---|
{rows}

{legend}

`encode.py` took {encoding:.0f} CPU seconds, once, which no row counts. One thread of {machine}, other
work beside it.

| difference in test AUC | mean | interval over persons | over seeds |
|---|---|---|---|
{differences}

{verdict}

- **Trials.** Every arm has three a seed, the learning rates {rates} (our choice, the same for all).
  Validation AUC chooses rate and epoch, and what it chooses is tested, once. *Rate* and *validation AUC* are
  those of the chosen training, seed by seed; {edge} of {choices} rates lie at an end of the three.
  *CPU seconds* are of all trainings of an arm and its tests.
- **Split.** {train:.0f} % of the persons train, {val:.0f} % select and {test:.0f} % are tested:
  {tested}.
  A seed is split and initialization, the same in all arms. Tested persons
  overlap between seeds.
- **Intervals.** *Over persons*: percentiles of 2,000 draws of the tested persons, all of whose recordings go
  with them in both arms and all seeds (paired). *Over seeds*: Student's t of the {seeds} paired differences.
  Recordings that not all arms predict, and that count in none: {left_out}.
- **Clips.** {frames} frames, {stride} apart, from a new start each epoch; evaluation averages {clips} clips
  a recording. The store has a window at every start: training draws and evaluation reads the same clips in
  all arms of a seed.
- **What differs beside the weights.** Stored tokens are not augmented (no mirror image, no change of place,
  brightness or contrast). A stored token is one of the {places} cells of a frame's maps with its {channels}
  channels, at half precision; it is normalized before it is mapped to the width of the network, where the
  other arms are mapped only. Rates fall by {decay} a block in *tuned* only. Batch normalization follows its
  batches in *tuned* and *scratch*, and stands still in *probe*.
  Recordings with fewer than 5 usable frames are skipped where frames are read, and not where windows are.
- **Weights.** {weights}.
- **Limits.** Drawn faces of {persons} persons. This says what a start from photographs of things is worth to
  one small network on few drawn recordings, not what it is worth on videos of people. Rate and epoch are
  chosen on few persons, by chance in part. {epochs} epochs of {steps} steps are short: an AUC of *scratch*
  near 0.5 says that it has not begun to learn by then, not that it cannot.
"""


def write_page(
    results: Sequence[dict[str, Any]], path: Path, *, command: str, subjects: int, encoding: float
) -> str:
    """Write the page and return its text.

    Raises:
        ValueError: The arms of a seed were not tested on the same persons.
    """
    seeds = sorted({result["seed"] for result in results})
    arms = [arm for arm in ARMS if arm in {result["arm"] for result in results}]
    given = {(r["arm"], r["seed"]): pd.read_csv(r["predictions"]) for r in results}
    _check_persons(given)
    tables, left_out = paired(given)
    machine = hardware()
    text = _HEAD.format(
        persons=subjects,
        visits=COHORT["n_visits"],
        pixels=PIXELS,
        command=command,
        seeds=len(seeds),
        rows="\n".join(_row(arm, results, tables, seeds) for arm in arms),
        legend="\n".join(f"- *{arm}*: {ARMS[arm]}." for arm in arms),
        encoding=encoding,
        machine=f"{machine['cores']} {machine['machine']} cores",
        differences="\n".join(_difference(one, two, tables, seeds) for one, two in _pairs(arms)),
        verdict=_verdict(arms, tables, seeds),
        rates=", ".join(f"{rate:g}" for rate in RATES),
        train=100 * (1 - VAL - TEST),
        val=100 * VAL,
        test=100 * TEST,
        tested=_tested(tables),
        left_out=left_out,
        frames=FRAMES,
        stride=STRIDE,
        clips=CLIPS,
        channels=CHANNELS,
        places=PLACES,
        decay=LAYER_DECAY,
        weights=_weights(results),
        edge=sum(result["rate"] in (min(RATES), max(RATES)) for result in results),
        choices=len(results),
        steps=round((1 - VAL - TEST) * subjects) * COHORT["n_visits"] // STEP,
        epochs=min(result["epochs"] for result in results),
    )
    path.write_text(text, encoding="utf-8")
    return text


def _row(
    arm: str,
    results: Sequence[Mapping[str, Any]],
    tables: Mapping[tuple[str, int], pd.DataFrame],
    seeds: Sequence[int],
) -> str:
    own = sorted((result for result in results if result["arm"] == arm), key=lambda one: int(one["seed"]))
    cells = [
        arm,
        *reached([tables[arm, seed] for seed in seeds]),
        ", ".join(f"{result['val_auc']:.3f}" for result in own),
        ", ".join(f"{result['rate']:g}" for result in own),
        str(own[0]["epochs"]),
        f"{sum(result['seconds'] for result in own):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def _difference(
    one: str, two: str, tables: Mapping[tuple[str, int], pd.DataFrame], seeds: Sequence[int]
) -> str:
    cells = compared([(tables[one, seed], tables[two, seed]) for seed in seeds])
    return f"| {one} - {two} | {' | '.join(cells)} |"


def _verdict(
    arms: Sequence[str], tables: Mapping[tuple[str, int], pd.DataFrame], seeds: Sequence[int]
) -> str:
    """Which mean is highest, and which differences persons do not explain."""
    means = {arm: float(reached([tables[arm, seed] for seed in seeds])[0]) for arm in arms}
    best = max(arms, key=means.__getitem__)
    told = [f"Highest mean: *{best}*, {means[best]:.3f}."]
    for one, two in _pairs(arms):
        pairs = [(tables[one, seed], tables[two, seed]) for seed in seeds]
        if _differs(paired_interval(pairs)):
            word = "above" if means[one] > means[two] else "below"
            both = "and over seeds" if _differs(seeds_interval(pairs)) else "and not over seeds"
            told.append(f"*{one}* is {word} *{two}* over persons {both}.")
    told.append("Of the other pairs the interval over persons holds 0. Nothing is adjusted for their number.")
    return "\n".join(told)


def _differs(interval: tuple[float, float] | None) -> bool:
    return interval is not None and not interval[0] <= 0 <= interval[1]


def _pairs(arms: Sequence[str]) -> list[tuple[str, str]]:
    """All pairs, the later arm first."""
    return [(later, earlier) for earlier, later in combinations(arms, 2)]


def _tested(tables: Mapping[tuple[str, int], pd.DataFrame]) -> str:
    first = next(iter(tables.values()))
    ill = int(first["binary_target"].sum())
    persons = first["subject_id"].nunique()
    return f"in the first seed {persons} persons in {len(first)} recordings, {ill} of them depressed"


def _weights(results: Sequence[Mapping[str, Any]]) -> str:
    found = next((result["pretrained"] for result in results if result["pretrained"]), None)
    if found is None:
        return "None were taken"
    (own,) = found.values()
    return (
        f"`{own['name']}` ({own['url']}),\n"
        f"  license {own['license']}, SHA-256 `{own['sha256']}`;\n"
        f"  {own['taken']} tensors taken, {len(own['left_out'])} of what stands behind the maps left out"
    )


def _check_persons(tables: Mapping[tuple[str, int], pd.DataFrame]) -> None:
    for seed in {seed for _, seed in tables}:
        tested = {arm: frozenset(table["subject_id"]) for (arm, s), table in tables.items() if s == seed}
        if len(set(tested.values())) > 1:
            sizes = ", ".join(f"{arm} {len(persons)}" for arm, persons in tested.items())
            raise ValueError(
                f"seed {seed}: the arms were tested on other persons ({sizes}): a person has no recording in "
                "the cache or in the store; read their refused.csv"
            )
