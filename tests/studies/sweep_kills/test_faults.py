"""What the study of kills calls a fault, and its page."""

import optuna
import pandas as pd
import pytest
from optuna.trial import TrialState, create_trial

from studies.sweep_kills.__main__ import faults
from studies.sweep_kills.page import write_page

DONE, DIED, RUNS = TrialState.COMPLETE, TrialState.FAIL, TrialState.RUNNING


@pytest.fixture
def sweep(tmp_path):
    """Write a study of attempts `(trial, state)` and its table: `sweep(name, attempts, looks, values)`."""

    def write(name, attempts, *, looks=(0, 1), values=(0.5, 0.6)):
        folder = tmp_path / name
        folder.mkdir()
        study = optuna.create_study(study_name=name, storage=f"sqlite:///{folder}/study.db")
        for trial, state in attempts:
            value = 0.5 if state == DONE else None
            study.add_trial(create_trial(state=state, value=value, user_attrs={"trial": trial}))
        table = {"trial": [0, 1], "val/auc": values, "restarts": [len(attempts), 0], "test_looks": looks}
        pd.DataFrame(table).to_csv(folder / "trials.csv", index=False)
        return folder

    return write


def test_a_trial_that_died_and_went_on_is_no_fault(sweep):
    whole = sweep("whole", [(0, DONE), (1, DONE)])
    assert faults(sweep("killed", [(0, DIED), (1, DONE), (0, DONE)]), None, whole, trials=2) == []


@pytest.mark.parametrize(
    ("attempts", "given", "says"),
    [
        ([(0, DONE), (1, DIED)], {}, "trial 1 is ['FAIL']"),
        ([(0, DONE), (1, DONE), (0, DONE)], {}, "trial 0 is ['COMPLETE', 'COMPLETE']"),
        ([(0, DONE), (1, DONE), (1, RUNS)], {}, "trial 1 is ['COMPLETE', 'RUNNING']"),
        ([(0, DONE)], {}, "trials [0] instead of 0 to 1"),
        ([(0, DONE), (1, DONE)], {"looks": (1, 1)}, "2 trials were tested, 1 times"),
        ([(0, DONE), (1, DONE)], {"looks": (0, 2)}, "1 trials were tested, 2 times"),
        ([(0, DONE), (1, DONE)], {"values": (0.5, 0.61)}, "the table is another one than undisturbed"),
    ],
)
def test_what_is_lost_doubled_running_or_other_is_found(sweep, attempts, given, says):
    whole = sweep("whole", [(0, DONE), (1, DONE)])
    assert says in faults(sweep("killed", attempts, **given), None, whole, trials=2)


def test_the_page_has_a_row_a_case(tmp_path):
    names = (
        "sampler",
        "storage",
        "trainings",
        "trials",
        "worker",
        "command",
        "restarts",
        "from a checkpoint",
    )
    case = dict.fromkeys(names, "x") | {"seconds": 3}
    write_page(tmp_path / "page.md", [case | {"faults": []}, case | {"faults": ["lost", "doubled"]}])
    rows = (tmp_path / "page.md").read_text().splitlines()[-2:]
    assert rows[0].endswith("| 3 | none |")
    assert rows[1].endswith("| lost; doubled |")
