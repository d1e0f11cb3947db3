import re
import runpy
import sys

import numpy as np
import pytest

from datamodules.checks.validate import main
from datamodules.command_line import run
from datamodules.sources.trees import avec2014, daic_woz, edaic


@pytest.fixture
def avec(tmp_path):
    root = tmp_path / "avec2014"
    avec2014.write(root, persons=5)
    return root


def test_a_good_tree_is_described_on_screen_and_as_a_page(avec, tmp_path, capsys):
    page = tmp_path / "out" / "report.html"
    assert run(main, ["source=avec2014", f"root={avec}", f"html={page}"]) == 0
    out = capsys.readouterr().out
    for title in (
        "Recordings",
        "Labels, one a session",
        "Files",
        "Persons shared by parts",
        "Errata applied",
        "Notes",
    ):
        assert re.search(f"^{title}$", out, re.MULTILINE)
        assert f"<h2>{title}</h2>" in page.read_text()
    assert re.search(r"^  all +\d+ +\d+ +5 +0 +0$", out, re.MULTILINE)
    assert "32 x 32" in out
    assert f"Page: {page}" in out


def test_what_was_corrected_is_listed_and_escaped(avec, tmp_path, capsys):
    name = "<b>&.mp4"
    (avec / "AVEC2014_AudioVisual" / name).write_bytes(b"x")
    assert run(main, ["source=avec2014", f"root={avec}", "probe=false", f"html={tmp_path / 'r.html'}"]) == 0
    assert re.search(r"unknown_file +AVEC2014_AudioVisual/<b>&\.mp4", capsys.readouterr().out)
    assert "&lt;b&gt;&amp;.mp4" in (tmp_path / "r.html").read_text()


def test_long_lists_are_cut_on_the_screen_but_not_on_the_page(avec, tmp_path, capsys):
    for number in range(30):
        (avec / f"extra{number:02d}.mp4").write_bytes(b"x")
    assert run(main, ["source=avec2014", f"root={avec}", "probe=false", f"html={tmp_path / 'r.html'}"]) == 0
    out = capsys.readouterr().out
    assert "  and 6 more\n" in out
    assert "extra29.mp4" not in out
    assert "extra29.mp4" in (tmp_path / "r.html").read_text()


def test_options_reach_the_source(tmp_path, capsys):
    edaic.write(tmp_path, persons=8)
    command = ["source=edaic", f"root={tmp_path}", "probe=false"]
    assert run(main, [*command, "label_rule=published"]) == 0
    assert "binary labels by label_rule=published" in capsys.readouterr().out
    assert run(main, [*command, "label_rule=both"]) == 1
    assert "label_rule='both' is unknown" in capsys.readouterr().err


def test_people_of_another_corpus_are_counted(tmp_path, capsys):
    edaic.write(tmp_path / "edaic", persons=8)  # 300-302 and 304-306 in train and dev, 603 and 607 in test
    daic_woz.write(tmp_path / "woz", persons=8)  # 319, 373, 402, 409 and 300-303
    command = ["source=daic_woz", f"root={tmp_path / 'woz'}", "probe=false"]
    assert run(main, [*command, f"against=edaic:{tmp_path / 'edaic'}"]) == 0
    out = capsys.readouterr().out
    assert "Persons shared with edaic" in out
    assert re.search(r"^  all +2 +1 +0 +3$", out, re.MULTILINE)
    assert run(main, [*command, "against=edaic"]) == 2
    assert "against='edaic' is not <source>:<folder>" in capsys.readouterr().err


def test_a_folder_that_is_not_the_corpus_is_a_fault(tmp_path, capsys):
    assert run(main, ["source=avec2014", f"root={tmp_path / 'absent'}"]) == 1
    assert capsys.readouterr().err.endswith("give the folder the corpus was unpacked to\n")


