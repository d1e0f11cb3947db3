"""Made-up weights under the true names of VideoMAE, MARLIN and V-JEPA, and of their ports in transformers."""

import json

import pytest
import torch
from safetensors.torch import save_file

from models.trunks.vit_video import VitVideoTrunk
from models.weights import locate as hub
from models.weights.record import WeightsError

D = 384
TINY = {"preset": "small", "depth": 2}


def rows(*shape):
    return torch.randn(*shape) * 0.05


def layer(before, names, *, biases):
    """One layer: norms and perceptron by the names of a layout; `biases` of q, k, v."""
    norm1, norm2, qkv, proj, fc1, fc2 = names
    tensors = {f"{before}{norm}.{kind}": rows(D) for norm in (norm1, norm2) for kind in ("weight", "bias")}
    for name, (out, inner) in {proj: (D, D), fc1: (4 * D, D), fc2: (D, 4 * D)}.items():
        tensors |= {f"{before}{name}.weight": rows(out, inner), f"{before}{name}.bias": rows(out)}
    joined = {f"{before}{qkv[0]}.weight": rows(3 * D, D)} if len(qkv) == 1 else {}
    split = {f"{before}{one}.weight": rows(D, D) for one in qkv} if len(qkv) == 3 else {}
    return tensors | joined | split | {f"{before}{name}": rows(count) for name, count in biases}


OWN = ("norm1", "norm2", ("attn.qkv",), "attn.proj", "mlp.fc1", "mlp.fc2")
HF_MAE = (
    "layernorm_before", "layernorm_after",
    tuple(f"attention.attention.{one}" for one in ("query", "key", "value")),
    "attention.output.dense", "intermediate.dense", "output.dense",
)  # fmt: skip
HF_JEPA = (
    "norm1", "norm2", tuple(f"attention.{one}" for one in ("query", "key", "value")), "attention.proj",
    "mlp.fc1", "mlp.fc2",
)  # fmt: skip


def norm(name):
    return {f"{name}.weight": rows(D), f"{name}.bias": rows(D)}


def patch(name, frames=2):
    return {f"{name}.weight": rows(D, 3, frames, 16, 16), f"{name}.bias": rows(D)}


def videomae_finetuned():
    layers = [layer(f"blocks.{i}.", OWN, biases=(("attn.q_bias", D), ("attn.v_bias", D))) for i in range(2)]
    head = {"head.weight": rows(400, D), "head.bias": rows(400)}
    return patch("patch_embed.proj") | layers[0] | layers[1] | norm("fc_norm") | head


def videomae_pretrained():
    encoder = {k: v for k, v in videomae_finetuned().items() if not k.startswith(("fc_norm", "head"))}
    decoder = {"mask_token": rows(1, 1, 192), "encoder_to_decoder.weight": rows(192, D)}
    decoder |= {"decoder.blocks.0.attn.qkv.weight": rows(576, 192), "decoder.norm.weight": rows(192)}
    decoder |= {"decoder.head.weight": rows(1536, 192), "decoder.head.bias": rows(1536)}
    return {f"encoder.{k}": v for k, v in (encoder | norm("norm")).items()} | decoder


def videomae_ported():
    biases = (("attention.attention.q_bias", D), ("attention.attention.v_bias", D))
    layers = [layer(f"videomae.encoder.layer.{i}.", HF_MAE, biases=biases) for i in range(2)]
    rest = norm("fc_norm") | {"classifier.weight": rows(400, D), "classifier.bias": rows(400)}
    return patch("videomae.embeddings.patch_embeddings.projection") | layers[0] | layers[1] | rest


def vjepa2():
    layers = [layer(f"blocks.{i}.", OWN, biases=(("attn.qkv.bias", 3 * D),)) for i in range(2)]
    return patch("patch_embed.proj") | {"pos_embed": rows(1, 8, D)} | layers[0] | layers[1] | norm("norm")


def vjepa2_ported():
    biases = tuple((f"attention.{one}.bias", D) for one in ("query", "key", "value"))
    layers = [layer(f"encoder.layer.{i}.", HF_JEPA, biases=biases) for i in range(2)]
    predictor = {"predictor.embeddings.mask_tokens": rows(10, 1, 1, D), "predictor.layernorm.weight": rows(D)}
    body = (
        patch("encoder.embeddings.patch_embeddings.proj") | layers[0] | layers[1] | norm("encoder.layernorm")
    )
    return body | predictor


