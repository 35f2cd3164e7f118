"""`whygrad mcp`, asked by the SDK's own client over stdin and stdout."""

import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from programs_run import HEALTHY, TESTS, environment, playing, whygrad, write

CUT = HEALTHY.replace("loss = cross_entropy h y", 'd = detach h native="tiny.detach" @ "train.py":7:5-15 text="    d = h.detach()"\n      loss = cross_entropy d y').replace(
    'gradient="finite" gradient_norm=0.7', 'gradient="none"'
).replace("gradient_norm=0.71 label_sensitivity=0.84", "").replace("changed=true gradient_seen=true", "changed=false gradient_seen=false")  # fmt: skip
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def ask(folder: Path, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    """What a server that was started in `folder` answers; each answer is a tool's result."""
    server = StdioServerParameters(command=sys.executable, args=["-m", "whygrad", "mcp"], cwd=folder, env=environment())

    async def asking() -> list[Any]:
        async with Client(server) as client:
            listed = await client.list_tools()
            return [sorted(tool.name for tool in listed.tools), *[await client.call_tool(name, given) for name, given in calls]]

    return anyio.run(asking)


def told(answer: Any) -> str:
    return "".join(part.text for part in answer.content)


def test_an_assistant_runs_explains_and_shows(tmp_path: Path) -> None:
    write(tmp_path, train="print('trained')\nimport sys\nprint(sys.argv[1:], sys.stdin.read() == '')", tiny_train=playing(CUT))
    whygrad(tmp_path, "run", "--record", "r", "tiny_train.py")

    tools, ran, explained, shown, fixed = ask(
        tmp_path,
        ("run", {"script": "train.py", "arguments": ["--epochs", "3"]}),
        ("explain", {"rule": "detached"}),
        ("show", {"record": "r"}),
        ("fix", {"script": "train.py"}),
    )

    assert tools == ["explain", "fix", "run", "show"]
    assert ran.structured_content["output"] == "trained\n['--epochs', '3'] True\n"
    assert ran.structured_content["healthy"] is None
    assert "never imported a framework" in " ".join(ran.structured_content["report"].split())
    assert "When it is fine" in told(explained)
    assert told(shown).startswith("error[WG301] detached")
    assert "train.py" in fixed.structured_content["told"]


@pytest.mark.torch
def test_an_assistant_gets_a_fix_as_a_diff_and_no_file_changes(tmp_path: Path) -> None:
    faulty = (TESTS / "rules/graph/detached/bad_torch.py").read_text()
    (tmp_path / "train.py").write_text(faulty)

    _, fixed = ask(tmp_path, ("fix", {"script": "train.py"}))
    (change,) = fixed.structured_content["changes"]

    assert (change["rule"], change["verified"], fixed.structured_content["mended"]) == ("WG301", True, True)
    assert "-        tastes = torch.tanh(self.encoder(visits)).detach()" in change["diff"]
    assert "+        tastes = torch.tanh(self.encoder(visits))" in change["diff"]
    assert [path.name for path in tmp_path.iterdir()] == ["train.py"]
    assert (tmp_path / "train.py").read_text() == faulty


def test_what_lies_outside_of_the_folder_is_not_run(tmp_path: Path) -> None:
    write(tmp_path, outside="open('ran', 'w')")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.py").symlink_to(tmp_path / "outside.py")

    _, above, linked, absolute, missing, record = ask(
        inside,
        ("run", {"script": "../outside.py"}),
        ("run", {"script": "link.py"}),
        ("run", {"script": str(tmp_path / "outside.py")}),
        ("run", {"script": "nowhere.py"}),
        ("show", {"record": "../r"}),
    )

    assert all(answer.is_error for answer in (above, linked, absolute, missing, record))
    assert "lies outside of the folder" in told(above)
    assert "there is no file `nowhere.py`" in told(missing)
    assert not list(tmp_path.rglob("ran"))


def test_a_program_that_hangs_is_ended_when_its_time_is_over(tmp_path: Path) -> None:
    write(tmp_path, train="import time\nprint('waiting', flush=True)\ntime.sleep(600)")

    _, ran = ask(tmp_path, ("run", {"script": "train.py", "seconds": 5}))

    assert ran.structured_content["exit_status"] < 0
    assert ran.structured_content["healthy"] is None
