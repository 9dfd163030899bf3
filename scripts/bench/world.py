"""Folders, repositories and an environment that belong to one run of the benchmark alone."""

import os
import shutil
import statistics
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

GIT_CONFIG = """\
[user]
    name = Bench
    email = bench@example.org
[init]
    defaultBranch = main
[gc]
    auto = 0
"""


class Missing(Exception):
    """Something that a row needs is not on this machine."""


@dataclass
class Result:
    """What was measured for a row of the table. `met` is None where that cannot be said."""

    measured: str
    met: bool | None
    notes: list[str] = field(default_factory=list)


class World:
    """A temporary folder with its own state, configuration and git identity; the models are the user's."""

    def __init__(self, sayso: Path):
        self.sayso = sayso
        # Beside the build, so that it is on a real disk: where the state is written decides what a sync costs.
        parent = ROOT / "target" / "bench"
        parent.mkdir(parents=True, exist_ok=True)
        self.dir = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
        (self.dir / "gitconfig").write_text(GIT_CONFIG)
        (self.dir / "empty").mkdir()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SAYSO_", "GIT_")) or k == "SAYSO_MODELS"}
        self.env = {
            **kept,
            "XDG_STATE_HOME": str(self.dir / "state"),
            "XDG_CONFIG_HOME": str(self.dir / "config"),
            "GIT_CONFIG_GLOBAL": str(self.dir / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
        }

    def close(self) -> None:
        shutil.rmtree(self.dir, ignore_errors=True)

    def without_model(self) -> dict[str, str]:
        """The environment of a machine on which no speech model is installed."""
        return {**self.env, "SAYSO_MODELS": str(self.dir / "empty")}

    def git(self, repo: Path, *args: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(repo), *args], env=self.env, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def repository(self, name: str, files: dict[str, bytes]) -> Path:
        """A repository of `files` with one commit."""
        repo = self.dir / name
        for path, content in files.items():
            target = repo / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        self.git(repo, "init", "--quiet")
        self.commit(repo, "The site")
        return repo

    def commit(self, repo: Path, message: str) -> None:
        self.git(repo, "add", "--all")
        self.git(repo, "commit", "--quiet", "-m", message)

    def project(self, repo: Path) -> Path:
        """The state folder of a repository's project, once a first start made it."""
        found = list((self.dir / "state" / "sayso" / "projects").glob(f"{repo.name}-*"))
        if len(found) != 1:
            raise RuntimeError(f"expected one state folder of {repo.name}, found {found}")
        return found[0]


def sample_site() -> dict[str, bytes]:
    folder = ROOT / "assets" / "sample-site"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def median(values: list[float]) -> float:
    return statistics.median(values)


def spread(values: list[float], digits: int = 0, unit: str = "ms") -> str:
    """The median, and between which values all runs were."""
    low, high = min(values), max(values)
    return f"{median(values):.{digits}f} {unit} ({low:.{digits}f}–{high:.{digits}f}, {len(values)} runs)"
