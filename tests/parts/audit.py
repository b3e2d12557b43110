"""
What is known against this repository: vulnerabilities of the packages that are installed, and secrets in the files that are tracked.

Why a script beside the tests and not two of them: it asks a registry, and where none answers (no network, or a mirror that keeps no
advisories) that is said in one line and fails nobody. What is found fails. Each exception stands here with its reason.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120
# Advisories that do not concern us: the id, and why.
IGNORED: dict[str, str] = {}
# What looks like a secret and is none: a pattern of the whole of it, and why.
NO_SECRETS = (
    (r"(?i:5b8efff798038103d269b633813fc60[cd])|0af7651916cd43dd8448eb211c80319c|b7ad6b7169203331", "ids of the examples of OTLP and of W3C"),
    (r"password", "where the password stands in a DSN, in docs and sentences"),
    (r"MILEPOST_\w+|ACME_KEY", "names of environment variables, from where secrets come"),
    (r"s3cret(-p4ss)?|short|of the provider|milepost", "what tests sign in with, against themselves"),
)


def main() -> int:
    """0 if nothing is known against us, or nobody could be asked."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()
    said = [vulnerabilities(), secrets(ROOT, tracked)]
    for _, lines in said:
        print("\n".join(lines), flush=True)
    return int(any(is_bad for is_bad, _ in said))


def vulnerabilities(*options: str) -> tuple[bool, list[str]]:
    """Whether a package that is installed has a known vulnerability, and what to say of it."""
    ignored = [word for id_ in IGNORED for word in ("--ignore-vuln", id_)]
    asked = ["--path", sysconfig.get_path("purelib"), "--format", "json", "--progress-spinner", "off", *ignored, *options]
    try:
        done = _tool("pip_audit", *asked)
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return False, [f"pip-audit: skipped, no registry answered within {PATIENCE_S} s"]
    except ValueError:
        why = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return False, [f"pip-audit: skipped, no registry answers ({why[:200]})"]
    known = [package for package in packages if "vulns" in package]
    if not known:
        return False, [f"pip-audit: skipped, the registry has no advisories ({len(packages)} packages asked for)"]
    found = [
        f"  {package['name']} {package['version']}: {vuln['id']}, mended in {', '.join(vuln['fix_versions']) or 'no version yet'}"
        for package in known
        for vuln in package["vulns"]
    ]
    return bool(found), [f"pip-audit: {len(known)} packages, {len(found)} known vulnerabilities", *found]


def secrets(folder: Path, files: Sequence[str]) -> tuple[bool, list[str]]:
    """Whether one of these files has a secret in it, and where."""
    if not files:
        return False, ["secret scan: skipped, git names no tracked files"]
    allowed = [word for pattern, _ in NO_SECRETS for word in ("--exclude-secrets", f"^(?:{pattern})$")]
    done = _tool("detect_secrets", "scan", "--no-verify", *allowed, *files, cwd=folder)
    if done.returncode:
        return True, [f"secret scan: failed: {done.stderr.strip()[-500:]}"]
    found = [
        f"  {file}:{one['line_number']}: {one['type']}"
        for file, ones in json.loads(done.stdout)["results"].items()
        for one in ones
    ]
    return bool(found), [f"secret scan: {len(files)} files, {len(found)} secrets", *found]


def _tool(module: str, *said: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *said]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


if __name__ == "__main__":
    sys.exit(main())
