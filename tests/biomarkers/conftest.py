"""Feature tables that tests make."""

import pandas as pd
import pytest
from matplotlib.text import Text

from datamodules.synthetic.behavior import behave, statistics
from datamodules.synthetic.latent import LatentSettings, draw_cohort
from evaluation.report import style as canvas


@pytest.fixture(scope="session")
def latent_tables():
    """Draw `(features, labels)`: means of all channels, and whether severity is above the average."""

    def draw(*, persons, visits=1, seed=0):
        settings = LatentSettings(persons, visits, 10.0, 4.0, confound=1.0, habit_visibility=0.1, seed=seed)
        features, labels = [], []
        for visit in draw_cohort(settings):
            subject = visit.person.subject_id
            ids = {"recording_id": f"{subject}_{visit.session_id}"}
            read = statistics(behave(visit, settings))
            means = {name: value for name, value in read.items() if name.endswith("_mean")}
            features.append(ids | {"subject_id": subject, "session_id": visit.session_id} | means)
            labels.append(ids | {"binary": int(visit.severity > 0), "score": visit.severity})
        return pd.DataFrame(features), pd.DataFrame(labels)

    return draw


def overlaps(figure):
    """Pairs of texts of a drawn figure that lie on each other."""
    figure.draw_without_rendering()
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    ticks = {
        id(label)
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for label in (tick.label1, tick.label2)
        if not axis.get_view_interval()[0] <= tick.get_loc() <= axis.get_view_interval()[1]
    }  # of ticks beyond the limits, which are not drawn
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts if id(t) not in ticks]
    return [
        (a, b)
        for i, (a, one) in enumerate(boxes)
        for b, two in boxes[i + 1 :]
        if one.x0 < two.x1 - 1 and two.x0 < one.x1 - 1 and one.y0 < two.y1 - 1 and two.y0 < one.y1 - 1
    ]


@pytest.fixture
def drawn(monkeypatch):
    """Draw and hand over the figure itself: `drawn(module, name, ...)`, having checked uri and labels."""

    def draw(module, name, *args, **kwargs):
        kept = []

        def svg(figure):
            kept.append(figure)
            assert overlaps(figure) == []
            return canvas.svg(figure)

        monkeypatch.setattr(module, "svg", svg)
        assert getattr(module, name)(*args, **kwargs).startswith("data:image/svg+xml;base64,")
        return kept[0]

    return draw
