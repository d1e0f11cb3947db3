"""The report of a real run: what somebody who is handed the page must know."""

import base64
import json
import re
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def page(series_run):
    return (series_run.folder / "report.html").read_text(encoding="utf-8")


def section(page, name):
    return re.search(rf'<section id="{name}".*?</section>', page, flags=re.S).group()


def test_made_up_data_are_named_in_title_and_heading(page, series_run):
    assert "<title>SYNTHETIC: mpdrm_series" in page
    told = "the BDI-II total and who reaches its cut-off from measurements"
    assert f"<h1>A network trained to tell {told}, tested on made-up persons</h1>" in page
    assert '<span class="small">run SYNTHETIC: mpdrm_series</span>' in page
    assert series_run.record["synthetic"] is True


def test_data_questionnaire_and_all_three_parts_stand_at_the_top(page, series_run):
    top = page[page.index('id="glance"') : page.index('id="headline"')]
    assert "BDI-II, 0 to 63 points, positive from 14" in top
    parts = next(iter(series_run.record["parts"].values()))
    assert sum(part["recordings"] for part in parts.values()) == 20  # 10 persons with 2 visits
    for label, part in zip(("Training", "Validation", "Test"), parts.values(), strict=True):
        counts = f"{part['persons']} persons, {part['recordings']} recordings, {part['positive']} positive"
        assert f"<dt>{label}</dt><dd>{counts}</dd>" in top
    assert "8 rows of 17 channels; 3 clips a recording" in top
    assert "10 frames per second" in top
    assert f"{series_run.record['parameters']:,} parameters" in top


def test_visits_and_scores_stand_in_the_table_for_all_parts(page, series_run, own_table):
    rows = re.findall(r"<tr><td>(train|val|test)</td>(.*?)</tr>", section(page, "data"), flags=re.S)
    assert {name for name, _ in rows} == {"train", "val", "test"}
    for name, cells in rows:
        own = own_table[own_table["split"] == name]
        score, counts = own["score"].astype(float), (len(own), own["subject_id"].nunique(), len(own))
        assert cells.startswith("".join(f'<td class="n">{count}</td>' for count in counts))
        assert cells.endswith(f'<td class="n">{score.mean():.1f} ({score.std():.1f})</td>')


def test_no_path_of_this_machine_leaves_with_the_page(page, series_run):
    for folder in (series_run.folder, *series_run.folder.parents[:-1], Path.home()):
        assert not re.search(rf"{re.escape(str(folder))}\b", page), folder


def test_oracles_are_not_among_the_reference_lines(page):
    lines, oracles = section(page, "references").split('<section id="oracles">')
    assert "Constant guess" in lines
    assert "racle" not in lines
    assert "Oracle, raw" in oracles
    assert "Better than its reference lines" not in page


def test_the_chosen_epoch_is_marked_and_named(page, series_run):
    curves = re.search(r'<figure id="plot-training">.*?</figure>', page, flags=re.S).group()
    drawing = base64.b64decode(re.search(r"base64,([^\"]+)", curves).group(1))
    assert b'id="chosen"' in drawing
    assert f"epoch {series_run.record['chosen']['epoch'] + 1} of 2: val/auc was best there" in curves


def test_every_figure_begins_with_the_question_that_leads_to_it(page):
    questions = dict(re.findall(r'<li><a href="#([\w-]+)">(.*?)</a>', page))
    captions = dict(re.findall(r'<figure id="([\w-]+)".*?<figcaption><b>(.*?)</b>', page, flags=re.S))
    assert len(captions) >= 5
    assert questions == captions


def test_the_first_page_has_the_numbers_of_the_file(page, series_run):
    stored = json.loads((series_run.folder / "metrics.json").read_text(encoding="utf-8"))["test"]
    first = section(page, "first-page")
    assert page.index('id="first-page"') < page.index('id="technical"') < page.index('id="headline"')
    auc, mae = stored["auc"], stored["mae"]
    counted = stored["counts"]
    assert f"f {counted['positive'] * counted['negative']:,} pairs of recordings" in first
    assert f"rightly ({100 * auc['value']:.0f} of 100; " in first
    assert f"miss the questionnaire&#39;s total by {mae['value']:.1f} points" in first
    assert stored["precision"].keys() >= {"value", "low", "high"}
    if stored["precision"]["value"] is not None:
        assert f"of them rightly ({100 * stored['precision']['value']:.0f} of 100; " in first
    assert "These data are synthetic" in first[:200]
    tested = re.search(r">Tested</td>(.*?)</tr>", first).group(1)
    assert f">{stored['counts']['subjects']}</td>" in tested
