"""What is said of a key that does not exist: the word that is meant, or the nearest key there is."""

import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from hydra.errors import ConfigCompositionException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from datamodules.wording import first_few, nearest
from engine.config.extensions import owner_advice
from engine.config.short_keys import SHORT
from engine.config.source_code import ROOT, arguments

# words of other frameworks, by the answer; {} is the value that was given
_TRAIN = {
    "lr={}": (
        "learning_rate base_lr model.lr model.learning_rate optimizer.lr optim.lr trainer.lr "
        "model.optimizer.learning_rate data.lr"
    ),
    "batch= (recordings a step: persons x visits x clips, so a multiple of visits x clips)": (
        "batch_size bs train_batch_size data.batch_size data.batch data.module.batch_size "
        "datamodule.batch_size trainer.batch_size data.loader.batch_size"
    ),
    "epochs={}": (
        "epoch max_epochs num_epochs n_epochs trainer.epochs trainer.num_epochs trainer.n_epochs "
        "trainer.max_epoch"
    ),
    "workers={}": (
        "num_workers n_workers data.num_workers data.workers trainer.num_workers data.module.workers "
        "datamodule.num_workers"
    ),
    "seed={}": "seed_everything random_seed random_state trainer.seed data.seed",
    "trainer=gpu, with several devices trainer=ddp trainer.devices={}": (
        "gpus devices gpu device accelerator cuda num_gpus n_gpus trainer.gpus trainer.gpu"
    ),
    "trainer.precision={}": "precision fp16 bf16 amp mixed_precision",
    "resume=<run folder> or resume=last to go on with a run, init_from=<best.ckpt> to start from it": (
        "checkpoint ckpt checkpoint_path resume_from resume_from_checkpoint resume_path load_from "
        "trainer.ckpt_path trainer.resume_from_checkpoint model.checkpoint model.ckpt_path"
    ),
    "model.network.depression.trunk.weights=pretrained (or a file, or hf-hub:<id>) with model/trunk=timm or "
    "video, or init_from=<best.ckpt> of a run of yours": (
        "pretrained model.pretrained backbone.pretrained weights model.weights backbone.weights "
        "model.network.depression.trunk.pretrained"
    ),
    "data=manifest data.path=<table> for videos of your own, data.root=<folder> for a corpus, or "
    "paths.data=<folder> for where made cohorts are kept": (
        "data_dir data_path data_root dataset dataset_path data.data_dir data.dir data.folder data_folder"
    ),
    "model/optimizer={}, e.g. adamw or sgd": "optimizer optim model.optim",
    "model.optimizer.weight_decay={}": "weight_decay wd optimizer.weight_decay model.weight_decay",
    "model/trunk={}": "trunk backbone model.backbone",
    "selection.monitor={}": "monitor trainer.monitor callbacks.monitor",
    "callbacks=early_stopping callbacks.early_stopping.patience={}": "patience early_stopping_patience",
    "callbacks/ema=average callbacks.ema.decay=...": "ema use_ema model_ema ema_decay trainer.ema model.ema",
    "model/scheduler=warmup_cosine model.scheduler.warmup=... (share of all steps)": (
        "warmup warmup_steps warmup_epochs warmup_ratio num_warmup_steps scheduler.warmup model.warmup"
    ),
    "model.layer_decay={}": "layer_decay llrd layerwise_lr_decay layer_lr_decay optimizer.layer_decay",
    "model/tuning=lora model.tuning.rank=...": "lora use_lora lora_rank lora_r peft model.lora",
    "hydra.run.dir={}": "output_dir save_dir log_dir out_dir output",
    "data.cohort.n_subjects={}": (
        "n_subjects n_persons data.n_subjects data.cohort.n_persons data.cohort.subjects"
    ),
}
_LOADED = {
    "ckpt_path={}": "checkpoint ckpt checkpoint_path resume resume_from model model_path pretrained",
    "workers={}": "n_workers data.num_workers data.workers data.module.num_workers",
    "trainer=gpu": "gpus devices gpu device accelerator cuda trainer.gpus",
    "hydra.run.dir={}": "output_dir save_dir out_dir output",
}
_SWEEP = {
    "n_trials={}": "trials num_trials max_trials n_iter",
    "workers={} (processes that train) or data.module.num_workers={} (those that load)": (
        "num_workers n_workers n_jobs jobs processes data.num_workers data.workers"
    ),
    "study={}": "study_name name",
    "storage={}": "db database hydra.sweeper.storage",
    "sampler={}": "algorithm search method hydra/sweeper/sampler",
    "objectives={}": "objective metric metrics",
}
_ANSWERS: dict[str, dict[str, str]] = {
    "train": _TRAIN,
    "sweep": _SWEEP | {answer: words for answer, words in _TRAIN.items() if answer != "workers={}"},
    "eval": _LOADED | {"manifest={}": "input data data_dir data_path data.path dataset"},
    "predict": _LOADED | {"input={}": "manifest data data_dir data_path data.path video videos folder"},
    "preprocess": {
        "input={}": "manifest data data_dir data_path data.path video videos folder",
        "output={}": "cache out output_dir out_dir save_dir hydra.run.dir",
        "executor.workers={}": "workers num_workers n_workers jobs n_jobs processes",
        "face={}": "backend detector model",
        "aligner.size={}": "size crop_size image_size",
    },
}
_NO_READOUT = (
    "this model/trunk has no readout to choose (model/readout); timm, video, vit_video and pixels have. A "
    "network of the zoo is encoded as it was trained, by ckpt_path=<best.ckpt>, without model/trunk"
)
_FREEZE = ("freeze", "frozen", "freeze_backbone", "freeze_trunk", "requires_grad")  # at any level
_FREEZING = "write model/tuning=frozen (the trunk stays), last (its last blocks learn) or lora"


