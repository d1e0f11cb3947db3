from datamodules.series import channel_schema
from datamodules.series.formats.clnf import COLUMNS as CLNF
from datamodules.series.formats.libreface import COLUMNS as LIBREFACE
from datamodules.series.formats.mediapipe import COLUMNS as MEDIAPIPE
from datamodules.series.formats.opendbm import COLUMNS as OPENDBM
from datamodules.series.formats.openface import COLUMNS as OPENFACE
from datamodules.series.formats.pyfeat import COLUMNS as PYFEAT
from datamodules.series.formats.pyfeat import MESH_COLUMNS
from datamodules.synthetic.latent import CHANNELS as SYNTHETIC


def test_every_crosswalk_ends_in_the_schema():
    for columns in (OPENFACE, CLNF, LIBREFACE, PYFEAT, MESH_COLUMNS, MEDIAPIPE, OPENDBM):
        assert {column.channel for column in columns.values()} <= channel_schema.CHANNELS.keys()


def test_the_synthetic_cohort_speaks_the_schema():
    assert set(SYNTHETIC) <= channel_schema.CHANNELS.keys()
    assert [channel_schema.unit(name) for name in ("au12", "gaze_x", "pose_yaw", "pupil")] == [
        "intensity 0-5", "rad", "rad", "pupil/iris",
    ]  # fmt: skip


def test_units_and_groups_can_be_asked_for():
    assert channel_schema.unit("au12_probability") == "probability"
    assert channel_schema.group("au12_present") == "au_present"
    assert (channel_schema.unit("x_0"), channel_schema.unit("X_0"), channel_schema.unit("pose_z")) == (
        "px",
        "mm",
        "mm",
    )
    assert (channel_schema.unit("FrameWidth"), channel_schema.group("FrameWidth")) == ("unknown", "other")
    assert len(channel_schema.COMMON_AUS) == 12
    assert len(set(channel_schema.BLENDSHAPES)) == 52
