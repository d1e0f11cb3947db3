"""Plan of the study: the command that encodes, and the trainings of each arm."""

from collections.abc import Sequence
from pathlib import Path

from studies.face_crops.plan import Unit, cache_of

SUBJECTS, EPOCHS, LONG, PIXELS = 40, 8, 60, 112
RATES = (3e-4, 1e-3, 3e-3)  # our choice, the same for all arms; validation chooses of them
LAYER_DECAY = 0.75  # the example of docs/guide/encoders.md; our choice
WEIGHTS = "efficientnet_lite0"
CHANNELS, PLACES = 320, 16  # of the last maps, and so of a stored token; cells of a frame
FRAMES, STRIDE, CLIPS = 2, 8, 3
VAL, TEST = 0.2, 0.4  # shares of persons: few are left to train, or what is tested says nothing; our choice
_SUBJECTS, _VISITS = 4, 2  # of a step: there are few recordings, so steps are small; our choice
STEP = _SUBJECTS * _VISITS
ARMS = {
    "scratch": "random weights, trained end to end",
    "tuned": f"ImageNet weights, trained end to end, each block at {LAYER_DECAY} of the rate of the next one",
    "probe": "ImageNet weights that stay: pool and heads are trained from the tokens of `encode.py`",
    "probe_long": "the same, for more epochs",
}
_TRUNK = "model.network.depression.trunk"
_NORMALIZE = ("data.module.normalize.mean=[0.5,0.5,0.5]", "data.module.normalize.std=[0.5,0.5,0.5]")
_PIXELS = (
    f"data.module.source.video.height={PIXELS}",
    f"data.module.source.video.width={PIXELS}",
    *_NORMALIZE,
)
_BACKBONE = (
    "model/trunk=timm",
    "model/readout=tokens",
    f"{_TRUNK}.backbone=tf_efficientnet_lite0",
    f"{_TRUNK}.stages=[-1]",
)
_COMMON = (
    "model=baseline",
    "model/rarm=attentive",
    f"protocol.val={VAL}",
    f"protocol.test={TEST}",
    f"data.module.subjects={_SUBJECTS}",
    f"data.module.visits={_VISITS}",
    "data.module.num_workers=0",
    "evaluation.filmstrips=0",
    "callbacks.last=null",
    "logger=none",
    "+trainer.enable_progress_bar=false",
)
# Training draws the start of a clip, evaluation reads the first and the last. The store has a window at every
# start, which is one "frame" of it, so that the same random numbers draw the same clips.
_FROM_PIXELS = (
    *_BACKBONE,
    *_PIXELS,
    "data.module.source.video.keep=2000",
    f"data.module.train_clips.length={FRAMES}",
    f"data.module.train_clips.strides=[{STRIDE}]",
    f"data.module.eval_clips.length={FRAMES}",
    f"data.module.eval_clips.stride={STRIDE}",
    f"data.module.eval_clips.clips={CLIPS}",
)
_FROM_TOKENS = (
    "model/trunk=encoded",
    f"data.channels={CHANNELS}",
    f"data.places={PLACES}",
    "data.module.eval_clips._target_=datamodules.clips.samplers.UniformClips",
    "~data.module.eval_clips.hop",
    f"+data.module.eval_clips.clips={CLIPS}",
)


def store_of(out: Path, subjects: int) -> Path:
    """The folder that `encode.py` fills."""
    return out / f"store_{subjects}"


def encoding(*, subjects: int, out: Path) -> tuple[str, ...]:
    """The words after `encode.py`."""
    return (
        *_faces(out, subjects),
        f"output={store_of(out, subjects)}",
        *_BACKBONE,
        f"{_TRUNK}.weights={WEIGHTS}",
        *_PIXELS,
        f"grid.length={FRAMES}",
        f"grid.stride={STRIDE}",
        "grid.hop=1",
    )


def plan(
    *, seeds: int, subjects: int, epochs: int, long: int, out: Path, arms: Sequence[str] = tuple(ARMS)
) -> list[Unit]:
    """All results, seed by seed, so that an early look sees every arm."""
    pixels = (*_faces(out, subjects), *_FROM_PIXELS)
    tokens = ("data=features", f"data.path={store_of(out, subjects) / 'manifest.csv'}", *_FROM_TOKENS)
    own = {
        "scratch": (*pixels, f"{_TRUNK}.weights=null"),
        "tuned": (*pixels, f"{_TRUNK}.weights={WEIGHTS}", f"model.layer_decay={LAYER_DECAY}"),
        "probe": tokens,
        "probe_long": tokens,
    }
    units = []
    for seed in range(seeds):
        for arm in arms:
            overrides = (
                *_COMMON,
                *own[arm],
                f"trainer.max_epochs={long if arm == 'probe_long' else epochs}",
                f"seed={seed}",
                f"protocol.seed={seed}",
            )
            units.append(Unit(arm, seed, overrides, out / str(seed) / arm, RATES))
    return units


def _faces(out: Path, subjects: int) -> tuple[str, str]:
    return "data=faces", f"data.path={cache_of(out, subjects) / 'manifest.csv'}"
