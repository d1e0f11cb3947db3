import av
import pytest

from tests.conftest import MODELS
from tests.datamodules.readers.videos import RECIPES, write


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory):
    """Keep packet indices out of the user's cache, and the coders' chatter out of the report."""
    with pytest.MonkeyPatch.context() as patch:
        private = tmp_path_factory.mktemp("cache")
        if MODELS.is_dir():  # the session goes on with this cache, also where faces are found
            (private / "euthymia").mkdir()
            (private / "euthymia" / "models").symlink_to(MODELS)
        patch.setenv("XDG_CACHE_HOME", str(private))
        patch.setenv("SVT_LOG", "1")
        av.logging.set_level(av.logging.PANIC)
        yield


@pytest.fixture(scope="session")
def video(tmp_path_factory, private_cache):
    """Return the path of a recipe's video, written on first use."""
    folder, written = tmp_path_factory.mktemp("videos"), {}

    def path_of(name):
        if name not in written:
            written[name] = write(RECIPES[name], folder)
        return written[name]

    return path_of