def right_word(key: str, value: str, *, command: str) -> str | None:
    """What to write instead of a word that other frameworks use; None where nothing is known of it."""
    if command == "train" and key.rpartition(".")[2] in _FREEZE:
        return f"Unknown key {key!r}: {_FREEZING}"
    for answer, words in _ANSWERS.get(command, {}).items():
        if key in words.split():
            return f"Unknown key {key!r}: write {answer.format(value or '...')}"
    return None


def wrong_words(command_line: Sequence[str], *, command: str) -> list[str]:
    """The answers to all such words on a command line, before anything is composed."""
    found = []
    for argument in command_line:
        name, _, value = argument.partition("=")
        answer = right_word(name.lstrip("+-~"), value, command=command)
        found += [answer] if answer is not None else []
    return found


def composition_advice(error: Exception, *, command: str) -> str:
    """Hydra's message of an error while it composes, without its advice to add what is misspelt."""
    cause = error.__cause__
    if isinstance(error, OverrideParseException):
        return _unreadable(str(error.override))
    if isinstance(error, MissingConfigException):
        wrong = str(error.missing_cfg_file or "").rpartition("/")[2]
        if (advice := owner_advice(str(error.missing_cfg_file))) is not None:
            return advice
        kept = str(error).partition("Config search path:")[0].replace("\t", "  ").rstrip()
        return kept + (f"\n{hint[2:]}" if (hint := nearest(wrong, error.options or ())) else "")
    if "Could not override 'model/readout'" in str(error):
        return _NO_READOUT
    named = re.match(r"Could not override '(.+)'", str(error))
    if not isinstance(error, ConfigCompositionException) or named is None:
        return "\n".join(str(one) for one in (error, cause) if one)
    key = str(named[1])
    if answer := right_word(key, "", command=command):
        return answer
    if not isinstance(cause, OmegaConfBaseException) or cause.parent_node is None:
        return f"Unknown key {key!r}"
    root: Any = cause.parent_node._get_root()
    return _nearest_key(key, root, command=command)


def _unreadable(word: str) -> str:
    """What to do about a word of the command line that Hydra's grammar does not take."""
    setting = re.fullmatch(r"(\+{0,2}\w[\w./@:-]*)=(.+)", word, re.DOTALL)
    if setting is None:
        return f"{word!r}: settings are key=value, without spaces around the equals sign"
    key, value = setting.groups()
    # in Hydra's quotes a backslash counts only before a quote
    inside = re.sub(r'(\\*)("|$)', lambda end: end[1] * 2 + end[2].replace('"', '\\"'), value)
    quoted = shlex.quote(f'{key}="{inside}"')
    told = (
        f"{word!r}: Hydra cannot read the value. One with = ~ # & ( ) or other special signs, or letters "
        f"beyond ASCII, has to be quoted twice, once for the shell: {quoted}"
    )
    if value.startswith("~"):
        return f"{told} (a ~ is no home folder there: write the whole path)"
    return f"{told} (or close the brackets, of a list as in [a,b])" if value[0] in "[{" else told


def _nearest_key(key: str, root: DictConfig, *, command: str) -> str:
    """What a composed config has that a key may mean: an argument, a name beside it, or one elsewhere."""
    parent, _, name = key.rpartition(".")
    beside = OmegaConf.select(root, parent, throw_on_missing=False) if parent else root
    siblings = [str(one) for one in beside if one != "hydra"] if isinstance(beside, DictConfig) else []
    target = beside.get("_target_") if parent and isinstance(beside, DictConfig) else None
    known = arguments(str(target)) if target else None
    if known is not None and name in known:
        return f"{key!r} is an argument of {target} that no file sets yet: write +{key}=..."
    every = [one for one in _keys(root) if not one.startswith("hydra.")]
    short = {long: own for own, long in SHORT.get(command, {}).items()}
    match = _match(key, siblings, every)
    if match is None:
        where = f"of `{parent}`" if parent else "at the root"
        return f"Unknown key {key!r}. Known keys {where}: {first_few(siblings or every, 30)}."
    brief = f" (in short {short[match]}=)" if match in short and short[match] != "batch" else ""
    return f"Unknown key {key!r}; did you mean {match}={brief}?"


def _match(key: str, siblings: Collection[str], every: Sequence[str]) -> str | None:
    parent, _, name = key.rpartition(".")
    if "/" in key:
        conf = ROOT / "conf"
        return _close(key, [str(path.relative_to(conf)) for path in conf.rglob("*") if path.is_dir()])
    if beside := _close(name, siblings):
        return f"{parent}.{beside}".lstrip(".")
    same = [one for one in every if one.rpartition(".")[2] == name]
    return same[0] if len(same) == 1 else _close(key, same or every)


def _close(name: str, known: Collection[str]) -> str | None:
    found = re.search(r"'(.+)'", nearest(name, known))
    return found[1] if found else None


def _keys(node: Any, key: str = "") -> Iterator[str]:
    """All full keys of a composed config, without resolving anything."""
    plain = OmegaConf.to_container(node, resolve=False) if isinstance(node, DictConfig) else node
    for name, child in plain.items() if isinstance(plain, dict) else ():
        path = f"{key}.{name!s}".lstrip(".")
        yield path
        if isinstance(child, dict):
            yield from _keys(child, path)
