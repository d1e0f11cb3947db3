"""What a network costs: parameters, operations and time of a clip."""

import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from engine.inference.trained_network import TrainedNetwork

_CLIPS = 8  # in a batch
_TIMED = 5  # forward passes, of which the fastest counts


def costs(network: TrainedNetwork) -> dict[str, float]:
    """Millions of parameters, GFLOPs of a clip (two a multiplication), and its milliseconds here."""
    torch.manual_seed(0)
    shape = (_CLIPS, *network.shape)
    frames = network.reads == "frames"
    content = torch.randint(256, shape, dtype=torch.uint8) if frames else torch.randn(shape)
    batch = {network.reads: content, "mask": torch.ones(shape[:2], dtype=torch.bool)}
    seconds = []
    with torch.inference_mode():
        with FlopCounterMode(display=False) as counter:
            network(batch)
        for _ in range(_TIMED):
            begun = time.perf_counter()
            network(batch)
            seconds.append(time.perf_counter() - begun)
    return {
        "parameters_m": sum(one.numel() for one in network.parameters()) / 1e6,
        "gflops": counter.get_total_flops() / _CLIPS / 1e9,
        "ms": 1e3 * min(seconds) / _CLIPS,
    }
