"""Clip motion: linear maps of how much the channels of a clip move, and of which move together."""

from collections.abc import Sequence

from torch import Tensor, nn

from models.trunks.channel_relation import channel_relation, relations
from models.trunks.motion_power import motion_power

# Log power of a standardized channel is usually between -6 and 0; what is left is about one wide. Our choice.
_USUAL_POWER, _POWER_SCALE = -3.0, 0.3
# Peak correlations of unrelated channels lie about .2 and spread by .15; scaled as power is. Our choice.
_USUAL_RELATION, _RELATION_SCALE = 0.2, 2.0


class ClipMotion(nn.Module):
    """Series (B,T,F) -> (B,D): W_p power + W_r relation, see `motion_power` and `channel_relation`.

    Relations start at nothing, power at random.

    Args:
        channels: F.
        dim: D.
        power_scales: steps over which motion power looks at differences; None leaves motion power out.
        relation_lags: steps by which one channel may follow another; None leaves relations out.
        relation_step: steps over which a change is looked at, whose relation it is.
        relation_parts: most channels that are related to each other, as the number of relations grows with
            the square; of more channels so many learned parts are taken, each a linear map of all of them.

    Raises:
        ValueError: a setting without a meaning.
    """

    def __init__(
        self,
        *,
        channels: int,
        dim: int,
        power_scales: Sequence[int] | None,
        relation_lags: Sequence[int] | None,
        relation_step: int,
        relation_parts: int,
    ) -> None:
        super().__init__()
        _check(power_scales, relation_lags, relation_step, relation_parts)
        self.dim = dim
        self.power_scales, self.relation_lags = power_scales, relation_lags
        self.relation_step = relation_step
        if power_scales is not None:
            self.power = nn.Linear(2 * channels * (1 + len(power_scales)), dim, bias=False)
        if relation_lags is not None:
            few = channels <= relation_parts
            self.parts = nn.Identity() if few else nn.Linear(channels, relation_parts, bias=False)
            self.relation = nn.Linear(relations(min(channels, relation_parts)), dim, bias=False)
            nn.init.zeros_(self.relation.weight)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map x (B,T,F) under its mask (B,T) to one vector a clip, (B,D)."""
        found = x.new_zeros(len(x), self.dim)
        if self.power_scales is not None:
            power = motion_power(x, mask, self.power_scales)
            found = found + self.power(_POWER_SCALE * (power - _USUAL_POWER))
        if self.relation_lags is not None:
            related = channel_relation(
                self.parts(x).float(), mask, self.relation_lags, step=self.relation_step
            )
            found = found + self.relation(_RELATION_SCALE * (related - _USUAL_RELATION))
        return found


def _check(scales: Sequence[int] | None, lags: Sequence[int] | None, step: int, parts: int) -> None:
    if scales is not None and (not scales or min(scales) < 1):
        raise ValueError(
            f"power_scales={list(scales)}: give steps of at least 1, e.g. [1,2,4,8], or null for none of it"
        )
    if lags is not None and (not lags or min(lags) < 0):
        raise ValueError(
            f"relation_lags={list(lags)}: give steps of at least 0, e.g. [0,1,2,4], or null for none of them"
        )
    if step < 1:
        raise ValueError(f"relation_step={step}: a change takes at least one step, e.g. relation_step=3")
    if parts < 2:
        raise ValueError(f"relation_parts={parts}: a relation needs two parts at least, e.g. 20")
