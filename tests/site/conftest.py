"""What the tests of the built site share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session", params=["site", "zensical_site"])
def each_site(request: pytest.FixtureRequest) -> Path:
    """The site, built by MkDocs and by Zensical."""
    site: Path = request.getfixturevalue(request.param)
    return site
