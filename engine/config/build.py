"""Build objects from the nodes of a plain config."""

from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from engine.config.targets import ForbiddenTarget, check_targets


def build(node: Any, *, key: str, **injected: Any) -> Any:
    """Build one node of a config: `_target_` is the registry.

    The targets are checked first, and everything nested arrives as plain lists and dicts, so that no
    OmegaConf container ends up in a module or a checkpoint.

    Args:
        node: Plain dict with a `_target_`; None builds nothing.
        key: Where the node sits in the config, for messages.
        injected: Built objects that the constructor takes besides what the config says.

    Raises:
        ForbiddenTarget: The node names no callable, or one outside the allow-list.
        Exception: What the constructor raised, with the key added: Hydra's wrapper would hide it.
    """
    if node is None:
        return None
    if "_target_" not in node:
        group = key.partition(".")[0]
        raise ForbiddenTarget(
            f"{key} names no _target_, so nothing can be built of it. With single settings "
            f"of it, choose an entry of the group as well: {group}=<name>; --help lists them."
        )
    check_targets(node)
    try:
        if injected:
            node = {**node, "_partial_": True}
        built = instantiate(node, _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__ or error
        cause.add_note(f"While building `{key}` of the config.")
        raise cause from None
    if not injected:
        return built
    try:
        return built(**injected)
    except Exception as error:
        error.add_note(f"While building `{key}` of the config.")
        raise


def build_all(nodes: dict[str, Any] | None, *, key: str) -> list[Any]:
    """Build the entries of a dict in their order, leaving out those that are switched off with null."""
    return [build(node, key=f"{key}.{name}") for name, node in (nodes or {}).items() if node is not None]
