"""Published weights of video transformers under our names: VideoMAE, MARLIN and V-JEPA, in five layouts.

The layouts were read in the public code of MCG-NJU/VideoMAE (fine-tuning and pre-training), of
facebookresearch/vjepa2 (2 and 2.1), in the ports of both in transformers, and in ControlNet/MARLIN. Left out
are decoders, predictors, poolers, classifiers and what V-JEPA 2.1 has for single pictures. What differs:

- queries, keys and values are one matrix; VideoMAE has no bias of keys, which changes no softmax: it is 0.
- a fine-tuned VideoMAE normalizes the mean of all tokens (`fc_norm`); here that norm is applied to each one.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.weights.files import read_tensors
from models.weights.locate import Located, locate
from models.weights.match import check_fit
from models.weights.record import Expects, WeightsError, WeightsRecord

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, in the transforms of both code bases
_UNIT = ((0.0,) * 3, (1.0,) * 3)  # MARLIN was shown colors from 0 to 1 as they are
_LICENSE = {"marlin": "CC-BY-NC 4.0, as its repository states"}  # no file of it says so
_FRAMES = 16  # VideoMAE and MARLIN have seen 16, V-JEPA 2 and 2.1 16 to 64
_POSITIONS = "positions, where clips differ from 16 frames of 224 x 224"
_BEFORE = re.compile(r"^(module\.)?(backbone\.|videomae\.|vjepa2\.|marlin\.)")
_LEFT_OUT = re.compile(
    r"(decoder|predictor|pooler|classifier|head|encoder_to_decoder|patch_embed_img|norms_block\.[0-2])\."
    r"|(enc_dec_proj|discriminator)\.|mask_token$|img_mod_embed$"
    r"|(encoder\.)?(pos_embed|embeddings\.position_embeddings|pos_embedding\.emb)$"
)
# what a layout has -> what we have, each where the other has nothing of that name
_NAMES = [
    (re.compile(pattern), name)
    for pattern, name in (
        (r"^(encoder\.)?(patch_embed\.proj|embeddings\.patch_embeddings\.proj(ection)?)\.", "patch_embed."),
        (r"^(encoder\.)?patch_embedding\.projection\.", "patch_embed."),
        (r"\.mlp\.layers\.0\.linear\.", ".mlp.fc1."),
        (r"\.mlp\.layers\.1\.linear\.", ".mlp.fc2."),
        (r"^(encoder\.)?(norm|fc_norm|layernorm|norms_block\.3)\.", "norm."),
        (r"^encoder\.(blocks|layer)\.", "blocks."),
        (r"\.layernorm_before\.", ".norm1."),
        (r"\.layernorm_after\.", ".norm2."),
        (r"\.intermediate\.dense\.", ".mlp.fc1."),
        (r"\.attention\.output\.dense\.", ".attn.proj."),
        (r"(blocks\.\d+)\.output\.dense\.", r"\1.mlp.fc2."),
        (r"\.attention\.(attention\.)?", ".attn."),
    )
]


def expects_of(family: str, *, patch: int, trained: bool) -> Expects:
    """What such a transformer must be shown.

    Args:
        family: Whose form it has.
        patch: Pixels a side of a patch.
        trained: Whether it took weights: else any mean and length will do.
    """
    if not trained:
        return Expects(multiple=patch)
    mean, std = _UNIT if family == "marlin" else (_MEAN, _STD)
    return Expects(multiple=patch, frames=_FRAMES, mean=mean, std=std)


def take(network: nn.Module, weights: str, *, family: str, heads: int, sha256: str | None) -> WeightsRecord:
    """Fill a video transformer with weights.

    Args:
        network: A `VideoTransformer`.
        weights: See `models.weights.locate.locate`.
        family: Whose form the network has.
        heads: Of its attention, which no tensor shows.
        sha256: What the digest of the file should be.

    Raises:
        WeightsError: There are none, or they are of another family, size or number of heads.
    """
    if weights == "pretrained":
        raise WeightsError(
            "weights=pretrained: no weights are this transformer's own. Name them, e.g. "
            "weights=hf-hub:MCG-NJU/videomae-base with family=videomae preset=base, or a file"
        )
    found = locate(weights, sha256=sha256)
    _check_config(found, heads)
    given = read_tensors(found.path)
    if (of := family_of(given)) != family:
        raise WeightsError(
            f"{found.name}: its tensors are those of {of or 'no family that is known'}, and the network has "
            f"the positions of family={family}" + (f": set family={of}" if of else "")
        )
    ours = converted(given)
    check_fit(network.state_dict(), ours, whose=f"{found.name} for family={family}")
    network.load_state_dict(ours)
    return WeightsRecord(
        source=found.source, name=found.name, url=found.url, sha256=found.sha256,
        license=found.license or _LICENSE.get(family),
        taken=sum(1 for name in given if not _unused(name)),
        left_out=tuple(name for name in given if _unused(name)),
        resized=(_POSITIONS,) if family in ("videomae", "marlin") else (),
    )  # fmt: skip


def family_of(tensors: Mapping[str, Tensor]) -> str | None:
    """Whose weights these are, by what only their layout has."""
    names = [_inner(name) for name in tensors]
    if any(name.endswith("patch_embedding.projection.weight") for name in names):
        return "marlin"
    if any(name.endswith((".q_bias", "layernorm_before.weight")) for name in names):
        return "videomae"
    if any(name.startswith("norms_block.") for name in names):
        return "vjepa2_1"
    rotary = (".attn.qkv.bias", ".attention.query.bias")
    return "vjepa2" if any(name.endswith(rotary) for name in names) else None


def converted(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a published transformer under the names of ours, which has no use for some of them."""
    ours: dict[str, Tensor] = {}
    for name, value in tensors.items():
        if not _unused(name):
            ours[_renamed(name)] = value
    for layer in [name.removesuffix("q_bias") for name in ours if name.endswith(".attn.q_bias")]:
        query, value = ours.pop(f"{layer}q_bias"), ours.pop(f"{layer}v_bias")
        ours[f"{layer}qkv.bias"] = torch.cat((query, torch.zeros_like(query), value))
    for first in [name for name in ours if ".attn.query." in name]:
        three = [ours.pop(first.replace(".query.", f".{one}.")) for one in ("query", "key", "value")]
        ours[first.replace(".query.", ".qkv.")] = torch.cat(three)
    return ours


def _inner(name: str) -> str:
    while (shorter := _BEFORE.sub("", name)) != name:
        name = shorter
    return name


def _unused(name: str) -> bool:
    return _LEFT_OUT.match(_inner(name)) is not None


def _renamed(name: str) -> str:
    name = _inner(name)
    for pattern, ours in _NAMES:
        name = pattern.sub(ours, name)
    return name


def _check_config(found: Located, heads: int) -> None:
    of = found.config.get("num_attention_heads")
    if of is not None and of != heads:
        raise WeightsError(f"{found.name}: has {of} heads of attention, and this preset {heads}")
