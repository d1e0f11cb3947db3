"""Augmentation of series: what each amount does, what it never touches, and by what it is drawn."""

import pytest
import torch
from scipy import stats

from datamodules.clips.augmentation.series import SeriesAugment
from models.standardize import Standardize

OFF = {"noise": 0.0, "channel_mask": 0.0, "time_mask": 0.0, "shift": 0.0}
MEAN, STD = torch.tensor([1.0, -2.0, 30.0]), torch.tensor([0.5, 1.0, 4.0])


def augment(**amounts):
    built = SeriesAugment(**(OFF | amounts))
    persons = {"series_person_level": torch.ones(3), "series_person_gain": torch.ones(3)}
    built.set_statistics({"series_mean": MEAN, "series_std": STD} | persons)
    return built


def batch(clips=64, length=20, padded=4, lost=(5, 6)):
    """Rows that tell their number, each channel another thousand; lost and padded rows hold zeros."""
    rows = torch.arange(1.0, length + 1)[None, :, None] + 1000 * torch.arange(3)[None, None, :]
    mask = torch.ones(clips, length, dtype=torch.bool)
    mask[:, length - padded :] = False
    mask[:, list(lost)] = False
    series = rows.expand(clips, -1, -1) * mask[:, :, None]
    return series, mask, torch.arange(clips) * 7919 + 3


def test_every_amount_is_off_at_zero():
    series, mask, seed = batch()
    changed, kept = augment()(series, mask, seed)
    assert torch.equal(changed, series)
    assert torch.equal(kept, mask)


def test_noise_is_normal_in_units_of_the_training_spread_and_on_measured_rows_only():
    series, mask, seed = batch(clips=400)
    changed, kept = augment(noise=0.2)(series, mask, seed)
    assert torch.equal(kept, mask)
    assert torch.equal(changed[~mask], series[~mask])
    found = ((changed - series) / (0.2 * STD))[mask].numpy()
    for channel in range(3):
        assert stats.kstest(found[:, channel], "norm").pvalue > 1e-3
    assert abs(stats.pearsonr(found[:, 0], found[:, 1]).statistic) < 0.05
    assert abs(stats.pearsonr(found[:-1, 0], found[1:, 0]).statistic) < 0.05


def test_a_masked_channel_is_zero_after_standardization_in_all_of_the_clip():
    series, mask, seed = batch(clips=2000)
    changed, _ = augment(channel_mask=0.3)(series, mask, seed)
    standardize = Standardize(channels=3)
    standardize.set_statistics({"series_mean": MEAN, "series_std": STD})
    hidden = (standardize(changed, mask) == 0).all(dim=1)  # (B, F)
    assert torch.equal(changed[~mask], series[~mask])
    untouched = (changed == series).all(dim=1)
    assert torch.equal(hidden, ~untouched)
    assert not hidden.all(dim=1).any()  # one channel is left
    # all three would be hidden with 0.027, and then none is
    assert hidden.float().mean().item() == pytest.approx(0.3 - 0.3**3, abs=0.02)


def test_lost_rows_are_one_block_that_the_mask_leaves_out():
    series, mask, seed = batch(clips=500, lost=())
    changed, kept = augment(time_mask=0.5)(series, mask, seed)
    gone = mask & ~kept
    assert not (kept & ~mask).any()
    assert (changed[~kept] == 0).all()
    assert torch.equal(changed[kept], series[kept])
    sizes = gone.sum(dim=1)
    assert sizes.min() == 0
    assert sizes.max() == 8  # half of the 16 real rows
    starts = (gone[:, 1:] & ~gone[:, :-1]).sum(dim=1) + gone[:, 0]
    assert torch.equal(starts, (sizes > 0).long())


def test_a_clip_keeps_its_last_measured_row():
    series = torch.ones(300, 12, 3)
    mask = torch.zeros(300, 12, dtype=torch.bool)
    mask[:, 6] = True
    _, kept = augment(time_mask=0.9)(series, mask, torch.arange(300))
    assert torch.equal(kept, mask)


def test_a_shift_turns_a_clip_within_its_span_with_what_was_lost():
    series, mask, seed = batch()
    changed, kept = augment(shift=1.0)(series, mask, seed)
    assert torch.equal(changed[:, 16:], series[:, 16:])
    assert torch.equal(kept[:, 16:], mask[:, 16:])
    offsets = set()
    for one, own in zip(changed, kept, strict=True):
        fits = [
            by
            for by in range(16)
            if torch.equal(one[:16], series[0, :16].roll(by, dims=0))
            and torch.equal(own[:16], mask[0, :16].roll(by, dims=0))
        ]
        assert len(fits) == 1
        offsets.update(fits)
    assert len(offsets) > 10


def test_a_shift_is_drawn_with_its_probability():
    series, mask, seed = batch(clips=2000)
    changed, _ = augment(shift=0.4)(series, mask, seed)
    turned = (changed != series).flatten(1).any(dim=1).float().mean().item()
    assert turned == pytest.approx(0.4 * 15 / 16, abs=0.03)  # a turn by 0 is none


def test_draws_belong_to_the_seed_and_not_to_the_place_in_the_batch():
    series, mask, seed = batch(clips=8)
    every = augment(noise=0.1, channel_mask=0.2, time_mask=0.3, shift=0.5)
    changed, kept = every(series, mask, seed)
    torch.rand(5)  # nothing drawn elsewhere matters
    alone, own = every(series[3:4], mask[3:4], seed[3:4])
    assert torch.equal(alone[0], changed[3])
    assert torch.equal(own[0], kept[3])
    other, _ = every(series, mask, seed + 1)
    assert not torch.equal(other, changed)


def test_one_amount_does_not_move_the_draws_of_another():
    series, mask, seed = batch(clips=8)
    _, few = augment(time_mask=0.3)(series, mask, seed)
    _, all_of_them = augment(time_mask=0.3, noise=0.1, channel_mask=0.2)(series, mask, seed)
    assert torch.equal(few, all_of_them)


@pytest.mark.parametrize(
    "amounts", [{"noise": -0.1}, {"channel_mask": 1.0}, {"time_mask": -0.1}, {"shift": 1.1}]
)
def test_amounts_that_cannot_be_are_refused(amounts):
    with pytest.raises(ValueError, match=next(iter(amounts))):
        SeriesAugment(**amounts)


def test_statistics_of_other_channels_or_none_are_refused():
    series, mask, seed = batch()
    with pytest.raises(ValueError, match="statistics of 0 channels for series of 3"):
        SeriesAugment()(series, mask, seed)
    with pytest.raises(ValueError, match="no measured series"):
        SeriesAugment().set_statistics({"score_mean": 3.0})
