"""MLflow: config, curves and results of a run, in a folder of this machine or on a server."""

import json
import os
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import MLFlowLogger

from engine.config.compose import ConfigError
from engine.tracking.public_config import flat
from engine.tracking.tracker import End, Followed, Results, RunFacts, Summary

_STATUS: dict[End, str] = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
_ALLOW = "MLFLOW_ALLOW_FILE_STORE"  # since 3.x a store of files, the one that needs no database, is asked for


class MLflowTracker(MLFlowLogger):
    """Lightning's logger, told the facts and the results of a run as well.

    Args:
        experiment_name: Under which MLflow lists the run.
        save_dir: Folder for all runs, where there is no `tracking_uri`.
        tracking_uri: Of a server or a database; None takes `MLFLOW_TRACKING_URI`, or else `save_dir`.
        checkpoint: Whether `best.ckpt` is stored too. It names the recordings of its split.
        persons: Whether `predictions.csv` and the whole report are: with ids, and faces where the network
            reads pixels.

    Raises:
        ConfigError: MLflow is not installed.
    """

    def __init__(
        self,
        *,
        experiment_name: str,
        save_dir: str,
        tracking_uri: str | None = None,
        checkpoint: bool = False,
        persons: bool = False,
    ) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it tells its makers of every use
        uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or f"file:{Path(save_dir).absolute()}"
        if uri.startswith("file:"):
            os.environ.setdefault(_ALLOW, "true")
        try:
            super().__init__(experiment_name=experiment_name, tracking_uri=uri)
        except ModuleNotFoundError as missing:
            raise ConfigError("logger=mlflow needs its client: pip install -e '.[mlflow]'") from missing
        self._checkpoint, self._persons = checkpoint, persons

    def begin(self, facts: RunFacts, *, earlier: str | None) -> Followed:
        """Begin a run with tags of ours alone: MLflow's own name the user, the command and the repository."""
        client = self._mlflow_client
        if earlier is not None:
            run = earlier
            client.update_run(run, status="RUNNING")
        else:
            known = client.get_experiment_by_name(self._experiment_name)
            place = client.create_experiment(self._experiment_name) if known is None else known.experiment_id
            tags = {"kind": facts.kind, "mlflow.source.name": "train.py"}
            tags |= {} if facts.group is None else {"group": facts.group}
            run = client.create_run(place, tags=tags, run_name=facts.name).info.run_id
        self._run_id = run
        self._tell_config(facts.config, run)
        allowed = f"{_ALLOW}=true " if self._tracking_uri.startswith("file:") else ""
        return Followed(id=run, look=f"{allowed}mlflow ui --backend-store-uri {self._public_uri()}")

    def _tell_config(self, config: dict[str, Any], run: str) -> None:
        """All of it as a file; single values as parameters, which cannot be changed once they are told."""
        self._mlflow_client.log_text(run, json.dumps(config, indent=2, default=str), "config.json")
        told = self._mlflow_client.get_run(run).data.params
        self.log_hyperparams({key: value for key, value in flat(config) if key not in told})

    def _public_uri(self) -> str:
        """The address without the name and password that may stand in it."""
        head, mark, tail = self._tracking_uri.rpartition("@")
        return f"{head.partition('//')[0]}//{tail}" if mark else tail

    def conclude(self, results: Results) -> None:
        """Log page and figures, and the files that are asked for."""
        client, run = self._mlflow_client, self._run_id
        for path in (results.page, *results.figures):
            client.log_artifact(run, str(path), "shared")
        if self._checkpoint and results.checkpoint is not None:
            client.log_artifact(run, str(results.checkpoint), "checkpoint")
        if self._persons:
            for path in results.persons:
                client.log_artifact(run, str(path), "persons")

    def end(self, status: End, summary: Summary) -> None:
        """Log the numbers, and mark the run as finished, failed or killed."""
        self.log_metrics({key: float(one) for key, one in summary.items() if isinstance(one, int | float)})
        self._mlflow_client.set_terminated(str(self._run_id), _STATUS[status])
