"""A program that runs with patched sources, and whose writes are undone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from whygrad.patched import KEPT, PATCHED, put_back

RUN = "import sys; sys.argv[0] = 'whygrad'; from whygrad.cli import main; sys.exit(main())"


def run(folder: Path, program: str, patched: dict[Path, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The program under `whygrad run`, with these sources patched and its writes kept in `scratch`."""
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    (scratch / "sources.json").write_text(json.dumps({str(path): text for path, text in patched.items()}))
    environment = {**os.environ, PATCHED: str(scratch / "sources.json"), KEPT: str(scratch)}
    command = [sys.executable, "-c", RUN, "run", program, *arguments]
    return subprocess.run(command, cwd=folder / "here", env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The folder that programs run in."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def test_the_patched_text_runs_under_the_files_own_name(here: Path, tmp_path: Path):
    program = here / "train.py"
    program.write_text("print('old')\n")
    done = run(tmp_path, "train.py", {program: "import inspect, sys\ndef f(): return 'new'\nprint(inspect.getsource(f), __file__)\n"})

    assert done.stdout == f"def f(): return 'new'\n {program}\n"
    assert done.returncode == 0


def test_lines_that_are_read_anew_are_the_patched_ones(here: Path, tmp_path: Path):
    program = here / "train.py"
    program.write_text("print('old')\n")
    text = "import inspect, linecache\ndef f(): return 'new'\nlinecache.updatecache(__file__)\nprint(inspect.getsource(f))\n"

    assert run(tmp_path, "train.py", {program: text}).stdout.startswith("def f(): return 'new'\n")


def test_a_patched_module_is_imported_and_its_neighbour_as_well(here: Path, tmp_path: Path):
    (here / "net.py").write_text("import other\nNAME = 'old'\n")
    (here / "other.py").write_text("NAME = 'beside'\n")
    (here / "train.py").write_text("import net\nprint(net.NAME, net.other.NAME, net.__file__)\n")
    done = run(tmp_path, "train.py", {here / "net.py": "import other\nNAME = 'new'\n"})

    assert done.stdout == f"new beside {here / 'net.py'}\n"
    assert run(tmp_path, "train.py", {}).stdout.startswith("old")


def test_what_a_program_writes_is_put_back(here: Path, tmp_path: Path):
    (here / "log.txt").write_text("old")
    (here / "gone.txt").write_text("kept")
    (here / "beside.py").write_text("")
    lines = [
        "import os, sys",
        "sys.dont_write_bytecode = False",
        "import beside",
        "open('log.txt', 'a').write('more')",
        "open('new.txt', 'w').write('new')",
        "os.makedirs('made/deep')",
        "open('made/deep/file', 'w').write('x')",
        "os.remove('gone.txt')",
        "os.rename('new.txt', 'renamed.txt')",
    ]
    (here / "train.py").write_text("\n".join(lines))
    done = run(tmp_path, "train.py", {})
    written = sorted(path.name for path in here.iterdir())
    left = put_back(tmp_path / "scratch")

    assert written == ["__pycache__", "beside.py", "log.txt", "made", "renamed.txt", "train.py"], done.stderr
    assert sorted(path.name for path in here.iterdir()) == ["__pycache__", "beside.py", "gone.txt", "log.txt", "train.py"]
    assert list((here / "__pycache__").iterdir())
    assert ((here / "log.txt").read_text(), (here / "gone.txt").read_text()) == ("old", "kept")
    assert left == ()


def test_nothing_to_put_back(tmp_path: Path):
    assert put_back(tmp_path) == ()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_that_are_started_anew_read_the_patched_text_and_their_writes_are_put_back(method: str, here: Path, tmp_path: Path):
    text = f"""import multiprocessing
import net

WORD = "old"


def work(queue):
    open("log.txt", "a").write(WORD)
    queue.put((WORD, net.WORD))


if __name__ == "__main__":
    open("log.txt", "a").write("parent")
    context = multiprocessing.get_context("{method}")
    queue = context.Queue()
    process = context.Process(target=work, args=(queue,))
    process.start()
    print(*queue.get())
    process.join()
    print(open("log.txt").read())
"""
    (here / "train.py").write_text(text)
    (here / "net.py").write_text("WORD = 'old'\n")
    (here / "log.txt").write_text("before ")
    done = run(tmp_path, "train.py", {here / "train.py": text.replace('"old"', '"new"'), here / "net.py": "WORD = 'newer'\n"})

    assert done.stdout == "new newer\nbefore parentnew\n", done.stderr
    assert put_back(tmp_path / "scratch") == ()
    assert (here / "log.txt").read_text() == "before "
