"""Runs small programs in processes of their own, under plain Python and under whygrad."""

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

TESTS = Path(__file__).parent
SOURCES = TESTS.parent / "src"

HEALTHY = """
    record whygrad="0.1.0"
    optimizer opt native="SGD" steps=3 rates=[0.1,0.1] last_rate=0.1
    group rate=0.1 parameters=["fc.weight"]
    ending fc.weight changed=true gradient_seen=true
    step 0 kind=0 updated=true
      x: input f32[8,3]
      y: label i64[8] minimum=0 maximum=1 distinct=2
      fc.weight: parameter f32[2,3]
      h = linear x fc.weight native="tiny.linear"
      loss = cross_entropy h y native="tiny.cross_entropy" with={"target":1}
      loss: loss f32[]
      ! backward loss
      ! optimizer_step opt
      parameter fc.weight value=fc.weight trainable=true optimizer="opt" reached=true gradient="finite" gradient_norm=0.7
      labels values=["y"] how="target"
      measures loss=0.7 gradient_norm=0.71 label_sensitivity=0.84
"""


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """This environment, with the sources and the tiny framework importable, and nothing that changes how reports look."""
    kept = {
        key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR", "TERM", "RANK", "WORLD_SIZE", "PYTHONPATH")
    }
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(SOURCES), str(TESTS / "programs" / "tiny_framework")]),
        "PYTHONIOENCODING": "utf-8",
        **(extra or {}),
    }


def run(arguments: list[str], folder: Path, *, env: dict[str, str] | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """A Python process."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment(env), input=stdin, capture_output=True, text=True, timeout=60, check=False
    )


def python(folder: Path, *arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    """Plain Python."""
    return run([*arguments], folder, **settings)


def whygrad(folder: Path, *arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    """whygrad, watching for the tiny framework."""
    return run([str(TESTS / "programs" / "tiny_framework" / "whygrad_tiny.py"), *arguments], folder, **settings)


def write(folder: Path, **files: str) -> None:
    """Write modules; two underscores in a name stand for a folder."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/", 1) if not name.startswith("_") else name)
        path = path.with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"))


def playing(text: str = HEALTHY, then: str = "") -> str:
    """A program that takes the steps of a record in text form."""
    return f"import tiny\ntiny.play('''{dedent(text)}''')\n{dedent(then)}"


def report_of(path: Path) -> dict[str, Any]:
    """A JSON report."""
    found: dict[str, Any] = json.loads(path.read_text())
    return found
