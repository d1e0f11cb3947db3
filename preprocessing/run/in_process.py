"""The executor without processes: one recording after another, where the command itself runs."""

from collections.abc import Generator, Sequence

from preprocessing.run.executor import Answer, Work
from preprocessing.run.job import Job
from preprocessing.run.worker import answer


class InProcess:
    """Runs recordings in this process, as one GPU wants it: its memory is not shared out."""

    def run(self, work: Work, jobs: Sequence[Job]) -> Generator[Answer]:
        """Yield every recording with what became of it, in the given order.

        Raises:
            OSError: The cache cannot be written.
        """
        for job in jobs:
            found = answer(work, job)
            if isinstance(found, OSError):
                raise found
            yield job, found
