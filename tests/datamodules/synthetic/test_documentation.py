"""The page on the cohort states the constants that the code uses."""

from dataclasses import astuple
from pathlib import Path

import pytest

from datamodules.synthetic import behavior, latent
from datamodules.synthetic.gallery import contact_sheet

PAGE = (Path(__file__).parents[3] / "docs" / "cohort.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("channel", latent._CHANNELS, ids=latent.CHANNELS)
def test_table_of_channels(channel):
    rows = [
        line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith(f"| {channel.name} |")
    ]
    assert len(rows) == 1
    assert [float(cell) for cell in rows[0][2:]] == list(astuple(channel)[1:])


@pytest.mark.parametrize(
    "equation",
    [
        rf"b_{{ic}} = \sqrt{{{latent._STYLE_SHARE:g}}}\; g_i",
        rf"d_{{ivc}} = {latent._DAY:g}\, |\beta_c|",
        rf"\rho = e^{{-\Delta / {behavior._WANDER_SECONDS:g}\,\mathrm s}}",
        rf"= {behavior._SMILES_PER_MINUTE:g}\; e^{{{behavior._SMILE_SEVERITY:.2f}\, e_{{iv,\text{{mood}}}}",
        rf"= {behavior._BLINKS_PER_MINUTE:g}\; e^{{{behavior._BLINK_SEVERITY:.2f}\, e_{{iv,\text{{arous",
        rf"+ {behavior._RATE_HABIT:g}\, \kappa\, r_{{i,\text{{smile}}}}",
        f"(smiles, {behavior._SMILE_SECONDS:g} s long)",
        f"(blinks, {behavior._BLINK_SECONDS:g} s)",
        rf"A_\text{{au12}} = {behavior._SMILE_AU12:g}$, $A_\text{{au06}} = {behavior._SMILE_AU06:g}$",
    ],
)
def test_equations(equation):
    assert equation in PAGE


def test_the_gallery_shows_every_channel():
    sheet = contact_sheet(size=32, identities=12)
    assert sheet.shape == (10 * (32 + 16), 12 * 32, 3)
    assert (
        len({sheet[y : y + 32, x : x + 32].tobytes() for y in range(0, 480, 48) for x in range(0, 384, 32)})
        > 90
    )
