"""Entries of the comparison of networks, and its sizes: all in this file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Input = Literal["series", "pixels"]
Kind = Literal["lines", "fit", "trials", "training"]
KINDS: tuple[Kind, ...] = ("lines", "fit", "trials", "training")  # one after another
LINES = "lines"  # a unit of work as well: simple readers of the same recordings

_TRUNK = "model.network.depression.trunk"
RATES = (1e-4, 4e-4, 1.6e-3)  # the trials of each entry; at the first seed validation chooses for all seeds
SEEDS = 3  # of weights, order and clips; the cohort and its split are the same for all
BASE = {
    "series": (
        "experiment=mpdrm_series",
        "data.cohort.n_subjects=160",
        "data.cohort.movement=0.9",
        "trainer.max_epochs=24",
    ),
    "pixels": (
        "experiment=mpdrm",
        "data.cohort.n_subjects=40",
        "+data.cohort.landmarks=false",
        "data.module.source.video.keep=2000",
        "data.module.eval_clips.clips=4",
        "trainer.max_epochs=8",
    ),
}
COMMON = (
    "data.cohort.n_visits=4",
    "data.cohort.seed=700",  # met nowhere else
    "data.cohort.workers=1",
    "data.module.visits=4",
    "data.module.num_workers=0",
    # few train, as in a clinic, and many test, so that differences can be told
    "protocol.val=0.15",
    "protocol.test=0.45",
    "evaluation.filmstrips=0",
    "callbacks.last=null",
    "logger=none",
    "+trainer.enable_progress_bar=false",
)


@dataclass(frozen=True)
class Entry:
    """A network: its name, what makes it of the experiment of its input, and its source.

    Attributes:
        name: In tables.
        overrides: Of conf/train.yaml.
        source: Where it is published; empty for what is ours.
    """

    name: str
    overrides: tuple[str, ...] = ()
    source: str = ""


def _baseline(trunk: str, *further: str) -> tuple[str, ...]:
    return ("model=baseline", f"model/trunk={trunk}", *(f"{_TRUNK}.{text}" for text in further))


_ALONE = ("model/personality=none", "model/context=none", "model/rarm=none")
ENTRIES: dict[Input, tuple[Entry, ...]] = {
    "pixels": (
        Entry("mpdrm"),
        Entry("depression_branch", _ALONE),
        Entry("mpdrm_abstract", ("experiment=mpdrm_abstract",), "Neurocomputing 632 (2025), its abstract"),
        Entry("mpdrm_timm", ("model=mpdrm_timm",), "MPDRM on a ResNet-18 (He et al. 2016)"),
        Entry("mdn_50", _baseline("mdn", "cells=[3,6,12,3]"), "Melo et al. 2021, fewer cells"),
        Entry("msn", _baseline("msn"), "Melo et al. 2020"),
        Entry("li_fpn", _baseline("li_fpn"), "Xu et al. 2024"),
        Entry("sta_drn", _baseline("sta_drn"), "Pan et al. 2024"),
        Entry("lmtformer", _baseline("lmtformer"), "He et al. 2024"),
        Entry("pra_net", _baseline("pra_net"), "Liu et al. 2023, its abstract"),
        Entry(
            "dep_mgnn",
            _baseline("dep_mgnn", "backbone=resnet18", "width=64"),
            "Wu et al. 2025, on ResNet-18, a quarter as wide",
        ),
        Entry("r3d_18", _baseline("video", "backbone=r3d_18"), "Tran et al. 2018"),
        Entry("r2plus1d_18", _baseline("video", "backbone=r2plus1d_18"), "Tran et al. 2018"),
        Entry("s3d", _baseline("video", "backbone=s3d"), "Xie et al. 2018"),
        Entry("mvit_v2_s", _baseline("video", "backbone=mvit_v2_s"), "Li et al. 2022"),
        Entry("swin3d_t", _baseline("video", "backbone=swin3d_t"), "Liu et al. 2022"),
        Entry("resnet18_frames", _baseline("timm"), "He et al. 2016, a mean over frames"),
        Entry("vit_video", _baseline("vit_video", "preset=small"), "Tong et al. 2022"),
    ),
    "series": (
        Entry("mpdrm_series"),
        Entry("depression_branch", _ALONE),
        Entry(
            "mpdrm_abstract_series",
            ("experiment=mpdrm_abstract_series",),
            "Neurocomputing 632 (2025), its abstract",
        ),
        Entry("lstm", _baseline("lstm"), "Parikh et al. 2024"),
        Entry("inception_time", _baseline("inception_time"), "Ismail Fawaz et al. 2020"),
        Entry("tcn", _baseline("tcn"), "He et al. 2024"),
        Entry("state_space", _baseline("state_space", "expand=1", "state=8"), "Ye et al. 2025, fewer states"),
        Entry(
            "facial_pulse",
            ("data=synthetic_landmarks", *_baseline("facial_pulse")),
            "Wang et al. 2024, on landmarks",
        ),
    ),
}
OURS: dict[Input, str] = {"pixels": "mpdrm", "series": "mpdrm_series"}


@dataclass(frozen=True)
class Unit:
    """A training of an entry; at the first seed all its trials; or its fit of 16 recordings; or the lines."""

    kind: Kind
    input: Input
    entry: Entry
    seed: int
    overrides: tuple[str, ...]
    folder: Path

    @property
    def name(self) -> str:
        """Of the unit in progress bars and messages."""
        return f"{self.entry.name}/{self.folder.name}"

    @property
    def result(self) -> Path:
        """File written last; its presence says that the unit is done."""
        return self.folder / "result.json"

    @property
    def trials(self) -> Path:
        """That of the trials of its entry, which knows the rate."""
        return self.folder.parent / "0" / self.result.name


@dataclass(frozen=True, kw_only=True)
class Zoo:
    """What is compared.

    Attributes:
        input: What the networks read.
        out: Folder of results.
        data: Where the cohort is kept.
        seeds: Trainings of each entry, by their seeds.
        entries: Names; all by default.
        further: Overrides of every training, e.g. of the recordings of a real corpus.
    """

    input: Input
    out: Path
    data: Path
    seeds: int = SEEDS
    entries: Sequence[str] = ()
    further: Sequence[str] = field(default=())

    def units(self) -> list[Unit]:
        """The lines, which make the cohort, the fit and the trials of each entry, and the further seeds.

        Raises:
            ValueError: An entry has another name.
        """
        known = {entry.name: entry for entry in ENTRIES[self.input]}
        if unknown := sorted(set(self.entries) - set(known)):
            raise ValueError(f"entries={','.join(unknown)}: choose among {', '.join(known)}")
        chosen = [known[name] for name in self.entries or known]
        return [
            self._unit("lines", Entry(LINES), 0),
            *(self._unit("fit", entry, 0) for entry in chosen),
            *(self._unit("trials", entry, 0) for entry in chosen),
            *(self._unit("training", entry, seed) for seed in range(1, self.seeds) for entry in chosen),
        ]

    def _unit(self, kind: Kind, entry: Entry, seed: int) -> Unit:
        # an experiment or data of its own stands in the place of the common one, before what is common
        own = [text for text in entry.overrides if text.startswith("experiment=")]
        base = [text for text in BASE[self.input] if not (own and text.startswith("experiment="))]
        rest = [text for text in entry.overrides if text not in own]
        overrides = (*own, *base, *rest, *COMMON, f"seed={seed}", f"paths.data={self.data}", *self.further)
        place = kind if kind in ("lines", "fit") else str(seed)
        return Unit(kind, self.input, entry, seed, overrides, self.out / self.input / entry.name / place)
