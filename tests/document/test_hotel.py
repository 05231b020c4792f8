"""Whole hotels are set up through clients that others' tools generate from the document."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from program import ROOT

HOTEL = Path(__file__).parent / "hotel"
TOOLS = Path(sys.executable).parent
NODE = ROOT / "target/document/node"


@pytest.fixture(scope="module")
def described(document, tmp_path_factory):
    """The document in a file of a folder of its own."""
    path = tmp_path_factory.mktemp("hotel") / "openapi.json"
    path.write_text(json.dumps(document))
    return path


def run(*command, **more):
    settings = os.environ | {"PATH": f"{TOOLS}:{os.environ['PATH']}"} | more.pop("env", {})
    done = subprocess.run([str(part) for part in command], env=settings, capture_output=True, text=True, **more)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_a_generated_python_client_sets_up_a_hotel(program, described):
    folder = described.parent
    run(TOOLS / "openapi-python-client", "generate", "--path", described, "--meta", "none",
        "--output-path", folder / "generated", "--fail-on-warning")
    said = run(sys.executable, "-B", HOTEL / "hotel.py", program.api, program.key, env={"PYTHONPATH": str(folder)})
    assert "taken away" in said


def test_a_generated_javascript_client_sets_up_a_hotel(program, described):
    # Beside the packages, where both the compiler and node find them.
    with tempfile.TemporaryDirectory(prefix="hotel-", dir=NODE) as name:
        folder = Path(name)
        shutil.copy(HOTEL / "hotel.ts", folder)
        shutil.copy(HOTEL / "tsconfig.json", folder)
        (folder / "package.json").write_text('{ "type": "module" }')
        modules = NODE / "node_modules"
        run("node", modules / "openapi-typescript/bin/cli.js", described, "--output", folder / "generated.d.ts",
            "--default-non-nullable", "false")
        run("node", modules / "typescript/bin/tsc", "--project", folder)
        assert "taken away" in run("node", folder / "hotel.js", program.api, program.key)
