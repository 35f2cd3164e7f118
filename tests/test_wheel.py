"""What is built and installed works as the checkout does."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the package as a wheel installs it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, TOP], check=True, capture_output=True)
    (wheel,) = folder.glob("whygrad-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site), "COLUMNS": "120", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "whygrad", *arguments], cwd=site, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_the_wheel_holds_all_that_is_read_at_run_time(installed):
    page = run(installed, "explain", "WG101")

    assert page.returncode == 0, page.stderr
    assert "programs of the accuracy corpus" in page.stdout


@pytest.mark.slow
def test_the_wheel_reports_what_the_checkout_reports(installed):
    program = TOP / "tests/rules/graph/detached/bad_torch.py"
    alone = subprocess.run(
        [sys.executable, "-c", "import whygrad; print(whygrad.__file__)"],
        env={**os.environ, "PYTHONPATH": str(installed)}, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert alone.stdout.startswith(str(installed))
    assert "error[WG301] detached" in run(installed, "run", str(program)).stderr
