import os
from pathlib import Path

import pandas as pd
import pytest

from biomarkers.published.faces_of_the_mind import MEAN_BY_TOTAL, SDI
from biomarkers.symptoms.discrepancy import aggregate

DATA = os.environ.get("EUTHYMIA_DATA")
SUBSCALES = {"depression": "DASS-21-D", "anxiety": "DASS-21-A", "stress": "DASS-21-S"}


def test_curves_have_every_raw_total_and_start_and_end_at_zero():
    assert set(MEAN_BY_TOTAL) == set(SUBSCALES.values())
    for means in MEAN_BY_TOTAL.values():
        assert len(means) == 22
        assert means[0] == means[-1] == 0
        assert all(0 < mean < 1 for mean in means[1:-1])


@pytest.mark.skipif(DATA is None, reason="EUTHYMIA_DATA names no folder")
def test_constants_are_those_of_the_published_tables():
    table = pd.read_csv(Path(DATA) / "faces_sdi" / "group_tables.csv")
    for (subscale, grouping), own in table.groupby(["subscale", "grouping"]):
        name = SUBSCALES[subscale]
        value = aggregate(own["n"], own["mean"], own["std"])
        assert SDI[name, grouping.removeprefix("same_")] == round(value, 3)
        assert own["n"].sum() == 11_427
        if grouping == "same_score":
            by_total = own.assign(group=own["group"].astype(int)).sort_values("group")["mean"]
            assert MEAN_BY_TOTAL[name] == tuple(by_total)
