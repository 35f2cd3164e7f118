"""What is recorded of data loaders, of layers' own places, and of calls that raised."""

import pytest

from frontends.torch.watching_here import line_of, ops, recorded
from whygrad.flow import Index
from whygrad.flow.makers import edited_at, making_site

pytestmark = pytest.mark.torch

DATA = """
    class Data(torch.utils.data.Dataset):
        def __len__(self):
            return 40

        def __getitem__(self, i):
            x = torch.full((3,), float(i))
            return x, torch.tensor(i // 10)

    class Sorted(torch.utils.data.Sampler):
        def __init__(self):
            pass

        def __len__(self):
            return 40

        def __iter__(self):
            order = list(range(40))
            return iter(order)

    model = nn.Sequential(
        nn.Linear(3, 4),
        nn.Tanh(),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = torch.utils.data.DataLoader(Data(), batch_size=10, sampler=Sorted())
    for inputs, labels in loader:
        loss = F.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


def test_a_loader_is_described_by_its_place_length_and_batches_of_one_class(tmp_path):
    record = recorded(tmp_path, DATA)

    inputs, labels = record.batches
    assert (labels.path, labels.length, labels.seen) == ("[1]", 4, 4)
    assert (labels.constant_batches, labels.constant_levels) == (4, 4)
    assert (inputs.constant_batches, inputs.distinct) == (0, 4)
    assert labels.site is not None
    assert labels.site.line == line_of(DATA, "loader = torch")


def test_the_order_of_a_samplers_own_is_given_where_it_returns_it(tmp_path):
    record = recorded(tmp_path, DATA)

    assert record.batches[0].order_site is not None
    assert record.batches[0].order_site.line == line_of(DATA, "return iter(order)")


def test_the_framework_samplers_have_no_place(tmp_path):
    record = recorded(tmp_path, DATA.replace("sampler=Sorted()", "shuffle=True"))

    assert record.batches[0].order_site is None


def test_the_line_that_made_the_labels_is_known_in_later_steps_too(tmp_path):
    record = recorded(tmp_path, DATA)
    index = Index(record)

    sites = [making_site(index, step, step.step.labels.values[0]) for step in index.steps]
    assert [site.line if site else None for site in sites] == [line_of(DATA, "torch.tensor(i // 10)")] * 2


def test_elements_of_a_batch_stay_inputs_and_are_measured(tmp_path):
    record = recorded(tmp_path, DATA)

    for step in record.steps:
        (label,) = (step.graph.values[name] for name in step.labels.values)
        assert label.role == "input"
        assert label.statistics is not None
        assert label.statistics.distinct == 1


def test_a_layer_knows_where_it_was_made(tmp_path):
    record = recorded(tmp_path, DATA)

    step = Index(record).steps[0]
    (tanh,) = ops(step.step, "tanh")
    site = edited_at(step, tanh)
    assert site is not None
    assert site.line == line_of(DATA, "nn.Tanh()")


def test_what_a_call_that_raised_was_given_is_measured(tmp_path):
    program = """
        weight = torch.randn(4, 3, requires_grad=True)
        labels = torch.tensor([0, 1, 2, 5])
        try:
            F.cross_entropy(torch.randn(4, 4) @ weight, labels)
        except IndexError:
            pass
        (torch.randn(4, 4) @ weight).sum().backward()
    """
    record = recorded(tmp_path, program)

    (failed,) = (op for op in record.steps[0].graph.ops if op.failed)
    figures = record.steps[0].graph.values[failed.inputs[1]].statistics
    assert figures is not None
    assert (figures.minimum, figures.maximum) == (0, 5)


def test_arithmetic_on_narrow_integers_is_measured(tmp_path):
    program = """
        before, after = torch.tensor([10, 20], dtype=torch.uint8), torch.tensor([30, 10], dtype=torch.uint8)
        change = (before - after).float()
        weight = torch.ones(2, requires_grad=True)
        (weight * change).sum().backward()
    """
    record = recorded(tmp_path, program)

    (difference,) = (op for op in ops(record.steps[0], "sub") if len(op.inputs) == 2)
    figures = record.steps[0].graph.values[difference.output].statistics
    assert figures is not None
    assert figures.maximum == 236


def test_the_logarithm_of_a_sigmoid_has_its_kind(tmp_path):
    program = """
        weight = torch.ones(2, requires_grad=True)
        F.logsigmoid(weight).sum().backward()
    """
    record = recorded(tmp_path, program)

    assert len(ops(record.steps[0], "logsigmoid")) == 1


def test_a_stream_has_no_length(tmp_path):
    program = (
        DATA.replace("torch.utils.data.Dataset)", "torch.utils.data.IterableDataset)")
        .replace("def __getitem__(self, i):", "def __iter__(self):")
        .replace("x = torch.full((3,), float(i))", "yield from ((torch.full((3,), float(i)), torch.tensor(i // 10)) for i in range(40))")
        .replace("            return x, torch.tensor(i // 10)\n", "")
        .replace(
            "        def __len__(self):\n            return 40\n\n        def __iter__(self):\n            yield",
            "        def __iter__(self):\n            yield",
        )
    )
    record = recorded(tmp_path, program.replace(", sampler=Sorted()", ""))

    assert {batches.length for batches in record.batches} == {None}


def test_a_sampler_that_has_fewer_weights_than_there_are_rows_is_told_with_both_numbers(tmp_path):
    sampler = "sampler=torch.utils.data.WeightedRandomSampler(torch.ones({weights}), {draws})"

    def drawable(weights: int, draws: int) -> tuple[int, int] | None:
        text = DATA.replace("sampler=Sorted()", sampler.format(weights=weights, draws=draws))
        return recorded(tmp_path, text).batches[0].drawable

    assert drawable(4, 40) == (4, 40)
    assert drawable(40, 40) is None
    assert drawable(30, 10) is None
