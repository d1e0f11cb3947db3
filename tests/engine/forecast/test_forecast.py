"""The command `python -m engine.forecast`: who is tested, what is read, and what is said."""

import json

import numpy as np
import pandas as pd
import pytest

from biomarkers.symptoms.reliability import omega
from datamodules.checks.pages import as_text
from datamodules.command_line import run
from datamodules.manifests.manifest import read_labels
from datamodules.sources.trees import edaic
from engine.forecast.__main__ import main
from engine.forecast.corpus import CorpusError, corpus
from engine.forecast.made import make
from engine.forecast.words import sections
from evaluation.forecast.design import Assumptions
from evaluation.forecast.forecast import Expectation, Wanted


def write(folder, *, sizes=(80, 20, 40), visits=1, items=False, seed=0, **columns):
    """A table whose files are nowhere: persons of three parts, a PHQ-9 each."""
    rng = np.random.default_rng(seed)
    persons = sum(sizes)
    severity = np.repeat(0.8 * rng.standard_normal(persons), visits) + 0.6 * rng.standard_normal(
        persons * visits
    )
    answers = severity[:, None] + 0.8 * rng.standard_normal((len(severity), 9))
    answers = np.digitize(answers, (0.2, 1.0, 1.8))
    table = pd.DataFrame(
        {
            "recording_id": [f"r{row}" for row in range(len(severity))],
            "subject_id": np.repeat([f"p{one}" for one in range(persons)], visits),
            "session_id": np.tile([f"v{visit}" for visit in range(visits)], persons),
            "path": [f"not/yet/here/{row}.mp4" for row in range(len(severity))],
            "scale": "PHQ-9",
            "score": answers.sum(axis=1),
            "split": np.repeat(np.repeat(["train", "dev", "test"], sizes), visits),
        }
    )
    if items:
        table = table.join(pd.DataFrame(answers, columns=[f"item_phq9_{one}" for one in range(1, 10)]))
    table = table.assign(**columns)
    file = folder / "corpus.csv"
    table.to_csv(file, index=False)
    return file, table


def told(capsys, tmp_path, *words):
    """Status 0, the text and the data of a forecast."""
    assert run(main, [*words, f"json={tmp_path / 'out' / 'found.json'}"]) == 0
    return capsys.readouterr().out, json.loads((tmp_path / "out" / "found.json").read_text())


def test_a_table_without_files_is_forecast_for_its_test_part(tmp_path, capsys):
    file, _ = write(tmp_path)
    text, found = told(capsys, tmp_path, f"manifest={file}")
    assert text.startswith("What can corpus.csv show?\n")
    assert "the test part: 40 persons, 40 recordings, 1 a person" in text
    assert "80 recordings of 80 persons" in text
    assert "published alpha of the PHQ-9" in text
    row = found["metrics"]["auc"]
    low, high = (f"{row[end]:.2f}".removeprefix("0") for end in ("low", "high"))
    assert (
        f"With the 40 persons of the test part an AUC of .75 comes with an interval of about {low} to {high}"
        in text
    )
    assert f"{row['persons']['difference']['persons']:,} persons" in text


def test_no_label_of_the_test_part_is_read(tmp_path, capsys):
    file, table = write(tmp_path, items=True)
    before = told(capsys, tmp_path, f"manifest={file}")
    tested = table["split"] == "test"
    table.loc[tested, "score"] = 27
    table.loc[tested, [name for name in table if name.startswith("item_")]] = 3
    table.to_csv(file, index=False)
    assert told(capsys, tmp_path, f"manifest={file}") == before
    table["score"] = table["score"].where(~tested)
    table.loc[tested, [name for name in table if name.startswith("item_")]] = np.nan
    table.to_csv(file, index=False)  # hidden, as those of a challenge are
    text, found = told(capsys, tmp_path, f"manifest={file}")
    assert found["metrics"] == before[1]["metrics"]
    assert "the test part has no label here" in text
    assert "the test part has no label here" not in before[0]
    train = table["split"] == "train"
    table.loc[train, "score"] = table.loc[train, "score"].to_numpy()[::-1] // 2
    table.drop(columns=[name for name in table if name.startswith("item_")]).to_csv(file, index=False)
    assert told(capsys, tmp_path, f"manifest={file}")[1]["metrics"] != before[1]["metrics"]


