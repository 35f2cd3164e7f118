"""Whether a function does nothing with a dictionary but write to it, by the source."""

from textwrap import dedent

import pytest

from whygrad.frontends.edits import written_alone

ROUND = """
    class Outer:
        def round(self, fast, rate):
            state = self.net.state_dict()
            for name, value in fast.state_dict().items():
                state[name] = state[name] + rate * (value - state[name])
            {after}
            return rate
"""
LOST = {
    "nothing more": ROUND.format(after="pass"),
    "its names alone": ROUND.format(after="for name in state: print(name)"),
    "a second write": ROUND.format(after="state['bias'] = fast.bias"),
}
KEPT = {
    "it is loaded": ROUND.format(after="self.net.load_state_dict(state)"),
    "it is saved": ROUND.format(after="torch.save(state, 'net.pt')"),
    "it is handed back": ROUND.replace("return rate", "return state").format(after="pass"),
    "an entry is read": ROUND.format(after="self.net.weight.data.copy_(state['weight'])"),
    "its values are read": ROUND.format(after="norms = [value.norm() for value in state.values()]"),
    "a function inside takes it in": ROUND.format(after="self.later = lambda: self.net.load_state_dict(state)"),
    "nothing is written": ROUND.replace("state[name] = ", "change = ").format(after="pass"),
    "entries are changed in place": ROUND.replace("state[name] = state[name] + rate", "state[name].add_(rate").replace("- state[name])", "- state[name]))").format(after="pass"),
    "another method": ROUND.replace("self.net.state_dict()", "self.net.other()").format(after="pass"),
    "no Python": "state = net.state_dict(\n",
}  # fmt: skip


@pytest.mark.parametrize("text", LOST.values(), ids=LOST)
def test_the_first_write_is_found_and_whose_it_was_meant_to_be(text: str) -> None:
    assert written_alone(dedent(text), 4, "state_dict") == (6, "self.net")


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_what_else_is_done_with_it_may_keep_the_writes(text: str) -> None:
    assert written_alone(dedent(text), 4, "state_dict") is None
