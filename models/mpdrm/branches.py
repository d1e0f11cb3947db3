"""The two branches of MPDRM: an input and a trunk each; one gives tokens, one a feature of the person."""

from torch import Tensor, nn
from torch.nn import functional as F

from models.masking import masked_mean, token_mask
from models.types import Batch, Trunk, as_module


def mask_of(trunk: Trunk, mask: Tensor, tokens: Tensor) -> Tensor:
    """The mask of the frames (B,T) at the resolution of a trunk's tokens (B,N,D), (B,N)."""
    size: int | None = getattr(trunk, "token_steps", None)
    return token_mask(mask, tokens.shape[1], cells=cells_of(trunk), size=size)


def cells_of(trunk: Trunk) -> int:
    """How many tokens in a row are of the same frames: 1 but for readouts that keep space."""
    return int(getattr(trunk, "cells", 1))


class MDFN(nn.Module):
    """Multi-scale depression feature network: batch -> depression tokens (B,T',D) and their mask (B,T').

    The name and role are published; trunk and input are ours to choose.
    """

    def __init__(self, *, trunk: Trunk, input: nn.Module) -> None:
        super().__init__()
        self.input = as_module("depression.input", input)
        self.trunk = as_module("depression.trunk", trunk)
        self.dim = trunk.dim
        self.cells = cells_of(trunk)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return tokens and the mask at their resolution."""
        x, mask = self.input(batch)
        tokens = self.trunk(x, mask)
        return tokens, mask_of(self.trunk, mask, tokens)


class MPFN(nn.Module):
    """Multi-scale personality feature network: feature (B,D) and unit-norm projection (B,E) of a clip.

    Published: trained by contrast to hold what is stable in a person. Ours: mean over the real steps, a
        two-layer projection that only the contrast reads (as in SimCLR, 2002.05709), so that the feature
        itself keeps magnitudes; and the choice between a trunk of its own and that of the depression branch.

    Args:
        trunk: its own trunk; None reads the tokens of the depression branch, whose trunk then serves, and is
            trained by, both.
        input: what its own trunk sees; None with a shared trunk.
        dim: width of the tokens where the trunk is shared.
        projection: E.
    """

    def __init__(
        self,
        *,
        trunk: Trunk | None,
        input: nn.Module | None,
        dim: int | None = None,
        projection: int = 64,
    ) -> None:
        super().__init__()
        width = dim if trunk is None else trunk.dim
        if width is None or (trunk is None) != (input is None) or (trunk is not None and dim is not None):
            raise ValueError(
                f"MPFN got trunk={type(trunk).__name__}, input={type(input).__name__}, dim={dim}: give it a "
                "trunk and an input (model/personality=appearance), or a dim alone (model/personality=shared)"
            )
        self.input, self.trunk = input, trunk
        self.dim = width
        self.projector = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, projection))

    def forward(self, batch: Batch, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pooled feature and its projection, the latter in float32.

        Args:
            batch: what its own trunk sees.
            tokens: depression tokens (B,T',D), read where the trunk is shared.
            mask: theirs, (B,T').
        """
        if self.trunk is not None and self.input is not None:
            x, real = self.input(batch)
            tokens = self.trunk(x, real)
            mask = mask_of(self.trunk, real, tokens)
        feature = masked_mean(tokens, mask)
        # Unit norm in float32: the contrast divides similarities by .1, and bfloat16 keeps three digits.
        return feature, F.normalize(self.projector(feature).float(), dim=-1)
