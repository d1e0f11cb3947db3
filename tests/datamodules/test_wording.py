from datamodules.wording import most_like


def test_few_names_stand_as_they_are_and_of_many_the_nearest_come_first():
    assert most_like("path", ["sex", "Path"]) == "sex, Path"
    many = [f"column{number}" for number in range(60)]
    told = most_like("subject_id", [*many, "Subject", "id_subject"])
    assert {*told.split(", ")[:2]} == {"Subject", "id_subject"}
    assert told.count(", ") == 11
    assert told.endswith(" and 50 more")
