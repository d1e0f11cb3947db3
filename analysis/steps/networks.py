"""Networks in an analysis: trained on its folds, series and channels, as `train.py` trains.

This step alone sees a config, and composes one of training inside that of an analysis: the leaves of
`conf/model` refer to each other by absolute names, so that they cannot stand below another root.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.out_of_fold import decided
from analysis.step_data import Material
from datamodules.manifests.manifest import Manifest
from datamodules.splits.partition import Split
from engine.checkpoints.checkpoint import load_checkpoint
from engine.config.compose import ConfigError, with_value
from engine.config.differences import canonical_json
from engine.inference.clip_predictions import Predictor
from engine.inference.recordings import predicted_recordings
from engine.runs.provenance import RunManifest, read_manifest_json
from engine.training.crossval import finished
from engine.training.fit import fit_split
from engine.training.prepare import compose_training
from evaluation.tables.predictions import read_predictions, write_predictions

_log = logging.getLogger(__name__)
_PREDICTIONS = "predictions.csv"
_PRIMARY = ["target", "prediction", "low", "high"]  # of one head, for those who read the file
_QUIET = ("logger=none", "+trainer.enable_progress_bar=false")


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network of `conf/model` as one row of a table of estimators.

    In every fold validation chooses the checkpoint and the threshold of decisions. A fold is kept below the
    analysis's folder and not trained again under the same config, data and split, so that an analysis that
    was stopped goes on with `hydra.run.dir=<its folder>`.

    Args:
        channels: What it reads of the analysis's series.
        model: Overrides of `conf/train.yaml` that choose the network.
        training: Overrides that several networks share: epochs, clips, batches, trainer.
        remark: What a reader of the table must know of it.
    """

    channels: Sequence[str]
    model: Sequence[str]
    training: Sequence[str] = ()
    remark: str = ""

    def out_of_fold(self, material: Material, *, name: str) -> pd.DataFrame:
        """Train in every fold; recording table of everybody tested, all heads, `threshold` and `decision`.

        Raises:
            ConfigError: The analysis asks for a phase, and networks read whole recordings.
        """
        if material.phase is not None:
            raise ConfigError(
                f"networks read whole recordings, the analysis only {material.phase}: "
                "add analysis/networks=none, or write the phase to files of its own"
            )
        parts = []
        for number, split in enumerate(material.splits):
            place = material.folder / "networks" / name / f"fold_{number}"
            table = _fold(self.config(material, output=place), material.manifest, split, place)
            val, test = (table[table["split"] == part] for part in ("val", "test"))
            parts.append(decided(val, test).assign(fold=number))
            _log.info("%s: fold %d of %d", name, number + 1, len(material.splits))
        return pd.concat(parts, ignore_index=True)

    def config(self, material: Material, *, output: Path) -> dict[str, Any]:
        """The training config with the analysis's own recordings, scale, reader of series and channels."""
        scale = [f"data.scale.{key}={value}" for key, value in material.data["scale"].items()]
        fixed = [*scale, f"data.channels={len(self.channels)}", *_QUIET]
        config = compose_training([*self.training, *self.model, *fixed], output=output)
        source = material.data["module"]["source"] | {"channels": list(self.channels)}
        config = with_value(config, "data.module.source", source)
        config = with_value(config, "data.manifest", material.data["manifest"])
        return config | {"accept_leaks": list(material.accepted)}


def _fold(config: Mapping[str, Any], manifest: Manifest, split: Split, place: Path) -> pd.DataFrame:
    """Recording table of validation and test by the checkpoint that validation chose."""
    own = hashlib.sha256(canonical_json(asdict(split)).encode()).hexdigest()
    if finished(place, config, manifest) and read_manifest_json(place).get("split_digest") == own:
        _log.info("%s: finished earlier under the same config, data and split, not trained again", place)
        return _read(place)
    with RunManifest(folder=place, config=config) as record:
        record.record(data_digest=manifest.digest(), split_digest=own, splits=[split.name])
        fitted = fit_split(config, manifest, split, folder=place)
        predict = Predictor.of(load_checkpoint(fitted.best), config)
        predicted = predicted_recordings(predict, manifest, split, config=config)
        table = pd.concat(predicted.recordings.values(), ignore_index=True)
        write_predictions(place / _PREDICTIONS, table)
        record.record(objective=fitted.objective, epochs=fitted.epochs, **fitted.facts)
    return _read(place)


def _read(place: Path) -> pd.DataFrame:
    return read_predictions(place / _PREDICTIONS).drop(columns=_PRIMARY)
