"""A channel that one place lacks is told; one that rests here and there is not."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

from datamodules.xray import dead_channels as module
from datamodules.xray.dead_channels import dead_channels
from datamodules.xray.stillness import constant
from datamodules.xray.survey import survey
from tests.xray_corpus import Corpus


def surveyed(folder, corpus):
    for values, *_ in corpus.arrays.values():
        values[:, 3] = np.maximum(values[:, 3], 0)  # an intensity, often 0
    corpus.write(folder)
    return survey(corpus.table, folder)


def at_zero(corpus, recordings):
    for name in recordings:
        corpus.arrays[name][0][:, 3] = 0


def of_site(corpus, site):
    return corpus.table.loc[corpus.table["site"] == site, "recording_id"].tolist()


def test_a_channel_that_is_0_at_one_site_is_told_with_all_its_recordings(tmp_path):
    corpus = Corpus(seed=3)
    at_zero(corpus, of_site(corpus, "B"))
    found = surveyed(tmp_path, corpus)
    assert not constant(found)  # at the end of its scale it may rest in any one recording
    (defect,) = dead_channels(found, corpus.table)
    assert defect.kind == "constant"
    assert set(defect.recordings) == set(of_site(corpus, "B"))
    assert "1 channel(s)" in defect.text
    assert "site 'B'" in defect.text


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))])
def test_a_channel_that_rests_in_some_persons_of_every_site_is_not(tmp_path, seed):
    corpus = Corpus(seed=seed)
    rng = np.random.default_rng(seed)
    persons = rng.choice(corpus.table["subject_id"].unique(), 8, replace=False)
    at_zero(corpus, corpus.table.loc[corpus.table["subject_id"].isin(persons), "recording_id"])
    assert not dead_channels(surveyed(tmp_path, corpus), corpus.table)


def test_three_persons_of_a_site_say_nothing(tmp_path):
    corpus = Corpus(seed=3)
    first = corpus.table["subject_id"].unique()
    corpus.table["site"] = np.where(corpus.table["subject_id"].isin(first[:3]), "B", "A")
    at_zero(corpus, of_site(corpus, "B"))
    assert not dead_channels(surveyed(tmp_path, corpus), corpus.table)


def test_the_bound_is_that_of_fishers_exact_test(monkeypatch):
    class File:
        def __init__(self, still):
            self.still = {"c": 0.0} if still else {}

    inside = [[File(True)] for _ in range(9)] + [[File(False)]]
    outside = [[File(True)]] + [[File(False)] for _ in range(13)]
    p = fisher_exact([[9, 1], [1, 13]], alternative="greater").pvalue
    for factor, told in ((1.01, True), (0.99, False)):
        monkeypatch.setattr(module, "_CHANCE", 7 * p * factor)
        assert module._is_dead("c", inside, outside, 7) is told


def test_a_table_without_rows_is_no_fault(tmp_path):
    corpus = Corpus(seed=3, persons=4)
    empty = pd.DataFrame({"recording_id": [], "subject_id": []}, dtype=object)
    assert dead_channels(surveyed(tmp_path, corpus), empty) == []
