import base64

import pytest

from biomarkers.published.faces_of_the_mind import MEAN_BY_TOTAL
from biomarkers.symptoms.discrepancy import SymptomDiscrepancy
from biomarkers.symptoms.discrepancy_figures import discrepancy_by_total
from biomarkers.symptoms.discrepancy_uncertainty import null
from tests.biomarkers.symptoms.answers import partial_credit


def test_the_figure_is_an_svg_that_follows_the_curves():
    curves = {
        name: null(partial_credit(200, seed=seed), SymptomDiscrepancy(), draws=20).groups
        for seed, name in enumerate(("DASS-21-D", "PHQ-9"))
    }
    found = discrepancy_by_total(curves, MEAN_BY_TOTAL)
    assert base64.b64decode(found.split(",")[1]).startswith(b"<?xml")
    moved = curves | {"PHQ-9": curves["PHQ-9"].assign(observed=0.0)}
    assert discrepancy_by_total(moved, MEAN_BY_TOTAL) != found
    assert discrepancy_by_total(curves, {}) != found
    with pytest.raises(ValueError, match="no scale"):
        discrepancy_by_total({}, MEAN_BY_TOTAL)
