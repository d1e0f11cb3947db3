import html
import json
import re
from dataclasses import dataclass, field

import pandas as pd
import pytest

from evaluation.report.first_page.first_page import first_page
from evaluation.report.page import environment
from evaluation.report.sections.data_section import data_rows
from evaluation.summary import metrics_json, summarize, with_reasons
from evaluation.uncertainty.threshold import choose_threshold

BDI = {"name": "BDI-II", "low": 0, "high": 63, "cut_off": 14}
IDS = ["recording_id", "subject_id", "session_id", "split"]


@dataclass(frozen=True)
class Run:
    """What a report is written from, and its first page as text."""

    metrics: dict
    predictions: pd.DataFrame
    record: dict
    threshold: dict
    groups: dict | None = None
    page: str = field(init=False, default="")
    text: str = field(init=False, default="")

    def __post_init__(self):
        rows = data_rows(self.record, self.predictions)
        given = {"predictions": self.predictions, "record": self.record, "rows": rows}
        first = first_page(metrics=self.metrics, threshold=self.threshold, by_group=self.groups, **given)
        page = environment().get_template("first_page.html").render(first=first)
        text = html.unescape(re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]+>", " ", page, flags=re.S)))
        object.__setattr__(self, "page", page)
        object.__setattr__(self, "text", re.sub(r" ([.,;)])", r"\1", text))


def part(persons, recordings, positive, **facts):
    return {"persons": persons, "recordings": recordings, "positive": positive, "score": [15.0, 9.0]} | facts


@pytest.fixture
def record():
    """Of a run on persons who are not made up."""
    return {
        "experiment": "clinic",
        "data": "clinic",
        "synthetic": False,
        "questionnaires": [BDI],
        "fps": [10.0, 10.0],
        "parts": {
            "holdout": {
                "train": part(60, 180, 90, age=[18.0, 70.0], sex={"f": 32, "m": 28}),
                "val": part(30, 90, 45, age=[20.0, 66.0], sex={"f": 20, "m": 10}),
                "test": part(
                    30, 90, 50, age=[19.0, 61.0], sex={"f": 16, "m": 14}, site={"north": 20, "south": 10}
                ),
            }
        },
        "config": {
            "trainer": {"max_epochs": 30},
            "protocol": {"_target_": "datamodules.splits.protocols.Holdout"},
            "data": {
                "channels": 3,
                "module": {
                    "source": {"video": {"height": 64, "width": 64}},
                    "train_clips": {"length": 8},
                    "eval_clips": {"length": 8, "stride": 4, "clips": 3},
                },
            },
        },
    }


@pytest.fixture
def run(cohort, record):
    """A run of these test and validation tables; what is not given is that of the usual case."""

    def _run(
        test=None, val=None, *, heads=("score", "binary", "band"), changed=None, reference=None, groups=None
    ):
        test = cohort() if test is None else test
        val = cohort(seed=1, split="val", first=500) if val is None else val
        kept = [f"{head}_prediction" for head in heads]
        lost = [name for name in test if name.endswith("_prediction") and name not in kept]
        lost += ["binary_target"] if heads == ("score",) and changed == "no classes" else []
        test, val = test.drop(columns=lost), val.drop(columns=lost)
        threshold = choose_threshold(val)
        metrics = metrics_json(
            test=summarize([test], [threshold.value]),
            val=summarize([val], [threshold.value]),
            reference=reference,
        )
        stored = json.loads(json.dumps(with_reasons(metrics)))  # as `metrics.json` holds it
        record_ = record | (changed if isinstance(changed, dict) else {})
        return Run(stored, pd.concat([test, val]), record_, threshold.as_dict(), groups)

    return _run
