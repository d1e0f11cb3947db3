import pandas as pd
import pytest

from datamodules.command_line import run
from datamodules.sources import adodas
from datamodules.sources.trees.adodas import write
from engine.submission.__main__ import _of_group, main
from engine.submission.persons import SubmissionError

PROBABILITIES = [f"DASS-21-{one}_probability" for one in "DAS"]


@pytest.fixture
def corpus(tmp_path):
    write(tmp_path / "adodas", persons=10)
    manifest = adodas.read(root=tmp_path / "adodas", probe=False)
    manifest.write(tmp_path / "manifest.csv")
    table = manifest.table[["recording_id", "subject_id", "session_id", "split"]]
    table = table.assign(prediction=0.5, **dict.fromkeys(PROBABILITIES, 0.25))
    table.to_csv(tmp_path / "predictions.csv", index=False)
    return tmp_path


def command(corpus, *words, made="adodas_a1"):
    given = [f"predictions={corpus}/predictions.csv", f"manifest={corpus}/manifest.csv", f"format={made}"]
    return run(main, [*given, f"out={corpus}/out.csv", *words])


def test_a_table_of_the_test_part_is_written(corpus, capsys):
    assert command(corpus) == 0
    told = capsys.readouterr().out
    assert "persons  2" in told
    assert "not checked against the organisers' checker" in told
    found = pd.read_csv(corpus / "out.csv")
    assert list(found) == ["anon_school", "anon_class", "anon_pid", "p_D", "p_A", "p_S"]
    assert found["anon_pid"].tolist() == ["P009", "P010"]


def test_the_parts_can_be_chosen_and_nothing_is_written_over(corpus, capsys):
    assert command(corpus, "part=all") == 0
    assert len(pd.read_csv(corpus / "out.csv")) == 10
    assert command(corpus) == 1
    assert "is there already; say out=" in capsys.readouterr().err


def test_what_cannot_be_written_is_told_with_status_1(corpus, capsys):
    assert command(corpus, made="adodas_a2") == 1
    assert "a network trained with model/heads=items data/items=dass_21 gives it" in capsys.readouterr().err
    table = pd.read_csv(corpus / "predictions.csv")
    table[~table["subject_id"].str.endswith("P009")].to_csv(corpus / "predictions.csv", index=False)
    assert command(corpus) == 1
    assert "have no prediction: adodas:school1:class1:P009" in capsys.readouterr().err
    assert not (corpus / "out.csv").exists()
    assert (
        run(main, [f"predictions={corpus}/no.csv", f"manifest={corpus}/manifest.csv", "format=adodas_a1"])
        == 1
    )
    assert "no.csv: no such table" in capsys.readouterr().err
    assert run(main, [f"predictions={corpus}/predictions.csv", f"manifest={corpus}", "format=adodas_a1"]) == 1
    assert "no run, as its manifest.json tells no data.manifest" in capsys.readouterr().err


def test_the_command_line_knows_its_formats(corpus, capsys):
    assert command(corpus, made="codabench") == 2
    assert "choose adodas_a1, adodas_a2, mpdd_avg" in capsys.readouterr().err


def test_one_age_group_of_mpdd_avg_can_be_chosen():
    rows = pd.DataFrame({"subject_id": ["mpdd_avg:young_001", "mpdd_avg:elder_001"]})
    assert _of_group(rows, "Elder")["subject_id"].tolist() == ["mpdd_avg:elder_001"]
    assert len(_of_group(rows, None)) == 2
    with pytest.raises(SubmissionError, match=r"age_group=Young.*leave age_group out"):
        _of_group(rows[1:], "Young")


def test_one_group_is_written_where_both_would_share_ids(tmp_path, capsys):
    groups = ("young", "elder")
    table = pd.DataFrame(
        {
            "recording_id": groups, "subject_id": [f"mpdd_avg:{one}_001" for one in groups],
            "session_id": "1", "path": [f"{one}.mp4" for one in groups], "split": "test",
        }
    )  # fmt: skip
    for one in groups:
        (tmp_path / f"{one}.mp4").write_bytes(one.encode())
    table.to_csv(tmp_path / "manifest.csv", index=False)
    made = table[["recording_id", "subject_id", "session_id"]]
    made.assign(binary_prediction=[0.2, 0.9], score_prediction=[3.0, 12.0]).to_csv(
        tmp_path / "predictions.csv", index=False
    )
    words = ("threshold=0.5", "cuts=5,10")
    assert command(tmp_path, *words, made="mpdd_avg") == 1
    assert "age_group=Young, then age_group=Elder" in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()
    assert command(tmp_path, *words, "age_group=Elder", made="mpdd_avg") == 0
    assert pd.read_csv(tmp_path / "out.csv", dtype=str).to_numpy().tolist() == [["001", "1", "2", "12.0"]]
