"""Depression from one corpus and traits from another, in every batch of one training."""

import pandas as pd
import pytest
import torch

from datamodules.sources.trees import avec2014, first_impressions
from engine.config.build import build
from engine.training.fit import fit_split

SMALL = [
    "width=16",
    "trainer.max_epochs=1",
    "+trainer.limit_train_batches=2",
    "+trainer.enable_progress_bar=false",
    "data.module.num_workers=0",
    "data.module.subjects=4",
    "data.module.visits=2",
    "data.module.train_clips.length=8",
    "data.module.eval_clips.length=8",
    "logger=none",
]


@pytest.fixture
def pixels(compose_run, tmp_path):
    avec2014.write(tmp_path / "avec", persons=13)
    first_impressions.write(tmp_path / "traits", persons=12)
    manifests = ",".join(
        f"{{_target_:datamodules.sources.{name}.read,root:{tmp_path / folder}}}"
        for name, folder in (("avec2014", "avec"), ("first_impressions", "traits"))
    )
    return compose_run(
        "experiment=mpdrm",
        "data=joined",
        f"data.manifest.manifests=[{manifests}]",
        "model/traits=big_five",
        "protocol=holdout",
        "data.module.source.video.height=32",
        "data.module.source.video.width=32",
        "model.network.depression.trunk.widths=[8,16]",
        "model.network.depression.trunk.mmp_stages=[1]",
        *SMALL,
    )


def test_labels_of_two_corpora_train_one_network(pixels, tmp_path):
    manifest = build(pixels["data"]["manifest"], key="data.manifest")
    split = build(pixels["protocol"], key="protocol").splits(manifest)[0]
    module = build(pixels["data"]["module"], key="data.module", manifest=manifest, split=split)
    batch = next(iter(module.train_dataloader()))
    corpus = manifest.table["corpus"].to_numpy()[batch["row"].numpy()]
    assert sorted(pd.Series(corpus).groupby(corpus).size().items()) == [
        ("avec2014", 4),
        ("first_impressions", 4),
    ]
    of_traits = torch.from_numpy(corpus == "first_impressions")
    assert torch.equal(batch["traits_mask"].all(1), of_traits)
    assert torch.equal(batch["target_mask"]["score"], ~of_traits)

    fitted = fit_split(pixels, manifest, split, folder=tmp_path / "run")
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    for name in ("train/traits", "train/score", "train/contrast", "val/traits"):
        assert history[name].iloc[-1] > 0
    assert fitted.objective is not None
