import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from analysis.step_data import Material
from analysis.steps.symptoms import SymptomDiscrepancies, first_answers
from biomarkers.symptoms.discrepancy import SymptomDiscrepancy, index
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.questionnaires import subscale
from datamodules.synthetic.questionnaire import answer, symptom_profile
from engine.config.build import build
from engine.config.source_code import ROOT
from evaluation.uncertainty.bootstrap import Resampling


def table_of(persons, visits=2):
    rng = np.random.default_rng(0)
    rows = []
    for person in range(persons):
        severity, profile = rng.normal(), symptom_profile(rng)
        for visit in range(visits):
            items = answer(severity, profile, rng)
            rows.append(
                {"recording_id": f"r{person}_{visit}", "subject_id": f"s{person}", "session_id": f"v{visit}"}
                | items
            )
    return pd.DataFrame(rows)


def material(table, folder):
    manifest = Manifest(table=table, root=folder, name="own", truth=None)
    return Material(manifest, [], [], None, [])


def test_the_first_complete_questionnaire_of_a_person_counts():
    table = table_of(5).iloc[::-1].reset_index(drop=True)
    columns = list(subscale("DASS-21-A").columns)
    table.loc[table["recording_id"] == "r2_0", columns[3]] = np.nan
    table.loc[table["subject_id"] == "s4", columns[0]] = np.nan
    found, left_out = first_answers(table, "DASS-21-A")
    assert sorted(found.index) == ["r0_0", "r1_0", "r2_1", "r3_0"]
    assert left_out == 1
    by_id = table.set_index("recording_id")
    pd.testing.assert_frame_equal(found, by_id.loc[found.index, columns], check_dtype=False)
    with pytest.raises(ValueError, match="nobody has complete answers"):
        first_answers(table.assign(**dict.fromkeys(columns, np.nan)), "DASS-21-A")


@pytest.mark.slow
def test_a_scale_is_measured_by_score_and_by_severity(tmp_path):
    table = table_of(150)
    step = SymptomDiscrepancies(scales=["DASS-21-S"], draws=20)
    found = step(material(table, tmp_path), Resampling(1000))
    items, _ = first_answers(table, "DASS-21-S")
    expected = {
        grouping: index(estimator.fit(items).per_person(items)).value
        for grouping in ("score", "severity")
        for estimator in [SymptomDiscrepancy(grouping=grouping, scale="DASS-21-S")]
    }
    summary, groups, reliable = found.sections
    assert [row[1]["value"] for row in summary.rows] == pytest.approx(list(expected.values()))
    assert [row[5] for row in summary.rows] == ["0.341", "0.376"]
    assert summary.plot.startswith("data:image/svg")
    assert {row[0] for row in groups.rows} >= {"DASS-21-S, total 0", "DASS-21-S, normal"}
    assert 0.7 < reliable.rows[0][1]["value"] < 1
    persons = found.tables["symptom_persons"]
    assert persons.groupby("grouping")["recording_id"].nunique().to_dict() == {"score": 150, "severity": 150}
    assert found.tables["symptom_groups"].groupby("grouping")["n"].sum().tolist() == [150, 150]


def test_the_leaf_builds_the_step():
    leaf = OmegaConf.load(ROOT / "conf/analysis/faces_of_the_mind.yaml").steps.symptoms
    step = build(OmegaConf.to_container(leaf), key="symptoms")
    assert isinstance(step, SymptomDiscrepancies)
    assert step.scales == ["DASS-21-D", "DASS-21-A", "DASS-21-S"]