def test_labels_the_manifest_refuses_are_a_fault(avec, capsys):
    sorted(avec.rglob("*_Depression.csv"))[0].write_text("99")
    assert run(main, ["source=avec2014", f"root={avec}"]) == 1
    assert "outside BDI-II" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_a_fault(avec, capsys):
    video = sorted(avec.rglob("*.mp4"))[0]
    video.write_bytes(b"damaged")
    assert run(main, ["source=avec2014", f"root={avec}"]) == 1
    text = capsys.readouterr()
    assert f"1 file(s) cannot be read: {video.stem.removesuffix('_video')}" in text.err
    assert "file cannot be read" in text.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give manifest=<csv>, or source=<corpus> root=<folder> (corpora: adodas, avec2013, "),
        (["source=avec2014", "manifest=a.csv"], "give manifest=<csv>, or source=<corpus>"),
        (["avec2014"], "'avec2014' is not understood"),
        (["manifest=a.csv", "label_rule=both"], "unknown option 'label_rule'"),
        (["source=avec2014", "source=edaic"], "'source' is given twice"),
        (["source=avec2014"], "'root=' is missing"),
        (["source=avec2014", "root=x", "prob=false"], "unknown option 'prob'; did you mean 'probe'?"),
    ],
)
def test_a_command_that_is_not_understood_shows_how_it_is_called(arguments, message, capsys):
    assert run(main, arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "usage: python -m datamodules.checks.validate [key=value ...]" in error


def test_an_unknown_source_is_answered_with_the_nearest(capsys):
    assert run(main, ["source=avec2015", "root=x"]) == 1
    error = capsys.readouterr().err
    assert re.match(r"unknown source 'avec2015'; did you mean 'avec201\d'\? \(known: adodas, ", error)
    assert "edaic" in error


@pytest.mark.filterwarnings("ignore:.*found in sys.modules.*:RuntimeWarning")
def test_the_command_ends_with_the_status_and_no_traceback(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["validate", "source=daic_woz", f"root={tmp_path}"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("datamodules.checks.validate", run_name="__main__")
    assert ended.value.code == 1
    assert "no label file 'train_split_Depression_AVEC2017.csv'" in capsys.readouterr().err


def titles(page):
    return re.findall("<h2>(.*?)</h2>", page.read_text(encoding="utf-8"))


def test_errors_and_alarms_stand_first_on_the_page_and_last_on_the_screen(avec, tmp_path, capsys):
    page, command = tmp_path / "r.html", ["source=avec2014", f"root={avec}"]
    assert run(main, [*command, f"html={page}"]) == 0
    assert titles(page)[0] == "Recordings"
    assert "No error and no alarm" in page.read_text(encoding="utf-8")
    sorted(avec.rglob("*.mp4"))[0].write_bytes(b"damaged")
    capsys.readouterr()
    assert run(main, [*command, f"html={page}"]) == 1
    assert titles(page)[0] == "Missing labels, unreadable files"
    assert "To be looked at first:</b> Missing labels, unreadable files (1)" in page.read_text(
        encoding="utf-8"
    )
    out = capsys.readouterr().out  # where the end is what stays in sight
    assert out.index("\nRecordings\n") < out.index("\nMissing labels, unreadable files\n")


def test_what_stops_a_training_stands_before_warnings_and_tables(tmp_path):
    table, page = tmp_path / "table.csv", tmp_path / "r.html"
    rows = [f"r{n},p1,v{n},,r{n}.npy,BDI-II,{n}" for n in range(3)]
    table.write_text(
        "\n".join(
            [
                "recording_id,subject_id,session_id,path,series_path,scale,score,strange",
                *(f"{row},1" for row in rows),
            ]
        )
    )
    for n in range(3):
        np.save(tmp_path / f"r{n}.npy", np.arange(20.0 * (n + 1)).reshape(-1, 2))
    assert run(main, [f"manifest={table}", "probe=false", f"html={page}"]) == 1
    found = titles(page)
    assert found[0] == "What would stop a training"
    assert found.index("Warnings") < found.index("Recordings")


def test_what_was_refused_stands_on_the_page_that_was_asked_for(tmp_path):
    page = tmp_path / "r.html"
    assert run(main, ["source=avec2014", f"root={tmp_path / 'absent'}", f"html={page}"]) == 1
    assert titles(page) == ["What was refused"]
    assert "give the folder the corpus was unpacked to" in page.read_text(encoding="utf-8")
