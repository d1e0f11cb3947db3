from html.parser import HTMLParser

import numpy as np
import pytest

from evaluation.audit.coverage import coverage
from evaluation.audit.identity_probe import deal_visits, probe_identity
from evaluation.audit.nuisance import audit_nuisance
from evaluation.audit.slices import slices
from evaluation.report.audit_page import write_audit
from evaluation.uncertainty.bootstrap import Resampling
from evaluation.uncertainty.label_permutation import permute_labels
from evaluation.uncertainty.prediction_intervals import add_intervals

RESAMPLING = Resampling(1000)


class Page(HTMLParser):
    """Headings and plots of a page, and whether its tags balance."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.images, self.open, self.text = [], 0, [], ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]
        self.images += tag == "img"
        if tag not in {"meta", "img", "link", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def content(recordings, validation):
    rng = np.random.default_rng(0)
    table = add_intervals(recordings, validation, low=0, high=63)
    facts = table[["recording_id"]].assign(
        sex=np.repeat(["f", "m"] * 15, 3),
        site=np.repeat(["a"] * 27 + ["<b>"] * 3, 3),
        brightness=table["score_target"] + rng.normal(size=len(table)),
    )
    features = {name: rng.normal(size=(len(table), 4)) for name in ("plain", "embedding")}
    reading = {"value": 0.777, "low": 0.7, "high": 0.8}
    identity = probe_identity(features, table, deal_visits(table, seed=0))
    return {
        "identity": identity | {"with_context": 1.0},
        "depression": {"plain": dict.fromkeys(("auc", "pearson", "mae"), reading)},
        "nuisance": audit_nuisance(table, facts, RESAMPLING),
        "labels": permute_labels(table, seed=0, n_permutations=99),
        "slices": slices(table, facts, threshold=0.5),
        "coverage": coverage(table),
    }


def test_every_section_has_its_numbers(content, tmp_path):
    record = {"synthetic": True, "data": "cohort"}
    write_audit(tmp_path / "audit.html", audit=content, title="A run", notes=["Look twice"], record=record)
    page = Page((tmp_path / "audit.html").read_text())
    assert page.ids[:2] == ["glance", "questions"]
    assert page.ids[2:] == ["identity", "depression", "nuisance", "labels", "slices", "coverage", "limits"]
    assert "SYNTHETIC: Audit of A run" in page.text
    assert page.images == 4
    assert "Look twice" in page.text
    assert "site <b>: fewer than 5 persons" in page.text  # escaped: it is text and no tag
    assert f"{content['identity']['accuracy']['plain']['value']:.2f}" in page.text
    assert "0.78 0.70 to 0.80" in page.text
    assert content["nuisance"]["flagged"]["label"] == ["brightness"]
    assert "Spearman, label" in page.text
    assert "duration_s, n_frames, fps, border" in page.text


def test_reasons_take_the_place_of_numbers(tmp_path):
    names = ("depression", "nuisance", "labels", "coverage")
    bare = {name: {"reason": f"no {name} here"} for name in names}
    bare["slices"] = {"sex": {"reason": "not in the manifest"}}
    bare["identity"] = {"reason": "no identity here"}
    write_audit(tmp_path / "audit.html", audit=bare, title="A run")
    page = Page((tmp_path / "audit.html").read_text())
    assert page.images == 0
    for name in (*names, "identity"):
        assert f"no {name} here" in page.text
    assert "sex: not in the manifest" in page.text
