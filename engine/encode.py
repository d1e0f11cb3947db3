"""The command `encode.py`: a frozen encoder over all recordings, from a plain config to a store of tokens."""

import logging
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.clips.dataset import ClipSource
from datamodules.commands import typed
from datamodules.manifests.manifest import Manifest
from datamodules.wording import first_few
from engine.checkpoints.checkpoint import RunCheckpoint, load_checkpoint
from engine.cohort.network_needs import check_content
from engine.cohort.pretrained_weights import check_shown, weights_taken
from engine.cohort.same_preprocessing import check_preprocessing
from engine.config.build import build
from engine.config.compose import ConfigError
from engine.config.differences import edited, without_places
from engine.config.targets import check_targets, trusting
from engine.config.value_ranges import check_settings
from engine.encoding.encoder import Encoder, weights_digest
from engine.encoding.jobs import encode_jobs
from engine.encoding.recording import KINDS, encode_recording
from engine.encoding.seen import write_seen
from engine.inference.clip_predictions import rebuild
from engine.runs.provenance import RunManifest
from engine.runs.seed import seed_run
from engine.runs.terminal import conclude, shown
from evaluation.report.sections.provenance_section import weights_text
from preprocessing.cache.fingerprint import libraries
from preprocessing.cache.folder import Cache
from preprocessing.run.many import Outcome, run_jobs

_log = logging.getLogger(__name__)
_LIBRARIES = ("torch", "torchvision", "timm")
_BRANCH = "network.depression."  # of a task
_AT_RANDOM = (
    "the encoder has random weights, as it is given none: its tokens are a random projection of the frames. "
    "Name some by model.network.depression.trunk.weights=..., or a checkpoint by ckpt_path=..."
)
_MAPPED = (
    "width=%d: what the encoder says is mapped to this width at random, as no weights for that are given; "
    "width=null keeps its own channels"
)
_NO_MATTER = ("keep", "reader", "decode", "weights")


@trusting
def encode(config: Mapping[str, Any], *, folder: Path) -> Outcome:
    """Encode all recordings of a manifest that are not in the store yet.

    Args:
        config: Resolved config of `conf/encode.yaml`.
        folder: Where the record of this run goes.

    Raises:
        ConfigError: The recordings are not what the encoder reads, or none can be used.
        CacheError: The output was made with another encoder, grid or preprocessing.
    """
    check_targets(dict(config))
    check_settings(config)
    seed_run(config["seed"])
    checkpoint = None if config["ckpt_path"] is None else load_checkpoint(config["ckpt_path"])
    network = _network(config, checkpoint)
    with RunManifest(folder=folder, config=config, place="before the first recording") as record:
        encoder = _encoder(config, network, checkpoint)  # before a cohort is made
        check_shown(encoder.branch, network, {"grid.length": config["grid"].get("length")})
        weights = _weights(encoder, checkpoint, network)
        record.record(pretrained=weights or None)
        manifest = build(config["data"]["manifest"], key="data.manifest")
        check_content(manifest, {"data": {"module": network}}, trained=checkpoint is not None)
        if checkpoint is not None:
            check_preprocessing(checkpoint, manifest, accepted=False)
        source: ClipSource = build(network["source"], key="data.module.source")
        cache = _store(config, network, encoder, weights, manifest)
        write_seen(cache.folder, checkpoint, manifest)
        jobs = encode_jobs(manifest)
        record.record(recordings=len(jobs), fingerprint=cache.fingerprint, data_digest=manifest.digest())
        work = partial(
            encode_recording,
            recordings={one.recording_id: one for one in manifest.recordings()},
            encoder=encoder,
            source=source.prepared(manifest.recordings()),
            grid=build(config["grid"], key="grid"),
            cache=cache,
        )
        executor = build(config["executor"], key="executor")
        outcome = run_jobs(jobs, work=work, cache=cache, executor=executor, what="Encoding")
        cache.assemble(synthetic=manifest.synthetic)
        record.record(counts=dict(outcome.counts), synthetic=manifest.synthetic)
        _check_any(outcome, cache)
    _conclude(outcome, cache, folder, places=encoder.places)
    return outcome


