"""Every public name of the project tried as `_target_` of a checkpoint, and what those admitted can do."""

import ast
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.engine.config.encoder_arguments import ENCODERS
from tests.engine.config.zoo_arguments import ZOO

ROOT = Path(__file__).parents[3]
PACKAGES = ("benchmarks", "biomarkers", "datamodules", "engine", "evaluation", "models")
COMMANDS = ("train", "eval", "predict", "analyze", "sweep")
REACHED = ("system", "path.join", "load", "nn.Linear", "Path", "hub.load", "utils.instantiate")
DISGUISES = (
    *("os.system", "posix.system", "os.path.os.system", "subprocess.run", "subprocess.Popen", "pty.spawn"),
    *("builtins.eval", "builtins.exec", "builtins.__import__", "builtins.open", "importlib.import_module"),
    *("functools.partial", "operator.methodcaller", "pickle.loads", "shutil.rmtree", "pathlib.Path"),
    *("torch.load", "torch.hub.load", "torch.nn.Linear", "torch.jit.load", "torch.optim.SGD"),
    *("timm.create_model", "huggingface_hub.hf_hub_download", "safetensors.torch.load_file"),
    *("hydra.utils.instantiate", "hydra.utils.call", "hydra.utils.get_object", "omegaconf.OmegaConf.load"),
    *("numpy.load", "numpy.save", "pandas.read_pickle", "pandas.DataFrame.to_csv", "joblib.load"),
    *("pytorch_lightning.Trainer", "pytorch_lightning.callbacks.ModelCheckpoint"),
    *("pytorch_lightning.loggers.WandbLogger", "pytorch_lightning.profilers.AdvancedProfiler"),
    *("models.task", "models..task.Task", "models.task.Task.", ".models.task.Task", "models.task.Task ", ""),
    *("models.task.Task.load_from_checkpoint", "models.task.pl.Trainer", "models./../engine/seed.seed_run"),
    *(
        "Models.task.Task",
        "modelsx.task.Task",
        "models.task:Task",
        "models.task.Task\n",
        "m\u043edels.task.Task",
    ),
    *(
        "datamodules.manifests.manifest.Path",
        "datamodules.sources.shared.safe_pickle.read_pickle",
        "datamodules.manifests.manifest.Manifest.write",
    ),
)
PLACES = {
    ("model",): "model",
    ("model", "network", "heads", "score"): "model",
    ("data", "module", "source"): "module",
    ("data", "manifest", "manifests", 0): "manifest",
    ("data", "scale"): "",
    ("trainer",): "",
    ("callbacks", "best"): "",
    ("evil",): "",
}  # place in a config -> whose list holds there


def public_names():
    """What the modules of the project answer to: definitions, methods, imports, and what these hold."""
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    for file in sorted(files) + [ROOT / f"{command}.py" for command in COMMANDS]:
        parts = file.relative_to(ROOT).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield module
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            yield from (f"{module}.{name}" for name in _bound(node))


def _bound(node):
    if isinstance(node, ast.ClassDef):
        members = [child.name for child in node.body if isinstance(child, ast.FunctionDef)]
        return [node.name, *(f"{node.name}.{name}" for name in members)]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign):
        return [node.target.id] if isinstance(node.target, ast.Name) else []
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
        return [*names, *(f"{name}.{reached}" for name in names for reached in REACHED)]
    return []


def say(capsys, **counts):
    """The counts, whether or not the test fails."""
    with capsys.disabled():
        sys.stdout.write(f"\n{', '.join(f'{name} {value}' for name, value in counts.items())}\n")


def placed(place, target):
    """A config that says nothing but this target in this place."""
    node = {"_target_": target}
    for part in reversed(place):
        node = [node] if isinstance(part, int) else {part: node}
    return node


