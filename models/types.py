"""Tensor legend and the contracts between trunks, networks, heads, objective and task.

Legend: B clips, T frames, T' steps a trunk returns, C H W pixels, F series channels, S feature sets,
D feature width, E width of the contrast space. A mask is True where a step is real.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

from torch import Tensor, nn

_Part = TypeVar("_Part")

Batch = dict[str, Any]
"""A batch of B clips, by key. To predict, a network needs its content and `mask` alone.

Content, one of these:
    frames: (B,T,3,H,W) float32, normalized; uint8 RGB of 0 to 255 before that, and for `load_network`.
    series: (B,T,F) float32, in the units of the files; the network standardizes them.
    tokens: (B,N,C), of a frozen encoder, as float32 or at half precision.
    mask: (B,T) bool, True where a step, or one of N tokens, is real.
    set_mask: (B,T,S) bool, where the series is S feature sets side by side: which set is real at which step.
        A step is real where any set is.
Whose clips these are; a context from other visits needs both, and without both there is none:
    subject: (B,) int64, equal for clips of one person; below 0 where nobody knows who it is.
    row: (B,) int64, equal for clips of one recording: its row in the manifest.
Read in training and evaluation only:
    visit, clip: (B,) int64, number of the visit of a person, and of the clip in its recording.
    scored: (B,) bool, False for clips that came along as context.
    targets, target_mask: {score, binary, band: (B,)}, and whether each is known, bool; where questionnaires
        were chosen, also items: (B,J) int64, the answers to the J items in the order of data.items.
    traits, traits_mask: (B,5) float32, and whether each is known, bool.
What a protocol makes known of earlier visits; without it nothing is:
    history: {earlier: (B,B) bool, score: (B,B) float32}. earlier[i,j] says that row j is a clip of an earlier
        visit of the person of row i whose score may be known; score[i,j] is that visit's score in points of
        the scale, NaN where it is missing or the pair is not earlier.
    seed: (B,) int64, of the augmentation.
    recording_id, subject_id, session_id: lists of B texts, for tables.
"""


class Output(NamedTuple):
    """What every network returns for a batch.

    Attributes:
        logits: head name -> raw head output, (B,) or (B, ...); of late fusion see `models.fusion.late`.
        embedding: (B,D) what the heads read.
        personality: (B,E) unit-norm projection the contrast works on; None without a personality branch.
        personality_feature: (B,D) pooled personality tokens before the projection.
        context_available: (B,) bool, whether RARM knew the person; None where there is no context.
        attention: (B,T') weights of the pooled steps, in [0, 1], summing to 1 over the real steps.
        plain: (B,D) mean depression token before RARM; for probes, so None while training.
        relieved: (B,D) the same mean after RARM's relief, before refinement and attention; None while
            training and where there is no context.
    """

    logits: dict[str, Tensor]
    embedding: Tensor
    personality: Tensor | None = None
    personality_feature: Tensor | None = None
    context_available: Tensor | None = None
    attention: Tensor | None = None
    plain: Tensor | None = None
    relieved: Tensor | None = None


class Context(NamedTuple):
    """What is known of the person of each row, besides the row itself.

    Attributes:
        feature: (B,D) what RARM relieves the tokens of; zeros where nothing is known.
        available: (B,) bool, whether anything is known.
        offset: (B,D) what the scores of earlier visits say by themselves, added to the embedding and zero
            where none is known; None where a context reads no scores.
        visits: (B,) int64, number of other visits behind the feature; None where it rests on none.
    """

    feature: Tensor
    available: Tensor
    offset: Tensor | None = None
    visits: Tensor | None = None


class Trunk(Protocol):
    """Anything that turns frames or series into tokens.

    Further attributes are optional: `cells`, how many tokens in a row are of the same frames, where space was
    kept; `token_steps`, how many steps it pools to a token; `blocks()`, see `models.blocks`; `expects` and
    `pretrained`, see `models.weights.record`.
    """

    dim: int

    def __call__(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (B,T,...) and its mask (B,T) to tokens (B,T',D)."""


class Pool(Protocol):
    """Anything that pools tokens to an embedding, with regard to a personality context or without."""

    dim: int

    def relieve(self, tokens: Tensor, context: Tensor, available: Tensor) -> Tensor:
        """Return tokens (B,T',D) without what the context (B,D) explains, where it is available (B,)."""

    def __call__(
        self, tokens: Tensor, mask: Tensor, context: Tensor, available: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return embedding (B,D) and attention (B,T') of tokens (B,T',D) under their mask (B,T')."""


class Head(Protocol):
    """Anything that predicts a label from an embedding; `models.heads` says what the methods mean.

    Heads of items learn answers (B,J), and predict what `models.items.head.ItemHead` says.
    """

    dim: int

    def __call__(self, v: Tensor) -> Tensor:
        """Map embeddings (B,D) to raw outputs."""

    def loss(self, raw: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return the mean loss over the rows of the mask (B,)."""

    def predict(self, raw: Tensor) -> Tensor:
        """Return predictions (B,) in the label's own unit."""


class Network(Protocol):
    """Anything that a `Task` can train."""

    heads: Mapping[str, Head]

    def __call__(self, batch: Batch) -> Output:
        """Answer a batch."""


def entry(batch: Batch, key: str, reader: str) -> Tensor:
    """Return an entry of a batch.

    Raises:
        ValueError: the batch lacks it; `reader` says who reads it.
    """
    if key not in batch:
        raise ValueError(
            f"{reader} reads {key!r}, but the batch holds {sorted(batch)}: add it, as models.types.Batch says"
        )
    value: Tensor = batch[key]
    return value


# Config groups that swap a part; a branch is not swapped itself, but what it is made of.
_GROUPS = {"depression": ("trunk", "mmp")}


def as_module(part: str, value: _Part) -> _Part:
    """Return the value if it is a module.

    Raises:
        TypeError: naming the overrides that swap the part; a plain `model.<part>=name` would replace it by
            a string.
    """
    if isinstance(value, nn.Module):
        return value
    name = part.partition(".")[0]
    groups = ", ".join(f"model/{group}=..." for group in _GROUPS.get(name, (name,)))
    raise TypeError(
        f"{part} must be a built module, got {type(value).__name__} {value!r}: swap it through its config "
        f"group ({groups}), change one setting by its full name "
        f"(model.network.{part}.<setting>=...), or switch it off with null where it is optional"
    )


def of_personality(part: Tensor | None, term: str) -> Tensor:
    """Return what a loss reads of the personality branch.

    Raises:
        ValueError: the network has no such branch.
    """
    if part is None:
        raise ValueError(
            f"the {term} loss needs a personality branch, and this network has none: use model/{term}=none, "
            "or add one with model/personality=shared"
        )
    return part
