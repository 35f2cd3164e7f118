"""`whygrad` as it is, but watching for `tiny`. WHYGRAD_FAULT names a function of ours, `module:name`, that is made to fail."""

import functools
import importlib
import os
import sys

import whygrad.session
from whygrad.cli import main


def broken(*_args: object, **_settings: object) -> None:
    raise ZeroDivisionError("injected")


if __name__ == "__main__":
    whygrad.session.run_session = functools.partial(whygrad.session.run_session, front_ends={"tiny": "tiny_front_end"})
    where, _, name = os.environ.get("WHYGRAD_FAULT", "").partition(":")
    if where:
        setattr(importlib.import_module(where), name, broken)
    sys.exit(main())
