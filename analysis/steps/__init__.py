"""Steps of an analysis: each is called with the material and returns a finding; built from conf/analysis."""
