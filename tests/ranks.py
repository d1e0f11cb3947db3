"""Several ranks on the CPU, started side by side as torchrun starts them, without its waiting for imports."""

import multiprocessing
import os
import signal
import socket
import time
import traceback
from pathlib import Path

# torch does no backward pass in a fork of a process that has done one, so each is forked from a fresh process
_CONTEXT = multiprocessing.get_context("forkserver")


def together(world, work, *given, log):
    """Call `work(rank, *given)` in `world` processes; returns their exit codes.

    Args:
        world: How many.
        work: A function that can be pickled.
        given: Its further arguments.
        log: File for what the ranks print.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ranks = [
        _CONTEXT.Process(target=_rank, args=(rank, world, port, str(log), work, given))
        for rank in range(world)
    ]
    for rank in ranks:
        rank.start()
    end = time.monotonic() + 250
    # one that fails leaves the others waiting for it
    while any(rank.is_alive() for rank in ranks) and not any(rank.exitcode for rank in ranks):
        time.sleep(0.1)
        if time.monotonic() > end:
            break
    for rank in ranks:
        rank.join(10)
        rank.kill()
        rank.join()
    return [rank.exitcode for rank in ranks]


def _rank(rank, world, port, log, work, given):
    from lightning_fabric.utilities.rank_zero import rank_zero_only

    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(out, stream)
    # what torchrun sets
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world), "LOCAL_WORLD_SIZE": str(world),
        "GROUP_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "TORCHELASTIC_RUN_ID": "t",
        "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    rank_zero_only.rank = rank  # read from the environment when Lightning was imported
    try:
        work(rank, *given)
    except BaseException:
        traceback.print_exc()
        raise


def trained(rank, folder, overrides):
    """Train with overrides into a folder, with predictions and a report."""
    from engine.train import train
    from tests.conftest import composed

    train(composed(*overrides, output=Path(folder)), folder=Path(folder))


def announced(rank, folder, step, overrides):
    """Train while the end of the job is announced to the first rank, in a step."""
    from engine.runs.signals import Interruptions
    from engine.training.callbacks import StepSeed

    begin = StepSeed.on_train_batch_start

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        begin(self, trainer, pl_module, batch, batch_idx)
        if rank == 0 and trainer.global_step == step:
            os.kill(os.getpid(), signal.SIGUSR1)

    StepSeed.on_train_batch_start = on_train_batch_start
    os.environ["SLURM_JOB_ID"] = "17"
    signals = Interruptions()
    signals.install()
    fitted(rank, folder, overrides)


def fitted(rank, folder, *overrides):
    """Train and nothing else, one time for each list of overrides."""
    from engine.training.fit import fit_split
    from engine.training.prepare import material
    from tests.conftest import composed

    for given in overrides:
        config = composed(*given, output=Path(folder))
        fit_split(config, *material(config), folder=Path(folder))
