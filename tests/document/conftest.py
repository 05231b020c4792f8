"""What the tests share: a program for each file of tests, and its document."""

import pytest
from program import running


@pytest.fixture(scope="module")
def program():
    with running() as program:
        yield program


@pytest.fixture(scope="module")
def document(program):
    return program.ask("GET", "/openapi.json")
