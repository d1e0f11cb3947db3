import pytest
import torch

SHORT = {"columns": ["item_a", "item_b", "item_c"], "highest": [3, 3, 2], "factor": 1, "threshold": 4}
LONG = {"columns": [f"item_{n}" for n in range(5)], "highest": [3] * 5, "factor": 2, "threshold": 10}


@pytest.fixture
def questionnaires():
    return {"short": SHORT, "long": LONG}


def known(*shape):
    return torch.ones(*shape, dtype=torch.bool)
