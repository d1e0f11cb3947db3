import av
import pytest

from tests.datamodules.readers.videos import RECIPES, write


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory):
    """Keep packet indices out of the user's cache, and the coders' chatter out of the report."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
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
