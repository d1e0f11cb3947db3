import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from evaluation.baselines.line_names import ORACLES
from evaluation.report import report
from evaluation.report.figures import AttentionExample
from evaluation.report.report import write_report
from evaluation.summary import metrics_json, summarize
from evaluation.uncertainty.threshold import choose_threshold

pytestmark = pytest.mark.xdist_group("report")  # the full page is written once
SECTIONS = ["headline", "metrics", "references", "plots", "data", "provenance", "limits"]
VOID = {"meta", "img", "link", "br"}


class Page(HTMLParser):
    """Ids, outside references and the balance of tags of a page."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.images, self.open, self.text = [], [], 0, [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "srcset", "data"):
                self.links.append(value)
        self.images += tag == "img"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def inputs(cohort):
    """Do not change them: the tests of this file share them."""
    recordings, validation = cohort(), cohort(seed=1, split="val", first=500)
    threshold = choose_threshold(validation)
    test = summarize([recordings], [threshold.value])
    constant = {**test, "prediction": 17.0, "difference": {"mae": {"value": -2.0, "low": -3.0, "high": -1.0}}}
    nuisance = {
        **test,
        "columns": ["duration_s"],
        "difference": {"auc": {"value": 0.2, "low": 0.1, "high": 0.3}},
    }
    return {
        "metrics": metrics_json(
            test=test,
            val=summarize([validation], [threshold.value]),
            reference={
                "constant": constant,
                "identity": {**test, "note": "3 of 90 recordings are shared"},
                "nuisance": nuisance,
                "oracle": {"raw": test, "relative": test},
            },
        ),
        "predictions": pd.concat([recordings, validation]),
        "manifest": {
            "experiment": "demo",
            "git": {"commit": "abc123", "dirty": True},
            "packages": {"torch": "2.14"},
            "seed": 0,
            "test_looks": 3,
            "config": {"model": {"dim": 32}},
            "skipped": {"r9": "clips/r9.mp4 is truncated"},
        },
        "history": pd.DataFrame({"epoch": [0, 1], "train/loss": [2.0, 1.0], "val/auc": [0.6, 0.7]}),
        "attention": [
            AttentionExample("r0001", "looking <away>", np.zeros((8, 16, 16, 3), np.uint8), np.full(4, 0.25))
        ],
        "notes": ["made <b>up</b>"],
        "thresholds": threshold.as_dict(),
    }


@pytest.fixture
def write(tmp_path):
    def _write(inputs):
        path = tmp_path / "run" / "report.html"
        write_report(path, **inputs)
        text = path.read_text(encoding="utf-8")
        return text, Page(text)

    return _write


@pytest.fixture(scope="module")
def full(inputs, tmp_path_factory):
    """The page with everything on it: text and parsed."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, **inputs)
    text = path.read_text(encoding="utf-8")
    return text, Page(text)


def test_every_section_is_there_and_tags_balance(full):
    _, page = full
    assert [i for i in page.ids if i in SECTIONS] == SECTIONS
    assert page.open == []
    assert page.images == 7  # six plots and one filmstrip
    assert "research software, not a diagnostic device" in page.text.lower()


def test_page_is_self_contained(full):
    text, page = full
    places = {link[1:] for link in page.links if link.startswith("#")}
    assert places
    assert places <= set(page.ids)  # the list of questions leads to figures of this page
    assert all(link.startswith(("data:image/", "#")) for link in page.links)
    assert not re.search(r"url\(|@import|<script|https?://", text)


def test_numbers_and_facts_are_shown(inputs, full):
    _, page = full
    auc = inputs["metrics"]["test"]["auc"]
    for fact in (
        f"{auc['value']:.2f}",
        f"{auc['low']:.2f} to {auc['high']:.2f}",
        "commit abc123, with changes that were not committed",
        "clips/r9.mp4 is truncated",
        "looked at 3 times with this run",
        "3 of 90 recordings are shared",
        "linear models on duration_s",
        "no interval: a binned error is biased",
        "looking <away>",
        f"{inputs['thresholds']['value']:.3f}",
    ):
        assert fact in page.text, fact


def test_every_oracle_that_was_computed_is_in_the_table_and_the_figure_keeps_the_main_ones(inputs, write):
    lines = dict.fromkeys(reversed(ORACLES), inputs["metrics"]["test"])
    metrics = {**inputs["metrics"], "reference": {**inputs["metrics"]["reference"], "oracle": lines}}
    text, page = write(inputs | {"metrics": metrics})
    table = text.split('<section id="oracles">')[1].split("</section>")[0]
    rows = [Page(row).text for row in re.findall(r"<tr>.*?</tr>", table)[1:]]
    assert len(rows) == 7
    for row, (label, reads) in zip(rows, ORACLES.values(), strict=True):
        assert row.startswith(label)
        assert row.endswith(reads)
    drawn = list(report.forest_lines(metrics))
    assert drawn[-3:] == ["oracle raw", "oracle relative", "oracle both + earlier scores"]
    assert page.open == []


def test_validation_worse_than_chance_is_told_on_the_page(inputs, write, full):
    assert "worse than chance" not in full[1].text
    history = inputs["history"].assign(**{"val/auc": [0.4, 0.3]})
    manifest = inputs["manifest"] | {"chosen": {"epoch": 0, "monitor": "val/mae", "value": 9.0}}
    _, page = write(inputs | {"history": history, "manifest": manifest})
    assert "The network ranked validation worse than chance: AUC 0.400 in epoch 1" in page.text


