from dataclasses import replace

import pytest

from datamodules.feature_leakage.channels import LeakageError
from engine.checkpoints.checkpoint import load_checkpoint
from engine.config.build import build
from engine.inspection.fitted import check_fitted


def test_statistics_of_the_training_people_pass_and_those_of_everybody_are_caught(series_run):
    checkpoint = load_checkpoint(series_run.best)
    manifest = build(checkpoint.config["data"]["manifest"], key="data.manifest")
    check_fitted(checkpoint, manifest)
    source = build(checkpoint.config["data"]["module"]["source"], key="source")
    rows = [row for recording in manifest.recordings() for row in source.series(recording).values]
    mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]  # validation and test people, too
    leaky = replace(checkpoint, statistics=checkpoint.statistics | {"series_mean": mean})
    with pytest.raises(LeakageError, match="series_mean: stored"):
        check_fitted(leaky, manifest)
