import copy
import logging
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from sklearn.metrics import roc_auc_score

from evaluation.metrics import definitions as metrics
from evaluation.metrics.streaming import RecordingMetrics
from evaluation.tables.predictions import PredictionError

ROOT = Path(__file__).parents[3]


def clips(n=20, k=3, seed=0):
    """Every clip of n recordings, in random order, one row a clip."""
    rng = torch.Generator().manual_seed(seed)
    row = torch.arange(n).repeat_interleave(k)
    score = torch.linspace(0, 40, n).repeat_interleave(k)
    order = torch.randperm(n * k, generator=rng)
    predicted = score * 0.6 + 8 + torch.randn(n * k, generator=rng) * 6
    batch = {
        "row": row,
        "clip": torch.arange(k).repeat(n),
        "score": score,
        "binary": (score >= 14).float(),
        "predicted": predicted,
        "probability": torch.sigmoid((predicted - 16) / 5),
        "known": row != 4,
    }
    return {name: value[order] for name, value in batch.items()}


def feed(metric, batch, index):
    b = {name: value[index] for name, value in batch.items()}
    metric.update(
        row=b["row"],
        clip=b["clip"],
        predictions={"score": b["predicted"], "binary": b["probability"]},
        targets={"score": b["score"], "binary": b["binary"]},
        target_mask={"score": b["known"], "binary": b["known"]},
    )
    return metric


def test_value_is_that_of_recordings_not_of_clips():
    batch = clips()
    out = feed(RecordingMetrics(), batch, slice(None)).compute()
    keep = [i for i in range(20) if i != 4]
    mean = {
        name: torch.stack([batch[name][batch["row"] == i].mean() for i in keep]).numpy()
        for name in ("score", "binary", "predicted", "probability")
    }
    assert out["auc"].item() == pytest.approx(roc_auc_score(mean["binary"], mean["probability"]))
    assert out["mae"].item() == pytest.approx(metrics.mae(mean["score"], mean["predicted"]).value, rel=1e-5)
    assert out["ccc"].item() == pytest.approx(metrics.ccc(mean["score"], mean["predicted"]).value, rel=1e-5)
    assert out["brier"].item() == pytest.approx(
        metrics.brier(mean["binary"], mean["probability"]).value, rel=1e-5
    )
    per_clip = (batch["score"] - batch["predicted"]).abs()[batch["known"]].mean().item()
    assert abs(out["mae"].item() - per_clip) > 0.1


@pytest.mark.parametrize("size", [1, 7, 60])
@pytest.mark.parametrize("seed", [1, 2])
def test_partition_order_and_duplicates_change_nothing(size, seed):
    batch = clips()
    expected = feed(RecordingMetrics(), batch, slice(None)).compute()
    order = torch.randperm(60, generator=torch.Generator().manual_seed(seed))
    order = torch.cat([order, order[:11], order[:3]])  # as a sampler pads its last batches
    metric = RecordingMetrics()
    for part in order.split(size):
        feed(metric, batch, part)
    out = metric.compute()
    assert out.keys() == expected.keys()
    for name, value in expected.items():
        assert out[name].item() == value.item(), name


def test_median_over_clips():
    metric = RecordingMetrics(aggregate="median")
    metric.update(
        torch.zeros(3).long(),
        torch.arange(3),
        {"score": torch.tensor([1.0, 2.0, 90.0])},
        {"score": torch.full((3,), 2.0)},
        {"score": torch.ones(3).bool()},
    )
    assert metric.compute()["mae"] == 0


def test_a_metric_that_was_not_reset_is_an_error():
    batch = clips()
    metric = feed(RecordingMetrics(), batch, slice(None))
    feed(metric, {**batch, "predicted": batch["predicted"] + 1}, slice(None))
    with pytest.raises(PredictionError, match="reset after each epoch"):
        metric.compute()
    metric.reset()
    feed(metric, batch, slice(None)).compute()


def test_undefined_is_loud_and_keeps_its_key(caplog):
    batch = clips()
    metric = feed(RecordingMetrics(), {**batch, "binary": torch.ones(60)}, slice(None))
    with caplog.at_level(logging.WARNING):
        out = metric.compute()
    assert torch.isnan(out["auc"])
    assert "one class" in metric.undefined["auc"]
    assert "auc is undefined" in caplog.text


def test_diverged_predictions_are_an_error():
    batch = clips()
    batch["predicted"][5] = torch.nan
    with pytest.raises(PredictionError, match="score predictions are not finite"):
        feed(RecordingMetrics(), batch, slice(None)).compute()


def test_score_alone_still_ranks():
    batch = clips()
    metric = RecordingMetrics()
    known = torch.ones(60).bool()
    targets = {"score": batch["score"], "binary": batch["binary"]}
    metric.update(
        batch["row"], batch["clip"], {"score": batch["predicted"]}, targets, {"score": known, "binary": known}
    )
    out = metric.compute()
    assert {"mae", "auc"} <= set(out)
    assert "brier" not in out


