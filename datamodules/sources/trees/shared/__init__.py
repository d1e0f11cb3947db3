"""What several trees write: clips, tables of OpenFace, the layouts of AVEC and DAIC."""
