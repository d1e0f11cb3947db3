"""The page `attribution.html`: which channels, face regions and times an output depends on.

What is explained is the logit of the binary head, or the score in points, beyond that of a baseline: the
training mean of each channel, 0 after standardization, and for pixels the mean color. All three: our choice.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from datamodules.manifests.manifest import Manifest
from datamodules.progress import Progress
from datamodules.splits.partition import Split
from engine.config.compose import ConfigError
from engine.inference.clip_predictions import blind_data
from engine.inspection.integrated_gradients import GRID, STEPS, attributions, cell_names
from engine.runs.provenance import write_json
from evaluation.audit.attribution import attribution_table, completeness
from evaluation.report.attribution_page import write_attribution
from evaluation.uncertainty.bootstrap import Resampling
from models.fusion.late import SetHeads

_log = logging.getLogger(__name__)


def explain(
    task: Any,
    manifest: Manifest,
    part: Split | None,
    *,
    config: Mapping[str, Any],
    statistics: Mapping[str, Any],
    folder: Path,
    notes: Sequence[str] = (),
    record: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Attribute the output on the test recordings; write `attribution.html`, `.json` and `tables/`.

    Args:
        task: A trained task in evaluation mode.
        manifest: Where the recordings are; of their labels, scores of earlier visits are read where the split
            makes them known.
        part: Whose test recordings are explained.
        config: Resolved config of the run.
        statistics: Of the training recordings, from the checkpoint.
        folder: Where the files go.
        notes: Warnings below the title of the page.
        record: Content of the evaluation's `manifest.json`.

    Raises:
        ConfigError: captum is missing, or the network has neither a binary nor a score head.
    """
    head = explained_head(task)
    module = blind_data(config, manifest, part)
    gpu = config["trainer"].get("accelerator") in ("gpu", "auto") and torch.cuda.is_available()
    device = torch.device("cuda" if gpu else "cpu")
    network = task.network.to(device)
    kind = _input(module, statistics)
    _log.info("attribution of the %s head, %d steps a clip on %s", head, STEPS[kind["key"]], device)
    found = attributions(network, _batches(module, device), head=head, **kind)
    table, complete = attribution_table(found, Resampling.of(config)), completeness(found)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "tables" / "attribution.csv", index=False)
    content = {"head": head, "unit": found.unit, "steps": STEPS[kind["key"]], "completeness": complete}
    write_json(folder / "attribution.json", content)
    write_attribution(
        folder / "attribution.html",
        found=found,
        table=table,
        complete=complete,
        title=config["experiment_name"],
        notes=notes,
        record=record,
    )
    return content


def _input(module: Any, statistics: Mapping[str, Any]) -> dict[str, Any]:
    channels = module.channels
    if channels is None:
        return {"key": "frames", "channels": cell_names(GRID), "baseline": torch.zeros(())}
    return {"key": "series", "channels": channels, "baseline": torch.tensor(statistics["series_mean"])}


def _batches(module: Any, device: torch.device) -> Iterator[dict[str, Any]]:
    loader = module.predict_dataloader()
    for batch in Progress(loader, total=len(loader), desc="Attribution", unit="batch"):
        batch = module.on_before_batch_transfer(batch, 0)
        batch = module.transfer_batch_to_device(batch, device, 0)
        yield module.on_after_batch_transfer(batch, 0)


def explained_head(task: Any) -> str:
    """The head whose output is explained: `binary` where there is one, else `score`.

    Raises:
        ConfigError: captum is missing, or the network has neither.
    """
    if find_spec("captum") is None:
        raise ConfigError("attributions need captum: pip install -c constraints.txt -e '.[analysis]'")
    heads = task.network.heads
    assert isinstance(heads, nn.ModuleDict)
    if any(isinstance(head, SetHeads) for head in heads.values()):
        raise ConfigError(
            "attribution: late fusion has a head for each feature set, and no one number to explain; train "
            "with model/fusion=early or gated"
        )
    for name in ("binary", "score"):
        if name in heads:
            return name
    raise ConfigError(
        f"attribution: the network has the heads {', '.join(heads)}; what is explained is one number, of "
        "model/heads=binary, score, score_binary or all"
    )
