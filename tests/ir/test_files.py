"""Record files: nothing is lost, nothing half-written, and every bad file gets a clear error."""

import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from ir.strategies import records
from whygrad import __version__
from whygrad.errors import WhygradError
from whygrad.ir import Framework, Graph, Group, Measures, Op, Optimizer, Record, Step, files
from whygrad.ir.files import read_record, write_record
from whygrad.ir.text import loads

SMALL = loads('record whygrad="0.1.0"\nx: input f32[2] minimum=-1 maximum="inf"\nloss = mean x\nmeasures loss="nan"')


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records())
def test_every_record_survives(tmp_path: Path, record: Record):
    write_record(tmp_path / "run.whygrad", record)

    assert repr(read_record(tmp_path / "run.whygrad").record) == repr(record)


@pytest.mark.parametrize("report", [None, b"", b'{"schema": 1}', bytes(range(256))])
def test_the_report_comes_back_byte_for_byte(tmp_path, report):
    write_record(tmp_path / "run.whygrad", SMALL, report)

    assert read_record(tmp_path / "run.whygrad").report_bytes == report


def test_writing_again_replaces_the_file_and_leaves_nothing_beside_it(tmp_path):
    write_record(tmp_path / "run.whygrad", SMALL)
    write_record(tmp_path / "run.whygrad", replace(SMALL, program="again.py"))

    assert read_record(tmp_path / "run.whygrad").record.program == "again.py"
    assert [path.name for path in tmp_path.iterdir()] == ["run.whygrad"]


def test_a_crash_in_the_middle_leaves_the_old_file(tmp_path, monkeypatch):
    write_record(tmp_path / "run.whygrad", SMALL)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))

    with pytest.raises(KeyboardInterrupt):
        write_record(tmp_path / "run.whygrad", replace(SMALL, program="again.py"))
    assert read_record(tmp_path / "run.whygrad").record.program == ""
    assert [path.name for path in tmp_path.iterdir()] == ["run.whygrad"]


def test_a_link_keeps_pointing_to_the_file(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_record(tmp_path / "link", SMALL)

    assert (tmp_path / "link").is_symlink()
    assert read_record(tmp_path / "real").record.whygrad == "0.1.0"


def test_a_device_stays_a_device():
    write_record(os.devnull, SMALL)

    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_files_have_the_permissions_of_any_other(tmp_path):
    (tmp_path / "plain").touch()
    write_record(tmp_path / "run.whygrad", SMALL)

    assert (tmp_path / "run.whygrad").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("path", ["missing/run.whygrad", "."])
def test_where_nothing_can_be_written_the_system_says_so(tmp_path, path):
    with pytest.raises(OSError, match="directory"):
        write_record(tmp_path / path, SMALL)


class Shape(tuple[int, ...]):
    """A framework's own tuple."""

    __slots__ = ()


class Odd:
    """What should not be in a record."""

    def __repr__(self) -> str:
        return "an odd thing"


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        (Shape((1, 2)), (1, 2)),
        (Odd(), "an odd thing"),
        (2**70, float(2**70)),
        ("file\udcff", "file\\udcff"),
        ((0.9, 0.999), (0.9, 0.999)),
        (float("-inf"), float("-inf")),
    ],
    ids=["own tuple", "odd", "huge", "no text", "floats", "infinite"],
)
def test_no_attribute_loses_the_record(tmp_path, given_, kept):
    op = Op("opaque", attributes={"k": given_})
    record = Record(steps=(Step(0, graph=Graph((op,))),), optimizers=(Optimizer("o", groups=(Group(settings={"k": given_}),)),))
    write_record(tmp_path / "run.whygrad", record)
    back = read_record(tmp_path / "run.whygrad").record

    assert back.steps[0].graph.ops[0].attributes == {"k": kept}
    assert back.optimizers[0].groups[0].settings == {"k": kept}


def whole() -> bytes:
    """A file as we write it."""
    return msgspec.msgpack.encode(envelope())


def envelope(**changes: object) -> dict[str, object]:
    content = msgspec.msgpack.encode(SMALL)
    parts = {
        "format": files.FORMAT,
        "version": 1,
        "whygrad": "0.1.0",
        "checksum": files._checksum(content, None),
        "record": content,
        "report": None,
    }
    return parts | changes


