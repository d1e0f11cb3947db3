"""The face networks, where this machine has them."""

import pytest


@pytest.fixture(scope="session")
def face_models():
    """Folder of the networks' files; skips the test where they are missing."""
    from preprocessing.models.folder import ModelError, default_folder, locate

    try:
        locate()
    except ModelError:
        pytest.skip(f"{default_folder()} has no face networks: run `python -m preprocessing.models` once")
    return default_folder()
