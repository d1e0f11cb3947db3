"""TensorBoard: config, curves and results of a run in the event files of its folder."""

import json
from pathlib import Path
from typing import Any

from matplotlib.image import imread
from pytorch_lightning.loggers import TensorBoardLogger

from engine.runs.terminal import shown
from engine.tracking.public_config import flat
from engine.tracking.tracker import End, Followed, Results, RunFacts, Summary


class TensorBoardTracker(TensorBoardLogger):
    """Lightning's logger, told the facts and the results of a run as well: text, scalars, images, hparams.

    Args:
        save_dir: The run's folder; a fold has its own below it, so that one command shows them all.
        **given: Of `TensorBoardLogger`.
    """

    def __init__(self, *, save_dir: str, **given: Any) -> None:
        super().__init__(save_dir=save_dir, default_hp_metric=False, **given)
        self._facts: RunFacts | None = None

    def begin(self, facts: RunFacts, *, earlier: str | None) -> Followed:
        """Write the config as text; a run that goes on appends to its folder."""
        del earlier
        self._facts = facts
        self.hparams.update(
            flat(facts.config)
        )  # of `hparams.yaml`, which Lightning writes when training ends
        self.experiment.add_text("config", f"```json\n{json.dumps(facts.config, indent=2, default=str)}\n```")
        place = {"name": facts.name, "kind": facts.kind, "group": facts.group}
        self.experiment.add_text("run", "\n".join(f"- {key}: {value}" for key, value in place.items()))
        return Followed(id=facts.name, look=f"tensorboard --logdir {shown(Path(self.save_dir))}")

    def conclude(self, results: Results) -> None:
        """Write the figures as images."""
        for path in results.figures:
            self.experiment.add_image(f"figures/{path.stem}", imread(path), dataformats="HWC")

    def end(self, status: End, summary: Summary) -> None:
        """Write the numbers as scalars and beside the hyperparameters, and close the files."""
        assert self._facts is not None
        numbers = {name: float(one) for name, one in summary.items() if isinstance(one, int | float)}
        for name, value in numbers.items():
            self.experiment.add_scalar(name, value, 0)
        self.experiment.add_text("status", status)
        # written once, here: a second one with other metrics would be ignored
        self.log_hyperparams(dict(flat(self._facts.config)), numbers)
        self.save()
        self.experiment.close()
        self._experiment = None
