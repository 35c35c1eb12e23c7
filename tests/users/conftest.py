"""People who are signed in."""

from collections.abc import Callable

import pytest

from tests.factories import Factory


@pytest.fixture
def sign_in_as(make: Factory) -> Callable[..., dict[str, str]]:
    """Add a user with some roles and give the headers of their requests."""

    def sign_in_as(address: str, *roles: str) -> dict[str, str]:
        return make.headers(
            make.user(
                email=address, name="Asha Rao", timezone="Asia/Kolkata", roles=roles or ("driver",)
            )
        )

    return sign_in_as
