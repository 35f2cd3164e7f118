"""Labels are followed back to the line that decides them, by the source alone."""

import re
import sys
import time
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from whygrad.frontends.origins import origins_of
from whygrad.frontends.origins.program import Program
from whygrad.frontends.source import Sources
from whygrad.ir import Batches, Event, Frame, Graph, Labels, Op, Record, Scope, Site, Statistics, Step, Value

DECIDED = {
    "a number for labels that do not count": """
        def align(tags, words):
            kept, before = [], None
            for word in words:
                before = word
                if word is None or word == before:  # decided
                    kept.append(-100)
                else:
                    kept.append(tags[word])
            return kept

        class Sentences(Dataset):
            def __init__(self, sentences):
                self.rows = []
                for words, tags in sentences:
                    self.rows.append((encode(words), align(tags, words)))

            def __getitem__(self, at):
                ids, kept = self.rows[at]
                return torch.tensor(ids), torch.tensor(kept)

        train, dev = Sentences(first), Sentences(second)
        loader = DataLoader(train, batch_size=4)
    """,
    "what a constructor was given": """
        def read(count):
            rows = []
            for at in range(count):
                rows.append((draw(at), 1.0 if at % 2 else 0.0))  # decided
            return rows

        class Pairs(Dataset):
            def __init__(self, rows):
                self.kept = []
                for image, label in rows:
                    self.kept.append((image, label))

            def __getitem__(self, at):
                image, label = self.kept[at]
                return image, torch.tensor(label)

        train, dev = Pairs(read(9)), Pairs(read(4))
        loader = DataLoader(train, batch_size=4)
    """,
    "picture and mask flipped together": """
        def draw(size):
            mask = np.zeros((size, size), dtype="uint8")
            mask[2:5, 2:5] = 255  # decided
            return paint(mask), mask

        def flip(image, mask):
            image, mask = np.fliplr(image), np.fliplr(mask)
            return image, np.transpose(mask)

        class Pictures(Dataset):
            def __init__(self, count):
                self.kept = [draw(24) for _ in range(count)]

            def __getitem__(self, at):
                image, mask = self.kept[at]
                image, mask = flip(image, mask)
                return image, mask

        loader = DataLoader(Pictures(30), batch_size=4)
    """,
    "a comparison of a column": """
        def load():
            frame = pd.read_csv("rows.csv")
            labels = (frame["price"] > 100).astype(int)  # decided
            return frame.drop(columns=["price"]).values, labels.values

        x, y = load()
        loader = DataLoader(TensorDataset(torch.tensor(x), torch.from_numpy(y).float()), batch_size=4)
    """,
    "a conditional in a data set": """
        class Images(Dataset):
            def __getitem__(self, at):
                path = self.paths[at]
                label = 1.0 if "scratch" in path else 0.0  # decided
                return read(path), torch.tensor([label])

        loader = DataLoader(Images(files), batch_size=4)
    """,
    "a field of a data class that a method of its own makes": """
        @dataclass
        class Table:
            features: np.ndarray
            labels: np.ndarray

            @classmethod
            def generate(cls, count):
                leaves = draw(count) > 0
                labels = np.where(leaves, 1.0, -1.0)  # decided
                return cls(draw(count), labels.astype("float32")[:, None])

            def parts(self, cut):
                return (self.features[:cut], self.labels[:cut]), (self.features[cut:], self.labels[cut:])

        (x, y), (test_x, test_y) = Table.generate(60).parts(50)
        loader = DataLoader(TensorDataset(torch.tensor(x), torch.from_numpy(y)), batch_size=4)
    """,
    "a field by name of an object of a data class": """
        @dataclass
        class Table:
            features: np.ndarray
            labels: np.ndarray

        table = Table(features=draw(60), labels=np.where(draw(60) > 0, 1.0, -1.0))  # decided
        loader = DataLoader(TensorDataset(torch.tensor(table.features), torch.from_numpy(table.labels)), batch_size=4)
    """,
    "a conversion of text": """
        def parse(lines):
            rows = []
            for line in lines:
                image, label = line.split()
                rows.append((int(image), int(label)))  # decided
            return rows

        class Birds(Dataset):
            def __init__(self, lines):
                self.rows = parse(lines)

            def __getitem__(self, at):
                image, label = self.rows[at]
                return draw(image), label

        data = Birds(lines)
        loader = DataLoader(data, 4)
    """,
    "a column that is picked": """
        def parse(stream):
            features, targets = [], []
            for line in stream:
                values = [float(v) for v in line.split(",")]
                features.append(values[:4])
                targets.append(values[-2])  # decided
            return features, targets

        features, targets = parse(stream)
        y = torch.tensor(targets).unsqueeze(1)
        loader = DataLoader(TensorDataset(torch.tensor(features), y))
    """,
    "branches": """
        labels = []
        for name in names:
            if "cat" in name:  # decided
                labels.append(1)
            else:
                labels.append(0)
        loader = DataLoader(TensorDataset(x, torch.tensor(labels)))
    """,
    "a split between": """
        y = np.digitize(score, edges)  # decided
        x_train, x_test, y_train, y_test = train_test_split(x, y)
        loader = DataLoader(TensorDataset(x_train, torch.as_tensor(y_train)))
    """,
    "a static method": """
        class Table(Dataset):
            def __init__(self):
                self.x = simulate()
                self.y = self.label(self.x)

            @staticmethod
            def label(times):
                return (times > LIMIT).astype(np.int64)  # decided

            def __getitem__(self, at):
                return self.x[at], self.y[at]

        loader = DataLoader(Table())
    """,
    "a collate function": """
        def pad(batch):
            words, topics = zip(*batch)
            return pad_sequence(words), torch.tensor(topics)

        rows = [(encode(text), KINDS.index(kind)) for text, kind in source]  # decided
        loader = DataLoader(rows, 32, collate_fn=pad)
    """,
    "a generator of batches": """
        def batches(x, y, size):
            for start in range(0, len(x), size):
                yield x[start : start + size], y[start : start + size]

        labels = ids % 3  # decided
        loader = batches(ids, labels, 4)
    """,
    "a function that a data set maps": """
        def prepare(image, mask):
            image = tf.cast(image, tf.float32) / 255.0
            mask = tf.cast(mask, tf.float32) / 255.0  # decided
            return image, tf.cast(mask, tf.int32)

        def load(images, masks, size):
            return tf.data.Dataset.from_tensor_slices((images, masks)).map(prepare, tf.data.AUTOTUNE).shuffle(200).batch(size)

        loader = load(images, masks, 8)
    """,
    "what a mapped function only hands on": """
        kinds = np.where(weights > 3, 1, 0)  # decided
        rows = tf.data.Dataset.from_tensor_slices((images, kinds))
        loader = rows.map(map_func=lambda image, kind: (image / 255, kind), num_parallel_calls=2).batch(8)
    """,
    "a mapped function of whole elements": """
        def parse(row):
            label = tf.one_hot(row["kind"], 3)  # decided
            return row["image"], label

        loader = tfds.load("birds", split="train").map(parse).batch(8)
    """,
    "a write of a part": """
        targets = np.zeros(len(x))
        targets[x > 3] = 1  # decided
        loader = DataLoader(TensorDataset(x, torch.from_numpy(targets)))
    """,
}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a module and makes it look loaded."""

    def write(text: str, name: str = "program_of_a_user") -> Path:
        file = tmp_path / f"{name}.py"
        file.write_text(dedent(text).strip() + "\n")
        module = ModuleType(name)
        module.__file__ = str(file)
        monkeypatch.setitem(sys.modules, name, module)
        return file

    return write


def line_of(file: Path, pattern: str) -> tuple[int, re.Match[str]]:
    """The line that matches, and the match."""
    return next((at, found) for at, text in enumerate(file.read_text().splitlines(), 1) if (found := re.search(pattern, text)))


def loader_at(file: Path) -> Site:
    """The place of the loader, as recorders note it."""
    line, found = line_of(file, r"(DataLoader|(?<=loader = )(?:batches|load|rows\.map|tfds\.load))\(.*\)")
    return Site(str(file), line, line, found.start() + 1, found.end() + 1)


def lines(record: Record) -> list[int]:
    """Lines of the origins of a record, the nearest first."""
    return [origin.site.line for origin in origins_of(record, Sources(time.time() + 10)) if origin.site]


@pytest.mark.parametrize("text", DECIDED.values(), ids=DECIDED)
def test_labels_of_a_loader_are_followed_to_the_line_that_decides_them(text: str, program) -> None:
    file = program(text)
    step = Step(0, graph=Graph((), {"y": Value("y", "label")}), labels=Labels(("y",), "batch"))
    record = Record(steps=(step,), batches=(Batches("[1]", 1, values=("y",), site=loader_at(file)),))
    assert lines(record)[:1] == [line_of(file, "# decided")[0]]


BY_ROWS = {
    "a collate function that a trainer hands on": (
        """
        class Answers:
            def __call__(self, rows):
                labels = []
                for row in rows:
                    labels.append([-100] * row.asked + row.ids[row.asked:])  # decided
                return {"ids": stack(rows), "labels": torch.tensor(labels)}

        trainer = Trainer(model, data, collate_fn=Answers())
        trainer.train()
        """,
        r"trainer\.train\(\)",
        "['labels']",
        "__call__",
    ),
    "an object that a loader is given": (
        """
        class Rows(Dataset):
            def __getitem__(self, at):
                return {"ids": self.ids[at], "labels": -1}

        class Answers:
            def __call__(self, rows):
                wanted = torch.tensor([row["score"] > 2 for row in rows])  # decided
                return {"ids": stack(rows), "labels": wanted}

        loader = DataLoader(Rows(), collate_fn=Answers())
        """,
        r"DataLoader\(.*\)",
        "['labels']",
        "__call__",
    ),
    "an item that a trainer asks for": (
        """
        class Rows(Dataset):
            @log
            def __getitem__(self, at):
                return self.ids[at], int(self.texts[at].endswith("?"))  # decided

        fabric.launch(Rows())
        """,
        r"fabric\.launch\(.*\)",
        "[1]",
        "@log",
    ),
}


@pytest.mark.parametrize(("text", "call", "path", "maker"), BY_ROWS.values(), ids=BY_ROWS)
def test_labels_are_followed_from_the_function_that_makes_the_rows_where_the_loader_is_out_of_sight(
    text: str, call: str, path: str, maker: str, program
) -> None:
    file = program(text)
    line, found = line_of(file, call)
    site = Site(str(file), line, line, found.start() + 1, found.end() + 1)
    step = Step(0, graph=Graph((), {"y": Value("y", "label")}), labels=Labels(("y",), "batch"))
    batches = Batches(path, 1, values=("y",), site=site, rows_site=Site(str(file), line_of(file, maker)[0]))

    assert lines(Record(steps=(step,), batches=(batches,)))[:1] == [line_of(file, "# decided")[0]]


def test_a_loader_whose_data_are_in_sight_is_followed_as_the_source_says(program) -> None:
    file = program("""
        class Rows(Dataset):
            def __init__(self, marks):
                self.marks = marks

            def __getitem__(self, at):
                return self.marks[at].x, self.marks[at].y > 0

        def read():
            return [Mark(x, x > 3) for x in draw()]

        loader = DataLoader(Rows(read()))
    """)
    step = Step(0, graph=Graph((), {"y": Value("y", "label")}), labels=Labels(("y",), "batch"))
    told = Batches("[1]", 1, values=("y",), site=loader_at(file))
    both = Batches("[1]", 1, values=("y",), site=loader_at(file), rows_site=Site(str(file), line_of(file, "__getitem__")[0]))

    assert lines(Record(steps=(step,), batches=(both,))) == lines(Record(steps=(step,), batches=(told,))) != []


def test_labels_that_the_program_holds_itself_are_followed_from_the_op_that_made_them(program) -> None:
    file = program("""
        def make(x):
            return (x.sum(1) > LIMIT).float()

        x = draw()
        y = torch.tensor(make(x))
        loss = criterion(model(x), y)
    """)
    line, found = line_of(file, r"torch\.tensor\(.*\)")
    op = Op("enter", outputs=("y",), site=Site(str(file), line, line, found.start() + 1, found.end() + 1))
    step = Step(0, graph=Graph((op,), {"y": Value("y", "label")}), labels=Labels(("y",), "target"))
    assert lines(Record(steps=(step,)))[:1] == [2]


@pytest.mark.parametrize(
    ("made", "line"),
    [
        ("torch.tensor(fraud)", 4),
        ("torch.tensor(fraud).long()", 4),
        ("fraud", 2),
    ],
)
def test_the_nearest_call_that_gives_labels_their_dtype_is_found(made: str, line: int, program) -> None:
    file = program(f"""
        amount = draw()
        fraud = (amount > 2).astype(int)
        x = torch.tensor(amount)
        y = {made}
        loader = DataLoader(TensorDataset(x, y))
    """)
    step = Step(0, graph=Graph((), {"y": Value("y", "label")}), labels=Labels(("y",), "batch"))
    record = Record(steps=(step,), batches=(Batches("[1]", 1, values=("y",), site=loader_at(file)),))
    found = [origin for origin in origins_of(record, Sources(time.time() + 10)) if origin.setting == "dtype"]

    assert [(origin.values, origin.site.line) for origin in found if origin.site] == [(("y",), line)]


def test_labels_of_another_module_are_followed_there(program) -> None:
    other = program("""
        def targets(rows):
            return [row[3] - row[2] for row in rows]
    """, "targets_of_a_user")  # fmt: skip
    file = program("""
        from targets_of_a_user import targets

        y = torch.tensor(targets(rows))
        loader = DataLoader(TensorDataset(x, y))
    """)
    step = Step(0, graph=Graph((), {"y": Value("y", "label")}), labels=Labels(("y",), "batch"))
    record = Record(steps=(step,), batches=(Batches("[1]", 1, values=("y",), site=loader_at(file)),))
    found = [origin.site for origin in origins_of(record, Sources(time.time() + 10)) if origin.site]
    assert (found[0].file, found[0].line) == (str(other), 2)


def test_modules_that_do_not_hold_a_word_are_not_looked_through(program) -> None:
    start = "def cranes"  # this file is loaded as well, and does not hold the whole of it
    here = program(f"{start}_of(rows): return rows", "cranes_of_a_user")
    program("def herons_of(rows): return rows", "herons_of_a_user")

    assert [module.file for module in Program(Sources(time.time() + 10)).user_modules(f"{start}_of(")] == [str(here)]


@pytest.mark.parametrize(
    "text",
    [
        "loader = DataLoader(hub.load('pets'), 4)",
        "loader = DataLoader(make(), 4",
        "import elsewhere\nloader = DataLoader(elsewhere.data, 4)",
    ],
    ids=["of a library", "in a file that can't be parsed", "of a module that is not there"],
)
def test_labels_of_unknown_origin_have_none(text: str, program) -> None:
    file = program(text)
    step = Step(0, graph=Graph((), {"y": Value("y", "label")}), labels=Labels(("y",), "batch"))
    site = Site(str(file), len(text.splitlines()), len(text.splitlines()), 10, len(text.splitlines()[-1]) + 1)
    assert lines(Record(steps=(step,), batches=(Batches("[1]", 1, values=("y",), site=site),))) in ([], [site.line])


@pytest.mark.parametrize(("weights", "few"), [(3, True), (90, False)])
def test_the_weights_of_a_sampler_are_followed_back(weights: int, few: bool, program) -> None:
    file = program("""
        def balanced(labels):
            shares = 1 / np.bincount(labels)
            return WeightedRandomSampler(shares, 90)

        chosen = balanced(labels)
        loader = DataLoader(rows, sampler=chosen)
    """)
    line, found = line_of(file, r"DataLoader\(.*\)")
    site = Site(str(file), line, line, found.start() + 1, found.end() + 1)
    batches = Batches("[1]", 1, values=("y",), site=site, drawable=(weights, 90) if few else None)
    origins = origins_of(Record(batches=(batches,)), Sources(time.time() + 10))

    assert [(origin.setting, origin.site and origin.site.line) for origin in origins] == ([("weights", 3)] if few else [])


def test_the_generator_of_a_draw_is_followed_to_its_seed(program) -> None:
    file = program("""
        def batch(n, seed):
            gen = torch.Generator().manual_seed(seed)
            return torch.rand(n, 1, generator=gen)

        x = batch(8, 1)
    """)
    line, found = line_of(file, r"torch\.rand\(.*\)")
    op = Op("random", outputs=("x",), site=Site(str(file), line, line, found.start() + 1, found.end() + 1))
    (origin,) = origins_of(Record(steps=(Step(0, graph=Graph((op,), {"x": Value("x")})),)), Sources(time.time() + 10))
    assert (origin.setting, origin.site and origin.site.line) == ("seed", 2)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("for step in range(9):\n    wave, height = next(batches(data, 20))\n    train(wave, height)", 2),
        ("for step in range(9):\n    batch = next(iter(loader))\n    height = batch[1]\n    train(batch[0], height)", 2),
        ("wave, height = next(batches(data, 20))\nfor step in range(9):\n    train(wave, height)", None),
        ("rows = batches(data, 20)\nfor step in range(9):\n    wave, height = next(rows)\n    train(wave, height)", None),
        ("for wave, height in batches(data, 20):\n    train(wave, height)", None),
    ],
)
def test_an_iterator_that_is_begun_anew_is_found(text: str, line: int | None, program) -> None:
    file = program(text)
    at, found = line_of(file, r"train\(.*\)")
    op = Op("square", ("t1",), ("z",), site=Site(str(file), at, at, found.start() + 1, found.end() + 1))
    graph = Graph((op,), {"t1": Value("t1", "input", called="height"), "z": Value("z")})
    steps = tuple(Step(number, graph=graph, events=(Event("batch", 0, ("t1",)),)) for number in range(2))
    origins = [origin for origin in origins_of(Record(steps=steps), Sources(time.time() + 10)) if origin.setting == "restart"]

    assert [origin.site.line for origin in origins if origin.site is not None] == ([line] if line else [])


@pytest.mark.parametrize(("call", "line"), [("next(batches(data))", 8), ("next(rows)", None)])
def test_an_iterator_that_is_begun_anew_is_found_behind_the_argument_of_a_step(call: str, line: int | None, program) -> None:
    file = program(f"""
        @jit
        def train_step(rows):
            return rows.mean()

        rows = batches(data)
        for step in range(9):
            chosen = {call}
            train_step(chosen)
    """)
    at, _ = line_of(file, r"train_step\(chosen\)")
    first, _ = line_of(file, "@jit")
    scope = Scope("train_step", {"rows": "t1"}, site=Site(str(file), first), caller=Site(str(file), at))
    graph = Graph((Op("square", ("t1",), ("z",)),), {"t1": Value("t1", "input"), "z": Value("z")})
    steps = tuple(Step(number, graph=graph, events=(Event("batch", 0, ("t1",)),), scopes=(scope,)) for number in range(2))
    origins = [origin for origin in origins_of(Record(steps=steps), Sources(time.time() + 10)) if origin.setting == "restart"]

    assert [origin.site.line - first for origin in origins if origin.site is not None] == ([line - 2] if line else [])


def test_a_program_that_calls_itself_ends_the_search(program) -> None:
    file = program("""
        def labels(n):
            return labels(n - 1)

        loader = DataLoader(TensorDataset(x, labels(3)))
    """)
    step = Step(0, graph=Graph((), {"y": Value("y", "label")}), labels=Labels(("y",), "batch"))
    assert lines(Record(steps=(step,), batches=(Batches("[1]", 1, values=("y",), site=loader_at(file)),))) == []


@pytest.mark.parametrize(("largest", "found"), [(1_828_100.0, [1]), (4.0, [])], ids=["a volume of shares", "standardised"])
def test_a_huge_input_is_followed_behind_the_argument_of_the_function_that_calls_the_model(
    largest: float, found: list[int], program
) -> None:
    file = program("""
        x_train = torch.FloatTensor(read("prices.csv"))

        class Net(nn.Module):
            def forward(self, x):
                return self.linear(x)

        def train(net, x_train):
            out = net(x_train)

        train(Net(), x_train)
    """)
    read, _ = line_of(file, r"self\.linear\(x\)")
    defined, _ = line_of(file, "def train")
    called, _ = line_of(file, r"train\(Net")
    op = Op("linear", ("t1",), ("z",), site=Site(str(file), read, read, 1, 1, "Net.forward"))
    scope = Scope("train", {"x_train": "t1"}, site=Site(str(file), defined), caller=Site(str(file), called))
    values = {"t1": Value("t1", "input", statistics=Statistics(32, maximum=largest), called="x"), "z": Value("z")}
    origins = origins_of(Record(steps=(Step(0, graph=Graph((op,), values), scopes=(scope,)),)), Sources(time.time() + 10))

    assert [origin.site.line for origin in origins if origin.site is not None and not origin.setting][:1] == found


def test_labels_are_followed_through_a_function_that_reads_them_from_around_it(program) -> None:
    file = program("""
        def load():
            return read(), -100 * one  # decided

        def ignoring(scores, labels):
            return labels != -100

        def train_step(params, labels):
            def loss_fn(params):
                return ignoring(apply(params), labels)

            return grad(loss_fn)(params)

        x, y = load()
        train_step(params, y[:8])
    """)
    (decided, _), (read, _), (inner, _), (middle, _), (outer, _) = (
        line_of(file, text) for text in ("# decided", "labels != ", "ignoring\\(apply", "return grad", r"train_step\(params, y")
    )
    around = (("train_step.loss_fn", inner), ("train_step", middle), ("<module>", outer))
    callers = tuple(Frame(str(file), line, function) for function, line in around)
    op = Op("compare", ("t1",), ("m",), site=Site(str(file), read, read, 1, 1, "ignoring", callers=callers))
    figures = Statistics(8, minimum=-100, maximum=-100)
    values = {"t1": Value("t1", "input", shape=(8,), statistics=figures, called="labels"), "m": Value("m")}

    assert lines(Record(steps=(Step(0, graph=Graph((op,), values)),))) == [decided]
    varied = {**values, "t1": Value("t1", "input", shape=(8,), statistics=Statistics(8, minimum=-1, maximum=4), called="labels")}
    assert lines(Record(steps=(Step(0, graph=Graph((op,), varied)),))) == []
