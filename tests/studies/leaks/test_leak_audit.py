"""The benchmark calls a miss a miss, and a false alarm a false alarm."""

from studies.leaks.__main__ import asked, evidence, written
from studies.leaks.cohorts import drawn
from studies.leaks.plants import LEAKS, plant

NAME = "in a channel's first row"


def test_a_planted_leak_is_evidence_and_a_clean_cohort_is_none(tmp_path):
    cohort = drawn(tmp_path, persons=48, visits=2, seconds=4.0, seed=3)
    clean, caught = asked(cohort), asked(plant(cohort, LEAKS[NAME], tmp_path / "planted"))
    assert evidence(caught, LEAKS[NAME])["fact"] == "first row of au12"
    assert evidence(clean, LEAKS[NAME]) is None
    assert written({NAME: [caught]}, [clean])[1:] == (0, 0)
    assert written({NAME: [clean]}, [caught])[1:] == (1, 1)
    assert evidence(caught, LEAKS["in the length"]) is None  # what is only told must not stop anything
