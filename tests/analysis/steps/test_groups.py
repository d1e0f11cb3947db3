"""Comparisons by ends of names, each a question of its own; first visits where labels change."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.steps.groups import GroupComparison
from biomarkers.features.feature_table import Features
from evaluation.uncertainty.bootstrap import Resampling

PERSONS = 16


def material(*, visits=1, changing=False):
    rng = np.random.default_rng(0)
    names = ["au01_mean", "au12_mean", "au01_event_rate", "au12_onset_speed"]
    rows = PERSONS * visits
    ids = pd.DataFrame(
        {
            "recording_id": [f"r{i:02d}" for i in range(rows)],
            "subject_id": [f"p{i // visits:02d}" for i in range(rows)],
            "session_id": [f"v{i % visits + 1}" for i in range(rows)],
        }
    )
    binary = (np.arange(rows) // visits % 2).astype(float)
    if changing:
        binary[1] = 1 - binary[1]
    values = pd.DataFrame(rng.standard_normal((rows, 4)), columns=names)
    values["au12_mean"] -= 3 * binary
    values.loc[0, "au12_onset_speed"] = np.nan
    labels = ids.assign(binary=binary)
    features = Features(table=ids.join(values), report=pd.DataFrame())
    return SimpleNamespace(features=features, labels=labels)


def compared(*ends, **kwargs):
    step = GroupComparison(name="x", title="Do they?", features=ends)
    return step(material(**kwargs), Resampling(1000))


def test_p_values_are_corrected_within_the_comparison():
    finding = compared("_mean")
    table = finding.tables["x_comparison"].set_index("feature")
    own = material().features.table
    depressed = material().labels["binary"] == 1
    raw = [
        stats.ttest_ind(own.loc[depressed, n], own.loc[~depressed, n], equal_var=False).pvalue
        for n in ("au01_mean", "au12_mean")
    ]
    assert table.index.tolist() == ["au01_mean", "au12_mean"]
    assert table["welch_p_holm"].tolist() == pytest.approx([raw[0], 2 * raw[1]])
    assert [row[-1] for row in finding.sections[0].rows] == ["no", "yes"]
    assert len(finding.sections[0].figures) == 2  # one unit: means, and effects


def test_features_of_several_units_show_effects_and_who_lacks_one():
    finding = compared("_event_rate", "_onset_speed")
    section = finding.sections[0]
    assert len(section.figures) == 1
    assert f"Not every one of {PERSONS} persons has: AU12 onset speed 15" in section.remarks
    with pytest.raises(ValueError, match="no feature ends in '_offset_speed'"):
        compared("_event_rate", "_offset_speed")


@pytest.mark.slow
def test_visits_are_averaged_or_the_first_counts_where_labels_change():
    kept, changed = compared("_mean", visits=2), compared("_mean", visits=2, changing=True)
    assert "the mean of all recordings" in kept.sections[0].text
    assert "the mean of the first visit" in changed.sections[0].text
    own = material(visits=2, changing=True)
    first = own.features.table[own.features.table["session_id"] == "v1"]
    odd = first["subject_id"].str[1:].astype(int) % 2 == 1
    table = changed.tables["x_comparison"].set_index("feature")
    assert table.loc["au12_mean", "mean_depressed"] == pytest.approx(first.loc[odd, "au12_mean"].mean())
    assert "x_mixed_models" in changed.tables
    assert changed.sections[1].key == "x_visits"
