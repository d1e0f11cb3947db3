"""Proxies of action units: distances of landmarks that a unit changes, positive where it is active.

They are geometry and no coding of a face: no training, no human coder, hence `au_proxy`. There are those
that follow drawn or warped faces whose units are known (`docs/guide/faces.md`); 4, 6 and 17 do not, and have
none. How well depends on the landmarks: those of the plain mesh follow 1 by a third of its size and on
photographs alone, and 2 and 24 not at all, for which finer landmarks are needed. All are in distances of the
inner corners of the eyes, on landmarks that are turned to the front.
"""

import numpy as np

from preprocessing.faces.topology import Topology
from preprocessing.series.head import Array


def action_unit_proxies(upright: Array, aspect_ratio: Array, topology: Topology) -> dict[str, Array]:
    """One value a frame ``(N,)`` by channel.

    Args:
        upright: Landmarks ``(N, P, 2)``.
        aspect_ratio: Of the eyes ``(N,)``.
        topology: Which landmark is which.
    """
    brows_in = _height(upright, (topology.right_brow[-2:], topology.left_brow[:2]))
    brows_out = _height(upright, (topology.right_brow[:2], topology.left_brow[-2:]))
    eyes_in = _height(upright, ((topology.right_eye[3],), (topology.left_eye[0],)))
    eyes_out = _height(upright, ((topology.right_eye[0],), (topology.left_eye[3],)))
    corner_right, corner_left, inner_upper, inner_lower = topology.mouth
    outer_upper, outer_lower = topology.lips
    corners = _height(upright, ((corner_right,), (corner_left,)))
    lips = _height(upright, ((inner_upper,), (inner_lower,)))
    base = _height(upright, (topology.nose[2:],))

    def apart(a: int, b: int) -> Array:
        return np.asarray(np.linalg.norm(upright[:, a] - upright[:, b], axis=1))

    return {
        "au_proxy_01": brows_in - eyes_in,  # inner brow raiser
        "au_proxy_02": brows_out - eyes_out,  # outer brow raiser
        "au_proxy_10": _height(upright, ((outer_upper,),)) - base,  # upper lip raiser
        "au_proxy_12": corners - lips,  # lip corner puller
        "au_proxy_15": base - corners,  # lip corner depressor
        "au_proxy_20": apart(corner_right, corner_left),  # lip stretcher
        "au_proxy_24": -apart(outer_upper, inner_upper) - apart(inner_lower, outer_lower),  # lip pressor
        "au_proxy_26": apart(inner_upper, inner_lower),  # jaw drop, with 25, lips part
        "au_proxy_45": -aspect_ratio,  # blink, with 43, eyes closed
    }


def _height(upright: Array, groups: tuple[tuple[int, ...], ...]) -> Array:
    """Mean height ``(N,)`` of groups of points, upward."""
    return np.asarray(-np.mean([upright[:, list(group), 1].mean(axis=1) for group in groups], axis=0))
