"""Folders, counts and pages of a cross-validation whose folds are trained by nobody."""

import json

from datamodules.splits.cross_validation import RepeatedKFold
from engine.runs.provenance import RunManifest, read_manifest_json, write_json
from engine.training import crossval
from evaluation.tables.predictions import write_predictions
from tests.engine.training.test_cross_val_results import made, predicted


def test_repeats_lie_in_folders_of_their_own(compose_run, tmp_path, monkeypatch):
    manifest = made(tmp_path)
    splits = RepeatedKFold(folds=2, repeats=2, val=0.3).splits(manifest)
    config, folder = compose_run("evaluation.n_boot=1000", "protocol=repeated"), tmp_path / "run"
    trained = []

    def fold(config, manifest, split, place, *, whole, watching):
        assert whole == folder
        trained.append((place.relative_to(folder).as_posix(), split.name))
        assert config["paths"]["output"] == str(place)
        write_predictions(place / "predictions.csv", predicted(manifest, split, len(trained)))
        write_json(place / "manifest.json", {"status": "finished"})
        return 0.5 + len(trained) / 10

    monkeypatch.setattr(crossval, "_fold", fold)
    with RunManifest(folder=folder, config=config) as record:
        config["paths"]["output"] = str(folder)
        objective = crossval.cross_validate(config, manifest, splits, folder=folder, record=record)
    assert objective == 0.75
    names = [f"repeat_{repeat}/fold_{fold}" for repeat in range(2) for fold in range(2)]
    assert trained == [(name, name.replace("/", "-").replace("_", "")) for name in names]
    content = read_manifest_json(folder)
    assert content["folds"] == names
    assert content["test_looks"] == 1
    metrics = json.loads((folder / "metrics.json").read_text())
    assert len(metrics["repeats"]["mae"]["values"]) == 2
    assert "each of 2 repeats" in (folder / "report.html").read_text()
