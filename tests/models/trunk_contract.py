"""The contract of all trunks, `trunk(x, mask) -> (B,T',D)`, as checks that suites of cases share."""

import importlib
import inspect
import pkgutil

import torch


def public_classes(package):
    """The public classes that the modules of a package define."""
    found = set()
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        members = vars(importlib.import_module(module.name)).values()
        found |= {c for c in members if inspect.isclass(c) and c.__module__ == module.name}
    return {c for c in found if not c.__name__.startswith("_")}


def batch(shape, frames):
    """Two rows of `frames` steps of a shape, and their mask: the last step of the second is not real."""
    mask = torch.ones(2, frames, dtype=torch.bool)
    mask[1, -1] = False
    return torch.randn(2, frames, *shape), mask


def check_shapes_gradients_and_masked_values(trunk, x, mask):
    trunk.train()
    tokens = trunk(x, mask)
    assert tokens.shape[0] == 2
    assert tokens.shape[1] <= x.shape[1]
    assert tokens.shape[2] == trunk.dim
    assert tokens.dtype == torch.float32
    trunk.zero_grad()
    tokens.square().sum().backward()
    missing = [n for n, p in trunk.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert missing == []
    trunk.eval()
    noisy = x.clone()
    noisy[1, -1] = torch.nan
    with torch.no_grad():
        first = trunk(x, mask)
        assert torch.equal(first, trunk(noisy, mask))
        assert torch.equal(first, trunk(x, mask))


def check_another_size_and_length(trunk, x, mask):
    trunk.eval()
    x = torch.cat((x, x[:, :2]), 1)
    mask = torch.cat((mask[:, :2], mask), 1)
    if x.dim() == 5:
        x = torch.cat((x, x[..., :16]), -1)
    assert trunk(x, mask).shape[::2] == (2, trunk.dim)


def check_rows_do_not_see_each_other(trunk, x, mask):
    trunk.eval()
    with torch.no_grad():
        assert torch.allclose(trunk(x, mask)[1:], trunk(x[1:], mask[1:]), atol=1e-5)


def check_padding_changes_no_token(trunk, x, mask):
    """For trunks of one token a step."""
    trunk.eval()
    with torch.no_grad():
        padded, alone = trunk(x, mask)[1:], trunk(x[1:, :-1], mask[1:, :-1])
    assert torch.allclose(padded[:, :-1], alone, atol=1e-5)
    assert padded[:, -1].abs().sum() == 0


def check_bfloat16_autocast_and_state_dict(trunk, build, x, mask):
    """`build` makes the trunk anew."""
    trunk.eval()
    with torch.no_grad():
        exact = trunk(x, mask).float()
        with torch.autocast("cpu", torch.bfloat16):
            rounded = trunk(x, mask).float()
        twin = build().eval()
        twin.load_state_dict(trunk.state_dict())
        assert torch.equal(twin(x, mask), trunk(x, mask))
    assert (rounded - exact).norm() < 0.05 * exact.norm()