def _network(config: Mapping[str, Any], checkpoint: RunCheckpoint | None) -> dict[str, Any]:
    """Nodes of the branch and of what it sees, `source` and `normalize`: of its run, where it has one."""
    module = config["data"]["module"]
    if checkpoint is not None:
        trained = checkpoint.config["data"]["module"]
        branch = checkpoint.config["model"]["network"]["depression"]
        return {"branch": branch, "source": trained["source"], "normalize": trained.get("normalize")}
    branch = config["model"]["network"]["depression"]
    return {"branch": branch, "source": module["source"], "normalize": module.get("normalize")}


def _encoder(
    config: Mapping[str, Any], network: Mapping[str, Any], checkpoint: RunCheckpoint | None
) -> Encoder:
    if checkpoint is not None:
        branch = rebuild(checkpoint).get_submodule("network.depression")
    else:
        branch = build(network["branch"], key="model.network.depression")
    return Encoder(
        branch=branch.eval().requires_grad_(False),
        normalize=build(network["normalize"], key="data.module.normalize"),
        device=config["device"],
        batch=config["clips"],
        precision=config["precision"],
    )


def _weights(
    encoder: Encoder, checkpoint: RunCheckpoint | None, network: Mapping[str, Any]
) -> dict[str, Any]:
    """Weights that others trained and the encoder began with, by their place in it; they are told."""
    if checkpoint is None:
        found, width = weights_taken(encoder.branch), network["branch"]["trunk"].get("dim")
        if not found:
            _log.warning("%s", _AT_RANDOM)
        elif width is not None:
            _log.warning(_MAPPED, width)
    else:
        began = checkpoint.pretrained.items()
        found = {key.removeprefix(_BRANCH): own for key, own in began if key.startswith(_BRANCH)}
    for text in dict.fromkeys(map(weights_text, found.values())):
        _log.info("weights: %s", text)
    return found


def _store(
    config: Mapping[str, Any],
    network: Mapping[str, Any],
    encoder: Encoder,
    weights: Mapping[str, Any],
    manifest: Manifest,
) -> Cache:
    """Begin a store, or go on with one that is of the same encoder, grid and frames."""
    frames = manifest.preprocessing
    return Cache.open(
        Path(config["output"]).resolve(),
        settings={
            "encoder": _plain(network["branch"]),
            "weights": weights_digest(encoder.branch),
            "grid": dict(config["grid"]),
            "precision": config["precision"],
            "places": encoder.places,
            "source": _plain(network["source"]),
            "normalize": network["normalize"],
            "frames": None if frames is None else frames.fingerprint,
        },
        provenance={
            "libraries": {**libraries(), **{name: version(name) for name in _LIBRARIES}},
            **({"weights": weights} if weights else {}),
        },
        kinds=KINDS,
    )


def _plain(node: Any) -> Any:
    """What decides what tokens are: not where weights lie (a digest tells), nor how files are read."""
    return edited(without_places(node), lambda name, value: None if name in _NO_MATTER else (name, value))


def _check_any(outcome: Outcome, cache: Cache) -> None:
    if outcome.entries and not any(one.used for one in outcome.entries):
        told = "; ".join(f"{one.recording_id}: {', '.join(one.reasons)}" for one in outcome.entries[:3])
        raise ConfigError(f"none of {len(outcome.entries)} recordings can be encoded: {told}")
    if lost := [one.recording_id for one in outcome.entries if not one.used]:
        _log.warning(
            "%d recordings have no tokens, see %s: %s",
            len(lost), shown(cache.folder / "refused.csv"), first_few(lost),
        )  # fmt: skip


def _conclude(outcome: Outcome, cache: Cache, folder: Path, *, places: int) -> None:
    manifest = shown(cache.folder / "manifest.csv")
    rows = [("result", f"recordings: {outcome.counts['ok']} encoded, {outcome.counts['refused']} refused")]
    if outcome.earlier:
        rows.append(("done before", f"{outcome.earlier} of them"))
    tokens = sorted((cache.folder / "tokens").glob("*.npy"))
    width = np.load(tokens[0], mmap_mode="r").shape[-1]
    size = sum(file.stat().st_size for file in tokens) / 1e6
    rows += [("manifest", manifest), ("size", f"{size:.1f} MB, {width} channels a token")]
    words = f"data.path={manifest} data.channels={width}" + (f" data.places={places}" if places > 1 else "")
    following = [f"{typed('train')} data=features {words} model=mpdrm_tokens", f"{typed('probe')} {words}"]
    conclude("encoding is finished", folder, rows=rows, following=following)