def vjepa2_1():
    plain = {k: v for k, v in vjepa2().items() if not k.startswith(("norm.", "pos_embed"))}
    norms = norm("norms_block.0") | norm("norms_block.1") | norm("norms_block.2") | norm("norms_block.3")
    modes = {"img_mod_embed": rows(1, 1, D), "video_mod_embed": rows(1, 1, D)}
    return plain | patch("patch_embed_img.proj", 1) | norms | modes


def marlin():
    """Its encoder is VideoMAE's under other names; of the training file the decoder comes along."""
    renamed = {"mlp.fc1": "mlp.layers.0.linear", "mlp.fc2": "mlp.layers.1.linear", "fc_norm": "norm"}
    tensors = {"encoder.pos_embedding.emb": rows(1, 1568, D), "enc_dec_proj.weight": rows(192, D)}
    tensors |= {"decoder.norm.weight": rows(192), "discriminator.layers.0.linear.weight": rows(1, 192)}
    for name, value in videomae_finetuned().items():
        for theirs, own in renamed.items() | {("patch_embed.proj", "patch_embedding.projection")}:
            name = name.replace(theirs, own)
        if not name.startswith("head"):
            tensors[f"encoder.{name}"] = value
    return tensors


# family, tensors, how many are left out, and how its code wraps them
LAYOUTS = {
    "videomae_finetuned": ("videomae", videomae_finetuned, 2, lambda one: {"module": one}),
    "videomae_pretrained": ("videomae", videomae_pretrained, 6, lambda one: {"model": one, "epoch": 800}),
    "videomae_ported": ("videomae", videomae_ported, 2, None),
    "marlin": ("marlin", marlin, 4, lambda one: {"state_dict": one}),
    "marlin_hub": ("marlin", lambda: {f"marlin.{k}": v for k, v in marlin().items()}, 4, None),
    "vjepa2": ("vjepa2", vjepa2, 1, lambda one: {"target_encoder": wrapped(one), "encoder": {}}),
    "vjepa2_ported": ("vjepa2", vjepa2_ported, 2, None),
    "vjepa2_1": ("vjepa2_1", vjepa2_1, 9, lambda one: {"ema_encoder": wrapped(one), "epoch": 3}),
}


def wrapped(tensors):
    return {f"module.backbone.{name}": value for name, value in tensors.items()}


def written(name, folder):
    torch.manual_seed(5)
    family, make, left, wrap = LAYOUTS[name]
    tensors = make()
    path = folder / f"{name}{'.safetensors' if wrap is None else '.pth'}"
    save_file(tensors, path) if wrap is None else torch.save(wrap(tensors), path)
    return path, tensors, family, left


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_tensor_of_a_published_layout_finds_its_place(name, tmp_path):
    path, tensors, family, left = written(name, tmp_path)
    trunk = VitVideoTrunk(**TINY, family=family, weights=str(path))
    record = trunk.pretrained
    assert (record.taken, len(record.left_out)) == (len(tensors) - left, left)
    values = {float(v.sum()) for v in trunk.backbone.state_dict().values()}
    # what was not joined with others is there as it was
    alone = [n for n in tensors if not any(one in n for one in ("q_bias", "v_bias", "query", "key", "value"))]
    kept = [n for n in alone if n not in {name.removeprefix("backbone.") for name in record.left_out}]
    assert all(float(tensors[n].sum()) in values for n in kept)
    own = trunk.backbone.blocks[1].attn.qkv
    if "ported" in name:
        before = next(n for n in tensors if n.endswith("layer.1.attention.attention.query.weight"
                      if family == "videomae" else "layer.1.attention.query.weight"))  # fmt: skip
        three = [tensors[before.replace(".query.", f".{one}.")] for one in ("query", "key", "value")]
        assert torch.equal(own.weight, torch.cat(three))
    if family in ("videomae", "marlin"):
        query, value = (
            next(v for n, v in tensors.items() if "1." in n and n.endswith(f"{one}_bias")) for one in "qv"
        )
        assert torch.equal(own.bias, torch.cat((query, torch.zeros(D), value)))
        assert record.resized == ("positions, where clips differ from 16 frames of 224 x 224",)
    of_marlin = family == "marlin"
    assert (trunk.expects.frames, trunk.expects.mean[0]) == (16, 0.0 if of_marlin else 0.485)
    assert (record.license is not None and "CC-BY-NC" in record.license) == of_marlin


