"""Weights & Biases: config, curves and results of a run, and nothing that wandb would gather by itself."""

import os
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import WandbLogger

from engine.runs.terminal import shown
from engine.tracking.tracker import End, Followed, Results, RunFacts, Summary


class WandbTracker(WandbLogger):
    """Lightning's logger, told the facts and the results of a run as well.

    Args:
        checkpoint: Whether `best.ckpt` is stored as an artifact. It names the recordings of its split.
        persons: Whether `predictions.csv` and the whole report are: with ids, and faces where the network
            reads pixels.
        settings: Of wandb, see `wandb.Settings`.
        **given: Of `WandbLogger` and `wandb.init`; `name`, `group` and `job_type` follow from the run if they
            are None.
    """

    def __init__(
        self, *, checkpoint: bool = False, persons: bool = False, settings: dict[str, Any], **given: Any
    ) -> None:
        super().__init__(settings=settings, **given)
        self._checkpoint, self._persons = checkpoint, persons

    def begin(self, facts: RunFacts, *, earlier: str | None) -> Followed:
        """Begin the run; one that goes on is the same run of wandb, offline in a further folder beside."""
        # reports of wandb's own faults go to a third party with the command line in them
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        asked = self._wandb_init
        if asked.get("anonymous") is None:
            asked.pop("anonymous", None)  # Lightning passes it on, and wandb warns of it
        own = {"name": facts.name, "group": facts.group, "job_type": facts.kind, "id": earlier}
        asked |= {key: value for key, value in own.items() if asked.get(key) is None}
        run = self.experiment
        run.config.update(facts.config, allow_val_change=True)
        look = f"wandb sync {shown(Path(run.settings.sync_dir).parent)}" if self._offline else str(run.url)
        return Followed(id=run.id, look=look)

    def conclude(self, results: Results) -> None:
        """Log page and figures, and the files that are asked for."""
        import wandb

        run = self.experiment
        figures = {f"figures/{path.stem}": wandb.Image(str(path)) for path in results.figures}
        run.log({"report": wandb.Html(str(results.page), inject=False), **figures})
        if self._checkpoint and results.checkpoint is not None:
            self._store("checkpoint", "model", (results.checkpoint,))
        if self._persons:
            self._store("persons", "predictions", results.persons)

    def _store(self, name: str, kind: str, files: tuple[Path, ...]) -> None:
        import wandb

        artifact = wandb.Artifact(f"{self.experiment.id}-{name}", type=kind)
        for path in files:
            artifact.add_file(str(path))
        self.experiment.log_artifact(artifact)

    def end(self, status: End, summary: Summary) -> None:
        """Close the run, so that the next one of this process begins its own."""
        run, self._experiment = self.experiment, None
        run.summary.update({**summary, "status": status})
        run.finish(exit_code=0 if status == "finished" else 1)
