"""The page on the cohort states the constants that the code uses."""

from dataclasses import astuple
from pathlib import Path

import pytest

from datamodules.synthetic import acts, behavior, latent
from datamodules.synthetic.gallery import contact_sheet

PAGE = (Path(__file__).parents[3] / "docs" / "guide" / "cohort.md").read_text(encoding="utf-8")


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
        rf"= {behavior._SMILES_PER_MINUTE:g}\; e^{{\sqrt{{1-m}}\,({behavior._SMILE_SEVERITY:.2f}\, e_{{iv,",
        rf"= {behavior._BLINKS_PER_MINUTE:g}\; e^{{\sqrt{{1-m}}\,({behavior._BLINK_SEVERITY:.2f}\, e_{{iv,",
        rf"+ \sqrt{{1 + {1 / latent._DAY**2:g}m}}\; d_{{ivc}}",
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


@pytest.mark.parametrize("act", acts.ACTS, ids=lambda act: act.name)
def test_table_of_acts(act):
    rows = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith(f"| {act.name} |")]
    assert len(rows) == 1
    sizes = (act.lead_size, act.follower_size, act.per_minute, act.rise_s, act.fall_s)
    assert rows[0] == [act.name, act.lead, act.follower, *(f"{size:g}" for size in sizes), act.domain]


def test_effects_and_mix_of_movement():
    table = {row[1]: row for line in PAGE.splitlines() if len(row := line.strip("| ").split(" | ")) == 4}
    families = ("rates", "slowing", "slowing", "slowing", "relations", "relations")
    for number, (aspect, family) in enumerate(
        zip(("rate", "amplitude", "rise", "fall", "joining", "lag"), families, strict=True)
    ):
        (row,) = (row for name, row in table.items() if name.startswith("log") and name.endswith(aspect))
        assert row[0] in (family, f"{family}, {acts._SHARES[number]:g}")
        assert float(row[2].split(";")[0]) == acts.EFFECT[0, number]
    mix = "an eighth lies in rates, an eighth in\nslowing, three quarters in relations"
    assert mix in PAGE
    assert acts._SHARES[[0, 1, 4]].tolist() == [0.125, 0.125, 0.75]
    jitters = (acts._AMPLITUDE_JITTER, acts._TIME_JITTER, acts._LAG_JITTER)
    assert "amplitudes vary by {:g}, times by {:g} and lags by {:g}".format(*jitters) in PAGE
    assert rf"(h_a\, \kappa\, b'_{{ika}} + {acts._DAY:g}\, \varepsilon_{{ivka}})" in PAGE
    assert "spread by $h_a = {:g}$ effects".format(*set(acts._HABIT[:4])) in PAGE
    assert "joining spread by {:g} and those of lags by\n{:g}".format(*acts._HABIT[4:]) in PAGE
    assert f"{acts._LAG_SECONDS:g} s late" in PAGE
