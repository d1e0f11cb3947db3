"""A job of Slurm: which one this process belongs to, and how it is put back into the queue."""

import logging
import os
import subprocess

_log = logging.getLogger(__name__)
_LIMIT = 30.0  # seconds for Slurm to answer; our choice


def job() -> str | None:
    """The number of the job, with that of its task in an array of jobs; None outside Slurm.

    Examples:
        >>> import os
        >>> os.environ |= {"SLURM_JOB_ID": "71", "SLURM_ARRAY_JOB_ID": "70", "SLURM_ARRAY_TASK_ID": "1"}
        >>> job()
        '70_1'
        >>> for name in ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"): del os.environ[name]
        >>> job() is None
        True
    """
    if (array := os.environ.get("SLURM_ARRAY_JOB_ID")) and (task := os.environ.get("SLURM_ARRAY_TASK_ID")):
        return f"{array}_{task}"
    return os.environ.get("SLURM_JOB_ID")


def requeue() -> bool:
    """Put the job back into the queue, which ends all its processes; says so, and whether Slurm took it."""
    number = job()
    if number is None:
        return False
    command = ["scontrol", "requeue", number]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT, check=False)
        fault = (done.stderr or done.stdout).strip() if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        fault = str(error)
    if fault:
        _log.warning(
            "%s: failed (%s). Submit the same job again: it goes on.", " ".join(command), fault[:200]
        )
        return False
    _log.warning("%s: job %s waits in the queue, and goes on from its checkpoint", command[0], number)
    return True
