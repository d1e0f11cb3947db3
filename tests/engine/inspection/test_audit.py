from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.questionnaires import subscale
from engine.checkpoints.checkpoint import load_checkpoint
from engine.config.build import build
from engine.inference.clip_predictions import ClipPredictions
from engine.inference.recordings import recording_features
from engine.inspection.audit import check_fitted, predicted_apart


def test_a_half_is_predicted_without_the_other(tmp_path):
    ids = pd.DataFrame({"recording_id": list("abcdef"), "subject_id": list("112233"), "session_id": "v"})
    manifest = Manifest(table=ids.iloc[::-1].reset_index(drop=True), root=tmp_path, name="x", truth=None)
    asked = []

    def predict(half, split):
        asked.append((sorted(half.table["recording_id"]), sorted(split.test)))
        table = half.table.assign(clip=0)
        seen = np.full((len(table), 1), len(table), dtype=np.float32)
        return ClipPredictions(table=table, attention=(), features={"plain": seen})

    found = predicted_apart(ids, np.array([0, 1, 0, 1, -1, 1]), manifest, predict)
    assert asked == [(["e"], ["e"]), (["a", "c"], ["a", "c"]), (["b", "d", "f"], ["b", "d", "f"])]
    names, features = recording_features(found)
    assert names["recording_id"].tolist() == list("abcdef")
    assert features["plain"][:, 0].tolist() == [2, 3, 2, 3, 1, 3]


def test_statistics_of_the_training_people_pass_and_those_of_everybody_are_caught(series_run):
    checkpoint = load_checkpoint(series_run.best)
    manifest = build(checkpoint.config["data"]["manifest"], key="data.manifest")
    check_fitted(checkpoint, manifest)
    source = build(checkpoint.config["data"]["module"]["source"], key="source")
    rows = [row for recording in manifest.recordings() for row in source.series(recording).values]
    mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]  # validation and test persons, too
    leaky = replace(checkpoint, statistics=checkpoint.statistics | {"series_mean": mean})
    with pytest.raises(LeakageError, match="series_mean: stored"):
        check_fitted(leaky, manifest)


def test_statistics_of_answers_are_fitted_again_as_well(series_run):
    checkpoint = load_checkpoint(series_run.best)
    manifest = build(checkpoint.config["data"]["manifest"], key="data.manifest")
    columns = list(subscale("BDI-II").columns)
    items = {"BDI-II": {"columns": columns, "highest": [3] * 21, "factor": 1, "threshold": 14}}
    data = checkpoint.config["data"]
    config = {**checkpoint.config, "data": {**data, "module": {**data["module"], "items": items}}}
    trained = manifest.table.iloc[manifest.rows(checkpoint.split["train"])]
    for table, told in ((trained, None), (manifest.table, "item_shares: stored")):
        shares = [(table[name] >= step).mean() for name in columns for step in (1, 2, 3)]
        correlations = np.nan_to_num(table[columns].astype(float).corr().to_numpy()).ravel()
        found = {"item_shares": shares, "item_correlations": correlations.tolist()}
        with_items = replace(checkpoint, config=config, statistics=checkpoint.statistics | found)
        if told is None:
            check_fitted(with_items, manifest)
        else:
            with pytest.raises(LeakageError, match=told):
                check_fitted(with_items, manifest)
