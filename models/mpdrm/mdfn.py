"""MDFN, the depression branch: an input, a trunk with MMP, tokens."""

from torch import Tensor, nn

from models.masking import token_mask
from models.types import Batch, Trunk, as_module


class MDFN(nn.Module):
    """Multi-scale depression feature network: batch -> depression tokens (B,T',D) and their mask (B,T').

    The name and role are published; trunk and input are ours to choose.
    """

    def __init__(self, *, trunk: Trunk, input: nn.Module) -> None:
        super().__init__()
        self.input = as_module("depression.input", input)
        self.trunk = as_module("depression.trunk", trunk)
        self.dim = trunk.dim

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return tokens and the mask at their resolution."""
        x, mask = self.input(batch)
        tokens = self.trunk(x, mask)
        return tokens, token_mask(mask, tokens.shape[1])
