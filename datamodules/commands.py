"""The commands, and how one is typed: as the process was started, by `euthymia` or by its script."""

import os
from pathlib import PurePosixPath

COMMANDS = {
    "preprocess": "preprocess.py",
    "validate": "datamodules/checks/validate.py",
    "forecast": "engine/forecast/__main__.py",
    "encode": "encode.py",
    "probe": "probe.py",
    "train": "train.py",
    "sweep": "sweep.py",
    "eval": "eval.py",
    "predict": "predict.py",
    "compare": "evaluation/comparison/__main__.py",
    "export": "export.py",
    "submission": "engine/submission/__main__.py",
    "analyze": "analyze.py",
    "doctor": "datamodules/checks/doctor.py",
    "face_models": "preprocessing/models/__main__.py",
}
"""The file of each command, from the checkout's folder; what it does stands at the file's head."""

TYPED_AS = "EUTHYMIA_TYPED_AS"
"""The variable by which `euthymia` tells the script that it becomes what its user types."""


def typed(name: str) -> str:
    """How a command is typed here: `euthymia eval` in a process of `euthymia`, else `python eval.py`.

    Args:
        name: One of `COMMANDS`.
    """
    file = COMMANDS[name]
    if program := os.environ.get(TYPED_AS):
        return f"{program} {name}"
    return f"python -m {module_of(file)}" if "/" in file else f"python {file}"


def module_of(file: str) -> str:
    """The module that `python -m` runs for a file of `COMMANDS`."""
    parts = PurePosixPath(file).with_suffix("").parts
    return ".".join(part for part in parts if part != "__main__")


def typed_module(module: str) -> str:
    """How the command of a module is typed here; `python -m` and its name where `euthymia` has none."""
    names = {module_of(file): name for name, file in COMMANDS.items()}
    return typed(names[module]) if module in names else f"python -m {module}"


def typed_script(script: str) -> str:
    """How the command of a running file, `sys.argv[0]`, is typed here; by its name where it is no command."""
    path = PurePosixPath(script)
    for name, file in COMMANDS.items():
        if path.parts[-len(PurePosixPath(file).parts) :] == PurePosixPath(file).parts:
            return typed(name)
    return f"python {path.name}"
