import json
from dataclasses import replace

import pytest
import torch

from datamodules.feature_leakage.channels import LeakageError
from datamodules.splits.partition import Split
from engine.checkpoints.checkpoint import CheckpointError, load_checkpoint
from engine.config.build import build
from engine.training import transfer as initial
from engine.training.transfer import start_from

TRUNK = "network.depression.trunk."


@pytest.fixture
def parts(series_run):
    """Config, manifest and a fresh task of the shared run."""
    config = load_checkpoint(series_run.best).config
    manifest = build(config["data"]["manifest"], key="data.manifest")
    return config, manifest, build(config["model"], key="model")


def own_split(run):
    parts = load_checkpoint(run.best).split
    return Split(**{name: tuple(part) if isinstance(part, list) else part for name, part in parts.items()})


def test_the_trunk_is_copied_and_nothing_else(series_run, parts):
    config, manifest, task = parts
    before = {name: value.clone() for name, value in task.state_dict().items()}
    start_from(task, series_run.best, config=config, manifest=manifest, split=own_split(series_run))
    stored = load_checkpoint(series_run.best).state_dict
    for name, value in task.state_dict().items():
        assert torch.equal(value, (stored if name.startswith(TRUNK) else before)[name]), name
    assert any(not torch.equal(before[n], stored[n]) for n in stored if n.startswith(TRUNK))
    assert any(not torch.equal(before[n], stored[n]) for n in stored if not n.startswith(TRUNK))


@pytest.mark.parametrize("place", [("train", "val"), ("train", "test"), ("val", "test")])
def test_people_it_was_trained_or_selected_on_cannot_judge_it(place, series_run, parts):
    config, manifest, task = parts
    was, now = place
    met = getattr(own_split(series_run), was)
    split = replace(Split(name="turned", train=(), val=(), test=()), **{now: met})
    subject = manifest.table.set_index("recording_id")["subject_id"][met[0]]
    with pytest.raises(LeakageError, match=subject) as caught:
        start_from(task, series_run.best, config=config, manifest=manifest, split=split)
    assert "init_from" in caught.value.__notes__[0]


def test_a_person_met_in_another_recording_counts_as_met(series_run, parts, monkeypatch):
    config, manifest, task = parts
    person = manifest.table.set_index("recording_id")["subject_id"]
    checkpoint = load_checkpoint(series_run.best)
    first = checkpoint.split["train"][0]
    other = next(r for r in person.index if person[r] == person[first] and r != first)
    short = replace(checkpoint, split=checkpoint.split | {"train": [first], "val": []})
    monkeypatch.setattr(initial, "load_checkpoint", lambda path: short)
    split = Split(name="later", train=(), val=(), test=(other,))
    with pytest.raises(LeakageError, match=person[first]):
        start_from(task, series_run.best, config=config, manifest=manifest, split=split)
    shared = replace(split, subject_disjoint=False)  # a protocol that tests other visits of the same persons
    assert start_from(task, series_run.best, config=config, manifest=manifest, split=shared)


def test_people_met_two_runs_ago_count_as_met(series_run, parts, monkeypatch):
    config, manifest, task = parts
    first = load_checkpoint(series_run.best)
    second = replace(first, data_digest="another", config=first.config | {"init_from": "first.ckpt"})
    known = {"first.ckpt": first, str(series_run.best): second}
    monkeypatch.setattr(initial, "load_checkpoint", lambda path: known[str(path)])
    met = Split(name="later", train=(), val=(), test=own_split(series_run).train)
    with pytest.raises(LeakageError, match="share files with what trained it"):
        start_from(task, series_run.best, config=config, manifest=manifest, split=met)


def test_another_trunk_is_refused_with_what_to_set(series_run, compose_run, parts, series_overrides):
    config, manifest, _ = parts
    deeper = build(
        compose_run(*series_overrides, "model.network.depression.trunk.blocks=2")["model"], key="model"
    )
    with pytest.raises(CheckpointError, match=r"trunk does not fit.*width"):
        start_from(deeper, series_run.best, config=config, manifest=manifest, split=own_split(series_run))


def _baseline(compose_run, series_overrides):
    """The trunk of the shared run with nothing of MPDRM around it."""
    model = ["model=baseline", "model/trunk=series", "model/mmp=series"]
    return build(compose_run(*series_overrides, *model)["model"], key="model")


def test_a_baseline_starts_from_mpdrm_and_mpdrm_from_a_baseline(
    series_run, compose_run, parts, series_overrides, monkeypatch
):
    config, manifest, task = parts
    given = {"config": config, "manifest": manifest, "split": own_split(series_run)}
    baseline, stored = _baseline(compose_run, series_overrides), load_checkpoint(series_run.best)
    start_from(baseline, series_run.best, **given)
    for name, value in baseline.state_dict().items():
        assert not name.startswith(TRUNK) or torch.equal(value, stored.state_dict[name])
    other = _baseline(compose_run, series_overrides).state_dict()
    monkeypatch.setattr(initial, "load_checkpoint", lambda path: replace(stored, state_dict=other))
    start_from(task, series_run.best, **given)
    copied = [name for name in other if name.startswith(TRUNK)]
    assert copied
    assert all(torch.equal(task.state_dict()[name], other[name]) for name in copied)


def test_other_channels_are_refused(series_run, parts):
    config, manifest, task = parts
    source = config["data"]["module"]["source"]
    turned = {**source, "channels": source["channels"][::-1]}
    module = config["data"]["module"] | {"source": turned}
    with pytest.raises(CheckpointError, match="channels"):
        start_from(
            task,
            series_run.best,
            config=config | {"data": config["data"] | {"module": module}},
            manifest=manifest,
            split=own_split(series_run),
        )


@pytest.mark.slow
def test_a_run_starts_there_and_its_record_says_so(series_run, small_run, tmp_path):
    """On another cohort, with a learning rate of nothing: the trunk comes out as it went in."""
    run = small_run(
        tmp_path / "run",
        f"init_from={series_run.best}",
        f"paths.data={tmp_path / 'data'}",
        "seed=5",
        "data.cohort.seed=5",
        "model.optimizer.lr=1e-30",
        "trainer.max_epochs=1",
        "callbacks/ema=none",  # an average of equal weights differs in the last digit
    )
    ours, theirs = (load_checkpoint(path).state_dict for path in (run.best, series_run.best))
    for name in ours:  # a bias of zero does move, by the learning rate
        assert not name.startswith(TRUNK) or torch.allclose(ours[name], theirs[name], rtol=0, atol=1e-20)
    record = json.loads((run.folder / "manifest.json").read_text())["init_from"]
    assert record["path"] == str(series_run.best)
    assert len(record["sha256"]) == 64
