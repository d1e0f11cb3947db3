"""The study calls a miss a miss and a false alarm a false alarm, and goes on where it stopped."""

import json
from dataclasses import replace

import pytest

from studies.xray import __main__ as study
from studies.xray import verdict
from studies.xray.layouts.manifests import JOINED
from studies.xray.page import false, missed, written
from studies.xray.plants import PLANTS

_SCORE = {"measure": "AUC", "value": 0.8123, "low": 0.71, "high": 0.9, "persons": 80}


def _alarm(kind, where, text="", score=None):
    return {"kind": kind, "where": where, "text": text, "score": score}


def test_an_alarm_finds_a_recording_only_by_its_id_or_file():
    named = ["r1", "series/r1.csv"]
    assert verdict.found("frozen", named, [_alarm("frozen", ["r1"])])
    assert verdict.found("frozen", named, [_alarm("frozen", ["series/r1.csv", "r2"])])
    assert verdict.found("frozen", named, [_alarm("constant", ["r1"])]) is None
    assert verdict.found("frozen", named, [_alarm("frozen", ["r2"], "r1")]) is None
    assert verdict.found("frozen", named, []) is None
    assert verdict.found("frozen", ["corpus/part/r1.npy"], [_alarm("frozen", ["part/r1.npy"])])
    assert verdict.found("frozen", ["corpus/part/r1.npy"], [_alarm("frozen", ["r1.npy"])]) is None
    assert verdict.found("frozen", ["part/r1.npy"], [_alarm("frozen", ["other/r1.npy"])]) is None
    both = [_alarm("frozen", ["r1"]), _alarm("frozen", ["r1", "series/r1.csv"])]
    assert verdict.found("frozen", named, both) is both[1]
    assert verdict.strangers(named, _alarm("frozen", ["r1", "r2", "r3"])) == 2


def test_an_alarm_finds_a_fact_by_its_column_or_by_words_for_it():
    assert verdict.found("site", ["site"], [_alarm("site", ["site"])])
    assert verdict.found("site", ["site"], [_alarm("site", ["corpus"], "not of the site")]) is None
    size = ["*size*", "*bytes*"]
    assert verdict.found("metadata", size, [_alarm("metadata", ["size in bytes"])])
    assert verdict.found(
        "metadata", size, [_alarm("metadata", ["series_path"], "the size of files tells it")]
    )
    assert verdict.found("metadata", size, [_alarm("metadata", ["age"], "the age tells it")]) is None
    assert verdict.found("trait", ["trait_[EC]"], [_alarm("trait", ["trait_C"])])
    assert verdict.found("trait", ["trait_[EC]"], [_alarm("trait", ["trait_N"])]) is None


def _case(alarms, **more):
    base = {"layout": "a layout", "persons": 3, "recordings": 4, "alarms": alarms}
    return base | {"kind": "site", "what": "one site", "named": ["site"]} | more


def test_the_page_tells_what_was_found_missed_and_false():
    hit = _case([_alarm("site", ["site"], score=_SCORE), _alarm("genre", ["task"])])
    text = written(
        [hit, _case([]), _case(None)],
        [_case([]), _case([_alarm("site", ["site"], "a|b")])],
        colophon="By me.",
    )
    assert "| 1 | `site` | a layout | one site | yes | AUC 0.81 [0.71, 0.90], 80 persons |  | genre |" in text
    assert "| 2 | `site` | a layout | one site | **missed** |" in text
    assert "**no answer**" in text
    assert "Missed: 2 of 3." in text
    assert "With a false alarm: 1 of 2." in text
    assert "**site**: a/b" in text
    assert text.endswith("By me.\n")
    assert [missed(hit), missed(_case([])), missed(_case(None))] == [False, True, True]
    assert [false(_case([])), false(_case(None)), false(hit)] == [False, True, True]


@pytest.fixture
def small(monkeypatch):
    """One clean tree and one defect."""
    (plant,) = [plant for plant in PLANTS if plant.layout is JOINED and plant.kind == "genre"]
    monkeypatch.setattr(study, "LAYOUTS", (JOINED,))
    monkeypatch.setattr(study, "PLANTS", (plant,))
    return plant


def _asked(monkeypatch, answers):
    """Answers in the place of the command; returns what it was asked."""
    words = []

    def instead(given, answer):
        words.append(given)
        return {"status": 0, "stderr": "", "looked": {}, "alarms": answers[answer.stem]}

    monkeypatch.setattr(study, "asked", instead)
    return words


