"""A checkpoint as a module: it predicts what its run did, and says what a batch lacks."""

import numpy as np
import pandas as pd
import pytest
import torch

from engine.checkpoints.checkpoint import load_checkpoint
from engine.config.build import build
from engine.inference.clip_predictions import part_of
from engine.inference.trained_network import load_network
from engine.training.prepare import material
from models.task import Task


def _predicts_as_its_run(run):
    manifest, split = material(run.config)
    node = run.config["data"]["module"]
    loader = build(node, key="data.module", manifest=manifest, split=part_of(split, "test"))
    network, tables = load_network(run.best), []
    names = ["score", "binary", "context_available"]
    with torch.inference_mode():
        for batch in loader.predict_dataloader():
            found = network(batch)
            table = pd.DataFrame({key: found[key].double() for key in names}, index=batch["recording_id"])
            tables.append(table[batch["scored"].numpy()])
    mean = pd.concat(tables).groupby(level=0).mean()
    expected = pd.read_csv(run.folder / "predictions.csv", index_col="recording_id").query("split == 'test'")
    assert list(mean.index) == sorted(expected.index) != []
    for key in ("score", "binary"):
        wanted = expected[f"{key}_prediction"].loc[mean.index]
        np.testing.assert_allclose(mean[key], wanted, rtol=1e-4, atol=1e-5)
    assert mean["context_available"].eq(1).all()


def test_batches_of_the_loader_give_the_predictions_of_a_run_on_series(series_run):
    _predicts_as_its_run(series_run)


def test_batches_of_the_loader_give_the_predictions_of_a_run_on_videos(pixel_run):
    _predicts_as_its_run(pixel_run)


def test_content_and_mask_are_enough_and_ids_add_the_context(series_run):
    network = load_network(series_run.best)
    assert not network.training
    assert network.reads == "series"
    assert network.shape == (8, 17)
    channels = load_checkpoint(series_run.best).config["data"]["module"]["source"]["channels"]
    assert network.channels == tuple(channels)
    batch = {"series": torch.randn(2, *network.shape), "mask": torch.ones(2, 8, dtype=torch.bool)}
    with torch.inference_mode():
        alone = network(batch)
        single = network({key: value[:1] for key, value in batch.items()})
        visits = network(batch | {"subject": torch.tensor([7, 7]), "row": torch.tensor([0, 1])})
        strangers = network(batch | {"subject": torch.tensor([-1, -1]), "row": torch.tensor([0, 1])})
    assert set(alone) == {"score", "binary", "context_available", "embedding", "attention"}
    assert alone["context_available"].tolist() == [False, False]
    assert visits["context_available"].tolist() == [True, True]
    torch.testing.assert_close(alone["binary"][:1], single["binary"])  # the other clip is nobody's visit
    torch.testing.assert_close(alone["binary"], strangers["binary"])
    assert not torch.allclose(alone["binary"], visits["binary"])


GOOD = {"series": torch.zeros(2, 8, 17), "mask": torch.ones(2, 8, dtype=torch.bool)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"series": None}, r"lacks 'series', it holds \['mask'\].*17\) float32, the channels \w+, "),
        ({"mask": None}, "lacks 'mask', it holds"),
        ({"series": torch.zeros(2, 8, 5)}, r"'series' is \(2, 8, 5\).*17\)"),
        ({"mask": torch.ones(2, 8)}, r"'mask' \(2, 8\) torch.float32.*bool"),
        ({"mask": torch.ones(2, 7, dtype=torch.bool)}, r"'mask' \(2, 7\)"),
        ({"subject": torch.zeros(2)}, "other visits reads 'row', but the batch holds .*models.types.Batch"),
        ({"row": torch.zeros(2)}, "other visits reads 'subject'"),
        ({"series": [[0.0]]}, "'series' is a list, .*give tensors"),
        ({"series": torch.zeros(2, 8, 17, dtype=torch.float64)}, r"torch\.float64.*float32"),
        ({"mask": torch.zeros(2, 8, dtype=torch.bool)}, "a clip has no real step"),
        ({"subject": torch.zeros(3), "row": torch.zeros(3)}, "'subject' must be a tensor of 2 numbers"),
    ],
)
def test_what_a_batch_lacks_is_named(change, message, series_run):
    batch = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        load_network(series_run.best)(batch)


def test_a_bare_tensor_is_no_batch(series_run):
    with pytest.raises(ValueError, match=r"a batch is a dict, this is Tensor.*'series'.*'mask'"):
        load_network(series_run.best)(GOOD["series"])


def test_frames_are_bytes(pixel_run):
    network = load_network(pixel_run.best)
    assert network.shape == (8, 3, 32, 32)
    mask = torch.ones(2, 8, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"'frames' is .* torch.float32.*uint8, RGB of 0 to 255"):
        network({"frames": torch.zeros(2, *network.shape), "mask": mask})


def test_lightnings_own_loading_names_the_right_call(series_run):
    with pytest.raises(TypeError, match=r"engine\.inference\.trained_network\.load_network\(path\)"):
        Task.load_from_checkpoint(series_run.best)
