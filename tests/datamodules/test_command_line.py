from pathlib import Path
from typing import Literal

import pytest

from datamodules.command_line import UsageError, help_text, read, run, spelled


def command(
    folder: Path,
    *,
    seeds: int = 5,
    share: float = 0.5,
    loud: bool = False,
    kind: Literal["series", "pixels"] = "series",
    only: tuple[str, ...] = ("a", "b", "c"),
    limit: int | None = None,
) -> int:
    """Do something.

    Args:
        folder: Where everything
            is written.
        seeds: Of the study.
    """
    return 3 if loud else 0


def test_words_become_values_of_the_annotated_kind():
    words = ["out", "seeds=2", "share=.25", "loud=true", "kind=pixels", "only=[a,b]", "limit=7"]
    assert read(command, words) == {
        "folder": Path("out"), "seeds": 2, "share": 0.25, "loud": True, "kind": "pixels", "only": ("a", "b"),
        "limit": 7,
    }  # fmt: skip
    assert read(command, ["--folder=out", "limit=null", "only="]) == {
        "folder": Path("out"),
        "limit": None,
        "only": (),
    }


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "'folder=' is missing: Where everything is written."),
        (["out", "sedes=2"], "'sedes=2' is not understood; did you mean 'seeds'?"),
        (["out", "more"], "'more' is one too many beside folder"),
        (["out", "seeds=two"], "seeds=two: give a whole number"),
        (["out", "share=half"], "share=half: give a number"),
        (["out", "loud=yes"], "'loud=yes' is neither true nor false"),
        (["out", "only=a,d"], "only=a,d: no 'd' among a, b, c"),
        (["out", "kind=audio"], "kind=audio: choose series, pixels"),
        (["out", "seeds=1", "seeds=2"], "'seeds' is given twice"),
        (["out", "folder=there"], "'folder' is given twice"),
    ],
)
def test_what_is_not_understood_is_told_with_what_is(words, told, capsys):
    with pytest.raises(UsageError) as error:
        read(command, words)
    assert told in str(error.value)
    assert run(command, words) == 2
    assert told in capsys.readouterr().err


def test_a_command_with_free_options_takes_any_key():
    def free(*, source: str, **options: str | bool) -> None: ...

    assert read(free, ["source=a", "root=b", "probe=false"]) == {"source": "a", "root": "b", "probe": False}


def test_help_lists_the_settings_and_is_no_error(capsys):
    assert run(command, ["--help"]) == 0
    told = capsys.readouterr().out
    assert told == help_text(command)
    assert "folder=...                   Where everything is written." in told
    assert "seeds=5                      Of the study." in told
    assert "limit=null" in told
    assert "kind=series                  series, pixels." in told


def test_one_of_several_words_may_be_left_open():
    def choose(*, kind: Literal["x", "y"] | None = None) -> None: ...

    assert read(choose, ["kind=y"]) == {"kind": "y"}
    assert read(choose, ["kind=null"]) == {"kind": None}
    with pytest.raises(UsageError, match="kind=z: choose x, y"):
        read(choose, ["kind=z"])


def test_help_adds_the_options_of_a_setting_to_what_is_said_of_it():
    def choose(*, kind: Literal["series", "pixels"], other: Literal["x"] | None = None) -> None:
        """Choose.

        Args:
            kind: What is read.
        """

    told = help_text(choose)
    assert "What is read: series, pixels." in told
    assert "other=null                   x." in told


def test_a_command_that_refuses_its_words_is_no_traceback(capsys):
    def refusing(*, least: int = 3) -> None:
        raise UsageError(f"least={least}: give 4 or more")

    assert run(refusing, ["least=2"]) == 2
    assert capsys.readouterr().err.startswith("least=2: give 4 or more\nusage: python -m ")


def test_long_explanations_are_folded_in_their_column():
    def wordy(*, name: str = "a", only: tuple[str, ...] = ("one", "two", "three", "four", "seven")) -> None:
        """Do.

        Args:
            name: Word after word after word after word after word after word after word after word, and
                an end.
            only: Of these.
        """

    lines = help_text(wordy).splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("  name=a"))
    assert max(map(len, lines[place:])) <= 110
    assert lines[place + 1].startswith(" " * 31)
    assert lines[place + 1].endswith(" end.")
    assert lines[place + 2 :] == ["  only=one,two,three,four,seven", " " * 31 + "Of these."]


def test_the_status_is_that_of_the_command():
    assert run(command, ["out"]) == 0
    assert run(command, ["out", "loud=true"]) == 3


def test_settings_are_spelled_as_they_are_read():
    settings = {"folder": Path("out"), "seeds": 2, "loud": True, "only": ("a", "b"), "limit": None}
    assert read(command, spelled(**settings).split()) == settings