def test_the_study_ends_with_0_where_all_is_found_and_asks_nothing_twice(
    small, monkeypatch, tmp_path, capsys
):
    words = _asked(monkeypatch, {"clean_01": [], "plant_01": [_alarm("genre", ["task"], score=_SCORE)]})
    given = {"out": tmp_path / "out", "page": tmp_path / "page.md"}
    assert study.main(**given) == 0
    assert len(words) == 2
    assert all(word[0].startswith("manifest=") for word in words)
    page = (tmp_path / "page.md").read_text()
    assert "Missed: 0 of 1." in page
    assert "With a false alarm: 0 of 1." in page
    assert not list((tmp_path / "out").rglob("*.npz"))
    assert study.main(**given) == 0
    assert len(words) == 2
    assert study.main(**given, seed=1) == 0
    assert len(words) == 4
    assert "genre" in capsys.readouterr().out


@pytest.mark.parametrize(
    "answers",
    [
        {"clean_01": [], "plant_01": []},
        {"clean_01": [], "plant_01": [_alarm("genre", ["site"])]},
        {"clean_01": [_alarm("site", ["corpus"])], "plant_01": [_alarm("genre", ["task"])]},
    ],
    ids=["a miss", "another column", "a false alarm"],
)
def test_a_miss_or_a_false_alarm_ends_with_1(answers, small, monkeypatch, tmp_path):
    _asked(monkeypatch, answers)
    assert study.main(out=tmp_path / "out", page=tmp_path / "page.md") == 1


def test_a_case_without_an_answer_is_asked_again(small, monkeypatch, tmp_path, capsys):
    given = {"out": tmp_path / "out", "page": tmp_path / "page.md"}
    _asked(monkeypatch, {"clean_01": None, "plant_01": [_alarm("genre", ["task"])]})
    assert study.main(**given) == 1
    assert "no answer" in capsys.readouterr().out
    words = _asked(monkeypatch, {"clean_01": [], "plant_01": []})
    assert study.main(**given) == 0
    assert len(words) == 1


def test_an_answer_about_another_defect_under_the_same_number_is_not_taken(small, monkeypatch, tmp_path):
    given = {"out": tmp_path / "out", "page": tmp_path / "page.md"}
    words = _asked(monkeypatch, {"clean_01": [], "plant_01": [_alarm("genre", ["task"])]})
    assert study.main(**given) == 0
    monkeypatch.setattr(study, "PLANTS", (replace(small, what="another sentence"),))
    assert study.main(**given) == 0
    assert len(words) == 3


def test_without_all_cases_there_is_no_page_and_the_asked_ones_tell(small, monkeypatch, tmp_path, capsys):
    _asked(monkeypatch, {"clean_01": [], "plant_01": [_alarm("genre", ["task"])]})
    given = {"out": tmp_path / "out", "page": tmp_path / "page.md"}
    assert study.main(**given, limit=1e-9) == 1  # of two that were asked for none was looked at
    assert study.main(**given, only="clean") == 0
    assert not (tmp_path / "page.md").exists()
    assert "1 case(s) are left" in capsys.readouterr().out
    assert study.main(**given) == 0
    assert (tmp_path / "page.md").is_file()


def test_the_command_is_asked_in_a_process_of_its_own(monkeypatch, tmp_path):
    content = {"alarms": [_alarm("site", ["site"])], "looked": {"files": 3}}
    seen = []

    class Done:
        returncode, stderr = 1, "damaged"

    def instead(line, **_):
        seen.append(line)
        target = next(word for word in line if word.startswith("json=")).removeprefix("json=")
        (tmp_path / target).write_text(json.dumps(content))
        return Done()

    monkeypatch.setattr(verdict.subprocess, "run", instead)
    told = verdict.asked(["manifest=m.csv"], tmp_path / "answer.json")
    assert told == {"status": 1, "stderr": "damaged", **content}
    assert seen[0][1:4] == ["-m", "datamodules.checks.validate", "manifest=m.csv"]
    assert "xray=true" in seen[0]
    monkeypatch.setattr(verdict.subprocess, "run", lambda *_, **__: Done())
    assert verdict.asked(["manifest=m.csv"], tmp_path / "answer.json")["alarms"] is None
