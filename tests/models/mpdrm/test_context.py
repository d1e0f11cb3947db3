import numpy as np
import pytest
import torch

from models.mpdrm.context import CalibratedContext, ClipContext, EnrolmentContext, GivenContext


def _batch(subject, row):
    return {"subject": torch.tensor(subject), "row": torch.tensor(row)}


BATCH = _batch([0, 0, 0, 0, 0, 1, 1, -1, -1], [0, 0, 1, 2, 2, 3, 3, 4, 5])


def _loop(feature, subject, row):
    out, available = np.zeros_like(feature), np.zeros(len(feature), dtype=bool)
    for i in range(len(feature)):
        others = {r for r, s in zip(row, subject, strict=True) if s == subject[i] >= 0 and r != row[i]}
        if others:
            out[i] = np.mean([feature[row == r].mean(0) for r in others], axis=0)
            available[i] = True
    return out, available


def test_enrolment_equals_a_loop_over_recordings():
    feature = torch.randn(9, 4)
    context = EnrolmentContext()(feature, BATCH)
    expected = _loop(feature.numpy(), BATCH["subject"].numpy(), BATCH["row"].numpy())
    np.testing.assert_allclose(context.feature.numpy(), expected[0], atol=1e-6)
    assert context.available.tolist() == expected[1].tolist() == [True] * 5 + [False] * 4
    assert context.visits.tolist() == [2] * 5 + [0] * 4
    assert context.offset is None


def test_enrolment_looks_back_only_where_earlier_visits_are_known():
    feature, row = torch.randn(9, 4), BATCH["row"]
    earlier = (BATCH["subject"][:, None] == BATCH["subject"][None, :]) & (row[:, None] > row[None, :])
    batch = BATCH | {"history": {"earlier": earlier, "score": torch.full(earlier.shape, torch.nan)}}
    context = EnrolmentContext()(feature, batch)
    assert context.visits.tolist() == [0, 0, 1, 2, 2, 0, 0, 0, 0]
    torch.testing.assert_close(context.feature[2], feature[:2].mean(0))
    torch.testing.assert_close(context.feature[3], (feature[:2].mean(0) + feature[2]) / 2)
    assert context.available.tolist() == [visits > 0 for visits in context.visits.tolist()]


def test_enrolment_never_reads_its_own_recording_nor_another_person():
    feature = torch.randn(9, 4)
    context = EnrolmentContext()(feature, BATCH).feature
    for perturbed in range(6):
        other = feature.clone()
        other[BATCH["row"] == perturbed] += 100.0
        moved = (EnrolmentContext()(other, BATCH).feature - context).abs().sum(1) > 1e-3
        person = BATCH["subject"][BATCH["row"] == perturbed][0]
        allowed = (BATCH["subject"] == person) & (BATCH["row"] != perturbed) & (person >= 0)
        assert moved.tolist() == allowed.tolist()


def test_a_single_recording_has_no_context_and_its_row_is_zero():
    context = EnrolmentContext()(torch.randn(2, 4), _batch([0, 0], [7, 7]))
    assert not context.available.any()
    assert not context.feature.any()


def test_clip_context_is_the_feature_itself_and_always_there():
    feature = torch.randn(9, 4)
    context = ClipContext()(feature, BATCH)
    assert torch.equal(context.feature, feature)
    assert context.available.all()
    assert context.available.dtype == torch.bool
    assert context.visits is None


# Person 0 has visits 10 to 13, person 1 visits 20 to 22 and person 2 one; two clips of some, in no order.
SUBJECT = torch.tensor([0, 1, 0, 0, 1, 0, 1, 0, 2, 1])
VISIT = torch.tensor([12, 21, 10, 13, 20, 11, 22, 10, 30, 21])
PLACE = torch.tensor([2, 1, 0, 3, 0, 1, 2, 0, 0, 1])
SCORE = torch.tensor([31.0, 12.0, 5.0, 22.0, torch.nan, torch.nan, 9.0, 5.0, 40.0, 12.0])
STATISTICS = {"score_mean": 20.0, "score_std": 8.0}


def _history(known=9, score=SCORE):
    earlier = SUBJECT[:, None] == SUBJECT[None, :]
    earlier = earlier & (PLACE[None, :] < PLACE[:, None]) & (PLACE[None, :] < known)
    history = {"earlier": earlier, "score": torch.where(earlier, score[None, :], torch.nan)}
    return {"subject": SUBJECT, "visit": VISIT, "history": history}


def _calibrated(**settings):
    module = CalibratedContext(dim=4, **settings)
    module.set_statistics(STATISTICS)
    with torch.no_grad():
        module.effect.normal_(std=0.1)
        module.told.weight.normal_()
    return module