def with_record(content: bytes) -> bytes:
    return msgspec.msgpack.encode(envelope(record=content, checksum=files._checksum(content, None)))


def flipped(content: bytes) -> bytes:
    middle = content.index(b"loss") + 1
    return content[:middle] + b"!" + content[middle + 1 :]


BAD: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "empty": (lambda: b"", "is empty", "record the program again"),
    "truncated": (lambda: whole()[:-40], "is cut off", "record the program again"),
    "cut after the header": (lambda: whole()[:60], "is cut off", "record the program again"),
    "one byte off": (lambda: flipped(whole()), "its checksum does not fit", "record the program again"),
    "bytes behind": (lambda: whole() + b"x", "is damaged", "record the program again"),
    "a JSON report": (lambda: b'{"schema": 1}', "is not a record of whygrad's", "`--json` reports are not records"),
    "a pickle": (lambda: b"\x80\x04\x95\x10", "is not a record of whygrad's", "name the file"),
    "random": (lambda: bytes(range(256)), "is not a record of whygrad's", "name the file"),
    "another format": (lambda: msgspec.msgpack.encode({"format": "whygrad-record-x", "version": 1}), "is not a record of whygrad's", "name the file"),
    "only the word": (lambda: b"whygrad-record", "is damaged", "record the program again"),
    "no version": (lambda: msgspec.msgpack.encode({"format": files.FORMAT}), "missing required field `version`", "record the program again"),
    "newer": (lambda: msgspec.msgpack.encode({"format": files.FORMAT, "version": 2, "whygrad": "9.9", "soul": [1]}), f"was written by whygrad 9.9, in version 2 of the format; this is whygrad {__version__}", "upgrade"),
    "a record of another shape": (lambda: with_record(msgspec.msgpack.encode({"steps": 3})), "is damaged: Expected `array`, got `int` - at `$.steps`", "record"),
    "hostile depth": (lambda: with_record(b"\x81\xa1z" + b"\x91" * 5_000_000), "is nested too deeply", "record the program again"),
    "hostile length": (lambda: with_record(b"\xdf\xff\xff\xff\xff"), "is cut off", "record the program again"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_content_is_told(tmp_path, case):
    make, problem, remedy = BAD[case]
    (tmp_path / "run.whygrad").write_bytes(make())
    with pytest.raises(WhygradError) as caught:
        read_record(tmp_path / "run.whygrad")

    assert problem in caught.value.problem
    assert remedy in caught.value.help
    assert str(tmp_path / "run.whygrad") in caught.value.problem


def test_no_file_a_folder_and_no_name_are_told(tmp_path):
    with pytest.raises(WhygradError, match="there is no file"):
        read_record(tmp_path / "missing")
    with pytest.raises(WhygradError, match="is a folder"):
        read_record(tmp_path)
    with pytest.raises(WhygradError, match="can't be read"):
        read_record("a\0b")


def test_a_huge_file_is_told_before_it_is_read(tmp_path):
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(files.LIMIT + 1)

    with pytest.raises(WhygradError, match="too large for a record file: 536,870,913 bytes, and only 536,870,912"):
        read_record(tmp_path / "huge")


def test_an_endless_device_is_not_read_for_ever(monkeypatch):
    monkeypatch.setattr(files, "LIMIT", 1000)

    with pytest.raises(WhygradError, match="is not a record"):
        read_record("/dev/zero")


def test_fields_of_a_later_release_are_passed_over(tmp_path):
    plain = msgspec.to_builtins(SMALL) | {"mood": "fine"}
    (tmp_path / "run.whygrad").write_bytes(with_record(msgspec.msgpack.encode(plain)))

    assert read_record(tmp_path / "run.whygrad").record.whygrad == "0.1.0"


def test_numbers_that_are_not_finite_survive(tmp_path):
    write_record(
        tmp_path / "run.whygrad",
        Record(frameworks=(Framework("torch", "2"),), steps=(Step(0, measures=Measures(float("nan"), float("inf"))),)),
    )
    measures = read_record(tmp_path / "run.whygrad").record.steps[0].measures

    assert repr((measures.loss, measures.gradient_norm)) == "(nan, inf)"
