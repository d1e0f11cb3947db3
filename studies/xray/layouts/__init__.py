"""The ten layouts that clean trees are written in."""

from studies.xray.layouts.landmarks import DVLOG, LAB, MPDD
from studies.xray.layouts.layout import Layout, Tree, grown
from studies.xray.layouts.manifests import CLINIC, JOINED
from studies.xray.layouts.openface_folders import CMDC, EDAIC, FOLDER, LMVD
from studies.xray.layouts.sets import PUPILS

__all__ = ["LAYOUTS", "Layout", "Tree", "grown"]

LAYOUTS = (CLINIC, JOINED, PUPILS, LAB, FOLDER, CMDC, LMVD, EDAIC, DVLOG, MPDD)
