"""How a shown command is made small: settings that are put behind its own, or in their place."""

from omegaconf import DictConfig, ListConfig, OmegaConf

from engine.sweeping.command_line import apart
from tests.docs.composing import trained, tree

# key -> value, for every training whose config has the key; what the command gives itself stays
TRAINING = {
    "data.cohort.n_visits": 3,
    "data.cohort.fps": 10,
    "data.cohort.workers": 1,
    "data.module.num_workers": 0,
    "data.module.subjects": 4,
    "data.module.train_clips.length": 8,
    "data.module.eval_clips.length": 8,
    "data.module.eval_clips.clips": 1,
    "data.module.source.video.height": 32,
    "data.module.source.video.width": 32,
    "model.network.depression.trunk.blocks": 1,
    "width": 16,
    "evaluation.lines": "[]",
    "evaluation.filmstrips": 1,
    "protocol.val": 0.3,
    "protocol.persons.val": 0.3,
    "protocol.folds": 3,
}
FORCED = {
    "data.cohort.n_subjects": 14,
    "trainer": "cpu",
    "workers": 0,
    "protocol.folds": 3,
}  # also where the command gives another
HYDRA = {
    "eval": ["evaluation.n_boot=1000", "workers=0"],
    "predict": ["workers=0"],
    "export": [],
    "preprocess": ["executor.workers=1"],
    "encode": ["clips=4"],
    "probe": ["seeds=[0]", "rates=[1e-3]", "steps=4", "checks=2", "evaluation.n_boot=1000"],
    "analyze": [
        *("data.cohort.n_subjects=24", "data.cohort.workers=1", "protocol.folds=2"),
        *("evaluation.n_boot=1000", "analysis.epochs=1"),
    ],
    "sweep": ["n_trials=1", "workers=1"],
}
_PLACES = "out=out data=data docs=docs"
# of studies that train networks: settings of conf/train.yaml, by the input
_TRAINED = {
    "series": (
        "evaluation.lines=[],data.cohort.n_visits=3,data.cohort.fps=10,data.cohort.duration_s=4,"
        "data.module.visits=3,data.module.train_clips.length=16,data.module.eval_clips.length=16,width=16"
    ),
    "pixels": (
        "evaluation.lines=[],data.cohort.n_visits=3,data.cohort.fps=10,data.cohort.duration_s=2,"
        "data.cohort.size=32,data.module.visits=3,data.module.train_clips.length=8,"
        "data.module.eval_clips.length=8,data.module.source.video.height=32,"
        "data.module.source.video.width=32,width=16"
    ),
}
_NETWORKS = {
    ("studies.claim", "series"): "variants=depression_branch",
    ("studies.claim", "pixels"): "variants=depression_branch",
    ("benchmarks.zoo", "series"): "entries=lstm",
    ("benchmarks.zoo", "pixels"): "entries=depression_branch",
}
_CELLS = {"series": "movement-0.8-on", "pixels": "levels-0.8-on"}
# module -> settings; there they take the place of those that the command gives
MODULES = {
    "benchmarks.archives": "sets=ItalyPowerDemand systems=ROCKET epochs=1 seeds=1 out=out",
    "benchmarks.cache_loader": "recordings=1 seconds=3 rounds=1 size=32 out=out",
    "benchmarks.decoding": "rounds=1 clips=1 seconds=2 out=out",
    "benchmarks.face_pipeline": "frames=12 rounds=2 page=page.md",
    "benchmarks.faces_torch": "device=cpu batches=2 frames=6 rounds=1 out=out",
    "benchmarks.gpu": "device=cpu size=small out=out",
    "benchmarks.index": "rows=20000 write=false place=.",
    "benchmarks.loader": "rounds=1 recordings=1 seconds=3 size=32 clips=2 out=out",
    "benchmarks.start_up": "rounds=1 out=out",
    "benchmarks.step": "rounds=2 steps=2 only=series out=out",
    "benchmarks.zoo": "",
    "datamodules.synthetic.room.film": "persons=2 visits=1 seconds=2 fps=10 workers=1",
    "evaluation.comparison": "n_perm=99",
    "studies.change_scores": "tested=20 pool=80 train=30 docs=docs",
    "studies.claim": "",
    "studies.coverage": "studies=4 kept=kept page=page.md",
    "studies.coverage.compare_null": "studies=2 page=page.md",
    "studies.discrepancy": "persons=120 seeds=1 workers=1",
    "studies.discrepancy.answers": "n_boot=1000 draws=20 out=page.md",
    "studies.face_crops": "seeds=1 subjects=10 epochs=1 arms=frame,crop workers=1 " + _PLACES,
    "studies.face_room": "seeds=1 driven=1 fps=10 folder=folder docs=docs",
    "studies.forecast": "studies=8 comparisons=8 folder=folder docs=docs",
    "studies.fusion": "seeds=1 subjects=14 epochs=1 out=out data=data docs=docs",
    "studies.group_differences": "cohorts=2 page=page.md",
    "studies.interruptions": "kills=1 signals=0 full_disks=0 jobs=1 workers_of=0 out=out page=page.md",
    "studies.item_heads": "seeds=1 repetitions=1 persons=60 out=out docs=docs",
    "studies.kills": "kills=1 commands=encoding out=out page=page.md",
    "studies.leaks": "clean=1 page=page.md",
    "studies.leaks.near_duplicates": "cohorts=1 pixels=0 subjects=12 out=page.md",
    "studies.method_pictures": "only=lstm folder=out",
    "studies.preprocess_kills": "kills=1 videos=2 executors=processes out=out page=page.md",
    "studies.pretrained": "seeds=1 subjects=10 epochs=1 long=1 arms=tuned,probe workers=1 " + _PLACES,
    "studies.scale": "sizes=50 draws=1 conditions=none folder=folder docs=docs workers=1",
    "studies.school_cohort": "docs=docs",
    "studies.sweep_kills": "kills=1 trials=2 samplers=random pretend=true out=out page=page.md",
    "studies.video_damage": "tries=1",
    "studies.winner": "sweeps=2 kept=kept docs=docs",
    "studies.xray": "only=clean_01 out=out page=page.md",
}


