"""Checks of the numbers in a config, such as their ranges, before anything is built.

Classes of this project check their own arguments as well. Here stands what a library would take in silence (a
negative clipping norm switches clipping off), refuse only after hours, or refuse in words that name no key.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from engine.config.allowlist import SYNTHETIC
from engine.config.compose import ConfigError
from engine.config.set_widths import is_open, with_widths
from engine.config.targets import leaves
from evaluation.baselines.line_names import FAMILIES
from evaluation.uncertainty.bootstrap import MIN_RESAMPLES

Test = Callable[[Any], bool]


@dataclass(frozen=True)
class Rule:
    """What the value of a key must be; `says` completes "must be"."""

    holds: Test
    says: str


def whole(low: int, high: float = math.inf) -> Rule:
    """Rule for a whole number from `low` to `high`; booleans are refused."""
    end = f"{low} to {high}" if math.isfinite(high) else f"{low} or more"
    return Rule(
        lambda value: isinstance(value, int) and _number(value) and low <= value <= high,
        f"a whole number, {end}",
    )


def real(low: float, high: float = math.inf, *, above: bool = False) -> Rule:
    """Rule for a finite number from `low` to `high`; greater than `low` with `above`."""
    end = f" and at most {high:g}" if math.isfinite(high) else ""
    start = f"above {low:g}" if above else f"{low:g} or more"
    return Rule(
        lambda value: _number(value) and (low < value if above else low <= value) and value <= high,
        f"a number {start}{end}",
    )


def or_null(rule: Rule, meaning: str) -> Rule:
    """The same rule, with null allowed as well."""
    return Rule(lambda value: value is None or rule.holds(value), f"{rule.says}; or null for {meaning}")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _off(why: str) -> Rule:
    """A switch that no run of ours can have on."""
    return Rule(lambda value: value is None or value is False or value == 0, f"false: {why}")


_SHARE = real(0, 1)
_BELOW_ONE = Rule(lambda value: _number(value) and 0 <= value < 1, "a share from 0 to below 1")
_PART = Rule(lambda value: _number(value) and 0 < value < 1, "a share above 0 and below 1")
_SEED = whole(0, 2**32 - 1)  # what NumPy, torch and Lightning all take
_BATCHES = Rule(
    lambda value: (
        value is None or (_number(value) and (value >= 1 if isinstance(value, int) else 0 < value <= 1))
    ),
    "a whole number of batches, 1 or more, or a share above 0 and at most 1.0; or null for all",
)
_DEGREES = Rule(lambda value: _number(value) and 0 < value < 90, "degrees above 0 and below 90")
_SWITCH = Rule(lambda value: isinstance(value, bool), "true or false")
_LISTED = f"a list of some of {', '.join(FAMILIES)}; or [] for none"
_WORKERS = 256  # our choice: each is a process
_WORKER_COUNT = Rule(
    lambda value: value in (None, "auto") or whole(0, _WORKERS).holds(value),
    f"{whole(0, _WORKERS).says}; or auto",
)
COMPILE_MODES = ("default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")
"""Modes of `torch.compile` that a run may name."""

_COUNTS = (
    "data.channels data.places *.n_subjects *.n_visits protocol.repeats "
    "data.module.subjects data.module.visits data.module.clips data.module.max_eval_clips "
    "data.module.source.video.height data.module.source.video.width data.module.*_clips.length "
    "data.module.*_clips.stride data.module.*_clips.strides[[]* data.module.*_clips.clips "
    "model.scheduler.T_max model.*.dim model.*.channels model.*.widths[[]* model.*.scales[[]* "
    "model.*.heads model.*.blocks model.*.layers model.*.kernel model.*.grid model.*.layouts[[]* "
    "model.*.projection model.*.stem[[]* model.*.state model.*.expand model.*.inside "
    "trainer.max_epochs trainer.accumulate_grad_batches trainer.log_every_n_steps"
)  # of which there must be one

_PREPROCESS: dict[str, Rule] = {
    "aligner.size": Rule(
        lambda value: whole(112, 256).holds(value) and value % 2 == 0, "an even whole number, 112 to 256"
    ),
    "aligner.margin": _SHARE,
    **dict.fromkeys(("aligner.smooth_s", "aligner.bound", "aligner.bridge_s"), real(0)),
    **dict.fromkeys(("aligner.oval", "face.tracking"), _SWITCH),
    "quality.luminance": Rule(lambda value: False, "two shares, as in quality.luminance=[0.12,0.92]"),
    **dict.fromkeys(("quality.min_width", "quality.min_sharpness"), real(0)),
    **dict.fromkeys(("quality.max_yaw", "quality.max_pitch"), _DEGREES),
    **dict.fromkeys(("quality.min_*", "quality.max_*", "quality.luminance[[]*"), _SHARE),
    **dict.fromkeys(("least_usable", "few_usable"), _SHARE),
    "store.crf": whole(0, 51),
    **dict.fromkeys(("store.gop", "face.max_faces", "face.search_every", "face.batch"), whole(1)),
    "executor.workers": or_null(whole(1), "one a core"),
    "executor.cpus": real(0, above=True),
    "executor.gpus": real(0),
}
"""Of `preprocess.py`, whose classes check the ranges as well; here for words in place of numbers."""

_PROBE: dict[str, Rule] = {
    "seeds[[]*": _SEED,
    "rates[[]*": real(0, above=True),
    **dict.fromkeys(("seeds", "rates"), Rule(lambda value: False, "a list of numbers, as in [0,1]")),
    **dict.fromkeys(("steps", "checks"), whole(1)),
}
"""Of `probe.py`."""

RULES: dict[str, Rule] = {
    **_PREPROCESS,
    **_PROBE,
    "recordings": whole(0),  # of `export.py`
    **dict.fromkeys(
        ("width", "model.*.trunk.dim"), or_null(whole(1), "the width that the trunk has by itself")
    ),
    **dict.fromkeys(_COUNTS.split(), whole(1)),
    "seed": _SEED,
    "*.seed": or_null(_SEED, "that of the run"),
    "evaluation.lines": Rule(lambda value: False, _LISTED),  # of a list the entries are asked
    "evaluation.lines[[]*": Rule(lambda value: value in FAMILIES, _LISTED),
    "evaluation.n_boot": whole(MIN_RESAMPLES),
    "evaluation.filmstrips": whole(0),
    "data.scale.bands": whole(2),
    "*.duration_s": real(0, above=True),
    "*.fps": or_null(real(0, 240, above=True), "each file's own rate"),
    **dict.fromkeys(("data.module.num_workers", "num_workers"), _WORKER_COUNT),
    "data.module.timeout": or_null(real(0, above=True), "no limit"),
    "compile": Rule(
        lambda value: isinstance(value, bool) or value in COMPILE_MODES,
        f"true, false, or a mode of torch.compile: {', '.join(COMPILE_MODES)}",
    ),
    "data.module.source.video.decode_threads": whole(1),
    "data.module.source.max_gap_s": real(0),
    "data.module.source.video.keep": whole(0),
    **dict.fromkeys(("protocol.val", "protocol.persons.val", "protocol.persons.test"), _PART),
    **dict.fromkeys(("protocol.folds", "protocol.persons.folds"), whole(2)),
    "protocol.known": or_null(
        Rule(lambda value: value == "all" or whole(1).holds(value), "a whole number, 1 or more, or all"),
        "the last visit of persons who train",
    ),
    "protocol.outer": whole(2),
    "protocol.inner": whole(2),
    "protocol.outer_fold": whole(0),
    "model.optimizer.lr": real(0, above=True),
    "model.optimizer.weight_decay": real(0),
    "model.optimizer.momentum": _BELOW_ONE,
    "model.scheduler.warmup": _BELOW_ONE,
    "model.objective.contrast.temperature": real(0, above=True),
    "model.objective.contrast.hard_weight": real(1),
    "model.objective.*_weight": real(0),
    "model.objective.head_weights.*": real(0),
    "model.*dropout": _BELOW_ONE,
    "model.*.mmp_stages[[]*": whole(0),
    "trainer.min_epochs": or_null(whole(0), "none"),
    "trainer.max_steps": or_null(
        Rule(
            lambda value: value == -1 or whole(1).holds(value), "a whole number, 1 or more; -1 for no limit"
        ),
        "no limit",
    ),
    "trainer.gradient_clip_val": or_null(real(0, above=True), "no clipping"),
    "trainer.limit_*_batches": _BATCHES,
    "trainer.check_val_every_n_epoch": or_null(whole(1), "by steps"),
    "callbacks.*.patience": or_null(whole(0), "a third of the epochs, at least 3"),
    "callbacks.ema.decay": _BELOW_ONE,
    "callbacks.*.save_top_k": whole(-1),
    "callbacks.*.min_delta": real(0),
    "callbacks.*.save_weights_only": _off("a run is read again from more than weights"),
    "trainer.fast_dev_run": _off("it keeps no checkpoint to choose; debug=fast tries every stage once"),
    "trainer.barebones": _off("it switches off checkpoints and logs, which every run needs"),
}
"""The first rule whose pattern fits a key counts, if it is a single value; other keys are free."""


_FINITE = Rule(lambda value: False, "a finite number")


def check_settings(config: Mapping[str, Any]) -> None:
    """Check every number of a config that has a rule.

    Args:
        config: Resolved config, plain: of any command.

    Raises:
        ConfigError: Lists every such key with its value and what it must be.
    """
    faults = [
        f"{key}={json.dumps(value)}: must be {rule.says}"
        for key, value, rule in _ruled(config)
        if not rule.holds(value)
    ]
    if faults:
        raise ConfigError("\n".join(dict.fromkeys(faults)))


def _ruled(config: Mapping[str, Any]) -> Iterator[tuple[str, Any, Rule]]:
    # widths that files will tell are widths
    found = list(leaves(with_widths(config, [1]) if is_open(config) else dict(config)))
    cohorts = [key.removesuffix("_target_") for key, value in found if value == SYNTHETIC]
    for path, value in found:
        # named as they are given, however deep the resolved copy lies
        key = next((f"data.cohort.{path.removeprefix(at)}" for at in cohorts if path.startswith(at)), path)
        rule = next((rule for pattern, rule in RULES.items() if fnmatchcase(key, pattern)), None)
        if rule is not None:
            yield key, value, rule
        if isinstance(value, float) and not math.isfinite(value) and (rule is None or rule.holds(value)):
            yield key, value, _FINITE
