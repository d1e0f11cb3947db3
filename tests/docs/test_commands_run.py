"""Every command that a page shows is typed once, on made-up data with the smallest settings."""

import re
import subprocess

import pytest

from tests.docs import not_run
from tests.docs.made_up import MadeUp, do
from tests.docs.page_folder import PageFolder
from tests.docs.shown_commands import shown

COMMANDS = [command for command in shown() if command.whole]
RUN = [command for command in COMMANDS if not_run.reason(command) is None]
FACES = re.compile(
    r"preprocess\.py|faces|raw videos|videos$|tokens|preprocess_kills|studies\.(kills|pretrained)"
)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    return MadeUp(tmp_path_factory.mktemp("made_up"))


@pytest.fixture(scope="session")
def folder_of(made, tmp_path_factory):
    """The folder of a page: what an earlier command of the page left is there."""
    folders = {}

    def find(page):
        if page not in folders:
            folders[page] = PageFolder(tmp_path_factory.mktemp("page") / "folder", made)
        return folders[page]

    return find


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(command, id=command.text, marks=pytest.mark.xdist_group(command.pages[0]))
        for command in RUN
    ],
)
def test_a_shown_command_runs(command, folder_of, request):
    if FACES.search(command.text):
        request.getfixturevalue("face_models")
    folder = folder_of(command.pages[0])
    folder.do(folder.words(command))


@pytest.mark.slow
def test_a_command_that_fails_or_takes_too_long_is_found(tmp_path):
    with pytest.raises(AssertionError, match="lr=x"):
        do(["train.py", "lr=x"], tmp_path)
    (tmp_path / "sleep.py").write_text("import time\nprint('begun', flush=True)\ntime.sleep(60)\n")
    with pytest.raises(subprocess.TimeoutExpired) as stop:
        do([str(tmp_path / "sleep.py")], tmp_path, limit_s=5)
    assert "begun" in stop.value.output


def test_every_reason_leaves_out_a_command_that_is_shown():
    for pattern in not_run.REASONS:
        assert [one for one in COMMANDS if re.search(pattern, one.text)], (
            f"no command is left out by {pattern}"
        )


def test_the_page_of_what_is_not_run_is_the_list():
    assert not_run.PAGE.read_text(encoding="utf-8") == not_run.text(), (
        "docs/not_run.md is old: python -m tests.docs.not_run"
    )
