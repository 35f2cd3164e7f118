"""The text form of a record: `loads(dumps(record)) == record`. Line by line, so that a rule is tested from a sketch without any framework.

The grammar stands in `README.md` beside this file.
"""

from whygrad.ir.text_read import loads
from whygrad.ir.text_write import dumps

__all__ = ["dumps", "loads"]
