from datamodules.command_line import run
from datamodules.sources.trees.__main__ import main


def test_a_tree_is_written_by_name(tmp_path, capsys):
    assert run(main, ["daic_woz", str(tmp_path / "new")]) == 0
    assert "source=daic_woz" in capsys.readouterr().out
    assert any((tmp_path / "new").rglob("*.csv"))


def test_a_folder_that_holds_something_is_left_alone(tmp_path, capsys):
    (tmp_path / "real.csv").touch()
    assert run(main, ["daic_woz", str(tmp_path)]) == 1
    assert "not empty" in capsys.readouterr().err


def test_an_unknown_source_is_answered_with_the_nearest(tmp_path, capsys):
    assert run(main, ["daic_wox", str(tmp_path)]) == 1
    assert "did you mean 'daic_woz'?" in capsys.readouterr().err


def test_without_arguments_the_sources_are_listed(capsys):
    assert run(main, []) == 2
    assert "avec2013, avec2014" in capsys.readouterr().err
