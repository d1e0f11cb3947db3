"""What happens inside a worker process, whoever started it."""

import errno
import logging
import traceback

import cv2
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from preprocessing.cache.entry import Entry
from preprocessing.run.executor import Lost, Work
from preprocessing.run.job import Job

_OF_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


def settle_in() -> None:
    """One thread a process, as there is a process for every core; what files say stands in their entries."""
    cv2.setNumThreads(1)
    threadpool_limits(limits=1)
    logging.getLogger().setLevel(logging.ERROR)


def answer(work: Work, job: Job) -> Entry | Lost | OSError | None:
    """Do one recording; a fault is an answer too, and costs no worker.

    Returns:
        An `OSError` where the cache cannot be written.
    """
    try:
        return work(job)
    except OSError as error:
        if error.errno in _OF_DISK:
            return OSError(error.errno, error.strerror, error.filename)
        return _fault(error)
    except Exception as error:
        return _fault(error)


def _fault(error: Exception) -> Lost:
    told = str(error).strip().splitlines()
    reason = f"the program failed at it: {type(error).__name__}{f': {told[0]}' if told else ''}"
    return Lost(reason=reason, trace="".join(traceback.format_exception(error)))
