import json

import pytest
import torch

from models.running_means import RunningMeans


def test_it_is_the_mean_over_clips_and_not_over_batches():
    means, rng = RunningMeans(), torch.Generator().manual_seed(0)
    sizes = [3, 1, 5]
    clips = [torch.rand(size, generator=rng) for size in sizes]
    for own in clips:
        means.add({"loss": own.mean(), "score": own.square().mean()}, count=len(own))
    found, count = means.take()
    whole = torch.cat(clips)
    assert count == 9
    assert found["loss"].item() == pytest.approx(whole.mean().item())
    assert found["score"].item() == pytest.approx(whole.square().mean().item())
    assert means.take() == ({}, 0)


def test_nothing_of_the_graph_is_kept():
    means, weight = RunningMeans(), torch.ones(1, requires_grad=True)
    means.add({"loss": weight.sum().to(torch.bfloat16)}, count=1)
    loss = means.take()[0]["loss"]
    assert not loss.requires_grad
    assert loss.dtype == torch.float32


def test_other_terms_are_refused():
    means = RunningMeans()
    means.add({"loss": torch.ones(())}, count=1)
    with pytest.raises(ValueError, match=r"\['score'\] after \['loss'\]"):
        means.add({"score": torch.ones(())}, count=1)


def test_a_state_goes_on_where_it_was_taken():
    whole, begun, gone_on = RunningMeans(), RunningMeans(), RunningMeans()
    values = torch.rand(4, 2).tolist()
    for number, (loss, score) in enumerate(values):
        terms = {"loss": torch.tensor(loss), "score": torch.tensor(score)}
        whole.add(terms, count=number + 1)
        if number == 2:
            gone_on.restore(json.loads(json.dumps(begun.state())), device=torch.device("cpu"))
        (begun if number < 2 else gone_on).add(terms, count=number + 1)
    assert gone_on.take() == whole.take()
    nothing = RunningMeans()
    nothing.restore(RunningMeans().state(), device=torch.device("cpu"))
    assert nothing.take() == ({}, 0)
