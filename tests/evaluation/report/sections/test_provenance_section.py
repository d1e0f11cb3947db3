"""The report says which weights of others a network began with."""

from evaluation.report.sections.provenance_section import provenance_rows, weights_text

RECORD = {
    **{
        "source": "hub",
        "name": "timm/resnet18.a1_in1k",
        "url": "https://huggingface.co/timm/resnet18.a1_in1k",
    },
    **{"sha256": "0123456789abcdef" * 4, "license": "apache-2.0", "taken": 120, "resized": []},
    "left_out": ["fc.weight", "fc.bias"],
}


def test_pretrained_weights_are_told_once_for_branches_that_share_them():
    rows = dict(provenance_rows({"pretrained": {"depression.trunk": RECORD, "personality.trunk": RECORD}}))
    assert rows["Pretrained weights"] == (
        "timm/resnet18.a1_in1k (hub; license apache-2.0), SHA-256 0123456789abcdef..., "
        "120 tensors taken, 2 left out"
    )
    assert "Pretrained weights" not in dict(provenance_rows({"pretrained": {}}))


def test_the_weights_of_the_encoder_of_a_store_are_told_as_well():
    made = {
        "fingerprint": "0" * 64,
        "settings": {},
        "provenance": {"libraries": {}, "weights": {"trunk": RECORD}},
    }
    rows = dict(provenance_rows({"preprocessing": made, "pretrained": {}}))
    assert rows["Weights of the encoder"] == weights_text(RECORD)
    for without in (
        None,
        made | {"provenance": {"backend": {}}},
        made | {"provenance": {"weights": {"a": 1}}},
    ):
        assert "Weights of the encoder" not in dict(provenance_rows({"preprocessing": without}))


def test_what_nobody_states_and_what_was_resized_is_said():
    text = weights_text(RECORD | {"license": None, "resized": ["pos_embed"]})
    assert "license not stated" in text
    assert text.endswith("2 left out, 1 resized")
