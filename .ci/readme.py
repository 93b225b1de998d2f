"""Run the commands that a README tells its readers to run, in a fresh clone, as they would.

    python .ci/readme.py README.md

Each fenced block marked ``sh`` is one shell script; all of them run in order in one clone.  The first that fails
ends it.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    readme = Path(sys.argv[1])
    blocks = re.findall(r"^```sh\n(.*?)^```", readme.read_text(), re.DOTALL | re.MULTILINE)
    if not blocks:
        print(f"{readme}: no ```sh block", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "clone")
        subprocess.run(["git", "clone", "--quiet", str(readme.resolve().parent), str(clone)], check=True)
        # A plain `python` as on a fresh machine, where a version manager may choose another one.
        Path(folder, "bin").mkdir()
        Path(folder, "bin", "python").symlink_to(sys.executable)
        path = f"{folder}/bin:/usr/local/bin:/usr/bin:/bin"
        for block in blocks:
            print(f"$ {block}", end="", flush=True)
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block],
                cwd=clone,
                env={**os.environ, "PATH": path},
                timeout=1200,
            )
            if done.returncode:
                print(f"{readme}: that failed with exit code {done.returncode}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
