"""The contract of all trunks for the networks of others on series."""

import pytest
import torch
from torch import nn

import models.zoo.sequence
from models.mpdrm.mmp import MMPSeries
from models.zoo.sequence.batch_norm import MaskedBatchNorm
from models.zoo.sequence.facial_pulse import FacialPulseTrunk, LandmarkDropout
from models.zoo.sequence.inception_time import InceptionTimeTrunk
from models.zoo.sequence.lstm import LSTMTrunk
from models.zoo.sequence.state_space import BiMamba, StateSpaceTrunk
from models.zoo.sequence.tcn import TCNTrunk
from tests.models.trunk_contract import (
    batch,
    check_another_size_and_length,
    check_bfloat16_autocast_and_state_dict,
    check_padding_changes_no_token,
    check_rows_do_not_see_each_other,
    check_shapes_gradients_and_masked_values,
    public_classes,
)

CHANNELS, STEPS = 6, 12
TCN = {"stem": (8, 8, 8), "widths": (8, 16)}
# name -> trunk
CASES = {
    "inception_time": lambda: InceptionTimeTrunk(channels=CHANNELS, dim=16, mmp=MMPSeries),
    "lstm": lambda: LSTMTrunk(channels=CHANNELS, dim=16, mmp=MMPSeries),
    "state_space": lambda: StateSpaceTrunk(channels=CHANNELS, dim=16, state=4, expand=2, mmp=MMPSeries),
    "tcn": lambda: TCNTrunk(channels=CHANNELS, dim=16, **TCN, mmp=MMPSeries),
    "facial_pulse": lambda: FacialPulseTrunk(channels=CHANNELS, dim=16),
}
ONE_TOKEN_A_STEP = ["inception_time", "lstm", "state_space"]
PARTS = {MaskedBatchNorm, BiMamba, LandmarkDropout}
_cache: dict[str, nn.Module] = {}


def _case(name):
    if name not in _cache:
        torch.manual_seed(0)
        _cache[name] = CASES[name]()
    return _cache[name], *batch((CHANNELS,), STEPS)


def test_every_public_class_has_a_case():
    trunks = {type(_case(name)[0]) for name in CASES}
    assert public_classes(models.zoo.sequence) - PARTS == trunks


@pytest.mark.parametrize("name", CASES)
def test_shapes_gradients_and_masked_values(name):
    check_shapes_gradients_and_masked_values(*_case(name))


@pytest.mark.parametrize("name", CASES)
def test_another_size_and_length(name):
    check_another_size_and_length(*_case(name))


@pytest.mark.parametrize("name", CASES)
def test_rows_do_not_see_each_other(name):
    check_rows_do_not_see_each_other(*_case(name))


@pytest.mark.parametrize("name", ONE_TOKEN_A_STEP)
def test_padding_a_clip_changes_none_of_its_tokens(name):
    check_padding_changes_no_token(*_case(name))


@pytest.mark.parametrize("name", CASES)
def test_bfloat16_autocast_and_state_dict(name):
    trunk, x, mask = _case(name)
    check_bfloat16_autocast_and_state_dict(trunk, CASES[name], x, mask)
