import numpy as np
import pytest
import torch

from models.mpdrm.context import ClipContext, EnrolmentContext, GivenContext


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
    context, available = EnrolmentContext()(feature, BATCH)
    expected = _loop(feature.numpy(), BATCH["subject"].numpy(), BATCH["row"].numpy())
    np.testing.assert_allclose(context.numpy(), expected[0], atol=1e-6)
    assert available.tolist() == expected[1].tolist() == [True] * 5 + [False] * 4


def test_enrolment_never_reads_its_own_recording_nor_another_person():
    feature = torch.randn(9, 4)
    context = EnrolmentContext()(feature, BATCH)[0]
    for perturbed in range(6):
        other = feature.clone()
        other[BATCH["row"] == perturbed] += 100.0
        moved = (EnrolmentContext()(other, BATCH)[0] - context).abs().sum(1) > 1e-3
        person = BATCH["subject"][BATCH["row"] == perturbed][0]
        allowed = (BATCH["subject"] == person) & (BATCH["row"] != perturbed) & (person >= 0)
        assert moved.tolist() == allowed.tolist()


def test_a_single_recording_has_no_context_and_its_row_is_zero():
    context, available = EnrolmentContext()(torch.randn(2, 4), _batch([0, 0], [7, 7]))
    assert not available.any()
    assert not context.any()


def test_clip_context_is_the_feature_itself_and_always_there():
    feature = torch.randn(9, 4)
    context, available = ClipContext()(feature, BATCH)
    assert torch.equal(context, feature)
    assert available.all()
    assert available.dtype == torch.bool


@pytest.mark.parametrize("kind", [ClipContext, EnrolmentContext])
def test_detach_stops_the_gradient(kind):
    feature = torch.randn(9, 4, requires_grad=True)
    assert kind()(feature, BATCH)[0].requires_grad
    assert not kind(detach=True)(feature, BATCH)[0].requires_grad


def test_a_given_context_is_passed_on():
    given = {"context": torch.randn(9, 4), "context_available": torch.arange(9) > 3}
    context, available = GivenContext()(torch.randn(9, 4), BATCH | given)
    assert torch.equal(context, given["context"])
    assert torch.equal(available, given["context_available"])
