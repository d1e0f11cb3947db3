"""Signal handling: a signal that ends a run becomes an exception, so that the run can record its end."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from engine.runs.cluster import job

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1") if hasattr(signal, name)
)
# what a job of Slurm is sent some time before its end: `--signal=USR1@120`, or USR2 by submitit
_ANNOUNCE = tuple(getattr(signal, name) for name in ("SIGUSR1", "SIGUSR2") if hasattr(signal, name))


def announces(number: int) -> bool:
    """Whether a signal only says that the job of this process ends soon, so that there is time for a step."""
    return number in _ANNOUNCE and job() is not None


class Interrupted(SystemExit):
    """A signal asked the run to end; the process then ends with 128 and the signal's number.

    A `SystemExit`, which no `except Exception` takes for a fault of its own, and no traceback is printed.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.name = signal.Signals(number).name


class Interruptions:
    """Turns the signals into `Interrupted` between `install` and `restore`.

    Args:
        last_words: Writes down the end of a run that `say_last_words` gives up.

    Attributes:
        received: The first signal's name, or None.
        step: Training steps done, as far as they are known.
    """

    def __init__(self, last_words: Callable[[Interrupted], None] | None = None) -> None:
        self.last_words = last_words
        self.received: str | None = None
        self.step: int | None = None
        self._number, self._waits = 0, False
        self._process = os.getpid()
        self._earlier: dict[int, Any] = {}

    def install(self) -> None:
        """Install the handlers; does nothing outside the main thread, where Python takes none."""
        if threading.current_thread() is not threading.main_thread():
            return
        _running.append(self)
        for number in {*SIGNALS, *filter(announces, _ANNOUNCE)}:
            self._earlier[number] = signal.signal(number, self._handle)

    def restore(self) -> None:
        """End; further signals do what they did before, or nothing where only the end itself is left."""
        if self in _running:
            _running.remove(self)
        for number, handler in self._earlier.items():
            if _limited.is_set() and self.received is not None:
                handler = signal.SIG_IGN
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._earlier = {}

    def check(self) -> None:
        """Raise `Interrupted` if a signal came and its exception was lost on the way."""
        if self.received is not None and not self.waits:
            raise Interrupted(self._number)

    @property
    def waits(self) -> bool:
        """Whether nothing but the end of a step is waited for, which a checkpoint is written after."""
        return self._waits and _patient.is_set()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:  # a forked worker of a loader inherits the handler and is no run
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        if can_wait(number):
            if self.received is None:
                self.received, self._number, self._waits = signal.Signals(number).name, number, True
            return
        self._waits = False
        # The handler runs between two lines of whatever the main thread does. In a `__del__` or a callback
        # from C the exception is printed and dropped, so that the signal is remembered for `check`.
        if self.received is None:
            self.received, self._number = signal.Signals(number).name, number
        elif _limited.is_set():
            return  # passed on by another process: it must not cut off what the first one began
        raise Interrupted(number)


_running: list[Interruptions] = []
_limited = threading.Event()
_patient = threading.Event()


def wait_for_step(wait: bool) -> None:
    """From now on a signal that announces the end of a job waits for a training step to end, or no more."""
    if wait:
        _patient.set()
    else:
        _patient.clear()


def can_wait(number: int) -> bool:
    """Whether a signal announces an end, and there is a step to wait for."""
    return announces(number) and _patient.is_set()


def waits_for_step() -> bool:
    """Whether such a signal came, and waits."""
    return any(one.waits for one in _running)


def limit_ends() -> None:
    """Say that the end after a signal has a limit of time, so that no second signal is needed to hurry it."""
    _limited.set()


def say_last_words(error: Interrupted) -> None:
    """Write down the end of the runs that go on, the inner ones first, without their own thread's help."""
    for one in reversed(_running):
        if one.last_words is not None:
            one.last_words(error)


def check_interrupted(step: int) -> None:
    """Between two batches: remember the step, and end if a signal came whose exception was lost."""
    for one in _running:
        one.step = step
        one.check()
