"""Which errors end in one message, and which keep their traceback."""

import sys
from pathlib import Path

import pytest

from engine.config.compose import ConfigError
from engine.config.user_errors import is_users, message, run
from models.losses.supcon import SupCon


def caught(call):
    with pytest.raises(Exception) as stop:  # noqa: PT011
        call()
    return stop.value


@pytest.fixture
def ended(monkeypatch, capsys):
    """Run a command that raises; give its exit status and what stands on stderr."""
    monkeypatch.setattr(sys, "argv", ["train.py"])
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)

    def call(error):
        def main():
            raise error

        with pytest.raises(SystemExit) as stop:
            run(main, command="train")
        return stop.value.code, capsys.readouterr().err

    return call


def test_an_error_of_the_user_is_one_message_and_status_1(ended):
    error = ConfigError("no such thing")
    error.add_note("While building `model` of the config.")
    code, told = ended(error)
    assert code == 1
    assert told.split("\n")[1:] == [
        "ConfigError: no such thing",
        "While building `model` of the config.",
        "(HYDRA_FULL_ERROR=1 shows the traceback)",
        "",
    ]


def test_the_traceback_comes_with_hydra_full_error(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train.py"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")

    def main():
        raise ConfigError("no such thing")

    with pytest.raises(ConfigError):
        run(main, command="train")


def test_a_fault_of_the_program_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train.py"])
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 / 0, command="train")


def test_what_this_project_raises_on_purpose_is_for_the_user():
    assert is_users(caught(lambda: SupCon(temperature=-1.0)))
    assert is_users(caught(Path("nope.csv").read_text))
    assert not is_users(caught(lambda: int("a")))
    assert not is_users(caught(lambda: [].pop()))


def test_an_error_of_a_worker_is_told_without_its_traceback():
    text = "Caught ConfigError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):"
    error = ConfigError(f"{text}\n  File ...\nengine.config.compose.ConfigError: row 3 is empty\n")
    assert message(error, command="train") == "ConfigError: row 3 is empty"
