"""What `whygrad doctor` says of this place, and that its bundle gives nothing away."""

import json
from pathlib import Path

import pytest

from programs_run import HEALTHY, playing, whygrad, write
from whygrad.doctor import Framework, frameworks
from whygrad.ir.files import read_record

SECRET = HEALTHY.replace("w: parameter", "secret_weight: parameter").replace(" w ", " secret_weight ")


def test_it_says_what_is_installed_and_what_is_recorded(tmp_path: Path) -> None:
    done = whygrad(tmp_path, "doctor")

    told = dict(line.split(":", 1) for line in done.stdout.splitlines())
    assert done.returncode == 0
    assert {"whygrad", "torch", "tensorflow", "jax", "rules", "recorded"} <= told.keys()
    assert "supported" in told["torch"]
    assert "the first 2 steps" in told["recorded"]


def test_every_front_end_names_the_versions_that_it_was_tried_with():
    assert all(framework.tested for framework in frameworks())


@pytest.mark.parametrize(
    ("version", "tested", "supported"),
    [("2.13.0+cpu", ("2.13",), True), ("2.1", ("2.13",), False), ("2.21.0", ("2.17", "2.22"), True), ("2.22.0", ("2.17", "2.22"), False)],
)
def test_versions_are_compared_as_numbers(version: str, tested: tuple[str, ...], supported: bool) -> None:
    assert Framework("torch", version, tested).supported is supported


def test_a_bundle_holds_no_name_and_no_line(tmp_path: Path) -> None:
    write(tmp_path, train=playing(HEALTHY))
    whygrad(tmp_path, "run", "--record", "r", "train.py", "--token", "s3cret")
    record = read_record(tmp_path / "r").record
    words = {site.text.strip() for step in record.steps for op in step.graph.ops if (site := op.site) is not None and site.text.strip()}
    words |= {"s3cret", "train.py", str(tmp_path)} | {p.name for p in record.steps[0].parameters if len(p.name) > 1}

    done = whygrad(tmp_path, "doctor", "--bug-report", "bundle.json", "--record", "r")

    assert done.returncode == 0
    bundle = (tmp_path / "bundle.json").read_text()
    assert words
    assert [word for word in sorted(words) if word in bundle] == []
    found = json.loads(bundle)["record"]
    assert [op["kind"] for op in found["steps"][0]["graph"]["ops"]] == [op.kind for op in record.steps[0].graph.ops]


def test_names_are_in_it_on_request_and_lines_never(tmp_path: Path) -> None:
    write(tmp_path, train=playing(HEALTHY))
    whygrad(tmp_path, "run", "--record", "r", "train.py")

    whygrad(tmp_path, "doctor", "--bug-report", "bundle.json", "--record", "r", "--with-names")

    found = json.loads((tmp_path / "bundle.json").read_text())["record"]
    assert found["program"] == "train.py"
    assert {op["site"]["text"] for op in found["steps"][0]["graph"]["ops"] if op["site"]} <= {""}


def test_bad_input_is_told(tmp_path: Path) -> None:
    assert "name it with `--bug-report FILE`" in whygrad(tmp_path, "doctor", "--record", "r").stderr
    assert "there is no folder" in whygrad(tmp_path, "doctor", "--bug-report", "no/such/b.json").stderr
