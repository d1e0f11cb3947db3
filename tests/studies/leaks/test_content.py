"""The benchmark calls a leak caught by what is said of it, and a silent command a miss."""

from dataclasses import replace

import numpy as np

from studies.leaks.content import COHORTS, Cohort, Commands, lines
from studies.leaks.content_plants import SERIES, VIDEOS

SAVED, SPELT = "it is that series, saved again", "in capitals and small"


def test_a_planted_leak_is_caught_by_its_own_words_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    small = Cohort(kind="series", persons=8, confound=0.0, pixels=None)
    commands, rng = Commands(small, tmp_path / "runs", seed=0), np.random.default_rng(0)
    assert commands.said(SERIES[SAVED], rng).endswith("nearly the same content")
    assert "two persons" in commands.said(SERIES[SPELT], rng)
    assert commands.said(replace(SERIES[SPELT], said=SERIES[SAVED].said), rng) is None


def test_the_page_counts_misses_and_names_every_leak():
    found = {name: ["said"] * len(COHORTS["series"]) for name in (*SERIES, *VIDEOS)}
    text, missed = lines(found, [])
    assert missed == 0
    assert all(f"| {name} |" in "\n".join(text) for name in found)
    text, missed = lines(found | {SAVED: ["said", None, "said"]}, ["a remark"])
    assert missed == 1
    assert "caught, missed, caught" in "\n".join(text)
    assert "evaluated on strangers: 1." in text[-1]
