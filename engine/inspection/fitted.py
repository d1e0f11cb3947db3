"""Check that a checkpoint's normalization statistics come from its training recordings only."""

import numpy as np

from datamodules.clips.statistics import training_statistics
from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import Manifest
from engine.checkpoints.checkpoint import RunCheckpoint
from engine.config.build import build

_TOLERANCE = 1e-4  # relative; other platforms sum in another order


def check_fitted(checkpoint: RunCheckpoint, manifest: Manifest) -> None:
    """Fit the statistics again on the training recordings and compare them with those of the checkpoint.

    Scaling that has seen validation or test people is leakage of the second kind of Kapoor & Narayanan
    (2023): preprocessing on training and test set.

    Args:
        checkpoint: Of the run.
        manifest: The manifest of the run, whole.

    Raises:
        LeakageError: A statistic is not that of the training recordings; names them with both values.
    """
    source = build(checkpoint.config["data"]["module"]["source"], key="data.module.source")
    recordings = manifest.recordings(checkpoint.split["train"])
    expected = training_statistics(recordings, source.prepared(recordings))
    faults = [
        f"{name}: stored {_some(value)}, training recordings {_some(expected.get(name))}"
        for name, value in checkpoint.statistics.items()
        if name not in expected or not np.allclose(value, expected[name], rtol=_TOLERANCE, atol=_TOLERANCE)
    ]
    if faults:
        raise LeakageError(
            f"{checkpoint.path}: statistics that were not fitted on the training recordings alone:\n"
            + "\n".join(f"  - {fault}" for fault in faults)
        )


def _some(value: object) -> str:
    return "nothing" if value is None else np.array2string(np.asarray(value).ravel()[:3], precision=4)