def test_no_public_name_outside_the_list_is_a_target_of_a_checkpoint(monkeypatch, capsys):
    from engine.checkpoints import recorded_config as recorded
    from engine.config import signatures
    from engine.config.allowlist import CHECKPOINT, COHORTS, LOADERS, NETWORKS
    from engine.config.targets import ForbiddenTarget

    reached = []
    monkeypatch.setattr(signatures, "import_module", reached.append)
    names = sorted({*public_names(), *DISGUISES})
    assert len(names) > 4000
    assert set(names) >= CHECKPOINT
    lists = {"model": NETWORKS, "module": LOADERS, "manifest": COHORTS, "": frozenset()}
    refused, passed = 0, []
    for place, whose in PLACES.items():
        for target in names:
            if target in lists[whose]:
                continue
            try:
                recorded.check_recorded(placed(place, target))
                passed.append((place, target))
            except ForbiddenTarget:
                refused += 1
    assert (passed, reached) == ([], [])
    say(capsys, names=len(names), places=len(PLACES), refused=refused, imported=0, listed=len(CHECKPOINT))


DIM = {"dim": 8}
TRUNK = {"_target_": "models.trunks.series.SeriesTrunk", "channels": 2, "dim": 8, "blocks": 1}
LEVELS = {"_target_": "models.inputs.Levels", "channels": 2}
HEADS = {"score": {"_target_": "models.heads.ScoreHead", "dim": 8, "low": 0, "high": 63}, "binary": None}
MMP = {"_target_": "models.mpdrm.mmp.MMPSeries", "_partial_": True, "scales": [1, 2]}
MAPS = {"_target_": "models.mpdrm.mmp.MMPMaps", "_partial_": True, "scales": [1, 2]}
GRID = {"_target_": "models.trunks.readout.SpatialReadout", "_partial_": True, "grid": 2}
PARTS = {"_target_": "models.mpdrm.part_relation.PartReadout", "_partial_": True, "layouts": [[1, 1], [2, 1]]}
MDFN = {"_target_": "models.mpdrm.branches.MDFN", "trunk": TRUNK, "input": LEVELS}
POOL = {"_target_": "models.mpdrm.rarm.AttentionPool", "dim": 8}
NETWORK = {
    "_target_": "models.mpdrm.network.MPDRM",
    **{"depression": MDFN, "personality": None, "context": None, "rarm": POOL, "heads": HEADS},
}
OBJECTIVE = {"_target_": "models.objective.Objective", "contrast": None, "head_weights": {"score": 1.0}}
METRICS = {"_target_": "evaluation.metrics.streaming.RecordingMetrics", "aggregate": "mean"}
VIDEO = {"_target_": "datamodules.readers.video_source.VideoSource", "height": 32, "width": 32, "keep": 1}
SERIES = {"_target_": "datamodules.clips.dataset.SeriesClips", "channels": ["au01", "au02"]}
RANDOM = {"_target_": "datamodules.clips.samplers.RandomClips", "length": 8, "strides": [2]}
UNIFORM = {"_target_": "datamodules.clips.samplers.UniformClips", "length": 8, "stride": 2, "clips": 2}
TABLE = {"_target_": "datamodules.manifests.manifest.read_manifest", "path": "{data}/own/table.csv"}
COHORT = {
    "_target_": "datamodules.synthetic.cohort.synthetic_manifest",
    **{"root": "/elsewhere", "n_subjects": 4, "n_visits": 2, "fps": 10.0, "duration_s": 1.0, "size": None},
    **{"confound": 1.0, "habit_visibility": 0.1, "seed": 0, "workers": 9},
}
ARGUMENTS = {
    **ZOO,
    "models.inputs.Tokens": {},
    "models.trunks.encoded.EncodedTrunk": {**DIM, "channels": 2, "places": 2, "mmp": MMP},
    "models.task.Task": {"network": NETWORK, "objective": OBJECTIVE, "metrics": METRICS},
    "models.mpdrm.network.MPDRM": {
        **{"depression": MDFN, "rarm": POOL, "heads": HEADS, "start_at_difference": True},
        "personality": {"_target_": "models.mpdrm.branches.MPFN", "trunk": TRUNK, "input": LEVELS},
        "context": {"_target_": "models.mpdrm.context.EnrolmentContext"},
    },
    "models.mpdrm.branches.MDFN": {"trunk": TRUNK, "input": LEVELS},
    "models.mpdrm.branches.MPFN": {"trunk": None, "input": None, "dim": 8, "projection": 4},
    **{f"models.inputs.{name}": {} for name in ("Appearance", "FrameDifference")},
    **{f"models.inputs.{name}": {"channels": 2} for name in ("Levels", "Delta")},
    "models.trunks.frames.FramesTrunk": {
        **{**DIM, "backbone": "resnet10t", "weights": None, "mmp": MAPS, "readout": PARTS}
    },
    "models.trunks.pixels.PixelTrunk": {
        **{**DIM, "widths": [8, 16], "mmp_stages": [1], "mmp": MAPS, "readout": GRID, "read_stages": [-1]}
    },
    "models.trunks.readout.SpatialReadout": {"channels": 8, "dim": 8, "grid": 2},
    "models.mpdrm.group_relation.GroupRelation": {
        **{"channels": 3, "dim": 8, "groups": {"brow": [0, 1], "mouth": [2]}}
    },
    "models.mpdrm.part_relation.PartReadout": {"channels": 8, "dim": 8, "layouts": [[1, 1], [2, 1]]},
    "models.trunks.series.SeriesTrunk": {**DIM, "channels": 2, "blocks": 1, "kernel": 5, "mmp": MMP},
    "models.trunks.video.VideoTrunk": {**DIM, "backbone": "mc3_18", "weights": None},
    "models.mpdrm.mmp.MMPMaps": {"channels": 8, "scales": [1, 2]},
    "models.mpdrm.mmp.MMPSeries": {"channels": 8, "scales": [1, 2]},
    "models.mpdrm.context.ClipContext": {"detach": False},
    "models.mpdrm.context.EnrolmentContext": {"detach": True},
    "models.mpdrm.context.CalibratedContext": {**DIM, "detach": True},
    **{f"models.mpdrm.rarm.{name}": {**DIM, "dropout": 0.1} for name in ("AttentionPool", "RelationGate")},
    **{f"models.mpdrm.rarm.{name}": DIM for name in ("MeanPool", "RelationProjection")},
    **{f"models.mpdrm.rarm.{name}": {**DIM, "heads": 2} for name in ("RelationBoth", "RelationCross")},
    **ENCODERS,
    "models.heads.ScoreHead": {**DIM, "low": 0, "high": 63},
    "models.heads.BinaryHead": DIM,
    "models.heads.OrdinalHead": {**DIM, "bands": 4},
    "models.objective.Objective": {"contrast_weight": 0.5, "head_weights": {"score": 1.0}},
    "models.losses.orthogonality.Orthogonality": {},
    "models.losses.reversal.PersonalityAdversary": {**DIM, "projection": 4},
    "models.losses.severity_contrast.SeverityContrast": {"temperature": 0.1},
    "models.losses.supcon.SupCon": {"positives": "cross_visit", "temperature": 0.1},
    "models.losses.traits.TraitLoss": DIM,
    "evaluation.metrics.streaming.RecordingMetrics": {"aggregate": "median"},
    "datamodules.datamodule.ClipDataModule": {
        **{"source": SERIES, "train_clips": RANDOM, "eval_clips": UNIFORM, "num_workers": 0, "seed": 1},
        **{"augment": {"_target_": "datamodules.clips.augmentation.series.SeriesAugment"}, "normalize": None},
    },
    "datamodules.clips.dataset.PixelClips": {"video": VIDEO},
    "datamodules.clips.faces.FaceClips": {"video": VIDEO},
    "datamodules.clips.regions.RegionClips": {"video": VIDEO, "margin": 0.25},
    "datamodules.clips.tokens.TokenClips": {},
    "datamodules.clips.dataset.SeriesClips": {"column": "series_path", "channels": None, "fps": 10.0},
    "datamodules.readers.video_source.VideoSource": {"height": 32, "width": 32, "reader": "auto", "keep": 3},
    "datamodules.clips.samplers.RandomClips": {"length": 8, "strides": [2, 3]},
    "datamodules.clips.samplers.UniformClips": {"length": 8, "stride": 2, "clips": 2},
    "datamodules.clips.samplers.DenseClips": {"length": 8, "stride": 2, "hop": 4},
    "datamodules.clips.transforms.ClipAugment": {"flip": 0.5},
    "datamodules.clips.augmentation.series.SeriesAugment": {"noise": 0.1},
    "datamodules.clips.transforms.Normalize": {"mean": [0.5, 0.5, 0.5]},
    "datamodules.manifests.manifest.read_manifest": {"path": "{data}/own/table.csv"},
    "datamodules.synthetic.cohort.synthetic_manifest": {k: v for k, v in COHORT.items() if k[0] != "_"},
    "datamodules.synthetic.extracted.extracted": {
        **{"manifest": COHORT, "noise": 0.1, "drop": 0.1, "missing": ["au45"], "seed": 0}
    },
    "datamodules.manifests.transforms.permuted.permuted": {"manifest": COHORT, "seed": 0},
    "datamodules.manifests.transforms.rescaled.rescaled": {"manifest": COHORT, "scale": "DASS-21-D"},
    "datamodules.manifests.transforms.keep_labels.keep_labels": {
        "manifest": COHORT,
        "kinds": ["traits"],
        "corpus": "traits",
    },
    "datamodules.sources.joined.read": {"manifests": [COHORT, TABLE], "name": "joined"},
}
TREES = {
    **{name: {"persons": 6} for name in ("daic_woz", "edaic", "dvlog", "lmvd")},
    **{"avec2013": {"persons": 4}, "avec2014": {"persons": 4}, "folder": {"persons": 4}},
    **{
        "cmdc": {"persons": 4, "questions": 1},
        "mpdd": {"persons": 6},
        "adodas": {"persons": 10},
        "mpdd_avg": {"persons": 16},
        "first_impressions": {"persons": 4},
    },
}
HOSTILE = (
    *("/etc/passwd", "{out}/evil", "../../../../evil", "{data}/../evil", "~/evil", "hf-hub:timm/resnet18"),
    *("local-dir:/etc", "https://example.org/x", "fasterrcnn_resnet50_fpn", "evil\0", "$(touch evil)", ""),
    *(
        10**12,
        -1,
        float("nan"),
        float("inf"),
        True,
        None,
        [],
        ["{out}/evil"],
        [10**12],
        {},
        {"a": "{out}/evil"},
    ),
    *(
        {"_target_": "os.system"},
        {"_target_": "models.task.Task"},
        {"_target_": TABLE["_target_"], "path": "x"},
    ),
    {"_target_": "datamodules.readers.index.index_cache.cache_entry", "path": "x", "kind": "/../../evil"},
)
KEYWORDS = ("_args_", "_convert_", "_recursive_", "_partial_", "_call_", "_mode_", "pretrained", "weights")
KEYWORDS += ("checkpoint_path", "pretrained_cfg", "dirpath", "default_root_dir", "root", "path", "device")


