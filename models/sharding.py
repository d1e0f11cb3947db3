"""Fully sharded parameters (FSDP2): a device holds a part of every parameter, and gathers block by block."""

from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard

from models.blocks import blocks_of, trunks


def shard(module: nn.Module, mesh: DeviceMesh) -> None:
    """Deal the parameters out to the devices of a mesh, in place; a second call changes nothing.

    Every block of a trunk gathers its weights when it is run and lets go of them; what is left is one unit
    with the module (Zhao et al. 2023, arXiv 2304.11277; here per parameter, by torch's `fully_shard`). Names
    and numbers of dimensions stay, so that checkpoints and weight decay do.

    Args:
        module: Its `forward` is what a step begins with.
        mesh: Of one dimension.
    """
    if isinstance(module, FSDPModule):
        return
    for trunk in trunks(module):
        for block in blocks_of(trunk):
            for part in block:
                if isinstance(part, nn.Module) and any(True for _ in part.parameters()):
                    fully_shard(part, mesh=mesh)
    fully_shard(module, mesh=mesh)
