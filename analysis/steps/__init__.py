"""Steps of an analysis, configured in conf/analysis: each takes the material and returns a finding."""