def test_the_reliability_is_that_of_the_training_answers(tmp_path, capsys):
    file, table = write(tmp_path, items=True)
    text, found = told(capsys, tmp_path, f"manifest={file}")
    answers = table.loc[table["split"] == "train", [name for name in table if name.startswith("item_")]]
    assert found["ceiling"]["reliability"] == pytest.approx(omega(np.cov(answers.to_numpy(), rowvar=False)))
    assert "omega of 80 questionnaires (PHQ-9)" in text
    _, given = told(capsys, tmp_path, f"manifest={file}", "reliability=.6")
    assert given["ceiling"]["correlation"] == pytest.approx(np.sqrt(0.6))
    assert given["ceiling"]["auc"] < found["ceiling"]["auc"]


def test_folds_test_everybody_and_a_holdout_its_share(tmp_path, capsys):
    file, _ = write(tmp_path, visits=3)
    folds, everybody = told(capsys, tmp_path, f"manifest={file}", "protocol=kfold")
    assert "all folds: 140 persons, 420 recordings, 3 a person" in folds
    assert "estimated (one-way ICC)" in folds
    _, part = told(capsys, tmp_path, f"manifest={file}", "protocol=holdout", "test=.2")
    assert part["persons"] == 28
    assert part["metrics"]["auc"]["width"] > everybody["metrics"]["auc"]["width"]
    _, more = told(capsys, tmp_path, f"manifest={file}", "protocol=holdout", "persons=140")
    assert more["metrics"]["auc"]["width"] == pytest.approx(everybody["metrics"]["auc"]["width"])
    stated, _ = write(tmp_path, split="")
    assert "a holdout of 30 % of the persons: 42 persons" in told(capsys, tmp_path, f"manifest={stated}")[0]


def test_more_visits_of_persons_with_one_rest_on_an_assumed_correlation(tmp_path, capsys):
    file, _ = write(tmp_path)
    text, many = told(capsys, tmp_path, f"manifest={file}", "visits=4")
    assert "correlate by 0.60, assumed" in text
    widths = [many["metrics"]["auc"]["width"]]
    for icc in (0.0, 1.0):
        _, found = told(capsys, tmp_path, f"manifest={file}", "visits=4", f"icc_labels={icc}")
        widths.append(found["metrics"]["auc"]["width"])
    _, one = told(capsys, tmp_path, f"manifest={file}")
    assert max(widths) < one["metrics"]["auc"]["width"]


def test_what_is_expected_beyond_the_ceiling_is_told(tmp_path, capsys):
    file, _ = write(tmp_path)
    text, found = told(capsys, tmp_path, f"manifest={file}", "auc=.97", "reliability=.7")
    assert found["ceiling"]["auc"] < 0.97
    assert "AUC .97 is expected beyond the ceiling." in text


def test_few_persons_of_a_class_are_warned_of_as_the_report_does(tmp_path, capsys):
    file, _ = write(tmp_path, sizes=(200, 20, 8))
    text, found = told(capsys, tmp_path, f"manifest={file}")
    assert f"About {found['fewest_of_a_class']:.1f} persons of the rarer class" in text
    assert "Below 10 persons every interval" in text


def test_one_tested_person_is_refused_with_the_remedy(tmp_path):
    table = read_labels(write(tmp_path, sizes=(80, 20, 1))[0])
    with pytest.raises(
        CorpusError, match=r"1 person is tested \(the test part\).* persons=.* protocol=kfold"
    ):
        corpus(table)
    assert corpus(table, persons=40).design.persons == 40
    three = read_labels(write(tmp_path, sizes=(3, 0, 0))[0])
    with pytest.raises(CorpusError, match=r"1 person is tested \(a holdout of 30 %.* a larger test="):
        corpus(three)
    assert corpus(three, share=0.6).design.persons == 2


def said_of(file, **expected):
    """Data and text of a forecast, without the command."""
    points = {"auc": 0.1, "ccc": 0.1, "mae": 2.0, "rmse": 2.0}
    found = make(
        corpus(read_labels(file)),
        expectation=Expectation(**expected),
        assumed=Assumptions(),
        wanted=Wanted(width=points, difference=points),
    )
    return found, as_text("", sections(found))


