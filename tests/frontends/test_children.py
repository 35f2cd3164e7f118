"""Programs that a program starts are not watched, and the report says that there were some."""

import subprocess
from multiprocessing.process import BaseProcess

import pytest

from programs_run import report_of, whygrad, write
from whygrad.frontends.children import Children


@pytest.fixture
def children():
    counting = Children()
    counting.install()
    yield counting
    counting.remove()


@pytest.mark.parametrize(
    ("command", "counted"),
    [(["python3", "-c", ""], 1), ("python3 -c ''", 1), (["true"], 0), ([b"true"], 0), ("true", 0)],
)
def test_commands_that_start_python_are_counted(children, command, counted):
    subprocess.run(command, check=False, shell=isinstance(command, str))

    assert children.started == counted


def test_a_command_that_can_not_be_read_is_the_programs_affair(children):
    with pytest.raises(TypeError):
        subprocess.Popen(3)  # type: ignore[call-overload]  # what a program may do all the same

    assert children.limits() == ()


def test_removing_puts_everything_back():
    before = subprocess.Popen.__init__, BaseProcess.start
    counting = Children()
    counting.install()
    counting.remove()

    assert (subprocess.Popen.__init__, BaseProcess.start) == before


@pytest.mark.slow
def test_the_report_says_it_once(tmp_path):
    write(
        tmp_path,
        train="""
        import multiprocessing, subprocess, sys

        def work(number):
            print(number)

        if __name__ == "__main__":
            subprocess.run([sys.executable, "-c", "print('child')"])
            processes = [multiprocessing.Process(target=work, args=(n,)) for n in range(2)]
            [process.start() for process in processes]
            [process.join() for process in processes]
        """,
    )
    answer = whygrad(tmp_path, "run", "--json", "report.json", "train.py")
    told = "3 child processes were started and are not watched: this report is about the first process alone"

    assert answer.returncode == 0
    assert report_of(tmp_path / "report.json")["limits"] == [told]
