"""The user's program behaves under whygrad as it does under Python."""

import re
import zipfile
from pathlib import Path

import pytest

from programs_run import playing, python, whygrad, write

NAMES = """
    import sys
    print(sys.argv, sys.path[0], __name__, __file__, __package__, __cached__, __doc__, type(__builtins__).__name__, type(__loader__).__name__)
    print(sorted(globals()), __spec__ and __spec__.name, sys.modules["__main__"].__dict__ is globals())
"""


def assert_same(folder: Path, *arguments: str, stdin: str = "") -> None:
    """The program's output, its status and its traceback are those of plain Python."""
    plain = python(folder, *arguments, stdin=stdin)
    ours = whygrad(folder, "run", *arguments, stdin=stdin)

    assert ours.stdout == plain.stdout
    assert ours.returncode == plain.returncode
    assert told(ours.stderr) == told(plain.stderr)


def told(stderr: str) -> str:
    """What the program said on stderr, without our report and without the frames of runpy that Python shows."""
    own = re.split(r"\n?^(?:whygrad: |error\[|warning\[|note\[)", stderr, maxsplit=1, flags=re.MULTILINE)[0]
    own = re.sub(r"repeated \d+ more times", "repeated", own)  # a few frames below the program's are ours
    return re.sub(r'  File "<frozen runpy>".*\n(?: {4}.*\n)*', "", own)


@pytest.mark.parametrize("name", ["train.py", "./train.py", "sub/../train.py", "sub/inner.py"])
def test_names_and_paths(tmp_path: Path, name: str) -> None:
    write(tmp_path, train=NAMES, sub__inner=NAMES)

    assert_same(tmp_path, name, "--epochs", "3", "-m", "--json", "x", "--", "-h")


def test_a_linked_script_finds_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path, sub__train="import neighbour\n" + NAMES.replace("    ", ""), sub__neighbour="print('here')")
    (tmp_path / "link.py").symlink_to(tmp_path / "sub" / "train.py")

    assert_same(tmp_path, "link.py")


@pytest.mark.parametrize("name", ["pkg.train", "pkg", "single", "pkg.missing", "pkg.broken", "pkg.train.py"])
def test_modules(tmp_path: Path, name: str) -> None:
    write(tmp_path, pkg__train=NAMES, single=NAMES, pkg__broken="import not_there_at_all")
    write(tmp_path / "pkg", __init__="print('package')", __main__=NAMES)

    assert_same(tmp_path, "-m", name, "--epochs", "3")


def test_a_folder_and_a_zip_file_with_a_main(tmp_path: Path) -> None:
    write(tmp_path / "app", __main__="import helper\n" + NAMES.replace("    ", ""), helper="print('helper')")
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        for name in ("__main__.py", "helper.py"):
            archive.write(tmp_path / "app" / name, name)

    assert_same(tmp_path, "app", "1")
    assert_same(tmp_path, "app.zip", "1")


@pytest.mark.parametrize(
    "ending",
    [
        "import sys; sys.exit()", "import sys; sys.exit(0)", "import sys; sys.exit(3)", "import sys; sys.exit(-1)", "import sys; sys.exit(256)",
        "import sys; sys.exit('no data')", "import sys; sys.exit([1, 2])", "raise SystemExit(True)", "import os; os._exit(7)", "exit(5)",
        "raise ValueError('wrong')", "raise KeyboardInterrupt", "raise BaseException('odd')",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "import os; os.abort()",
        "import sys; sys.excepthook = lambda *what: print('hooked', what[0])\nraise ValueError",
        "import sys\ndef hook(*what): raise RuntimeError('hook')\nsys.excepthook = hook\nraise ValueError('first')",
        "import atexit; atexit.register(print, 'at exit', __name__)\nraise ValueError",
        "def f():\n    try:\n        1 / 0\n    except ZeroDivisionError as problem:\n        raise KeyError('k') from problem\nf()",
        "raise ExceptionGroup('several', [ValueError(1), TypeError(2)])",
        "import sys; sys.stderr.write('bye\\n'); sys.stderr.close()",
        "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.2), print('thread done'))).start()",
        "import sys; sys.setrecursionlimit(200)\ndef f(): f()\nf()",
    ],
)  # fmt: skip
def test_endings(tmp_path: Path, ending: str) -> None:
    write(tmp_path, train="print('start')\n" + ending)

    assert_same(tmp_path, "train.py")


def test_syntax_errors_are_shown_as_python_shows_them(tmp_path: Path) -> None:
    write(tmp_path, train="import sys\nx = (1,\nprint(x)\ny = = 2\n")

    assert_same(tmp_path, "train.py")


def test_an_import_that_fails(tmp_path: Path) -> None:
    write(tmp_path, train="import inner", inner="def g():\n    import not_there_at_all\ng()")

    assert_same(tmp_path, "train.py")


def test_an_error_inside_a_watched_framework_shows_none_of_our_frames(tmp_path: Path) -> None:
    write(tmp_path, train="import tiny", tiny="raise OSError('library missing')")

    assert_same(tmp_path, "train.py")


def test_standard_input_and_the_working_folder(tmp_path: Path) -> None:
    write(tmp_path, train="import os, sys\nprint(sys.stdin.read(), os.getcwd(), input.__name__)")

    assert_same(tmp_path, "train.py", stdin="some lines\n")


def test_spawned_processes_find_main_again(tmp_path: Path) -> None:
    write(tmp_path, train="""
        import multiprocessing, pickle

        class Item:
            def __eq__(self, other): return isinstance(other, Item)

        def work(item): return pickle.dumps(item)

        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pickle.loads(pool.map(work, [Item()])[0]) == Item())
    """)  # fmt: skip

    assert_same(tmp_path, "train.py")


@pytest.mark.parametrize("name", ["json", "rich", "random", "session", "click", "textwrap", "difflib", "msgspec"])
def test_the_programs_own_modules_win_over_ours(tmp_path: Path, name: str) -> None:
    write(tmp_path, **{name: "print('mine')\nvalue = 5", "train": f"import {name}\nprint({name}.value, {name}.__file__)"})

    assert_same(tmp_path, "train.py")


def test_the_report_still_comes_when_a_module_is_named_like_one_it_needs(tmp_path: Path) -> None:
    write(tmp_path, rich="value = 5", msgspec="value = 5", train="import rich, msgspec\n" + playing())

    done = whygrad(tmp_path, "run", "--record", "r", "--json", "j", "train.py")

    assert "no fault found in train.py" in done.stderr
    assert (tmp_path / "r").exists()


def test_source_given_by_exec_has_no_text_and_does_no_harm(tmp_path: Path) -> None:
    write(tmp_path, train="exec(compile('def f():\\n    raise ValueError(1)\\nf()', '<generated>', 'exec'))")

    assert_same(tmp_path, "train.py")