def small(kind: str, name: str, words: list[str]) -> list[str]:
    """The settings of a command in its smallest form."""
    if "--help" in words:
        return words
    if kind == "module":
        return _of_module(name, words)
    words = [_forced(word) for word in words]
    if name == "preprocess":  # of few videos: what trains finds a larger cache where this one would be
        words = [f"{word}_of_few" if word.startswith("output=") else word for word in words]
    if name == "sweep":
        own, training = apart(words)
        return [*_given(own, HYDRA["sweep"]), *training, *_training(tree("train", trained(words)), training)]
    if name == "train":
        return [*words, *_training(tree("train", words), words)]
    return [*words, *(one for one in HYDRA[name] if _exists(tree(name, words), one))]


def _training(config: DictConfig, words: list[str]) -> list[str]:
    given = {word.partition("=")[0] for word in words}
    chosen = {key: value for key, value in TRAINING.items() if key not in given and _has(config, key)}
    if config.data.module.train_clips.length == 1:  # a window of stored tokens
        chosen = {key: value for key, value in chosen.items() if not key.endswith("_clips.length")}
    if _has(config, "data.cohort.duration_s"):
        chosen["data.cohort.n_subjects"] = FORCED["data.cohort.n_subjects"]
        chosen["data.cohort.duration_s"] = 20 if config.data.get("sets") else 2  # sets have few rows a second
        if config.data.cohort.get("size"):
            chosen["data.cohort.size"] = 32
    fast = [] if "debug" in given else ["debug=fast"]
    return [*fast, *(f"{key}={value}" for key, value in chosen.items()), "+trainer.enable_progress_bar=false"]


def _has(config: DictConfig, key: str) -> bool:
    """Whether a config has a key that holds something; blocks of each stage are a list, and stay."""
    held = OmegaConf.select(config, key, throw_on_resolution_failure=False)
    return held is not None and not (isinstance(held, ListConfig) and isinstance(TRAINING.get(key), int))


def _exists(config: DictConfig, setting: str) -> bool:
    """Whether the parent of a key is there: null is a value of its own."""
    node, _, key = setting.partition("=")[0].rpartition(".")
    parent = OmegaConf.select(config, node) if node else config
    return parent is not None and key in parent


def _forced(word: str) -> str:
    key, equals, _ = word.partition("=")
    return f"{key}={FORCED[key]}" if equals and key in FORCED else word


def _given(words: list[str], others: list[str]) -> list[str]:
    """Words in which others take the place of those of the same key."""
    keys = {one.partition("=")[0] for one in others}
    return [*(word for word in words if word.partition("=")[0] not in keys), *others]


def _of_module(name: str, words: list[str]) -> list[str]:
    own = MODULES.get(name, "").split()
    if name in {"studies.claim", "benchmarks.zoo"}:
        kind = next(word.partition("=")[2] for word in words if word.startswith("input="))
        sizes = "data.cohort.n_subjects=20,trainer.max_epochs=1"
        further = f"{_TRAINED[kind]},{sizes}" if name == "benchmarks.zoo" else _TRAINED[kind]
        own = ["seeds=1", "workers=1", "data=data", _NETWORKS[name, kind], f"overrides={further}"]
        own += ["subjects=14", "epochs=1", f"cells={_CELLS[kind]}"] if name == "studies.claim" else []
    return _given(words, own)