def test_marlin_differs_from_videomae_in_its_norms_and_colors_alone(tmp_path):
    torch.manual_seed(7)
    trunks = [VitVideoTrunk(**TINY, family=family).eval() for family in ("marlin", "videomae")]
    trunks[1].load_state_dict(trunks[0].state_dict())
    x, mask = torch.randn(1, 16, 3, 32, 32), torch.ones(1, 16, dtype=torch.bool)
    with torch.no_grad():
        different, same = (trunks[0](x, mask) - trunks[1](x, mask)).abs().max(), trunks[1](x, mask)
        for norm in (m for m in trunks[0].modules() if isinstance(m, torch.nn.LayerNorm)):
            assert norm.eps == 1e-5
            norm.eps = 1e-6
        assert different > 0
        assert torch.equal(trunks[0](x, mask), same)


def test_two_layouts_of_one_network_give_one_network(tmp_path):
    """The port of V-JEPA 2 splits what the original joins: both must come out as the same network."""
    torch.manual_seed(6)
    original, port = vjepa2(), {}
    for name, value in original.items():
        if name == "pos_embed":
            continue
        name = name.replace("blocks.", "encoder.layer.").replace("attn.proj", "attention.proj")
        name = name.replace("patch_embed.proj", "encoder.embeddings.patch_embeddings.proj")
        name = f"encoder.layernorm.{name[5:]}" if name.startswith("norm.") else name
        if "qkv" not in name:
            port[name] = value
            continue
        for part, one in zip(value.chunk(3), ("query", "key", "value"), strict=True):
            port[name.replace("attn.qkv", f"attention.{one}")] = part.contiguous()
    save_file(port, tmp_path / "port.safetensors")
    torch.save(original, tmp_path / "original.pt")
    x, mask = torch.randn(1, 4, 3, 32, 32), torch.ones(1, 4, dtype=torch.bool)
    files = ("port.safetensors", "original.pt")
    trunks = [VitVideoTrunk(**TINY, family="vjepa2", weights=str(tmp_path / f)).eval() for f in files]
    with torch.no_grad():
        assert torch.equal(*(trunk(x, mask) for trunk in trunks))


def test_weights_of_another_family_or_size_are_refused(tmp_path):
    path, *_ = written("vjepa2_1", tmp_path)
    with pytest.raises(
        WeightsError, match=r"those of vjepa2_1, .* positions of family=vjepa2: set family=vjepa2_1"
    ):
        VitVideoTrunk(**TINY, family="vjepa2", weights=str(path))
    with pytest.raises(WeightsError, match=r"of another shape \(video_mod_embed \(1, 1, 384\)"):
        VitVideoTrunk(preset="base", depth=2, family="vjepa2_1", weights=str(path))
    with pytest.raises(WeightsError, match=r"missing \(blocks\.2\.norm1"):
        VitVideoTrunk(preset="small", family="vjepa2_1", weights=str(path))
    save_file({"conv1.weight": rows(2, 2)}, tmp_path / "resnet.safetensors")
    with pytest.raises(WeightsError, match="no family that is known"):
        VitVideoTrunk(**TINY, family="videomae", weights=str(tmp_path / "resnet.safetensors"))
    with pytest.raises(WeightsError, match="weights=pretrained: no weights"):
        VitVideoTrunk(**TINY, weights="pretrained")


def test_a_number_of_heads_that_differs_is_refused_as_no_tensor_shows_it(tmp_path, monkeypatch):
    tensors = videomae_ported()
    save_file(tensors, tmp_path / "model.safetensors")
    monkeypatch.setattr(hub, "hf_hub_download", lambda repository, name: str(tmp_path / name))
    for heads in (6, 16):
        config = {"model_type": "videomae", "num_attention_heads": heads}
        (tmp_path / "config.json").write_text(json.dumps(config))
        if heads == 6:
            assert (
                VitVideoTrunk(**TINY, family="videomae", weights="hf-hub:lab/mae").pretrained.source == "hub"
            )
    with pytest.raises(WeightsError, match="has 16 heads of attention, and this preset 6"):
        VitVideoTrunk(**TINY, family="videomae", weights="hf-hub:lab/mae")
