"""The LightningDataModule: loaders and device hooks; no other file of `datamodules` imports Lightning."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from datamodules.clips.balanced import BalancedBatches
from datamodules.clips.batches import ClipBatches, SubjectBatches, SubjectVisitBatches
from datamodules.clips.dataset import ClipDataset, ClipSource, Entries
from datamodules.clips.decoding import PROBED, BatchDecoding, settled, works_ahead
from datamodules.clips.loader import Workers, clip_loader, evaluation_workers, workers_of
from datamodules.clips.plan import ClipPlan
from datamodules.clips.samplers import ClipSampler
from datamodules.clips.statistics import training_statistics
from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.item_answers import Questionnaires, item_answers, item_columns, item_statistics
from datamodules.manifests.known_visits import KnownVisits, known_visits
from datamodules.manifests.manifest import Manifest
from datamodules.processes import cores
from datamodules.readers import Prefetch
from datamodules.split_leakage.history_guard import HistoryGuard
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.partition import Split

_log = logging.getLogger(__name__)


class ClipDataModule(pl.LightningDataModule):
    """Turns a manifest and a split into batches; see `datamodules.clips.collate` for what is in one.

    Samplers deal whole batches to the ranks, so a trainer of several devices needs
    `use_distributed_sampler=False`.

    Evaluation reads whole persons. Where a person has recordings outside the part that is evaluated, these
    come along as context (`scored` False, no targets); a person-disjoint split has none.

    Args:
        manifest: The recordings.
        split: Who trains, selects and tests; None to predict every recording.
        source: Reads pixels or series.
        train_clips: Chooses training frames.
        eval_clips: Chooses evaluation frames; must not be random.
        augment: Called on the device, in training: with (frames, seed), or with (series, mask, seed, subject)
            where the source reads series; it gives back frames, or series and mask.
        normalize: Called with frames on the device, always.
        subjects: Persons in a training batch.
        visits: Visits of each.
        clips: Clips of each visit.
        balance: Column of the manifest, such as `corpus`, whose values share the persons of a training batch
            equally; None takes persons as they come.
        max_eval_clips: Clips in an evaluation batch, unless one person has more.
        num_workers: Processes that read, for each loader; `auto` is by device and cores, see `workers_of`.
        timeout: Seconds for one clip, after which a worker that hangs is ended and its recording named; None
            waits for ever. 300 is our choice.
        seed: Seed of order, clips and augmentation.
        items: Questionnaires whose answers are targets beside the others, in their order; see
            `datamodules.manifests.item_answers`. None or nothing chooses none.
        history: What later predictions may know of the first visits of persons. None takes it from the
            manifest where the split makes such visits known, which needs their scores in it.

    Raises:
        LeakageError: A history is given, and the split makes no visit known.

    Attributes:
        accept_leaks: Patterns of means of channels that may repeat an answer, e.g. `mean of au12`.
        skipped: Recordings that could not be read, or train although nothing was measured in them, and were
            left out on this rank, with the reason.
        unmeasured: Recordings to predict in which nothing was measured: they are in no batch.
    """

    def __init__(
        self,
        *,
        manifest: Manifest,
        split: Split | None,
        source: ClipSource,
        train_clips: ClipSampler,
        eval_clips: ClipSampler,
        augment: nn.Module | None = None,
        normalize: nn.Module | None = None,
        subjects: int = 8,
        visits: int = 2,
        clips: int = 1,
        balance: str | None = None,
        max_eval_clips: int = 64,
        num_workers: Workers = 1,
        timeout: float | None = 300.0,
        seed: int = 0,
        items: Questionnaires | None = None,
        history: KnownVisits | None = None,
    ) -> None:
        super().__init__()
        self.manifest, self.split = manifest, split
        self._items = item_columns(items)
        history = _history(manifest, split, history)
        known = None if split is None else split.known
        self._guard = HistoryGuard(manifest, known=known, history=history)
        self._plan = ClipPlan(manifest, history)
        self.skipped, self.unmeasured = self._plan.skipped, self._plan.unmeasured
        self.accept_leaks: tuple[str, ...] = ()
        self._source, self._prepared = source, False
        _check_augment(augment, source)
        self._train_clips, self._eval_clips = train_clips, eval_clips
        self._augment, self._normalize = augment, normalize
        self._sizes = {"subjects": subjects, "visits": visits, "clips": clips}
        self._balance = balance
        self._max_eval_clips, self._num_workers, self._seed = max_eval_clips, num_workers, seed
        self._timeout = timeout
        self._decoding = BatchDecoding(source=source, skip=self._plan.skip)
        self._statistics: dict[str, Tensor | float] | None = None

    def setup(self, stage: str | None = None) -> None:
        """Run the leakage guard and settle the channels; safe to call more than once.

        Raises:
            LeakageError: The split or the channels leak.
        """
        if self._prepared:
            return
        if self.split is not None:
            check_split(self.manifest, self.split, subject_disjoint=self.split.subject_disjoint)
        # of all recordings, not of a part: folds and a later test must agree on the channels and their order
        self._source = self._source.prepared(self.manifest.recordings())
        self._prepared = True

    @property
    def channels(self) -> tuple[str, ...] | None:
        """Names of the channels in the order the network sees them; None for pixels."""
        self.setup()
        channels: tuple[str, ...] | None = getattr(self._source, "channels", None)
        return channels

    def train_statistics(self) -> dict[str, Tensor | float]:
        """Means, spreads and prevalence of the training recordings; see `training_statistics`.

        Raises:
            LeakageError: A channel repeats an answer to the questionnaire.
        """
        self.setup()
        if self._statistics is None:
            ids = self._part("train")
            recordings, answers = (
                self.manifest.recordings(ids),
                self.manifest.table.iloc[self.manifest.rows(ids)],
            )
            given: Any = {"answers": answers, "allowed": self.accept_leaks}
            self._statistics = training_statistics(recordings, self._source, **given)
            self._statistics |= item_statistics(item_answers(answers, self._items))
        return dict(self._statistics)

    def train_dataloader(self) -> Iterable[dict[str, Any]]:
        """Batches of persons by visits by clips, in another order each epoch.

        Raises:
            NothingMeasured: No training recording holds a measurement.
        """
        self.setup()
        entries = self._plan.trained(self._part("train"), self._source)
        if (learn := getattr(self._augment, "set_statistics", None)) is not None:
            learn(self.train_statistics())
        return self._loader(entries, self._train_clips, self._train_batches(entries), training=True)

    def val_dataloader(self) -> Iterable[dict[str, Any]]:
        """Batches of whole persons of the validation part."""
        return self._evaluation(self._part("val"))

    def test_dataloader(self) -> Iterable[dict[str, Any]]:
        """Batches of whole persons of the test part."""
        return self._evaluation(self._part("test"))

    def predict_dataloader(self) -> Iterable[dict[str, Any]]:
        """Batches of whole persons of the test part, or of the whole manifest where there is no split."""
        return self._evaluation(None if self.split is None else self._part("test"))

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run must know: the recordings that were left out before."""
        return {"skipped": dict(self.skipped)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore the recordings that were left out before, without logging them again."""
        self.skipped |= state_dict["skipped"]

    def on_before_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> dict[str, Any]:
        """Record the recordings that could not be read, and check what is told of scores.

        Raises:
            LeakageError: A row is told a score that it must not know.
        """
        self._guard(batch)
        batch = dict(batch)
        for recording, fault in batch.pop("errors", []):
            self._plan.skip(recording, fault)
        return batch

    def transfer_batch_to_device(
        self, batch: dict[str, Any], device: torch.device, dataloader_idx: int
    ) -> dict[str, Any]:
        """Decode what the workers left coded, and move the tensors."""
        training = self.trainer is not None and self.trainer.training
        batch = self._decoding(batch, device=device, training=training)
        moved: dict[str, Any] = super().transfer_batch_to_device(batch, device, dataloader_idx)
        return moved

    def on_after_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> dict[str, Any]:
        """Augment in training, normalize frames always; padded frames become 0, the mean color."""
        training = self.trainer is not None and self.trainer.training
        augment = self._augment.to(batch["seed"].device) if self._augment is not None and training else None
        if "frames" not in batch:
            if augment is None:
                return batch
            series, mask = augment(batch["series"], batch["mask"], batch["seed"], batch["subject"])
            if "set_mask" in batch:  # rows that were lost are lost of all sets
                batch = batch | {"set_mask": batch["set_mask"] & mask[:, :, None]}
            return batch | {"series": series, "mask": mask}
        frames = batch["frames"]
        if augment is not None:
            frames = augment(frames, batch["seed"])
        if self._normalize is not None:
            frames = self._normalize.to(frames.device)(frames)
        mask = batch["mask"][:, :, None, None, None]
        return batch | {"frames": frames * mask if frames is batch["frames"] else frames.mul_(mask)}

    def compile(self) -> None:
        """Compile what is done to clips on the device: ten passes over the frames become two or three."""
        for transform in (self._augment, self._normalize):
            if transform is not None:
                transform.compile()

    def _part(self, name: str) -> tuple[str, ...]:
        if self.split is None:
            raise ValueError(
                f"there is no split, hence no {name} part; only predict_dataloader works without one"
            )
        ids: tuple[str, ...] = getattr(self.split, name)
        return ids

    def _train_batches(self, entries: Entries) -> BalancedBatches:
        """Batches that the corpora of `balance` share equally; without it all recordings are one corpus."""
        table, members = self.manifest.table, entries.members()
        corpora = np.zeros(len(members), dtype=np.int64)
        if self._balance is not None:
            if self._balance not in table:
                raise ValueError(f"balance={self._balance!r}: {self.manifest.name} has no such column")
            corpora = pd.factorize(table[self._balance].astype(str).to_numpy()[members[:, 0]])[0]
        self._report_crowded(members)
        parts = [members[corpora == corpus] for corpus in range(int(corpora.max(initial=0)) + 1)]
        sizes = self._sizes | {"subjects": max(1, self._sizes["subjects"] // len(parts))}
        return BalancedBatches(
            parts=[
                SubjectVisitBatches(
                    members=part,
                    **sizes,
                    seed=self._seed,
                    **self._ranks(),
                    frozen=bool(getattr(self.trainer, "overfit_batches", 0)),
                )
                for part in parts  # an empty one says that there is nobody
            ]
        )

    def _report_crowded(self, members: NDArray[np.int64]) -> None:
        """Say where a training batch cannot hold all earlier visits that a later one may know."""
        if not members[:, 3].any():
            return
        visits = np.unique(np.unique(members[:, 1:3], axis=0)[:, 0], return_counts=True)[1]
        size, most = self._sizes["visits"], int(visits.max())
        if crowded := int((visits > size).sum()):
            _log.warning(
                "%d of %d persons have more visits than data.module.visits=%d, the most of a person in a "
                "training batch: there a visit meets those of its earlier visits only that are in the batch "
                "(the first ones always, where protocol.known is a number); up to %d would be met with "
                "data.module.visits=%d",
                crowded,
                len(visits),
                size,
                most - 1,
                most,
            )

    def _evaluation(self, ids: Sequence[str] | None) -> Iterable[dict[str, Any]]:
        self.setup()
        entries, counts = self._plan.evaluated(ids, self._source, self._eval_clips)
        batches = SubjectBatches(
            members=entries.members(),
            counts=counts,
            max_clips=self._max_eval_clips,
            **self._ranks(),
        )
        return self._loader(entries, self._eval_clips, batches, training=False)

    def _loader(
        self,
        entries: Entries,
        sampler: ClipSampler,
        batches: ClipBatches,
        *,
        training: bool,
    ) -> Iterable[dict[str, Any]]:
        device = None if self.trainer is None else self.trainer.strategy.root_device
        workers = self._workers(device, training=training)
        if device is not None:
            given: Any = {"device": device, "workers": workers}
            recordings = [entry.recording for entry in entries[:PROBED]]
            self._source = settled(self._source, recordings, sampler, **given)
        dataset = ClipDataset(
            entries=entries,
            source=self._source,
            sampler=sampler,
            seed=self._seed,
            training=training,
            answers=item_answers(self.manifest.table, self._items) if self._items else None,
        )
        loader = clip_loader(dataset, batches, num_workers=workers, timeout=self._timeout)
        if device is None or not works_ahead(self._source, device):
            return loader
        # The transfer hooks run between two steps; a side thread decodes and copies during one.
        return Prefetch(loader, partial(self._decoding, device=device, training=training))

    def _workers(self, device: torch.device | None, *, training: bool) -> int:
        """Processes that read for a loader; of `auto` it is said how many there are."""
        ranks = 1 if self.trainer is None else self.trainer.num_devices
        workers = workers_of(self._num_workers, device, ranks=ranks)
        if not training:
            return evaluation_workers(self._num_workers, workers)
        if self._num_workers == "auto" and device is not None and device.type != "cpu":
            _log.info("workers=auto: %d process(es) read, as this machine has %d core(s)", workers, cores())
        return workers

    def _ranks(self) -> dict[str, int]:
        if self.trainer is None:
            return {}
        return {"rank": self.trainer.global_rank, "world_size": self.trainer.world_size}


def _check_augment(augment: nn.Module | None, source: ClipSource) -> None:
    """Refuse an augmentation of another kind of content than the source reads."""
    kind = "series" if hasattr(source, "series") else "frames"
    wanted = getattr(augment, "reads", kind)
    if wanted != kind:
        raise ValueError(
            f"data.module.augment={type(augment).__name__} changes {wanted}, {type(source).__name__} reads "
            f"{kind}: use SeriesAugment for series, ClipAugment for frames, or null for none"
        )
    amounts = {name: getattr(augment, name, 0.0) for name in ("shift", "person_level", "person_gain")}
    if hasattr(source, "parts") and any(amounts.values()):
        raise ValueError(
            f"data.module.augment with {amounts}: these move rows, or read means of all rows, and a feature "
            "set is not real in all of them; leave them at 0"
        )


def _history(manifest: Manifest, split: Split | None, given: KnownVisits | None) -> KnownVisits | None:
    """The history that was given, or that of the manifest where the split makes visits known."""
    if split is None:
        return given
    if split.known is None:
        if given is not None:
            raise LeakageError(
                f"split '{split.name}' makes no earlier visit known, and a history of scores was given: "
                "leave it out, or use protocol=longitudinal protocol.known=<k or all>"
            )
        return None
    if given is not None:
        return given
    return known_visits(manifest.table, split.known, of=(*split.train, *split.val, *split.test))
