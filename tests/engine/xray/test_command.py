import json

import numpy as np
import pytest

from datamodules.checks.validate import main
from datamodules.command_line import run
from datamodules.sources.trees import dvlog, folder
from datamodules.xray.defect import KINDS
from tests.xray_corpus import Corpus


def looked_at(corpus, root):
    """The answer to `xray=true json=` on a corpus."""
    manifest = corpus.write(root)
    run(main, [f"manifest={manifest}", "xray=true", f"json={root / 'x.json'}"])
    return json.loads((root / "x.json").read_text(encoding="utf-8"))


def kinds(answer):
    return {alarm["kind"] for alarm in answer["alarms"]}


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_corpus_without_a_defect_has_no_alarm_and_everything_was_looked_at(seed, tmp_path):
    answer = looked_at(Corpus(seed), tmp_path)
    assert answer["alarms"] == []
    assert set(answer["looked"]) == set(KINDS)
    assert all(answer["looked"].values())
    assert answer["looked"]["two_persons"] == 48
    assert (answer["label"], answer["persons"], answer["unreadable"]) == ("binary", 24, [])


def constant(corpus, names):
    for name in names:
        corpus.arrays[name][0][:] = 0.25
    return "constant"


def dead_channel(corpus, names):
    for name in names:
        corpus.arrays[name][0][:, 3] = 0
    return "constant"


def frozen(corpus, names):
    for name in names:
        corpus.arrays[name][0][30:70] = corpus.arrays[name][0][30]
    return "frozen"


def copied(corpus, names):
    corpus.arrays[names[1]] = corpus.arrays[names[0]]
    return "repeated"


def nearly_copied(corpus, names):
    values, times, valid = corpus.arrays[names[0]]
    corpus.arrays[names[1]] = [
        values + corpus.rng.normal(0, 0.02, values.shape).astype(np.float32),
        times,
        valid,
    ]
    return "repeated"


def tiled(corpus, names):
    for name in names:
        corpus.arrays[name][0][40:70] = corpus.arrays[name][0][10:40]
        corpus.arrays[name][2][:] = True
    return "repeated"


def spliced(corpus, names):
    for name in names:
        other = next(own for own in corpus.landmarks if own[:4] != name[:4])
        corpus.landmarks[name][60:] = corpus.landmarks[other][:40].mean(0)[None] + corpus.rng.normal(
            0, 0.3, (len(corpus.landmarks[name]) - 60, 68, 2)
        )
    return "two_persons"


def seconds(corpus, names):
    for name in names:
        corpus.arrays[name][1] = corpus.arrays[name][1] / 1000
    return "time_base"


def stated(corpus, names):
    corpus.table.loc[corpus.table["recording_id"].isin(names), "fps"] = 30.0
    return "time_base"


def changing(corpus, names):
    for name in names:
        length = len(corpus.arrays[name][1])
        corpus.arrays[name][1] = np.cumsum(np.where(np.arange(length) < 60, 40.0, 66.0))
    return "time_base"


def too_long(corpus, names):
    corpus.table.loc[corpus.table["recording_id"].isin(names), "duration_s"] *= 2
    return "time_base"


@pytest.mark.parametrize(
    "plant",
    [
        constant,
        dead_channel,
        frozen,
        copied,
        nearly_copied,
        tiled,
        spliced,
        seconds,
        stated,
        changing,
        too_long,
    ],
)
def test_a_defect_of_files_is_found_where_it_is_with_its_score(plant, tmp_path):
    corpus = Corpus(persons=12)
    names = ["P003_0", "P008_1"]
    kind = plant(corpus, names)
    answer = looked_at(corpus, tmp_path)
    own = [alarm for alarm in answer["alarms"] if alarm["kind"] == kind]
    where = {place for alarm in own for place in alarm["where"]}
    assert set(names) <= where
    assert {place for place in where if "/" not in place} == set(names)
    for alarm in own:
        score = alarm["score"]
        assert score["measure"] == "auc"
        assert score["low"] <= score["value"] <= score["high"]
        assert score["persons"] == 12
        assert 0.4 < score["value"] < 0.6  # two of 24 recordings tell nothing of the others
    if plant not in (copied, nearly_copied):  # a copy of another length contradicts the duration, too
        assert kinds(answer) == {kind}


def test_a_defect_that_goes_with_the_label_scores(tmp_path):
    corpus = Corpus()
    names = corpus.table["recording_id"][corpus.labels == 1].tolist()
    dead_channel(corpus, names)
    (alarm,) = [one for one in looked_at(corpus, tmp_path)["alarms"] if one["kind"] == "constant"]
    assert alarm["score"]["value"] == 1
    assert set(names) <= set(alarm["where"])


