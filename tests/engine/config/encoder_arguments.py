"""Arguments of what encoders are made of and tuned with, for the list of a checkpoint's targets."""

ENCODERS = {
    "models.trunks.readout.TokenReadout": {"channels": 8, "dim": 8, "grid": 2},
    "models.trunks.vit_video.VitVideoTrunk": {"preset": "small", "family": "plain", "dim": 8, "depth": 1},
    "models.mpdrm.attentive_pool.AttentivePool": {"dim": 8, "heads": 2},
    "models.tuning.Freeze": {"last": 1},
    "models.tuning.LoRA": {"rank": 2, "alpha": 4.0},
}
