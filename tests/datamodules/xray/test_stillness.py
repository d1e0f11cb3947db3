"""A dead array is told where each of its channels alone often rests; one without a valid row is listed."""

import numpy as np

from datamodules.xray.stillness import constant
from datamodules.xray.survey import survey
from tests.xray_corpus import Corpus


def intensities(corpus):
    """Channels that are 0 for most of a recording, at times of their own, as rare action units are."""
    for values, *_ in corpus.arrays.values():
        for channel in range(values.shape[1]):
            start = int(corpus.rng.integers(0, len(values) // 2))
            values[start : start + len(values) // 2, channel] = 0


def test_a_dead_array_is_told_though_each_channel_rests_for_long(tmp_path):
    corpus = Corpus(seed=1)
    intensities(corpus)
    name = corpus.table["recording_id"].iloc[5]
    corpus.arrays[name][0][:] = 0.37
    corpus.write(tmp_path)
    (defect,) = constant(survey(corpus.table, tmp_path))
    assert defect.recordings == (name,)
    assert "never change" in defect.text


def test_without_one_nothing_is(tmp_path):
    corpus = Corpus(seed=1)
    intensities(corpus)
    corpus.write(tmp_path)
    assert constant(survey(corpus.table, tmp_path)) == []


def test_an_array_without_a_valid_row_cannot_be_read(tmp_path):
    corpus = Corpus(seed=1, persons=4)
    name = corpus.table["recording_id"].iloc[2]
    corpus.arrays[name][2] = np.zeros_like(corpus.arrays[name][2])
    corpus.write(tmp_path)
    ((file, why),) = survey(corpus.table, tmp_path).unreadable
    assert file == f"a/{name}.npz"
    assert why.startswith("no row is valid")