def test_a_class_head_left_behind_by_the_score_is_told_on_the_page(inputs, write, full):
    assert "class head" not in full[1].text
    metrics = inputs["metrics"] | {"ranked_by_heads": {"binary": 0.68, "score": 0.85}}
    _, page = write(inputs | {"metrics": metrics})
    assert "ranks persons better (AUC 0.85) than the class head (0.68)" in page.text


def test_captions_name_the_threshold_and_the_constant_guess_that_are_drawn(full):
    assert "over persons, the dot the threshold that validation chose." in full[1].text
    assert "a flat cloud on the dashed line answers the same" in full[1].text


def test_foreign_text_is_escaped(full):
    text, _ = full
    assert "made &lt;b&gt;up&lt;/b&gt;" in text


@pytest.mark.slow
def test_page_renders_with_little(recordings, write):
    metrics = metrics_json(
        test=summarize([recordings]),
        val=None,
        reference={"reasons": {"identity": "nobody is shared", "oracle": "the truth is unknown"}},
    )
    _, page = write({"metrics": metrics, "predictions": recordings, "manifest": {}})
    assert [i for i in page.ids if i in SECTIONS] == SECTIONS
    assert "No identity line: nobody is shared" in page.text
    assert "No oracle line: the truth is unknown" in page.text
    assert "no decision threshold could be chosen" in page.text
    assert "The band is a bootstrap over persons." in page.text  # and no dot: there is none
    assert "dashed line" not in page.text
    assert "No run manifest was given" in page.text


@pytest.mark.slow
def test_page_renders_from_the_stored_files(inputs, write, recordings, tmp_path):
    """What eval writes and reads back: JSON metrics and predictions.csv."""
    import json

    from evaluation.tables.predictions import read_predictions, write_predictions

    write_predictions(tmp_path / "predictions.csv", recordings)
    stored = {
        "metrics": json.loads(json.dumps(inputs["metrics"])),
        "predictions": read_predictions(tmp_path / "predictions.csv"),
        "manifest": {},
    }
    _, page = write(stored)
    assert page.images >= 5


@pytest.mark.slow
def test_probability_only_and_one_class(recordings, write):
    table = recordings[
        ["recording_id", "subject_id", "session_id", "split", "binary_target", "binary_prediction"]
    ]
    table = table.assign(binary_target=1.0)
    metrics = metrics_json(
        test=summarize([table]),
        val=None,
    )
    _, page = write({"metrics": metrics, "predictions": table, "manifest": {}})
    assert "only one class among the targets" in page.text
    assert "cannot decide" in page.text


def test_few_and_unknown_persons_are_remarked(recordings, write):
    table = recordings.iloc[:12].copy()
    table.loc[:5, "subject_id"] = "unknown"
    metrics = metrics_json(
        test=summarize([table]),
        val=None,
    )
    _, page = write({"metrics": metrics, "predictions": table, "manifest": {}})
    assert "6 test recordings have no known person" in page.text
    assert "Only 2 persons were tested" in page.text


def test_nothing_to_report_is_an_error(tmp_path, inputs):
    with pytest.raises(ValueError, match="no predictions to report"):
        write_report(tmp_path / "r.html", **{**inputs, "predictions": inputs["predictions"].iloc[:0]})


def test_simple_readers_stand_in_a_table_of_their_own_and_missing_lines_share_a_reason(write, inputs):
    test = inputs["metrics"]["test"]
    reference = {
        "statistics": {"raw": {**test, "note": "two stand alone"}, "enrolment": test, "both": test},
        "reasons": {"last_score": "none is known", "mean_score": "none is known"},
    }
    metrics = metrics_json(test=test, val=None, reference=reference)
    text, page = write({**inputs, "metrics": metrics})
    own = text[text.index('<div id="readers">') :].partition("</table>")[0]
    readers = ("Statistics, the recording", "Statistics, minus other visits", "Statistics, both")
    assert re.findall("Statistics, [a-z ]+", own) == list(readers)
    assert "ROCKET, both" not in own
    assert "Statistics, the recording: two stand alone." in page.text
    assert "No last score or mean score line: none is known." in page.text


def test_hidden_labels_leave_out_the_lines_and_say_why(write, inputs, cohort):
    table = cohort().assign(score_target=np.nan, binary_target=np.nan, band_target=np.nan)
    test = summarize([table], [0.5])
    reference = {"constant": {**test, "prediction": 17.0}, "nuisance": {**test, "columns": ["duration_s"]}}
    metrics = metrics_json(test=test, val=inputs["metrics"]["val"], reference=reference)
    text, page = write(
        {**inputs, "metrics": metrics, "predictions": table, "history": None, "attention": None}
    )
    lines = text.split('<section id="references">')[1].split("</section>")[0]
    assert "hidden or missing, so that no line can be measured on it: chart and tables are left out." in lines
    assert "<table" not in lines
    assert "<img" not in lines
    assert "No plot of the test part can be drawn" in page.text
    assert 'id="questions"' not in text
    assert page.open == []
