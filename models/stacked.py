"""Many small networks of one form, trained as one: their weights stacked, one batched computation a step."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.optim import Optimizer

from models.optim import weight_names
from models.types import Batch

Weights = dict[str, Tensor]
"""Weights or buffers of all networks by name, the networks along the first dimension."""


class _Judged(nn.Module):
    """A network with its objective: the loss of a batch in training, what the heads predict in evaluation."""

    def __init__(self, network: nn.Module, objective: nn.Module) -> None:
        super().__init__()
        self.network, self.objective = network, objective

    def forward(self, batch: Batch, scored: Tensor | None) -> Any:
        output = self.network(batch)
        heads: dict[str, Any] = dict(self.network.get_submodule("heads").named_children())
        if scored is not None:
            return self.objective(heads, output, batch | {"scored": scored})["loss"]
        return {name: head.predict(output.logits[name]) for name, head in heads.items()}


class StackedNetworks:
    """K networks of one form on the same batch, each with rows of its own to learn from.

    The networks lie along the first dimension of every weight, and `torch.func.vmap` turns their K small
    products into few large ones. Their losses are added: no gradient of one network reaches another, and
    optimizers that treat every number by itself, such as AdamW, give each network what it had alone.

    Args:
        networks: K of one form, which begin as they are. Those of one learning rate stand together.
        objective: As `models.objective.Objective`.
        rates: Learning rates; K is a multiple of their number, and the first K / len(rates) take the first.
        optimizer: Called with groups of parameters, each with its `lr`; biases and norms do not decay.
        schedule: Called with the optimizer, to be stepped after each of its steps; None for constant rates.
        clip: Largest norm of the gradient of each network by itself.

    Raises:
        ValueError: The networks are no multiple of the rates.

    Examples:
        >>> from models.heads import BinaryHead
        >>> from models.inputs import Tokens
        >>> from models.mpdrm.branches import MDFN
        >>> from models.mpdrm.network import MPDRM
        >>> from models.mpdrm.rarm import MeanPool
        >>> from models.objective import Objective
        >>> from models.trunks.encoded import EncodedTrunk
        >>> def network():
        ...     branch = MDFN(trunk=EncodedTrunk(channels=8), input=Tokens())
        ...     heads = {"binary": BinaryHead(dim=8)}
        ...     parts = {"personality": None, "context": None, "rarm": MeanPool(dim=8), "heads": heads}
        ...     return MPDRM(depression=branch, **parts)
        >>> adam = torch.optim.AdamW
        >>> four = [network() for _ in range(4)]
        >>> stack = StackedNetworks(four, Objective(), rates=[0.1, 0.01], optimizer=adam)
        >>> batch = {"tokens": torch.randn(5, 3, 8), "mask": torch.ones(5, 3, dtype=torch.bool)}
        >>> stack.predict(batch)["binary"].shape
        torch.Size([4, 5])
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        objective: nn.Module,
        *,
        rates: Sequence[float],
        optimizer: Callable[..., Optimizer],
        schedule: Callable[[Optimizer], Any] | None = None,
        clip: float = 1.0,
    ) -> None:
        if len(networks) % len(rates):
            raise ValueError(f"{len(networks)} networks cannot be shared out among {len(rates)} rates")
        judged = [_Judged(network, objective) for network in networks]
        self._form = copy.deepcopy(judged[0]).to("meta")
        self._size, self._clip = len(networks) // len(rates), clip
        parameters, self._buffers = stack_module_state(judged)
        decayed = weight_names(judged[0])
        # one leaf a rate, so that an optimizer and its schedule are told of rates as they always are
        self._chunks: list[Weights] = [
            {name: value.detach().split(self._size)[place].clone() for name, value in parameters.items()}
            for place in range(len(rates))
        ]
        groups = []
        for rate, chunk in zip(rates, self._chunks, strict=True):
            kinds: Mapping[bool, list[Tensor]] = {True: [], False: []}
            for name, value in chunk.items():
                kinds[name in decayed].append(value.requires_grad_())
            groups += [{"params": kinds[True], "lr": rate}] if kinds[True] else []
            groups += [{"params": kinds[False], "lr": rate, "weight_decay": 0.0}] if kinds[False] else []
        self._optimizer = optimizer(groups)
        self._schedule = None if schedule is None else schedule(self._optimizer)

    def step(self, batch: Batch, scored: Tensor) -> Tensor:
        """Train every network by one step; return the losses before it, (K,).

        Args:
            batch: With `targets` and `target_mask`; the same for all networks.
            scored: Which rows each learns from, (K,B).
        """
        self._form.train()
        losses: Tensor = self._call(batch, scored)
        self._optimizer.zero_grad()
        torch.autograd.backward(losses.sum())
        for chunk in self._chunks:
            self._clipped(chunk)
        self._optimizer.step()
        if self._schedule is not None:
            self._schedule.step()
        return losses.detach()

    @torch.no_grad()
    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Predictions of all networks by head, each (K,B), in the label's own unit."""
        self._form.eval()
        found: dict[str, Tensor] = self._call(batch, None)
        return found

    def _call(self, batch: Batch, scored: Tensor | None) -> Any:
        stacked = {name: torch.cat([chunk[name] for chunk in self._chunks]) for name in self._chunks[0]}

        def one(weights: Weights, buffers: Weights, own: Tensor | None) -> Any:
            return functional_call(self._form, (weights, buffers), (batch, own))

        dims = (0, 0, None if scored is None else 0)
        # dropout falls differently in each network, as it would one by one
        return vmap(one, in_dims=dims, randomness="different")(stacked, self._buffers, scored)

    def _clipped(self, chunk: Weights) -> None:
        """Scale the gradient of each network to at most the norm, as torch clips that of one."""
        given = [value.grad for value in chunk.values() if value.grad is not None]
        norms = torch.stack([grad.reshape(len(grad), -1).norm(dim=1) for grad in given]).norm(dim=0)
        shares = (self._clip / (norms + 1e-6)).clamp_max(1.0)
        for grad in given:
            grad.mul_(shares.reshape(-1, *[1] * (grad.dim() - 1)))