def test_two_tested_persons_show_nothing_and_that_is_said(tmp_path):
    found, text = said_of(write(tmp_path, sizes=(80, 20, 2))[0])
    assert found["metrics"]["mae"]["width"] is None
    assert "Only 2 persons are tested, and so few show nothing" in text
    assert "tested persons: 2; a report makes an interval of 3 or more" in text


def test_why_a_weak_model_has_no_ccc_is_said(tmp_path):
    file, _ = write(tmp_path)
    found, text = said_of(file, auc=0.55)
    assert "Nothing is said of CCC: so weak a reader" in text
    assert "width" not in found["metrics"]["ccc"]
    parts = {part.title: [row[0] for row in part.rows] for part in sections(found)}
    assert parts["Not told"] == ["CCC"]
    assert [title for title, first in parts.items() if "CCC" in first] == ["Not told"]
    assert "Nothing is said of CCC" not in said_of(file, auc=0.75)[1]


def test_classes_alone_and_one_class_alone(tmp_path, capsys):
    file, table = write(tmp_path)
    classes = table.assign(binary=(table["score"] >= 10).astype(int)).drop(columns=["scale", "score"])
    classes.to_csv(file, index=False)
    text, found = told(capsys, tmp_path, f"manifest={file}")
    assert "no scores of one questionnaire" in text
    assert "no questionnaire is known: give reliability=" in text
    assert found["ceiling"] is None
    table.assign(score=3).to_csv(file, index=False)
    text, found = told(capsys, tmp_path, f"manifest={file}")
    assert "the labels that were read hold one class only" in text
    assert "width" not in found["metrics"]["auc"]


def test_the_page_has_the_sentences_tables_and_curves(tmp_path, capsys):
    file, _ = write(tmp_path)
    page = tmp_path / "page.html"
    text, _ = told(capsys, tmp_path, f"manifest={file}", f"html={page}")
    html = page.read_text()
    assert f"Page: {page}" in text
    assert "With the 40 persons of the test part" in html
    assert "data:image/svg+xml" in html
    assert "The ceiling that label noise allows" in html


def test_a_corpus_is_read_with_its_source(tmp_path, capsys):
    edaic.write(tmp_path / "edaic", persons=20)
    words = ("source=edaic", f"root={tmp_path / 'edaic'}", "protocol=kfold", "label_rule=published")
    text, found = told(capsys, tmp_path, *words)
    assert "none is known of the PHQ-8: give reliability=" in text or "omega" in text
    assert found["persons"] > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["auc=.5"], "auc=0.5: on these labels a reader who knows nothing has 0.5"),
        (["correlation=1", "icc=1", "icc_labels=1"], "correlation=1: two models that are disturbed alike"),
        (["auc=.4"], "auc=0.4: on these labels a reader who knows nothing has 0.5"),
        (["mae=40"], "mae=40: on these labels"),
        (["icc=1.5"], "icc_predictions=1.5: give a correlation from 0 to 1"),
        (["reliability=2"], "reliability=2: give a share between 0 and 1"),
        (["persons=2"], "persons=2: give 3 or more"),
        (["visits=0"], "visits=0: give 1 or more"),
        (["test=1"], "test=1: give a share"),
        (["width=0"], "width= and points= are more than 0"),
        (["protocol=loso"], "protocol=loso: choose given, official, kfold, holdout"),
        (["label_rule=published"], "'label_rule=' belongs to source="),
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path, capsys, words, said):
    file, _ = write(tmp_path)
    assert run(main, [f"manifest={file}", *words]) == 2
    assert said in capsys.readouterr().err


def test_tables_that_cannot_serve_are_refused_with_the_remedy(tmp_path, capsys):
    file, table = write(tmp_path)
    table.assign(split="train").to_csv(file, index=False)
    assert run(main, [f"manifest={file}", "protocol=official"]) == 1
    assert "corpus.csv: 'split' names no test part; choose protocol=kfold" in capsys.readouterr().err
    table.drop(columns="score").to_csv(file, index=False)
    assert run(main, [f"manifest={file}"]) == 1
    assert "no training recording has a label" in capsys.readouterr().err
    assert run(main, [f"manifest={tmp_path / 'none.csv'}"]) == 1
    assert "no such manifest" in capsys.readouterr().err
    assert run(main, []) == 2
    assert "give manifest=<csv>, or source=<corpus>" in capsys.readouterr().err
