"""What is said of a word of the command line that Hydra's grammar does not take."""

import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import OverrideParseException

from engine.config.unknown_keys import composition_advice


def advice(word):
    with pytest.raises(OverrideParseException) as refused:
        OverridesParser.create().parse_overrides([word])
    return composition_advice(refused.value, command="eval")


@pytest.mark.parametrize(
    "value",
    [
        "x=y.ckpt",
        "~/none.ckpt",
        "a (1).ckpt",
        "a#b",
        "a&b",
        "a'b",
        'a"b',
        "sörgel.ckpt",
        'it\'s="a".ckpt',
        "a=\\",
        '\\"=a',
        "[a",
    ],
)
def test_the_quoted_setting_that_is_told_has_the_value_that_was_meant(value):
    told = advice(f"ckpt_path={value}")
    assert "without spaces" not in told
    assert "has to be quoted" in told
    word = shlex.split(told.partition("once for the shell: ")[2])[0]
    (read,) = OverridesParser.create().parse_overrides([word])
    assert read.value() == value


def test_a_home_folder_is_to_be_written_out():
    assert "write the whole path" in advice("ckpt_path=~/none.ckpt")


@pytest.mark.parametrize("word", ["ckpt_path", "best.ckpt", "ckpt_path =best.ckpt"])
def test_a_word_without_a_key_and_a_value_is_told_how_settings_are_written(word):
    assert advice(word) == f"{word!r}: settings are key=value, without spaces around the equals sign"
