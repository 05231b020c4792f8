"""Schemathesis finds nothing: whatever it sends, the program does what the document says.

`tests/run fuzz` makes a longer run, with another seed each time. In the whole check each database gets every second
operation.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from document import operations

HERE = Path(__file__).parent

SEED = os.environ.get("LATCHKEY_FUZZ_SEED", "20260801")
EXAMPLES = os.environ.get("LATCHKEY_FUZZ_EXAMPLES", "10")
EVERY_SECOND_FROM = os.environ.get("LATCHKEY_FUZZ_EVERY_SECOND_FROM")


def test_schemathesis_finds_nothing(program, document, tmp_path):
    names = sorted(operation["operationId"] for _, _, operation in operations(document))
    if EVERY_SECOND_FROM is not None:
        names = names[int(EVERY_SECOND_FROM)::2]
    answers = tmp_path / "answers.json"
    settings = os.environ | {
        "LATCHKEY_FUZZED": program.address,
        "LATCHKEY_FUZZED_KEY": program.key,
        "LATCHKEY_FUZZED_SEED": SEED,
        "LATCHKEY_FUZZED_ANSWERS": str(answers),
        "SCHEMATHESIS_HOOKS": "fuzzing.hooks",
        "PYTHONPATH": str(HERE),
    }
    command = [
        Path(sys.executable).with_name("schemathesis"), "--no-color",
        "--config-file", HERE / "fuzzing/schemathesis.toml",
        "run", f"{program.api}/openapi.json", "--header", f"user-api-key:{program.key}",
        "--seed", SEED, "--max-examples", EXAMPLES, "--no-shrink",
        *(argument for name in names for argument in ("--include-operation-id", name)),
    ]
    done = subprocess.run(command, env=settings, capture_output=True, text=True)
    print(f"seed {SEED}\n{done.stdout}{done.stderr}")
    assert done.returncode == 0
    # Nothing is found either where every request is refused at the door.
    answers = json.loads(answers.read_text())
    for name in names:
        good = sum(answers.get(f"{name} {status}", 0) for status in (200, 201))
        refused = sum(answers.get(f"{name} {status}", 0) for status in (400, 401, 422))
        print(f"{name}: {good} good, {refused} refused")
        # Without parameters there is one way to ask.
        enough = 1 if name == "read_caller" else int(EXAMPLES) // 2
        assert good >= enough and refused or name == "read_document", f"{name} is hardly tried: {answers}"
