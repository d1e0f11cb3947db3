"""MPFN, the personality branch: an input, a trunk with MMP, one pooled feature and its projection."""

from torch import Tensor, nn
from torch.nn import functional as F

from models.masking import masked_mean, token_mask
from models.types import Batch


class MPFN(nn.Module):
    """Multi-scale personality feature network: batch -> feature (B,D) and unit-norm projection (B,E).

    Published: trained by contrast to hold what is stable in a person. Ours: mean over the real steps, a
        two-layer projection that only the contrast reads (as in SimCLR, 2002.05709), so that the feature
        itself keeps magnitudes.
    """

    def __init__(self, *, trunk: nn.Module, input: nn.Module, projection: int = 64) -> None:
        super().__init__()
        self.input = input
        self.trunk = trunk
        self.dim = int(trunk.dim)  # type: ignore[arg-type]  # `Trunk` protocol: nn.Module hides plain attributes
        self.projector = nn.Sequential(
            nn.Linear(self.dim, self.dim), nn.GELU(), nn.Linear(self.dim, projection)
        )

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the pooled feature and its projection, the latter in float32."""
        x, mask = self.input(batch)
        tokens = self.trunk(x, mask)
        feature = masked_mean(tokens, token_mask(mask, tokens.shape[1]))
        return feature, F.normalize(self.projector(feature).float(), dim=-1)
