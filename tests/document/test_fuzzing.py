"""Schemathesis finds nothing: whatever it sends, the program does what the document says.

`LATCHKEY_FUZZ_SEED` and `LATCHKEY_FUZZ_EXAMPLES` make other and longer runs: see CONTRIBUTING.md.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

SEED = os.environ.get("LATCHKEY_FUZZ_SEED", "20260801")
EXAMPLES = os.environ.get("LATCHKEY_FUZZ_EXAMPLES", "15")


def test_schemathesis_finds_nothing(program):
    settings = os.environ | {
        "LATCHKEY_FUZZED": program.address,
        "LATCHKEY_FUZZED_KEY": program.key,
        "LATCHKEY_FUZZED_SEED": SEED,
        "SCHEMATHESIS_HOOKS": "fuzzing.hooks",
        "PYTHONPATH": str(HERE),
    }
    command = [
        Path(sys.executable).with_name("schemathesis"), "--no-color",
        "--config-file", HERE / "fuzzing/schemathesis.toml",
        "run", f"{program.api}/openapi.json", "--header", f"user-api-key:{program.key}",
        "--seed", SEED, "--max-examples", EXAMPLES, "--no-shrink",
    ]
    done = subprocess.run(command, env=settings, capture_output=True, text=True)
    print(f"seed {SEED}\n{done.stdout}{done.stderr}")
    assert done.returncode == 0
