from datamodules.real_path import real_path


def test_a_link_that_leads_elsewhere_is_another_path(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    link = tmp_path / "link"
    for name in ("a", "b", "a"):
        link.unlink(missing_ok=True)
        link.symlink_to(tmp_path / name)
        path = link / "file"
        assert real_path(path, path.stat()) == (tmp_path / name / "file").resolve()


def test_a_relative_path_is_that_of_its_folder(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
        monkeypatch.chdir(tmp_path / name)
        path = type(tmp_path)("file")
        assert real_path(path, path.stat()) == (tmp_path / name / "file").resolve()
