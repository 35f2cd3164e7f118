"""What is recorded of a program: places, names, parameters, optimizers, events, kinds of step."""

import sys
import threading
import warnings
from pathlib import Path

import pytest
import torch

from frontends.torch.watching_here import called, events, line_of, ops, parameters, play, recorded, watch
from whygrad.frontends import Recording
from whygrad.ir import Outcome
from whygrad.ir.wellformed import scopes_exist

pytestmark = pytest.mark.torch

LOOP = """
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range({steps}):
        inputs, labels = torch.randn(8, 4), torch.randint(0, 3, (8,))
        loss = F.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


def test_ops_have_the_users_line_columns_text_and_function(tmp_path):
    program = """
        def objective(scores, labels):
            spread = scores.std()
            return F.cross_entropy(scores, labels) + spread

        weight = torch.randn(4, 3, requires_grad=True)
        optimizer = torch.optim.SGD([weight], lr=0.1)
        for _ in range(2):
            inputs, labels = torch.randn(8, 4), torch.randint(0, 3, (8,))
            objective(inputs @ weight, labels).backward()
            optimizer.step()
            optimizer.zero_grad()
    """
    step = recorded(tmp_path, program).steps[0]
    (entropy,), (product,) = ops(step, "cross_entropy"), ops(step, "matmul")
    assert entropy.site is not None
    assert product.site is not None

    assert (entropy.site.line, entropy.site.function) == (line_of(program, "return F"), "objective")
    assert entropy.site.text[entropy.site.column - 1 : entropy.site.end_column - 1] == "F.cross_entropy(scores, labels)"
    assert entropy.site.callers[0].line == line_of(program, "objective(inputs")
    assert product.site.text[product.site.column - 1 : product.site.end_column - 1] == "inputs @ weight"
    assert step.scopes[entropy.scope or 0].function == "objective"


def test_columns_count_characters_where_a_line_is_not_ascii(tmp_path):
    program = """
        größe = torch.randn(4, requires_grad=True)
        ("ünï", größe.exp().sum().backward())
        torch.optim.SGD([größe], lr=0.1).step()
    """
    (op,) = ops(recorded(tmp_path, program).steps[0], "exp")
    assert op.site is not None

    assert op.site.text[op.site.column - 1 : op.site.end_column - 1] == "größe.exp()"


def test_transpositions_say_where_each_axis_was(tmp_path):
    record = recorded(
        tmp_path,
        """
        w = torch.randn(2, 3, 4, requires_grad=True)
        found = w.permute(2, 0, 1), w.transpose(-1, 0), w.movedim(1, -1), w[0].T, w.mT, w.swapaxes(0, 1), w.flip(0)
        sum(item.sum() for item in found).backward()
        """,
    )
    orders = [op.attributes.get("order") for op in record.steps[0].graph.ops if op.kind == "transpose"]

    assert orders == [(2, 0, 1), (2, 1, 0), (0, 2, 1), (1, 0), (0, 2, 1), (1, 0, 2), None]


def test_values_carry_the_users_names(tmp_path):
    program = LOOP.format(steps=2)
    step = recorded(tmp_path, program).steps[0]
    (entropy,) = ops(step, "cross_entropy")

    assert called(step, entropy.inputs)[1:] == ["labels"]
    assert called(step, entropy.outputs) == ["loss"]
    assert step.graph.values[entropy.output].role == "loss"
    assert step.labels.values == (entropy.inputs[1],)


def test_parameters_are_named_as_the_user_would_name_them(tmp_path):
    program = """
        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
                self.hidden = [nn.Linear(4, 4)]
                self.gain = torch.ones(4, requires_grad=True)

            def forward(self, x):
                return self.hidden[0](self.inner(x)) * self.gain

        block, head = Block(), nn.Linear(4, 2)
        optimizer = torch.optim.SGD([*block.parameters(), *head.parameters()], lr=0.1)
        for _ in range(2):
            F.cross_entropy(head(block(torch.randn(8, 4))), torch.randint(0, 2, (8,))).backward()
            optimizer.step()
            optimizer.zero_grad()
    """
    found = parameters(recorded(tmp_path, program).steps[0])

    assert {"block.inner.0.weight", "block.inner.0.bias", "head.weight", "head.bias"} <= found.keys()
    strays = {name: parameter for name, parameter in found.items() if not parameter.registered}
    assert len(strays) == 3
    assert {name.removeprefix("block.") for name in strays} == {"hidden[0].weight", "hidden[0].bias", "gain"}
    assert all(parameter.reached and not parameter.optimizer for parameter in strays.values())
    assert found["head.weight"].optimizer == "optimizer"


def test_one_model_needs_no_prefix_and_tied_weights_are_one_parameter(tmp_path):
    program = """
        model = nn.ModuleDict({"embed": nn.Embedding(9, 4), "head": nn.Linear(4, 9, bias=False)})
        model["head"].weight = model["embed"].weight
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.parts = model
            def forward(self, ids):
                return self.parts["head"](self.parts["embed"](ids))
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        ids = torch.randint(0, 9, (8,))
        for _ in range(2):
            F.cross_entropy(net(ids), ids).backward()
            optimizer.step()
            optimizer.zero_grad()
    """
    assert list(parameters(recorded(tmp_path, program).steps[0])) == ["parts.embed.weight"]


def test_a_parameter_is_the_version_that_the_loss_was_computed_from_though_an_average_reads_the_next_one(tmp_path):
    program = """
        model, slow = nn.Linear(4, 1), nn.Linear(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            inputs = torch.randn(8, 4)
            with torch.no_grad():
                target = slow(inputs)
            optimizer.zero_grad()
            F.mse_loss(model(inputs), target).backward()
            optimizer.step()
            for held, new in zip(slow.parameters(), model.parameters()):
                held.data.copy_(0.1 * new.data + 0.9 * held.data)
    """
    for step in recorded(tmp_path, program).steps:
        read = {name for op in ops(step, "linear") for name in op.inputs}
        assert {parameter.value for parameter in step.parameters if parameter.name.startswith("model")} <= read


def test_parameters_without_a_module_are_all_known(tmp_path):
    program = """
        weight, bias = torch.randn(4, 2, requires_grad=True), torch.zeros(2, requires_grad=True)
        for _ in range(3):
            loss = (torch.randn(8, 4) @ weight + bias).square().mean()
            loss.backward()
            with torch.no_grad():
                weight -= 0.1 * weight.grad
                bias -= 0.1 * bias.grad
            weight.grad, bias.grad = None, None
    """
    record = recorded(tmp_path, program)

    assert parameters(record.steps[0]).keys() == {"weight", "bias"}
    assert {name for event in events(record.steps[0], "update") for name in event.targets} == {"weight", "bias"}
    assert [step.updated for step in record.steps] == [True, True]
    assert record.endings["weight"].changed


def test_parameters_that_share_a_loops_variable_are_all_known(tmp_path):
    program = """
        def weights():
            for rows, columns in ((4, 8), (8, 3)):
                yield torch.randn(rows, columns).requires_grad_()

        all_weights = list(weights())
        for _ in range(3):
            inputs, labels = torch.randn(8, 4), torch.randint(0, 3, (8,))
            F.cross_entropy(torch.relu(inputs @ all_weights[0]) @ all_weights[1], labels).backward()
            for p in all_weights:
                p.data -= 0.1 * p.grad
                p.grad = None
    """
    steps = recorded(tmp_path, program).steps

    assert [len({parameter.name for parameter in step.parameters}) for step in steps] == [2, 2]
    assert {parameter.name for parameter in steps[1].parameters} == {"p", "p (2)"}
    assert all(parameter.gradient == "finite" for parameter in steps[1].parameters)


def test_a_parameter_that_is_made_anew_by_each_update_keeps_its_name(tmp_path):
    program = """
        weight = torch.randn(4, 3, requires_grad=True)
        for _ in range(3):
            inputs, labels = torch.randn(8, 4), torch.randint(0, 3, (8,))
            F.cross_entropy(inputs @ weight, labels).backward()
            weight = (weight - 0.1 * weight.grad).detach().requires_grad_()
    """
    steps = recorded(tmp_path, program).steps

    assert len(steps) == 2
    assert {parameter.name for step in steps for parameter in step.parameters} == {"weight"}


def test_what_is_frozen_after_its_training_has_no_gradient_though_it_keeps_the_last_one(tmp_path):
    program = """
        trunk, head = nn.Linear(4, 4), nn.Linear(4, 1)
        (trunk(torch.randn(8, 4)) ** 2).mean().backward()
        trunk.requires_grad_(False)
        optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
        for _ in range(4):
            optimizer.zero_grad()
            head(trunk(torch.randn(8, 4))).square().mean().backward()
            optimizer.step()
    """
    record = recorded(tmp_path, program)

    assert record.endings["head.weight"].gradient_seen
    assert not any(ending.gradient_seen for name, ending in record.endings.items() if name.startswith("trunk") and not ending.changed)


def test_optimizers_are_counted_over_the_whole_run_also_when_they_are_gone_by_the_end(tmp_path):
    program = """
        def train(model):
            adam = torch.optim.Adam([{"params": [model.weight]}, {"params": [model.bias], "lr": 0.5}], lr=0.1)
            decay = torch.optim.lr_scheduler.StepLR(adam, 3, 0.1)
            for _ in range(7):
                adam.zero_grad()
                model(torch.randn(8, 4)).square().mean().backward()
                adam.step()
                decay.step()

        train(nn.Linear(4, 3))
    """
    (adam,) = recorded(tmp_path, program).optimizers

    assert (adam.name, adam.native, adam.steps) == ("adam", "Adam", 7)
    assert [group.parameters for group in adam.groups] == [("weight",), ("bias",)]
    assert [group.rate for group in adam.groups] == [0.1, 0.5]
    assert adam.groups[0].settings["beta2"] == 0.999
    assert adam.rates == pytest.approx((0.001, 0.5))
    assert adam.last_rate == pytest.approx(0.001)
    assert adam.site is not None
    assert adam.site.line == line_of(program, "adam = ")
    assert adam.rate_site is not None
    assert adam.rate_site.line == line_of(program, "decay.step()")


def test_events_of_every_kind_have_their_place_and_targets(tmp_path):
    program = """
        model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3))
        model.load_state_dict(model.state_dict())
        model[0].bias.requires_grad_(False)
        model[0].bias.requires_grad = True
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(16, 4), torch.randint(0, 3, (16,))), 8)
        for inputs, labels in data:
            model.train()
            loss = F.cross_entropy(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            model.eval()
            with torch.no_grad():
                model(inputs)
    """
    record = recorded(tmp_path, program)
    step = record.steps[0]
    place = {event.kind: event.site.line for event in step.events if event.site is not None}

    assert place["load"] == line_of(program, "load_state_dict")
    assert place["unfreeze"] == line_of(program, "requires_grad = True")
    assert place["clear"] == line_of(program, "zero_grad")
    assert place["clip"] == line_of(program, "clip_grad_norm_")
    assert place["optimizer_step"] == line_of(program, "optimizer.step()")
    assert place["batch"] == line_of(program, "for inputs")
    assert events(step, "freeze")[0].targets == ("0.bias",)
    assert set(events(step, "clear")[0].targets) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    assert events(step, "optimizer_step")[0].targets == ("optimizer",)
    assert events(step, "optimizer_step")[0].attributes["rate"] == 0.1
    assert called(step, events(step, "batch")[0].targets) == ["inputs", "labels"]
    assert step.labels.how == "target"
    assert [item.path for item in record.batches] == ["[0]", "[1]"]
    assert {"scheduler_step", "eval", "tracking"} <= {event.kind for later in record.steps for event in later.events}
    assert events(record.steps[1], "backward")[0].attributes["stale"] == 0


def test_a_computed_tensor_that_a_gradient_is_asked_of_is_marked(tmp_path):
    program = """
        model = nn.Linear(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(2):
            x = torch.randn(8, 4)
            loss = (model(x).data ** 2).mean()
            loss.requires_grad = True
            loss.backward()
            optimizer.step()
    """
    step = recorded(tmp_path, program).steps[0]
    (marked,) = events(step, "marked")

    assert called(step, marked.targets) == ["loss"]
    assert marked.site is not None
    assert marked.site.line == line_of(program, "requires_grad = True")
    assert not events(step, "unfreeze")


def test_gradients_that_an_update_has_used_are_counted_as_stale(tmp_path):
    program = LOOP.format(steps=3).replace("        optimizer.zero_grad()\n", "")
    steps = recorded(tmp_path, program).steps

    assert [events(step, "backward")[0].attributes["stale"] for step in steps] == [0, 2]


def test_gradients_that_are_handed_back_and_assigned_are_never_stale(tmp_path):
    program = """
        model = nn.Linear(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            loss = model(torch.randn(8, 4)).square().mean()
            for parameter, slope in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters()))):
                parameter.grad = slope
            optimizer.step()
    """
    steps = recorded(tmp_path, program).steps

    assert [events(step, "backward")[0].attributes["stale"] for step in steps] == [0, 0]


def test_a_loop_over_autograd_grad_is_a_training_step(tmp_path):
    program = """
        model = nn.Linear(4, 3)
        for _ in range(3):
            loss = F.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 3, (8,)))
            slopes = torch.autograd.grad(loss, list(model.parameters()))
            with torch.no_grad():
                for parameter, slope in zip(model.parameters(), slopes):
                    parameter.sub_(0.1 * slope)
    """
    record = recorded(tmp_path, program)

    assert record.outcome.steps_seen == 3
    for step in record.steps:
        assert {parameter.gradient for parameter in step.parameters} == {"finite"}
        assert {name for event in events(step, "update") for name in event.targets} == {"weight", "bias"}
        assert step.measures.reproduced is True


def test_an_inner_gradient_is_part_of_the_forward(tmp_path):
    program = """
        model = nn.Linear(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(2):
            inputs = torch.randn(8, 4, requires_grad=True)
            slope, = torch.autograd.grad(model(inputs).tanh().sum(), inputs, create_graph=True)
            loss = (slope.norm(dim=1) - 1).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    """
    step = recorded(tmp_path, program).steps[0]

    assert len(events(step, "backward")) == 1
    assert [op.native for op in ops(step, "opaque")] == ["grad"]
    assert step.measures.reproduced is True


def test_a_closure_runs_inside_the_step_that_it_belongs_to(tmp_path):
    program = """
        model = nn.Linear(4, 1)
        optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)
        inputs, targets = torch.randn(8, 4), torch.randn(8, 1)

        def closure():
            optimizer.zero_grad()
            loss = F.mse_loss(model(inputs), targets)
            loss.backward()
            return loss

        for _ in range(3):
            optimizer.step(closure)
    """
    record = recorded(tmp_path, program)

    assert (record.outcome.steps_seen, len(record.steps)) == (3, 2)
    assert all(events(step, "backward") for step in record.steps)
    assert record.optimizers[0].steps == 3


def test_accumulation_is_one_step_with_several_backwards(tmp_path):
    program = """
        model = nn.Linear(4, 3)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            for _ in range(4):
                F.cross_entropy(model(torch.randn(2, 4)), torch.randint(0, 3, (2,))).backward()
            optimizer.step()
            optimizer.zero_grad()
    """
    record = recorded(tmp_path, program)

    assert (record.outcome.steps_seen, record.outcome.backwards_seen) == (3, 12)
    assert [len(events(step, "backward")) for step in record.steps] == [4, 4]
    assert [event.attributes["stale"] for event in events(record.steps[1], "backward")] == [0, 0, 0, 0]


def test_a_gan_has_two_kinds_of_step_and_two_of_each_are_recorded(tmp_path):
    program = """
        made, judge = nn.Linear(2, 2), nn.Linear(2, 1)
        one, other = torch.optim.SGD(made.parameters(), lr=0.1), torch.optim.SGD(judge.parameters(), lr=0.1)
        for _ in range(4):
            fake = made(torch.randn(8, 2))
            other.zero_grad()
            (judge(fake.detach()).mean() - judge(torch.randn(8, 2)).mean()).backward()
            other.step()
            one.zero_grad()
            (-judge(fake).mean()).backward()
            one.step()
    """
    record = recorded(tmp_path, program)

    assert [step.kind for step in record.steps] == [0, 1, 0, 1]
    assert record.outcome.steps_seen == 8
    updates = {step.kind: events(step, "optimizer_step")[0].targets for step in record.steps}
    assert updates == {0: ("other",), 1: ("one",)}


def test_evaluation_without_gradients_belongs_to_no_step_of_its_own(tmp_path):
    program = """
        model = nn.Linear(4, 3)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(4):
            F.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 3, (8,))).backward()
            optimizer.step()
            optimizer.zero_grad()
            with torch.inference_mode():
                F.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 3, (8,)))
    """
    record = recorded(tmp_path, program)

    assert record.outcome.steps_seen == 4
    assert all(len(ops(step, "cross_entropy")) <= 2 for step in record.steps)
    assert not record.faults


def test_a_failed_call_is_recorded_and_raises_as_it_would(tmp_path):
    program = """
        model = nn.Linear(4, 3)
        scores = model(torch.randn(8, 4))
        try:
            F.cross_entropy(scores, torch.randint(0, 3, (7,)))
        except ValueError as problem:
            text = str(problem)
            frames = problem.__traceback__
        scores.sum().backward()
    """
    names: dict[str, object] = {}
    observing, _ = watch(Recording())
    names = play(tmp_path, program)
    record = observing.finish(Outcome(0))
    (failed,) = [op for step in record.steps for op in step.graph.ops if op.failed]

    assert "Expected input batch_size (8) to match target batch_size (7)" in str(names["text"])
    assert (failed.kind, failed.outputs) == ("cross_entropy", ())
    assert failed.site is not None
    assert failed.site.line == line_of(program, "F.cross_entropy")


def test_the_step_that_an_exception_ends_is_recorded(tmp_path):
    program = LOOP.format(steps=1) + "    model(torch.randn(8, 5))\n"
    observing, _ = watch(Recording())
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        play(tmp_path, program)
    record = observing.finish(Outcome(1))

    assert len(record.steps) == 2
    assert [op.kind for op in record.steps[1].graph.ops if op.failed] == ["linear"]


def test_recording_ends_after_the_wanted_steps_and_leaves_nothing_on(tmp_path):
    observing, recorder = watch(Recording(steps=3))
    play(tmp_path, LOOP.format(steps=6))

    assert [step.index for step in recorder.steps] == [0, 1, 2]
    assert not recorder.on
    assert torch._C._len_torch_function_stack() == 0
    assert not recorder.ledger.calls
    observing.finish(Outcome(0))
    for owner, name in (
        (torch.autograd, "backward"),
        (torch.optim.Optimizer, "__init__"),
        (torch.nn.Module, "train"),
        (warnings, "showwarning"),
    ):
        assert getattr(owner, name).__module__ != "whygrad.frontends.torch.patches"
        assert "whygrad" not in (getattr(owner, name).__code__.co_filename)


def test_a_later_step_can_be_asked_for_by_number(tmp_path):
    record = recorded(tmp_path, LOOP.format(steps=8), at_step=5)

    assert [step.index for step in record.steps] == [5, 6]
    assert record.outcome.steps_seen == 8


def test_a_mode_of_the_users_own_keeps_its_place(tmp_path):
    program = """
        from torch.overrides import TorchFunctionMode

        class Counting(TorchFunctionMode):
            seen = 0
            def __torch_function__(self, function, types, args=(), kwargs=None):
                Counting.seen += 1
                return function(*args, **(kwargs or {}))

        model = nn.Linear(4, 3)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        depths = []
        for step in range(5):
            with Counting(), torch.device("cpu"):
                loss = F.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 3, (8,)))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            depths.append(torch._C._len_torch_function_stack())
        last = Counting.seen
        torch.zeros(2) + 1
        assert Counting.seen == last
    """
    observing, _ = watch(Recording())
    names = play(tmp_path, program)
    record = observing.finish(Outcome(0))

    assert names["depths"][-1] == 0
    assert len(record.steps) == 2
    assert torch._C._len_torch_function_stack() == 0


def test_other_threads_are_left_alone(tmp_path):
    program = """
        import threading

        def elsewhere():
            side = nn.Linear(4, 3)
            rate = torch.optim.SGD(side.parameters(), lr=0.1)
            for _ in range(20):
                rate.zero_grad()
                F.cross_entropy(side(torch.randn(8, 4)), torch.randint(0, 3, (8,))).backward()
                rate.step()

        thread = threading.Thread(target=elsewhere)
        thread.start()
        model = nn.Linear(4, 3)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for step in range(4):
            optimizer.zero_grad()
            F.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 3, (8,))).backward()
            optimizer.step()
        thread.join()
    """
    record = recorded(tmp_path, program)

    assert (record.outcome.steps_seen, record.outcome.backwards_seen) == (4, 4)
    assert parameters(record.steps[0]).keys() == {"weight", "bias"}
    assert threading.active_count() >= 1
    assert not record.faults


def test_data_loader_workers_are_left_alone(tmp_path):
    program = """
        class Rows(torch.utils.data.Dataset):
            def __len__(self):
                return 16
            def __getitem__(self, index):
                return torch.ones(4) * index + torch.zeros(4).exp(), index % 3

        model = nn.Linear(4, 3)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        for inputs, labels in torch.utils.data.DataLoader(Rows(), 4, num_workers=1):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
    """
    record = recorded(tmp_path, program)

    assert record.outcome.steps_seen == 4
    assert not ops(record.steps[0], "exp")
    assert not record.faults
    assert not record.limits


def test_warnings_name_the_users_line(tmp_path):
    program = """
        model = nn.Linear(4, 1)
        F.mse_loss(model(torch.randn(8, 4)), torch.randn(8)).backward()
    """
    seen = []
    shown = warnings.showwarning
    try:
        warnings.showwarning = lambda message, category, filename, lineno, *_: seen.append((str(message), filename, lineno))
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = lambda message, category, filename, lineno, *_: seen.append((str(message), filename, lineno))
            recorded(tmp_path, program)
    finally:
        warnings.showwarning = shown
    (message, file, line), *_ = seen

    assert "different to the input size" in message
    assert (file, line) == (str(tmp_path / "train.py"), line_of(program, "F.mse_loss"))


def test_preparation_does_not_grow_the_record(tmp_path):
    program = """
        total, kept = torch.zeros(3), torch.ones(3)
        for number in range({count}):
            kept = kept * 1.0001
            total += kept
            torch.arange(3)
    """
    observing, recorder = watch(Recording())
    sizes = []
    for _ in range(3):
        play(tmp_path, program.format(count=5_000))
        tables = recorder.ledger, recorder.ledger.identity, recorder.activations, recorder.modules
        sizes.append(
            {
                f"{type(table).__name__}.{name}": len(item)
                for table in tables
                for name, item in vars(table).items()
                if hasattr(item, "__len__")
            }
        )
    observing.finish(Outcome(0))

    assert all(size["Ledger.calls"] < 10_000 for size in sizes)
    assert {name: size for name, size in sizes[2].items() if size > 25_000} == {}  # of 45,000 calls


def test_a_long_evaluation_is_recorded_in_part_and_an_update_by_hand_after_it_is_seen(tmp_path):
    program = """
        weight = torch.randn(4, 3, requires_grad=True)
        for _ in range(2):
            inputs, labels = torch.randn(8, 4), torch.randint(0, 3, (8,))
            F.cross_entropy(inputs @ weight, labels).backward()
            with torch.no_grad():
                for _ in range(5000):
                    (inputs @ weight).argmax(1)
                weight -= 0.1 * weight.grad
                weight.grad = None
    """
    observing, recorder = watch(Recording(2, None, "off"))
    play(tmp_path, program)
    record = observing.finish(Outcome(0))

    assert recorder.ledger.at < 12_000
    assert [len(events(step, "update")) for step in record.steps] == [1, 1]


def test_the_recorder_holds_no_tensor_of_steps_that_are_over(tmp_path):
    observing, recorder = watch(Recording())
    play(tmp_path, LOOP.format(steps=5))

    held = [slot for call in recorder.ledger.calls for slot in call.slots if slot.held is not None]
    assert not held
    assert sys.getrefcount(recorder) < 100
    observing.finish(Outcome(0))


def test_an_update_by_two_optimizers_is_one_step(tmp_path):
    program = """
        first, second = nn.Linear(4, 4), nn.Linear(4, 3)
        one, other = torch.optim.SGD(first.parameters(), lr=0.1), torch.optim.Adam(second.parameters(), lr=0.1)
        for _ in range(3):
            one.zero_grad(), other.zero_grad()
            F.cross_entropy(second(first(torch.randn(8, 4))), torch.randint(0, 3, (8,))).backward()
            one.step()
            other.step()
    """
    record = recorded(tmp_path, program)

    assert record.outcome.steps_seen == 3
    assert [event.targets for event in events(record.steps[0], "optimizer_step")] == [("one",), ("other",)]
    assert parameters(record.steps[0])["second.weight"].optimizer == "other"


def test_calls_kept_from_an_earlier_step_ran_in_no_function_of_this_one(tmp_path: Path):
    text = """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.one = nn.Linear(4, 4)
            def forward(self, x):
                return self.one(x).relu()
        made, told = Net(), Net()
        opt_told = torch.optim.SGD(told.parameters(), lr=0.1)
        opt_made = torch.optim.SGD(made.parameters(), lr=0.1)
        for step in range(3):
            opt_told.zero_grad()
            told(torch.rand(8, 4)).mean().backward()
            fake = made(torch.rand(8, 4))
            (-told(fake.detach()).mean()).backward()
            opt_told.step()
            opt_made.zero_grad()
            (fake ** 2).mean().backward()
            opt_made.step()
    """
    record = recorded(tmp_path, text)

    assert [problem for step in record.steps for problem in scopes_exist(step)] == []
    assert any(op.module and op.scope is None for op in record.steps[1].graph.ops)


def test_parameters_of_a_model_that_is_gone_keep_their_names_where_they_are_kept(tmp_path):
    """`whygrad fix` looks at all parameters once more when the program has ended; a model that a function made is gone by then."""
    program = """
        def main():
            model = nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 1))
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(6):
                optimizer.zero_grad()
                loss = model(torch.randn(8, 4)).pow(2).mean()
                loss.backward()
        main()
    """
    (tmp_path / "way").mkdir()
    observing, _recorder = watch(Recording(trajectory=str(tmp_path / "way")))
    try:
        play(tmp_path, program)
    finally:
        record = observing.finish(Outcome(0))

    assert set(record.endings) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    assert set(record.endings) == {parameter.name for parameter in record.steps[0].parameters}
