import inspect

import pytest
from hydra.utils import get_object

from engine.config.allowlist import CHECKPOINT, THIRD_PARTY
from engine.config.source_code import arguments, defined


@pytest.mark.parametrize("target", sorted(CHECKPOINT | THIRD_PARTY))
def test_arguments_are_those_that_python_finds(target):
    found = arguments(target)
    signature = inspect.signature(get_object(target))
    assert found in (None, tuple(signature.parameters))
    if target in CHECKPOINT and get_object(target).__init__ is not object.__init__:
        assert found is not None or "__init__" not in vars(get_object(target))


def test_fields_of_a_dataclass_are_arguments_and_class_variables_are_not():
    assert arguments("datamodules.splits.protocols.KFold") == ("folds", "val", "seed", "group_by")


@pytest.mark.parametrize(
    "target", ["os.system", "no_such_package.Net", "models..task.Task", "Task", "", "__main__.x"]
)
def test_of_what_has_no_source_here_nothing_is_known(target):
    assert arguments(target) is None


def test_names_that_a_file_imports_are_not_defined_in_it():
    assert "Task" in defined("models.task")
    assert "torch" not in defined("models.task")
    assert "Tensor" not in defined("models.task")
