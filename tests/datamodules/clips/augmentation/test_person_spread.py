import numpy as np
import pytest
import torch
from scipy import stats

from datamodules.clips.augmentation.person_spread import person_spread
from datamodules.schema import UNKNOWN


def drawn(persons=400, between=(2.0, 0.0, 0.5), within=1.0, seed=0):
    rng = np.random.default_rng(seed)
    count = rng.integers(1, 6, persons)
    names = np.repeat([f"p{one}" for one in range(persons)], count)
    own = rng.normal(size=(persons, 3)) * between
    return 100 + np.repeat(own, count, axis=0) + within * rng.normal(size=(len(names), 3)), names


def test_it_is_what_the_analysis_of_variance_says():
    values, names = drawn(persons=40)
    found = person_spread(torch.from_numpy(values), list(names)).numpy()
    groups = [values[names == name] for name in np.unique(names)]
    total, people = len(values), len(groups)
    within = sum(((own - own.mean(0)) ** 2).sum(0) for own in groups) / (total - people)
    size = (total - sum(len(own) ** 2 for own in groups) / total) / (people - 1)
    variance = within * (stats.f_oneway(*groups).statistic - 1) / size
    np.testing.assert_allclose(found, np.sqrt(np.maximum(variance, 0.0)), rtol=1e-9)


def test_many_persons_show_what_was_drawn():
    values, names = drawn(persons=4000)
    found = person_spread(torch.from_numpy(values), list(names)).numpy()
    np.testing.assert_allclose(found, [2.0, 0.0, 0.5], atol=0.15)


@pytest.mark.parametrize("repeated", [0, 9])
def test_where_hardly_anybody_comes_again_all_spread_is_that_of_persons(repeated):
    values = torch.randn(100, 1, generator=torch.Generator().manual_seed(0))
    persons = [f"p{one}" for one in range(100 - repeated)] + [f"p{one}" for one in range(repeated)]
    assert person_spread(values, persons).item() == pytest.approx(values.std().item(), rel=0.05)


@pytest.mark.parametrize("persons", [["a", "a", "a"], [UNKNOWN] * 3, ["a", UNKNOWN, UNKNOWN]])
def test_fewer_than_two_known_persons_have_no_spread(persons):
    assert person_spread(torch.tensor([[1.0], [2.0], [4.0]]), persons).tolist() == [0.0]
    assert person_spread(torch.tensor([[1.0], [2.0], [4.0], [9.0]]), [*persons[:2], "b", "c"]).item() > 0
