"""Writes by which a trainable leaf takes the numbers of a computed value: `p.data = made`, `p.data.copy_(made)`, `load_state_dict`."""

from typing import TYPE_CHECKING

from torch import Tensor

from whygrad.frontends.torch._compat import is_leaf
from whygrad.frontends.torch.calls import HANDED, Call, Seen

if TYPE_CHECKING:
    from whygrad.frontends.torch.ledger import Ledger

WRITES = ("data.set", "copy", "__setitem__")
"""Calls that write their last argument over their first."""


def hand_over(ledger: "Ledger", call: Call) -> None:
    """Note it as a cut, if the call is such a write: the leaf keeps nothing of how the numbers were made."""
    owner = _owner(ledger, call)
    if owner is None:
        return
    entry, made = ledger.identity.meet(owner), call.slots[-1].value
    if entry.number in call.outputs:
        call.kind, call.settings[HANDED] = "detach", True
        return
    entry.writes += 1
    ledger.values[entry.name] = Seen(owner.dtype, tuple(owner.shape), owner.requires_grad, entry.number)
    ledger.link("detach", made, entry, owner)
    ledger.calls[-1].settings[HANDED] = True


def _owner(ledger: "Ledger", call: Call) -> Tensor | None:
    """The trainable leaf that is written over, itself or through `.data`, with what was computed from others."""
    if call.info.base not in WRITES or len(call.slots) < len(("over", "from")) or not ledger.computed(call.slots[-1].value):
        return None
    maker = ledger.producer(call.slots[0].value)
    written = maker.slots[0] if maker is not None and maker.kind == "detach" and maker.slots else call.slots[0]
    owner = written.reference()
    return owner if owner is not None and owner.requires_grad and is_leaf(owner) else None