def test_clips_that_are_not_scored_count_nowhere():
    batch = clips()
    scored = torch.arange(60) % 3 > 0
    chosen, marked = RecordingMetrics(), RecordingMetrics()
    feed(chosen, batch, scored)
    known = {"score": batch["known"]}
    marked.update(
        batch["row"], batch["clip"], {"score": batch["predicted"]}, {"score": batch["score"]}, known, scored
    )
    assert marked.compute()["mae"] == chosen.compute()["mae"]


def test_wrong_use_is_named():
    one = torch.zeros(1).long()
    with pytest.raises(ValueError, match=r"heads \['age'\]"):
        RecordingMetrics().update(one, one, {"age": torch.zeros(1)}, {}, {})
    metric = RecordingMetrics()
    metric.update(one + 2**25, one, {"score": torch.zeros(1)}, {}, {})
    with pytest.raises(ValueError, match="above: split"):
        metric.compute()
    with pytest.raises(ValueError, match="loader was empty"), pytest.warns(UserWarning, match="before"):
        RecordingMetrics().compute()
    with pytest.raises(ValueError, match="aggregate='max'"):
        RecordingMetrics(aggregate="max")


def test_clones_and_pickles():
    metric = feed(RecordingMetrics(), clips(), slice(None))
    expected = metric.compute()["mae"].item()
    assert copy.deepcopy(metric).compute()["mae"].item() == expected
    assert pickle.loads(pickle.dumps(metric)).compute()["mae"].item() == expected


@pytest.mark.slow
def test_two_processes_merge_to_the_value_of_one(tmp_path):
    """One rank sees every clip twice over, the other sees few; a second metric is fed on rank 0 only."""
    program = textwrap.dedent(
        """
        import sys, torch
        import torch.distributed as dist
        from evaluation.metrics.streaming import RecordingMetrics

        rank, folder = int(sys.argv[1]), sys.argv[2]
        dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
        batch = torch.load(f"{folder}/batch.pt")

        def feed(metric, index):
            b = {name: value[index] for name, value in batch.items()}
            known = {"score": b["known"], "binary": b["known"]}
            metric.update(
                b["row"], b["clip"], {"score": b["predicted"], "binary": b["probability"]},
                {"score": b["score"], "binary": b["binary"]}, known,
            )

        shared, lonely = RecordingMetrics(), RecordingMetrics()
        feed(shared, torch.arange(0, 45) if rank == 0 else torch.arange(40, 60))
        if rank == 0:
            feed(lonely, torch.arange(60))
        torch.save([shared.compute(), lonely.compute()], f"{folder}/out{rank}.pt")
        dist.destroy_process_group()
        """
    )
    batch = clips()
    torch.save(batch, tmp_path / "batch.pt")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(rank), str(tmp_path)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for rank in ranks:
        _, errors = rank.communicate(timeout=120)
        assert rank.returncode == 0, errors
    expected = feed(RecordingMetrics(), batch, slice(None)).compute()
    for rank in range(2):
        for merged in torch.load(tmp_path / f"out{rank}.pt"):
            assert {k: v.item() for k, v in merged.items()} == {k: v.item() for k, v in expected.items()}


def _answered(rows, seed=0):
    """Two clips of each recording: predictions, answers and what is known of them."""
    rng = torch.Generator().manual_seed(seed)
    row = torch.arange(rows).repeat_interleave(2)
    answers = torch.randint(0, 4, (rows, 2), generator=rng).repeat_interleave(2, 0)
    known = (torch.rand(rows, 2, generator=rng) < 0.8).repeat_interleave(2, 0)
    expected = (answers + torch.randn(2 * rows, 2, generator=rng)).clamp(0, 3)
    return {
        "row": row,
        "clip": torch.arange(2).repeat(rows),
        "predictions": {"item_b": expected[:, 0], "item_a": expected[:, 1], "PHQ-2_total": expected.sum(1)},
        "targets": {"items": answers},
        "target_mask": {"items": known},
    }


def test_answers_are_judged_by_recording_whatever_the_batches():
    batch = _answered(30)
    whole, parts = RecordingMetrics(), RecordingMetrics()
    whole.update(**batch)
    for rows in torch.randperm(60).split(7):
        parts.update(
            **{name: batch[name][rows] for name in ("row", "clip")},
            **{
                name: {key: value[rows] for key, value in batch[name].items()}
                for name in ("predictions", "targets", "target_mask")
            },
        )
    (name,) = whole.compute()
    assert name == "item_kappa"
    assert whole.compute() == parts.compute()
    expected = torch.stack([batch["predictions"][item] for item in ("item_b", "item_a")], 1)
    means = expected.reshape(30, 2, 2).mean(1)
    answers = batch["targets"]["items"].float().where(batch["target_mask"]["items"], torch.nan)[::2]
    assert whole.compute()[name].item() == pytest.approx(metrics.item_kappa(answers, means).value, abs=1e-6)
    assert whole.names(["score", "binary", "item_b"]) == [
        *RecordingMetrics().names(["score", "binary"]),
        name,
    ]


def test_answers_of_another_number_of_items_are_refused():
    batch = _answered(3)
    batch["targets"] = {"items": torch.zeros(6, 3, dtype=torch.int64)}
    with pytest.raises(ValueError, match="predictions of 2 items"):
        RecordingMetrics().update(**batch)
