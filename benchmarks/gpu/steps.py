"""A training step on a device: full precision, bfloat16, compiled, with CUDA graphs."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch._dynamo.utils import counters
from torch.utils._pytree import tree_map_only
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.gpu.clock import host_waits, peak_memory, seconds
from benchmarks.speed.resident import drawn_batch, drawn_task, resident
from engine.training.prepare import compose_training

Found = dict[str, Any]
EXPERIMENTS = {"pixels": "mpdrm", "series": "mpdrm_series"}
# Sizes of a step: frames of 224 x 224 are what encoders of faces take.
_VIDEO, _MODULE = "data.module.source.video", "data.module"
SIZES: dict[str, dict[str, list[str]]] = {
    "full": {
        "pixels": [
            *(f"{_VIDEO}.height=224", f"{_VIDEO}.width=224"),
            *(f"{_MODULE}.train_clips.length=16", f"{_MODULE}.eval_clips.length=16"),
        ],
        "series": [],
    },
    "small": {
        "pixels": [
            *(f"{_VIDEO}.height=32", f"{_VIDEO}.width=32"),
            *(f"{_MODULE}.subjects=2", f"{_MODULE}.visits=2"),
        ],
        "series": [
            *(f"{_MODULE}.subjects=2", f"{_MODULE}.visits=2"),
            *(f"{_MODULE}.train_clips.length=32", f"{_MODULE}.eval_clips.length=32"),
        ],
    },
}
WAYS = ("fp32", "bf16", "bf16 compiled", "bf16 compiled, CUDA graphs")


def ways(name: str, *, device: torch.device, size: str, count: int, folder: Path) -> list[Found]:
    """One row a way: time, speed-up, arithmetic, memory, graphs and waits of a step."""
    config = compose_training([f"experiment={EXPERIMENTS[name]}", *SIZES[size][name]], output=folder)
    rows: list[Found] = []
    for way in WAYS:
        torch._dynamo.reset()
        try:
            rows.append({"way": way, **_measured(config, way, device=device, count=count)})
        except Exception as fault:  # the other ways are worth having, and a device is lent for minutes
            rows.append({"way": way, "fault": f"{type(fault).__name__}: {fault}"[:300]})
    eager = next((row["ms"] for row in rows if row["way"] == "fp32" and "ms" in row), None)
    for row in rows:
        if eager and "ms" in row:
            row["times_fp32"] = eager / row["ms"]
    return rows


def _measured(config: Mapping[str, Any], way: str, *, device: torch.device, count: int) -> Found:
    step = a_step(config, way, device=device)
    with FlopCounterMode(display=False) as counter:
        a_step(config, "fp32", device=device)()
    for _ in range(10):
        step()
    before = dict(counters["stats"])
    spent = seconds(step, device, count=count, warm=0)
    again = counters["stats"].get("unique_graphs", 0) - before.get("unique_graphs", 0)
    flops = counter.get_total_flops()
    return {
        "ms": 1000 * spent,
        "tflops": flops / spent / 1e12,
        "gflop": flops / 1e9,
        "peak_gib": peak_memory(step, device),
        "host_waits": host_waits(step, device),
        "compiled_again": again,
    }


def a_step(config: Mapping[str, Any], way: str, *, device: torch.device) -> Callable[[], None]:
    """A step on batches that are on the device: hooks of the data, network, objective, optimizer."""
    module = config["data"]["module"]
    task, data = (
        drawn_task({**config, "model": {**config["model"], "scheduler": None}}),
        resident(config, []),
    )
    task.to(device).train()
    data.trainer = type("Training", (), {"training": True})  # type: ignore[assignment]  # all that hooks ask for
    sizes = {"persons": module["subjects"], "visits": module["visits"]}
    batch = tree_map_only(torch.Tensor, lambda one: one.to(device), drawn_batch(config, **sizes, seed=0))
    optimizer, parameters = task.configure_optimizers(), list(task.parameters())
    if "compiled" in way:
        given: Any = {"backend": "inductor" if device.type == "cuda" else "eager"}
        if "graphs" in way and device.type == "cuda":
            given |= {"mode": "reduce-overhead"}
        network: Any = task.network  # a module as well, which its protocol does not say
        network.compile(**given)
        task.objective.compile(backend=given["backend"])
        for transform in (data._augment, data._normalize):
            if transform is not None:
                transform.compile(backend=given["backend"])
    half = torch.autocast(device.type, torch.bfloat16) if "bf16" in way else nullcontext()

    def step() -> None:
        moved = data.on_after_batch_transfer(batch, 0)
        optimizer.zero_grad()
        with half:
            loss = task.objective(task.network.heads, task.network(moved), moved)["loss"]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()

    return step
