"""Made-up persons: what a person's clips share is drawn anew, what tells them apart stays."""

import numpy as np
import pytest
import torch
from scipy import stats

from datamodules.clips.augmentation.made_up_persons import other_habits
from datamodules.clips.augmentation.series import SeriesAugment

STD = torch.tensor([0.5, 1.0, 4.0])
NONE = torch.zeros(3)


def batch(persons=40, visits=3, length=30):
    generator = torch.Generator().manual_seed(0)
    series = torch.randn(persons * visits, length, 3, generator=generator) * STD + torch.tensor(
        [1.0, -2.0, 30.0]
    )
    mask = torch.ones(len(series), length, dtype=torch.bool)
    mask[::2, -5:] = False
    series[~mask] = torch.nan  # nothing may come of what is not real
    return series, mask, torch.arange(len(series)) * 7919 + 3, torch.arange(persons).repeat_interleave(visits)


def clip_mean(series, mask):
    return series.masked_fill(~mask[..., None], 0).sum(1) / mask.sum(1, keepdim=True)


def test_all_clips_of_a_person_move_together_and_by_a_normal_draw():
    series, mask, seed, subject = batch(persons=300)
    changed = other_habits(series, mask, seed, subject, level=0.8 * STD, gain=NONE)
    moved = (clip_mean(changed, mask) - clip_mean(series, mask)).unflatten(0, (-1, 3))  # (persons, visits, F)
    assert torch.allclose(moved, moved[:, :1].expand_as(moved), atol=1e-4)
    for channel in range(3):
        drawn = (moved[:, 0, channel] / (0.8 * STD[channel])).numpy()
        assert stats.kstest(drawn, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(moved[:, 0].T.numpy())[0, 1]) < 0.2


def test_liveliness_is_scaled_about_the_mean_of_the_clip():
    series, mask, seed, subject = batch(persons=300)
    changed = other_habits(series, mask, seed, subject, level=NONE, gain=NONE + 0.3)
    assert torch.allclose(clip_mean(changed, mask), clip_mean(series, mask), atol=1e-4)
    ratio = [
        (new[real].std(0) / old[real].std(0)).log()
        for new, old, real in zip(changed, series, mask, strict=True)
    ]
    log_gain = torch.stack(ratio).unflatten(0, (-1, 3))
    assert torch.allclose(log_gain, log_gain[:, :1].expand_as(log_gain), atol=1e-4)
    assert stats.kstest((log_gain[:, 0, 0] / 0.3).numpy(), "norm").pvalue > 1e-3


def test_draws_belong_to_the_person_and_the_epoch_and_not_to_the_place_in_the_batch():
    series, mask, seed, subject = batch()
    order = torch.randperm(len(series), generator=torch.Generator().manual_seed(1))
    given = {"level": STD, "gain": NONE + 0.5}
    changed = other_habits(series, mask, seed, subject, **given)
    turned = other_habits(series[order], mask[order], seed[order], subject[order], **given)
    assert torch.equal(changed[order][mask[order]], turned[mask[order]])
    later = other_habits(series, mask, seed + 1_000_003, subject, **given)
    assert not torch.isclose(later, changed)[mask].any(0).all()
    assert changed[~mask].isnan().all()  # and what is not real stays as it was
    assert changed[mask].isfinite().all()


def test_series_augment_hands_the_persons_on():
    series, mask, seed, subject = batch(persons=4)
    off = {"noise": 0.0, "channel_mask": 0.0, "time_mask": 0.0}
    augment = SeriesAugment(**off, person_level=0.7, person_gain=0.2)
    level, gain = torch.tensor([2.0, 0.0, 1.0]), torch.tensor([0.5, 0.1, 0.0])
    learned = {"series_mean": NONE, "series_std": STD}
    augment.set_statistics(learned | {"series_person_level": level, "series_person_gain": gain})
    changed, kept = augment(series, mask, seed, subject)
    expected = other_habits(series, mask, seed, subject, level=0.7 * level, gain=0.2 * gain)
    assert torch.equal(kept, mask)
    assert torch.equal(changed[mask], expected[mask])
    augment.set_statistics(learned | {"series_person_level": NONE, "series_person_gain": NONE})
    same, _ = augment(series, mask, seed, subject)  # persons who do not differ are made up alike
    torch.testing.assert_close(same[mask], series[mask])


@pytest.mark.parametrize("amounts", [{"person_level": -0.1}, {"person_gain": -1.0}])
def test_a_spread_below_zero_is_refused(amounts):
    with pytest.raises(ValueError, match=r"person_level=.*person_gain="):
        SeriesAugment(**amounts)
