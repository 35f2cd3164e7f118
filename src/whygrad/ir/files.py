"""Record files: written whole or not at all, and read without ever running anything that stands in them.

A file is one MessagePack map: a header (`format`, `version`, `whygrad`), the record, the report as it was printed (bytes of JSON, or nothing), and
a checksum of both. MessagePack, and not JSON, because it keeps NaN and the infinities.
"""

import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from whygrad.errors import WhygradError
from whygrad.ir.record import Record

FORMAT = "whygrad-record"
VERSION = 1
LIMIT = 512 * 1024 * 1024
"""Largest file, in bytes, that is read."""

_MAX_INTEGER = 2**63 - 1
_AGAIN = "record the program again with `whygrad run --record FILE SCRIPT`"
_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class RecordFile:
    """What a record file holds."""

    record: Record
    report_bytes: bytes | None = None
    """The JSON report of the run; None where the program was killed before there was one."""


class _Header(msgspec.Struct):
    """The part that every version has, so that a newer one can be told from a damaged one."""

    format: str
    version: int
    whygrad: str = ""


class _Envelope(msgspec.Struct):
    format: str
    version: int
    whygrad: str
    checksum: int
    record: bytes
    report: bytes | None = None


def write_record(path: str | os.PathLike[str], record: Record, report: bytes | None = None) -> None:
    """Write the file as a whole, or leave what was there; raises `OSError` where it can't be written."""
    content = _encoded(record)
    envelope = _Envelope(FORMAT, VERSION, record.whygrad, _checksum(content, report), content, report)
    _replace(Path(os.path.realpath(path)), msgspec.msgpack.encode(envelope))


def _encoded(record: Record) -> bytes:
    try:
        return msgspec.msgpack.encode(record, enc_hook=_plain)
    except (UnicodeEncodeError, OverflowError):  # names of files that are no text, numbers beyond 64 bits
        return msgspec.msgpack.encode(_tame(msgspec.to_builtins(record, enc_hook=_plain)))


def _plain(value: Any) -> Any:
    """A framework's or NumPy's own number or tuple as Python's; anything else as its text, since losing a record would be worse."""
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return tuple(value) if isinstance(value, tuple) else repr(value)[:200]


def _tame(value: Any) -> Any:
    """Plain data in which every string can be encoded and every number fits."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case int() if abs(value) > _MAX_INTEGER:
            return float(value) if abs(value) < 2**1000 else str(value)[:100]
        case Mapping():
            return {_tame(key): _tame(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_tame(entry) for entry in value]
    return value


def _checksum(content: bytes, report: bytes | None) -> int:
    return zlib.crc32(report or b"", zlib.crc32(content))


def _replace(path: Path, content: bytes) -> None:
    """Through a file beside it, so that a crash in the middle loses nothing; straight into pipes and devices."""
    if path.exists() and not path.is_file() and not path.is_dir():
        path.write_bytes(content)
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read_record(path: str | os.PathLike[str]) -> RecordFile:
    """The record in a file; raises `WhygradError` for whatever is none."""
    name, content = os.fspath(path), _content(Path(path))
    header = _part(content, _Header, name)
    if header.format != FORMAT:
        raise _not_ours(name)
    if header.version > VERSION:
        raise _newer(name, header)
    envelope = _part(content, _Envelope, name)
    if envelope.checksum != _checksum(envelope.record, envelope.report):
        raise _damaged(name, "its checksum does not fit its content")
    return RecordFile(_part(envelope.record, Record, name), envelope.report)


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise WhygradError(f"`{path}` is a folder, not a record file", help="name the file that `--record` wrote")
        if size > LIMIT:
            largest = f"{size:,} bytes, and only {LIMIT:,} are read"
            raise WhygradError(f"`{path}` is too large for a record file: {largest}", help="is this the file that `--record` wrote?")
        with path.open("rb") as file:
            content = file.read(LIMIT + 1)
    except FileNotFoundError:
        raise WhygradError(f"there is no file `{path}`", help=_AGAIN) from None
    except (OSError, ValueError) as problem:
        raise WhygradError(f"`{path}` can't be read: {problem}", help="check its name and its permissions") from problem
    return _checked(path, content)


def _checked(path: Path, content: bytes) -> bytes:
    """What has been read, if it begins as our files do; pipes have no size to ask for beforehand."""
    if not content:
        raise WhygradError(f"`{path}` is empty: the program that wrote it was stopped before its first recorded step", help=_AGAIN)
    if len(content) > LIMIT or FORMAT.encode() not in content[:64]:
        raise _not_ours(str(path))
    return content


def _part(content: bytes, kind: type[_Part], name: str) -> _Part:
    try:
        return msgspec.msgpack.decode(content, type=kind)
    except RecursionError as problem:
        raise _damaged(name, "it is nested too deeply") from problem
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError, MemoryError) as problem:
        raise _damaged(name, str(problem) or type(problem).__name__) from problem


def _not_ours(name: str) -> WhygradError:
    return WhygradError(
        f"`{name}` is not a record of whygrad's", help="name the file that `--record` wrote; `--json` reports are not records"
    )


def _newer(name: str, header: _Header) -> WhygradError:
    from whygrad import __version__  # noqa: PLC0415 - the package itself is above this layer

    written = f"`{name}` was written by whygrad {header.whygrad or '(unknown)'}, in version {header.version} of the format"
    return WhygradError(
        f"{written}; this is whygrad {__version__}, which reads version {VERSION}", help="upgrade: `pip install --upgrade whygrad`"
    )


def _damaged(name: str, why: str) -> WhygradError:
    what = "is cut off" if "truncated" in why else "is damaged"
    return WhygradError(f"`{name}` {what}: {why}", help=_AGAIN)
