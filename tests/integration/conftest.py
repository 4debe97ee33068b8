"""Fixtures of tests in which several parts work together."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.fakes.deployment import Answer, Deployment
from tests.fakes.deployment import deployment as running_deployment
from tests.fakes.deployment import web_app as running_web_app


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Run fakes of Kaggle, a bucket and Weaviate as processes, for one module."""
    with running_deployment(tmp_path_factory.mktemp("deployment")) as running:
        yield running


@pytest.fixture(scope="module")
def web_app(deployment: Deployment) -> Iterator[Callable[..., Answer]]:
    """Run `gallery serve` over the deployment, and return a function that sends it a request."""
    with running_web_app(deployment) as ask:
        yield ask