def _expected(module, feature, known):
    """The equations of the class, visit by visit."""
    feature, score = feature.numpy(), (SCORE.numpy() - 20) / 8
    effect, read = 10 * module.effect.detach().numpy(), module.told.weight.detach().numpy()
    rest, offset, visits = np.zeros_like(feature), np.zeros_like(feature), np.zeros(len(feature), dtype=int)
    for i in range(len(feature)):
        mine = (SUBJECT[i] == SUBJECT) & (PLACE[i] > PLACE) & (known > PLACE)
        shown, scores = [], []
        for place in sorted(set(PLACE[mine].tolist())):
            rows = (mine & (place == PLACE)).numpy()
            s = score[rows][0]
            shown.append(feature[rows].mean(0) - (0 if np.isnan(s) else effect * s))
            scores += [] if np.isnan(s) else [s]
        visits[i] = len(shown)
        if shown:
            rest[i] = np.mean(shown, axis=0)
        if scores:
            mean, last, share = np.mean(scores), scores[-1], len(scores) / (len(scores) + 1)
            offset[i] = read @ np.array([mean, last, share * mean, share * last, share])
    return rest, offset, visits


@pytest.mark.parametrize("known", [0, 1, 2, 9])
def test_calibrated_equals_a_loop_over_earlier_visits(known):
    module, feature = _calibrated(), torch.randn(10, 4)
    context = module(feature, _history(known))
    rest, offset, visits = _expected(module, feature, known)
    np.testing.assert_allclose(context.feature.detach(), rest, atol=1e-5)
    np.testing.assert_allclose(context.offset.detach(), offset, atol=1e-5)
    assert context.visits.tolist() == visits.tolist()
    assert context.available.tolist() == (visits > 0).tolist()
    if known == 9:
        assert visits.tolist() == [2, 1, 0, 3, 0, 1, 2, 0, 0, 1]


def test_calibrated_reads_scores_of_earlier_visits_only_whatever_else_a_history_holds():
    module, feature = _calibrated(), torch.randn(10, 4)
    batch = _history(2)
    planted = torch.where(batch["history"]["earlier"], batch["history"]["score"], 63.0)
    other = {**batch, "history": {**batch["history"], "score": planted}}
    for mine, theirs in zip(module(feature, batch), module(feature, other), strict=True):
        assert torch.equal(mine, theirs)


def test_without_any_score_calibrated_is_the_mean_of_the_earlier_visits():
    module, feature = _calibrated(), torch.randn(10, 4)
    context = module(feature, _history(score=torch.full_like(SCORE, torch.nan)))
    assert not context.offset.any()
    assert torch.allclose(context.feature[0], (feature[[2, 7]].mean(0) + feature[5]) / 2, atol=1e-6)


def test_without_a_history_calibrated_knows_nobody_and_every_parameter_has_a_gradient():
    module, feature = _calibrated(), torch.randn(10, 4, requires_grad=True)
    for batch in ({}, {"subject": SUBJECT, "visit": VISIT}, _history(0)):
        context = module(feature, batch)
        assert not context.available.any()
        assert not context.feature.any()
        assert not context.offset.any()
        module.zero_grad()
        (context.feature.sum() + context.offset.sum()).backward()
        assert all(p.grad is not None and not p.grad.any() for p in module.parameters())


def test_calibrated_says_that_it_needs_a_history_and_the_others_do_not():
    assert CalibratedContext.needs_history
    assert not any(getattr(kind, "needs_history", False) for kind in (ClipContext, EnrolmentContext))


def test_calibrated_without_scores_in_training_is_refused():
    with pytest.raises(ValueError, match=r"score_std=nan.*model/context=enrolment"):
        CalibratedContext(dim=4).set_statistics({"score_mean": 3.0})


def test_calibrated_needs_persons_and_visits_beside_a_history():
    batch = _history()
    del batch["visit"]
    with pytest.raises(ValueError, match="calibrated context reads 'visit'"):
        _calibrated()(torch.randn(10, 4), batch)


@pytest.mark.parametrize("kind", [ClipContext, EnrolmentContext])
def test_detach_stops_the_gradient(kind):
    feature = torch.randn(9, 4, requires_grad=True)
    assert kind()(feature, BATCH).feature.requires_grad
    assert not kind(detach=True)(feature, BATCH).feature.requires_grad


def test_detach_leaves_calibrated_its_own_parameters_alone():
    feature = torch.randn(10, 4, requires_grad=True)
    context = _calibrated(detach=True)(feature, _history())
    context.feature.sum().backward()
    assert feature.grad is None


def test_a_given_context_is_passed_on():
    given = {"context": torch.randn(9, 4), "context_available": torch.arange(9) > 3}
    context = GivenContext()(torch.randn(9, 4), BATCH | given)
    assert context.feature is given["context"]
    assert context.available is given["context_available"]
    assert context.offset is None
    offset = torch.randn(9, 4)
    assert GivenContext()(torch.randn(9, 4), BATCH | given | {"context_offset": offset}).offset is offset
