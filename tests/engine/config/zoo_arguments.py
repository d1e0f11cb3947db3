"""Networks of others as a checkpoint may name them, with small sizes."""

STEPS = {"_target_": "models.mpdrm.mmp.MMPSeries", "_partial_": True, "scales": [1, 2]}
MAPS = {"_target_": "models.mpdrm.mmp.MMPMaps", "_partial_": True, "scales": [1, 2]}
RESNET = {"dim": 8, "backbone": "resnet18", "weights": None}
ZOO = {
    "models.zoo.convolutional.msn.MSNTrunk": {
        **{"dim": 8, "stem": 8, "widths": [8, 16], "cells": [1, 1], "kernels": [3], "mmp": MAPS}
    },
    "models.zoo.convolutional.mdn.MDNTrunk": {
        **{"dim": 8, "stem": 8, "widths": [4, 8], "cells": [1, 1], "windows": [2, 3], "mmp": MAPS}
    },
    "models.zoo.convolutional.sta_drn.STADRNTrunk": {
        **{"dim": 8, "stem": 8, "widths": [4, 4], "blocks": [1, 1], "groups": 2, "mmp": MAPS}
    },
    "models.zoo.attention.li_fpn.LIFPNTrunk": {**RESNET, "classes": 3, "mmp": None},
    "models.zoo.attention.lmtformer.LMTformerTrunk": {
        **{"dim": 8, "width": 8, "heads": 2, "blocks": 1, "dropout": 0.1, "mmp": MAPS}
    },
    "models.zoo.attention.pra_net.PRANetTrunk": {**RESNET, "grid": 2, "mmp": MAPS},
    "models.zoo.graph.dep_mgnn.DepMGNNTrunk": {**RESNET, "width": 8, "groups": 2, "mmp": None},
    "models.zoo.sequence.facial_pulse.FacialPulseTrunk": {"dim": 8, "channels": 4, "inside": 8, "mmp": None},
    "models.zoo.sequence.inception_time.InceptionTimeTrunk": {
        "dim": 8,
        "channels": 2,
        "depth": 3,
        "mmp": STEPS,
    },
    "models.zoo.sequence.lstm.LSTMTrunk": {"dim": 8, "channels": 2, "layers": 2, "dropout": 0.1},
    "models.zoo.sequence.state_space.StateSpaceTrunk": {"dim": 8, "channels": 2, "state": 4, "mmp": STEPS},
    "models.zoo.sequence.tcn.TCNTrunk": {
        "dim": 8,
        "channels": 2,
        "stem": [8, 8],
        "widths": [8],
        "mmp": STEPS,
    },
}
