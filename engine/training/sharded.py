"""Lightning's strategy of sharded parameters (FSDP2), with all devices of all machines in one row."""

from typing import Any

from pytorch_lightning.strategies import ModelParallelStrategy


class FullySharded(ModelParallelStrategy):
    """Shards parameters, gradients and the optimizer's state over all ranks; a checkpoint is one whole file.

    Lightning's own defaults split the layers of a network over the devices of one machine, which needs a plan
    of the network, and write a folder of parts. The task deals out its parameters in `configure_model`.

    Args:
        settings: Of the strategy, such as `process_group_backend`.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(tensor_parallel_size=1, save_distributed_checkpoint=False, **settings)

    def setup_environment(self) -> None:
        """Know the number of ranks before the mesh is made."""
        self._data_parallel_size = self.num_nodes * self.num_processes
        super().setup_environment()
