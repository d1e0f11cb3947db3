"""Loss on personality traits that are read from the personality branch, where a corpus has them."""

import torch
from torch import Tensor, nn

from models.masking import labeled_mean
from models.standardize import Statistics
from models.types import Batch, Output, of_personality


class TraitLoss(nn.Module):
    """Linear read-out of the Big Five (O, C, E, A, N): masked mean squared error on standardized traits.

    1 is what the training mean gets, 0 is perfect: on new persons it is 1 - R2 up to sampling. A row without
    trait labels takes no part, so that a corpus of traits and one of depression can be trained together.

    Args:
        dim: width of the personality feature.
        traits: number of traits in a batch.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, *, dim: int, traits: int = 5) -> None:
        super().__init__()
        self.linear = nn.Linear(dim, traits)
        self.register_buffer("mean", torch.zeros(traits))
        self.register_buffer("std", torch.ones(traits))

    def set_statistics(self, stats: Statistics) -> None:
        """Store `traits_mean` and `traits_std`, both (5,), of the training recordings.

        Raises:
            ValueError: they are missing: nobody in training has trait labels.
        """
        if "traits_mean" not in stats:
            raise ValueError(
                "the training recordings lack one of trait_O, trait_C, trait_E, trait_A, trait_N: "
                "add a corpus that has them, or switch the term off with model/traits=none"
            )
        std = torch.as_tensor(stats["traits_std"])
        self.mean.copy_(torch.as_tensor(stats["traits_mean"]))
        self.std.copy_(torch.where(std > 0, std, 1.0))

    def forward(self, output: Output, batch: Batch) -> Tensor:
        """Return the mean over the known traits of the rows; zero with a gradient when none is known.

        Raises:
            ValueError: the network has no personality branch.
        """
        guess = self.linear(of_personality(output.personality_feature, "traits")).float()
        squares = (guess - (batch["traits"] - self.mean) / self.std) ** 2
        return labeled_mean(squares, batch["traits_mask"])
