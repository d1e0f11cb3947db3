"""Trainings shared out among processes of one thread each, which end with the command."""

import logging
import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

import torch

from datamodules.processes import die_with

_Unit = TypeVar("_Unit")
_Done = TypeVar("_Done")


def in_pool(
    work: Callable[[_Unit], _Done], stages: Iterable[Sequence[_Unit]], *, workers: int
) -> Iterator[_Done]:
    """Yield what becomes of each unit as it ends; a stage begins when the one before has ended.

    Args:
        work: Called in a process with a unit; both can be pickled.
        stages: Units that may be done in any order, stage by stage.
        workers: Processes; with one the work is done in this process.
    """
    if workers <= 1:
        for stage in stages:
            yield from map(work, stage)
        return
    os.environ |= {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}  # inherited by the workers, who draw no bars
    # Spawned, because forking a process that has started threads can hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_settle, initargs=(os.getpid(),))
    try:
        for stage in stages:
            for future in as_completed([pool.submit(work, unit) for unit in stage]):
                yield future.result()
    except BaseException:
        processes = list(pool._processes.values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:  # a training would go on for minutes, only to be thrown away
            process.kill()  # Lightning would take a mere SIGTERM as a request for later
            process.join()
        raise
    pool.shutdown()


def _settle(parent: int) -> None:
    """Settle in as a worker, which ends with its parent.

    One thread, as two trainings side by side must not fight for the cores.
    """
    die_with(parent)
    torch.set_num_threads(1)
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="pytorch_lightning")