def test_what_tells_the_label_is_named_by_its_column(tmp_path):
    corpus = Corpus()
    labels = corpus.labels
    corpus.table["site"] = np.where(labels == 1, "A", "B")
    corpus.table["genre"] = np.where(labels == 1, "vlog", "interview")
    corpus.table["age"] = (30 + 25 * labels).astype(int)
    corpus.table["trait_N"] = 4 * labels + corpus.table["trait_N"] * 0.2
    corpus.table["recording_id"] = [
        f"{name}_{'mdd' if label else 'hc'}"
        for name, label in zip(corpus.table["recording_id"], labels, strict=True)
    ]
    answer = looked_at(corpus, tmp_path)
    found = {(alarm["kind"], place) for alarm in answer["alarms"] for place in alarm["where"]}
    assert {("site", "site"), ("genre", "genre"), ("metadata", "age"), ("trait", "trait_N"),
            ("file_name", "recording_id")} <= found  # fmt: skip
    assert kinds(answer) == {"site", "genre", "metadata", "trait", "file_name"}


def test_few_persons_cannot_tell(tmp_path):
    corpus = Corpus(persons=8)
    corpus.table["site"] = np.where(corpus.labels == 1, "A", "B")
    answer = looked_at(corpus, tmp_path)
    assert not kinds(answer)
    assert set(answer["cannot_tell"]) == {"site", "genre", "trait", "metadata", "file_name"}
    assert "fewer than 5 persons" in answer["cannot_tell"]["site"]


def test_an_empty_file_is_an_alarm_and_the_others_are_looked_at(tmp_path, capsys):
    corpus = Corpus(persons=12)
    manifest = corpus.write(tmp_path)
    (tmp_path / "a" / "P003_0.npz").write_bytes(b"")
    (tmp_path / "a" / "P004_0.npz").write_bytes(b"no archive")
    run(
        main,
        [f"manifest={manifest}", "xray=true", f"json={tmp_path / 'x.json'}", f"html={tmp_path / 'x.html'}"],
    )
    answer = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    (alarm,) = answer["alarms"]
    assert (alarm["kind"], alarm["where"]) == ("zero_bytes", ["P003_0", "a/P003_0.npz"])
    assert [one["file"] for one in answer["unreadable"]] == ["a/P003_0.npz", "a/P004_0.npz"]
    assert answer["looked"]["constant"] == 46
    assert "zero_bytes" in capsys.readouterr().out
    assert "<h2>X-ray: alarms</h2>" in (tmp_path / "x.html").read_text(encoding="utf-8")


def test_a_refused_table_is_looked_at_all_the_same(tmp_path, capsys):
    corpus = Corpus(persons=12)
    frozen(corpus, ["P003_0"])
    corpus.table.loc[0, "scale"] = "no such scale"
    answer = looked_at(corpus, tmp_path)
    assert kinds(answer) == {"frozen"}
    assert "no such scale" in answer["refused"]
    assert "no such scale" in capsys.readouterr().err


def test_a_refused_folder_is_looked_at_all_the_same(tmp_path, capsys):
    dvlog.write(tmp_path, persons=6)
    (tmp_path / "labels.csv").write_text("nothing,of,this\n1,2,3\n", encoding="utf-8")
    (tmp_path / "3" / "3_visual.npy").write_bytes(b"")
    assert run(main, ["source=dvlog", f"root={tmp_path}", "xray=true", f"json={tmp_path / 'x.json'}"]) == 1
    answer = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    (alarm,) = answer["alarms"]
    assert (alarm["kind"], alarm["where"], alarm["score"]) == ("zero_bytes", ["3/3_visual.npy"], None)
    assert alarm["reason"].startswith("no labels")
    assert answer["recordings"] == 12  # 11 arrays, and the table itself
    capsys.readouterr()


def test_videos_that_are_copies_are_found(tmp_path, capsys):
    folder.write(tmp_path)
    first, second = tmp_path / "person01" / "visit1.mp4", tmp_path / "person05" / "visit2.mp4"
    second.write_bytes(first.read_bytes())
    run(main, ["source=folder", f"root={tmp_path}", "xray=true", f"json={tmp_path / 'x.json'}"])
    answer = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert [alarm["kind"] for alarm in answer["alarms"]] == ["repeated"]
    assert len(answer["alarms"][0]["where"]) == 2
    capsys.readouterr()


def test_a_table_or_folder_that_is_not_there_is_not_looked_at(tmp_path, capsys):
    for words in (
        [f"manifest={tmp_path / 'm.csv'}"],
        ["source=dvlog", f"root={tmp_path / 'gone'}"],
        ["source=dvlgo"],
    ):
        assert run(main, [*words, "xray=true", f"json={tmp_path / 'x.json'}"]) == 1
        assert "X-ray" not in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_json_is_of_an_x_ray(tmp_path, capsys):
    assert run(main, [f"manifest={tmp_path / 'm.csv'}", f"json={tmp_path / 'x.json'}"]) == 2
    assert "xray=true" in capsys.readouterr().err