def settled(value, **places):
    """The value with `{data}` and `{out}` filled in."""
    if isinstance(value, str):
        for name, place in places.items():
            value = value.replace(f"{{{name}}}", str(place))
        return value
    if isinstance(value, dict):
        return {key: settled(child, **places) for key, child in value.items()}
    return [settled(child, **places) for child in value] if isinstance(value, list) else value


class Watch:
    """Notes what is written, opened to the net or started from now on."""

    LOUD = ("subprocess.", "os.system", "os.exec", "os.spawn", "os.posix_spawn", "os.fork", "pty.", "socket.")
    PLACES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate")
    PLACES += ("os.chmod", "os.chown", "os.utime", "shutil.", "tempfile.")

    def __init__(self, *allowed):
        self.allowed, self.written, self.loud, self.inside = tuple(map(str, allowed)), [], [], 0
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, str | bytes) and (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                self.note(path)
        elif event.startswith(self.PLACES):
            for path in arguments:
                if isinstance(path, str | bytes | Path):
                    self.note(path)
        elif event.startswith(self.LOUD):
            self.loud.append(event)

    def note(self, path):
        place = os.path.realpath(os.fsdecode(path))
        if place.startswith(self.allowed):
            self.inside += 1
        else:
            self.written.append(place)


def main(out):
    """Build everything on the list, as it is meant and as it is not, and print what that did."""
    import torch

    from engine.checkpoints.recorded_config import _check_node
    from engine.cohort.restored_data import _moved
    from engine.config.allowlist import CHECKPOINT, COHORTS
    from engine.config.build import build
    from engine.config.signatures import _parameters
    from engine.inference.clip_predictions import _counted, form

    data, cache = out / "data", out / "cache"
    calls = {
        f"datamodules.sources.{name}.read": {"root": f"{data}/{name}", "probe": True} for name in TREES
    } | settled(ARGUMENTS, data=data, out=out)
    assert set(calls) == CHECKPOINT
    for name, tree in TREES.items():
        importlib.import_module(f"datamodules.sources.trees.{name}").write(data / name, **tree)
    cohort = build(settled(COHORT) | {"root": str(out / "source")}, key="x")
    (data / "own").mkdir()
    cohort.write(data / "own" / "table.csv")
    split = {"train": ["a"] * 8, "val": [], "test": []}

    def make(target, given):
        loader = target == "datamodules.datamodule.ClipDataModule"
        node = {"_target_": target, **({"_partial_": True} if loader else {}), **given}
        _check_node("model" if target == "models.task.Task" else "x", node)
        if target in COHORTS:
            checkpoint = SimpleNamespace(
                path="x.ckpt", config={"data": {"manifest": node}}, split=split, data_digest=None
            )
            return build(_moved(node, checkpoint, data.resolve()), key="data.manifest")
        if target == "models.task.Task":
            return form(node)
        with torch.device("meta"), _counted(20_000):
            return build(node, key="x", **({"manifest": cohort, "split": None} if loader else {}))

    for target, given in calls.items():  # once without looking: modules and caches of libraries are made
        make(target, given)
    watch = Watch(cache.resolve(), data.resolve())
    count = {"meant": 0, "refused": 0, "failed": 0, "built": 0}
    for target, given in calls.items():
        make(target, given)
        count["meant"] += 1
        for name in (*_parameters(target), *KEYWORDS):
            for value in settled(list(HOSTILE), data=data, out=out):
                count[_tried(make, target, given | {name: value})] += 1
    found = count | {"written": watch.written, "loud": watch.loud, "inside": watch.inside}
    sys.stdout.write(json.dumps(found) + "\n")


def _tried(make, target, given):
    from engine.config.targets import ForbiddenTarget

    try:
        make(target, given)
    except ForbiddenTarget:
        return "refused"
    except Exception:  # a constructor that takes no such value says so in its own way
        return "failed"
    return "built"


@pytest.mark.slow
def test_what_a_checkpoint_may_name_writes_fetches_and_starts_nothing(tmp_path, capsys):
    from engine.config.allowlist import CHECKPOINT

    environment = {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "0",
    }
    done = subprocess.run(
        [sys.executable, __file__, tmp_path],
        cwd=tmp_path,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    say(capsys, **found)
    assert found["meant"] == len(CHECKPOINT)
    assert found["refused"] > 10_000
    assert (found["written"], found["loud"]) == ([], [])
    assert not list(tmp_path.rglob("*evil*"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
