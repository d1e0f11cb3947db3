"""What was logged before a run was interrupted is still there when it goes on."""

import csv

import pytest

from engine.training.csv_logger import KeptCSVLogger


def logger(folder):
    return KeptCSVLogger(save_dir=folder, name="logs", version="")


def rows(folder):
    with (folder / "logs" / "metrics.csv").open(newline="") as file:
        return [{name: value for name, value in row.items() if value} for row in csv.DictReader(file)]


def log(folder, steps, **more):
    one = logger(folder)
    for step in steps:
        one.log_metrics({"loss": step / 10} | more, step)
    one.save()


def test_a_run_that_goes_on_keeps_what_was_logged_and_repeats_no_step(tmp_path):
    log(tmp_path, range(6))
    log(tmp_path, range(4, 8))  # its checkpoint was of step 3
    assert [(row["step"], row["loss"]) for row in rows(tmp_path)] == [(str(s), str(s / 10)) for s in range(8)]


def test_columns_that_come_later_join_the_earlier_rows(tmp_path):
    log(tmp_path, [0, 1])
    log(tmp_path, [2], accuracy=0.5)
    assert rows(tmp_path) == [
        {"loss": "0.0", "step": "0"},
        {"loss": "0.1", "step": "1"},
        {"accuracy": "0.5", "loss": "0.2", "step": "2"},
    ]


def test_a_new_run_in_the_folder_of_one_without_a_checkpoint_begins_anew(tmp_path):
    log(tmp_path, range(3))
    log(tmp_path, range(2))
    assert [row["step"] for row in rows(tmp_path)] == ["0", "1"]


@pytest.mark.parametrize("rest", ["0.3", "0.3,3,,,9", '"0.3,3', "\0,x", ""])
def test_a_line_that_a_kill_cut_short_is_left_out(rest, tmp_path):
    log(tmp_path, range(3))
    path = tmp_path / "logs" / "metrics.csv"
    path.write_text(path.read_text() + rest)
    log(tmp_path, [3])
    assert [row["step"] for row in rows(tmp_path)] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("content", ["", "rubbish", "loss\n1\n"])
def test_a_damaged_file_stops_no_training(content, tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "metrics.csv").write_text(content)
    log(tmp_path, [3])
    assert rows(tmp_path) == [{"loss": "0.3", "step": "3"}]


def test_a_kill_between_two_steps_of_the_start_loses_nothing(tmp_path):
    log(tmp_path, range(3))
    path = tmp_path / "logs" / "metrics.csv"
    path.replace(path.with_name(".metrics.csv.kept"))
    log(tmp_path, [3])
    assert [row["step"] for row in rows(tmp_path)] == ["0", "1", "2", "3"]
