"""What each kind of edit makes of a source, and where it is refused."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from fixes.places import at
from whygrad.diagnosis import Action, Edit
from whygrad.fixes.patching import edited
from whygrad.fixes.refusals import Refused
from whygrad.ir import Site

CASES: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "a decorator gives way to another": (
        "import jax\nfrom flax import nnx\n@jax.jit\ndef step(m):\n    o.update(m)\n", "o.update(m)",
        {"action": "redecorate", "text": "flax.nnx.jit", "calls": ("jit",)},
        "import jax\nfrom flax import nnx\n@nnx.jit\ndef step(m):\n    o.update(m)\n",
    ),
    "a decorator with arguments keeps them": (
        "import jax\nfrom flax import nnx\n@jax.jit(donate_argnums=0)\ndef step(m):\n    o.update(m)\n", "o.update(m)",
        {"action": "redecorate", "text": "flax.nnx.jit", "calls": ("jit",)},
        "import jax\nfrom flax import nnx\n@nnx.jit(donate_argnums=0)\ndef step(m):\n    o.update(m)\n",
    ),
    "a keyword comes behind arguments in stars": (
        "d = DataLoader(data, **params)\n", "DataLoader(data, **params)", {"action": "argument", "keyword": "shuffle", "text": "True"},
        "d = DataLoader(data, **params, shuffle=True)\n",
    ),
    "a keyword speaks of another argument": (
        "h = self.stack(a + b, h)\n", "self.stack(a + b, h)", {"action": "argument", "keyword": "mask", "text": "f({1}.size(1), {0}.device)"},
        "h = self.stack(a + b, h, mask=f(h.size(1), (a + b).device))\n",
    ),
    "data change once, before the loop that picks from them": (
        "x = load()\nfor e in range(9):\n    for i in order:\n        step(x[i])\n", "x[i]",
        {"action": "insert", "text": "x = x / 9", "after": False, "around": "loop", "written": "x"},
        "x = load()\nx = x / 9\nfor e in range(9):\n    for i in order:\n        step(x[i])\n",
    ),
    "data change where the loop hands them in, under their name there": (
        ("def step(s, x):\n    def loss_fn(p):\n        return f(p, x)\n    return grad(loss_fn)(s)\nx, price = load()\n"
        "for e in range(9):\n    for i in order:\n        s = step(s, price[i:i + 5])\n"), "return f(p, x)",
        {"action": "insert", "text": "{name} = {name} / 9", "after": False, "around": "loop", "written": "x"},
        ("def step(s, x):\n    def loss_fn(p):\n        return f(p, x)\n    return grad(loss_fn)(s)\nx, price = load()\n"
        "price = price / 9\nfor e in range(9):\n    for i in order:\n        s = step(s, price[i:i + 5])\n"),
    ),
    "a method is handed them as well": (
        "class T:\n    def step(self, x):\n        return f(x)\n\n    def run(self, data):\n        for _ in range(9):\n            self.step(data)\n",
        "return f(x)", {"action": "insert", "text": "{name} = {name} / 9", "after": False, "around": "loop", "written": "x"},
        ("class T:\n    def step(self, x):\n        return f(x)\n\n    def run(self, data):\n        data = data / 9\n"
        "        for _ in range(9):\n            self.step(data)\n"),
    ),
    "a dictionary that is filled entry by entry": (
        "from torch import nn\nclass M:\n    def __init__(self):\n        self.t = {}\n        for k in ks:\n            self.t[k] = nn.Linear(2, 2)\n", "nn.Linear(2, 2)",
        {"action": "wrap", "text": "torch.nn.ModuleDict({x})", "around": "container"},
        "from torch import nn\nclass M:\n    def __init__(self):\n        self.t = nn.ModuleDict({})\n        for k in ks:\n            self.t[k] = nn.Linear(2, 2)\n",
    ),
    "a list that is appended to in another method": (
        "from torch import nn\nclass M:\n    def __init__(self):\n        self.t = []\n        self.grow()\n\n    def grow(self):\n        self.t.append(nn.Linear(2, 2))\n", "nn.Linear(2, 2)",
        {"action": "wrap", "text": "torch.nn.ModuleList({x})", "around": "container"},
        "from torch import nn\nclass M:\n    def __init__(self):\n        self.t = nn.ModuleList([])\n        self.grow()\n\n    def grow(self):\n        self.t.append(nn.Linear(2, 2))\n",
    ),
    "a list that is filled where it is made": (
        "from torch import nn\nt = [nn.Linear(2, 2) for _ in range(3)]\n", "nn.Linear(2, 2)",
        {"action": "wrap", "text": "torch.nn.ModuleList({x})", "around": "container"},
        "from torch import nn\nt = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])\n",
    ),
    "the negative of a negative": ("(-loss).backward()\n", "-loss", {"action": "wrap", "text": "-{x}"}, "loss.backward()\n"),
    "what a sign stands in front of": (
        "c = -y * log(p)\n", "-y", {"action": "wrap", "text": "rows({x})", "position": 0, "written": "y"}, "c = -rows(y) * log(p)\n",
    ),
    "in a function that is called once": (
        "def f(x):\n    return m(x, training=False)\na = f(1)\n", "m(x, training=False)",
        {"action": "wrap", "text": "True", "keyword": "training", "around": "once"},
        "def f(x):\n    return m(x, training=True)\na = f(1)\n",
    ),
    "one argument comes before the others": (
        "o = chain(adam(0.1),  # first\n    clip(1.0))\n", "clip(1.0)", {"action": "lead"}, "o = chain(clip(1.0),  # first\n    adam(0.1))\n",
    ),
    "the only call that allows it": (
        "@partial(jit, donate_argnums=(0, 1))\ndef f(p):\n    return p\nf(p)\np + 1\n", "p + 1",
        {"action": "argument", "keyword": "donate_argnums", "around": "file"}, "@partial(jit)\ndef f(p):\n    return p\nf(p)\np + 1\n",
    ),
    "what reads it comes along": (
        "o = Adam(m.parameters())\nm.eval()\ns = StepLR(o)\nif late:\n    m.fc = Linear(9)\ntrain(o, s)\n", "o = Adam(m.parameters())",
        {"action": "postpone", "to": "m.fc = Linear(9)"},
        "m.eval()\nif late:\n    m.fc = Linear(9)\no = Adam(m.parameters())\ns = StepLR(o)\ntrain(o, s)\n",
    ),
    "what reads a part of it comes along": (
        "o = Adam(v)\no.build(v)\nm = Model()\n", "o = Adam(v)", {"action": "postpone", "to": "m = Model()"}, "m = Model()\no = Adam(v)\no.build(v)\n",
    ),
    "alone, behind what is to read it as it was": (
        "for i in r:\n    t = add(t, g)\n    t = zero(t)\n    u = up(t)\n    p = p + u\n", "t = zero(t)",
        {"action": "postpone", "to": "u = up(t)", "around": "alone"},
        "for i in r:\n    t = add(t, g)\n    u = up(t)\n    t = zero(t)\n    p = p + u\n",
    ),
    "with the loop that is all about it": (
        "for t in ts:\n    t.assign(0)\no.apply(ts)\n", "t.assign(0)", {"action": "postpone", "to": "o.apply(ts)", "around": "alone"},
        "o.apply(ts)\nfor t in ts:\n    t.assign(0)\n",
    ),
    "made in the function that is given what it is made of": (
        "both = p['a'] + p['b']\ndef f(p):\n    # the loss\n    return mean(both)\n", "both = p['a'] + p['b']",
        {"action": "take in", "to": "return mean(both)"},
        "def f(p):\n    both = p['a'] + p['b']\n    # the loss\n    return mean(both)\n",
    ),
    "a layer stands in front of another in a list": (
        "from keras import layers\nmodel = Sequential([\n    layers.Input((12, 12)),\n    layers.Dense(64),\n    layers.Dense(10),\n])\n",
        "layers.Dense(64)", {"action": "enlist", "text": "keras.layers.Flatten()", "after": False},
        "from keras import layers\nmodel = Sequential([\n    layers.Input((12, 12)),\n    layers.Flatten(),\n    layers.Dense(64),\n    layers.Dense(10),\n])\n",
    ),
    "in front of the last": (
        "from keras import layers\nmodel = Sequential([a,\n    layers.Dense(10)\n])\n", "layers.Dense(10)",
        {"action": "enlist", "text": "keras.layers.Flatten()", "after": False},
        "from keras import layers\nmodel = Sequential([a,\n    layers.Flatten(),\n    layers.Dense(10)\n])\n",
    ),
    "in front of the only one": (
        "from keras import layers\nmodel = Sequential([layers.Dense(10)])\n", "layers.Dense(10)",
        {"action": "enlist", "text": "keras.layers.Flatten()", "after": False},
        "from keras import layers\nmodel = Sequential([layers.Flatten(), layers.Dense(10)])\n",
    ),
    "in front of one that is added": (
        "from keras import layers\nmodel.add(layers.Dense(10))\n", "layers.Dense(10)",
        {"action": "enlist", "text": "keras.layers.Flatten()", "after": False},
        "from keras import layers\nmodel.add(layers.Flatten())\nmodel.add(layers.Dense(10))\n",
    ),
    "an argument by the name that a later call hands on": (
        "def run(net, opt):\n    net(1)\n\nopt = SGD(params=a.parameters())\nrun(b, opt)\n", "SGD(params=a.parameters())",
        {"action": "argument", "text": "{name}.parameters()", "keyword": "params", "position": 0, "written": "net", "to": "run(b, opt)"},
        "def run(net, opt):\n    net(1)\n\nopt = SGD(params=b.parameters())\nrun(b, opt)\n",
    ),
    "an argument by the name that a later line calls": (
        "opt = SGD(a.parameters())\nb(x)\n", "SGD(a.parameters())",
        {"action": "argument", "text": "{name}.parameters()", "keyword": "params", "position": 0, "written": "b", "to": "b(x)"},
        "opt = SGD(b.parameters())\nb(x)\n",
    ),
    "copies that were changed go back": (
        "def apply(self, grads):\n    ws = self.model.get_weights()\n    for w, g in zip(ws, grads):\n        w -= g\n    self.n += 1\n",
        "ws = self.model.get_weights()", {"action": "put back"},
        "def apply(self, grads):\n    ws = self.model.get_weights()\n    for w, g in zip(ws, grads):\n        w -= g\n    self.model.set_weights(ws)\n    self.n += 1\n",
    ),
    "a copy of one variable": ("k = v.numpy()\nk -= 1\n", "k = v.numpy()", {"action": "put back"}, "k = v.numpy()\nk -= 1\nv.assign(k)\n"),
    "a layer that learns all the same, behind the loop that freezes": (
        "def prepare(net):\n    for name, p in net.named_parameters():\n        if 'fc' not in name:\n            p.requires_grad = False\n    return net\n",
        "p.requires_grad = False", {"action": "thaw", "text": '{x}.get_submodule("head.0").requires_grad_(True)'},
        ("def prepare(net):\n    for name, p in net.named_parameters():\n        if 'fc' not in name:\n            p.requires_grad = False\n"
         '    net.get_submodule("head.0").requires_grad_(True)\n    return net\n'),
    ),
    "a submodule that learns all the same": (
        "for child in list(self.net.children())[:3]:\n    pass\nfor m in self.net.modules():\n    m.requires_grad_(False)\n", "m.requires_grad_(False)",
        {"action": "thaw", "text": "{x}.head.requires_grad_(True)"},
        ("for child in list(self.net.children())[:3]:\n    pass\nfor m in self.net.modules():\n    m.requires_grad_(False)\nself.net.head.requires_grad_(True)\n"),
    ),
    "a layer of Keras' that learns all the same": (
        "for layer in model.layers[:-1]:\n    for w in layer.weights:\n        layer.trainable = False\nfit()\n", "layer.trainable = False",
        {"action": "thaw", "text": '{x}.get_layer("scores").trainable = True'},
        ("for layer in model.layers[:-1]:\n    for w in layer.weights:\n        layer.trainable = False\n"
         'model.get_layer("scores").trainable = True\nfit()\n'),
    ),
    "another group for an optimizer": (
        "class T:\n    def make(self):\n        groups = [p for _, p in self.net.named_parameters()]\n        self.opt = SGD(groups)\n        return 1\n",
        "SGD(groups)", {"action": "group", "text": '("fc.", "bias")'},
        ("class T:\n    def make(self):\n        groups = [p for _, p in self.net.named_parameters()]\n        self.opt = SGD(groups)\n"
         '        self.opt.add_param_group({"params": [p for name, p in self.net.named_parameters() if name.startswith(("fc.", "bias"))]})\n        return 1\n'),
    ),
    "another group at the highest rate of the groups": (
        "gs = [{'params': [p for _, p in net.named_parameters()], 'lr': 1}]\nopt = SGD(gs)\n", "SGD(gs)", {"action": "group", "text": '("fc.",)', "keyword": "lr"},
        ("gs = [{'params': [p for _, p in net.named_parameters()], 'lr': 1}]\nopt = SGD(gs)\nopt.add_param_group("
         '{"params": [p for name, p in net.named_parameters() if name.startswith(("fc.",))], "lr": max(group["lr"] for group in opt.param_groups)})\n'),
    ),
    "behind the last": (
        "from keras import layers\nmodel = Sequential([\n    a,\n    layers.LSTM(1),\n])\n", "layers.LSTM(1)",
        {"action": "enlist", "text": "keras.layers.Dense(1)"},
        "from keras import layers\nmodel = Sequential([\n    a,\n    layers.LSTM(1),\n    layers.Dense(1),\n])\n",
    ),
    "behind the last of a line": (
        "from keras import layers\nmodel = Sequential([a, layers.LSTM(1)])\n", "layers.LSTM(1)",
        {"action": "enlist", "text": "keras.layers.Dense(1)"},
        "from keras import layers\nmodel = Sequential([a, layers.LSTM(1), layers.Dense(1)])\n",
    ),
    "behind one that is added": (
        "from keras import layers\nmodel.add(layers.LSTM(1))\n", "layers.LSTM(1)",
        {"action": "enlist", "text": "keras.layers.Dense(1)"},
        "from keras import layers\nmodel.add(layers.LSTM(1))\nmodel.add(layers.Dense(1))\n",
    ),
    "a derivative by hand goes, in PyTorch": (
        ("class Cube(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x, q):\n        ctx.save_for_backward(x)\n        ctx.q = q\n        return q * x**3\n\n"
        "    @staticmethod\n    def backward(ctx, g):\n        (x,) = ctx.saved_tensors\n        return g * 2 * x, None\n\n\ny = Cube.apply(x, 2)\n"),
        "return g", {"action": "derive"},
        "class Cube:\n    @staticmethod\n    def apply(x, q):\n        return q * x**3\n\n\ny = Cube.apply(x, 2)\n",
    ),
    "in TensorFlow": (
        "@tf.custom_gradient\ndef cube(x):\n    y = x**3\n\n    def grad(g):\n        return g * 2 * x\n\n    return y, grad\n",
        "return g", {"action": "derive"},
        "def cube(x):\n    y = x**3\n\n    return y\n",
    ),
    "in JAX": (
        ("@jax.custom_vjp\ndef cube(x):\n    return x**3\n\n\ndef fwd(x):\n    return cube(x), x\n\n\ndef bwd(x, g):\n    return (g * 2 * x,)\n\n\n"
        "cube.defvjp(fwd, bwd)\ny = cube(2.0)\n"),
        "return (g", {"action": "derive"},
        "def cube(x):\n    return x**3\n\n\ny = cube(2.0)\n",
    ),
    "labels follow their inputs, known by where both are cut": (
        "def split(x, y, n):\n    x = x[order]\n    return (x[:n], y[:n]), (x[n:], y[n:])\n", "x[order]", {"action": "beside"},
        "def split(x, y, n):\n    x = x[order]\n    y = y[order]\n    return (x[:n], y[:n]), (x[n:], y[n:])\n",
    ),
    "or by what is returned with them": (
        "def load(x, y):\n    x = x[order]\n    return x, y\n", "x[order]", {"action": "beside"},
        "def load(x, y):\n    x = x[order]\n    y = y[order]\n    return x, y\n",
    ),
    "a shuffling goes": (
        "d = from_slices(x).shuffle(len(x), seed=9).batch(4)\n", "from_slices(x).shuffle(len(x), seed=9)", {"action": "unwrap", "calls": ("shuffle",)},
        "d = from_slices(x).batch(4)\n",
    ),
    "a layer that is never called takes its place": (
        ("class M:\n    def __init__(self):\n        self.a = A()\n        self.b = B()\n\n    def forward(self, x, y):\n        u = self.a(x)\n        v = self.a(x)\n        return u + v\n"),
        "self.b = B()", {"action": "mistake", "written": "b"},
        ("class M:\n    def __init__(self):\n        self.a = A()\n        self.b = B()\n\n    def forward(self, x, y):\n        u = self.a(x)\n        v = self.b(y)\n        return u + v\n"),
    ),
    "of several that are called twice, the one of its class, though each time with what is called x": (
        "class M:\n    def __init__(self):\n        self.d = D()\n        self.a = A(1)\n        self.b = A(2)\n\n    def call(self, x):\n        x = self.d(self.a(x))\n        x = self.d(self.a(x))\n        return x\n",
        "self.b = A(2)", {"action": "mistake", "written": "b"},
        "class M:\n    def __init__(self):\n        self.d = D()\n        self.a = A(1)\n        self.b = A(2)\n\n    def call(self, x):\n        x = self.d(self.a(x))\n        x = self.d(self.b(x))\n        return x\n",
    ),
    "the forgotten method that calls it": (
        "class M:\n    def __init__(self):\n        self.b = B()\n\n    def mean(self, h):\n        return h.mean(1)\n\n    def weigh(self, h):\n        return (self.b(h) * h).sum(1)\n\n    def forward(self, x):\n        return self.out(self.mean(x))\n",
        "self.b = B()", {"action": "mistake", "written": "b"},
        "class M:\n    def __init__(self):\n        self.b = B()\n\n    def mean(self, h):\n        return h.mean(1)\n\n    def weigh(self, h):\n        return (self.b(h) * h).sum(1)\n\n    def forward(self, x):\n        return self.out(self.weigh(x))\n",
    ),
    "in a chain": (
        "class M:\n    def __init__(self):\n        self.a = A()\n        self.b = B()\n\n    def call(self, x):\n        return self.a(relu(self.a(x)))\n",
        "self.b = B()", {"action": "mistake", "written": "b"},
        "class M:\n    def __init__(self):\n        self.a = A()\n        self.b = B()\n\n    def call(self, x):\n        return self.b(relu(self.a(x)))\n",
    ),
    "what an object begins with is not made again": (
        "class P:\n    def __init__(self, seed):\n        self.seed = seed\n        self.gen = make(seed)\n\n    def draw(self):\n        gen = make(self.seed)\n        return f(gen)\n",
        "gen = make(self", {"action": "hoist"},
        "class P:\n    def __init__(self, seed):\n        self.seed = seed\n        self.gen = make(seed)\n\n    def draw(self):\n        gen = self.gen\n        return f(gen)\n",
    ),
    "a function hands on what it made": (
        "def f(x):\n    loss = g(x)\n    log(loss)\n", "loss = g", {"action": "return"},
        "def f(x):\n    loss = g(x)\n    log(loss)\n    return loss\n",
    ),
    "in the place of a bare return": ("def f(x):\n    loss = g(x)\n    return\n", "loss = g", {"action": "return"}, "def f(x):\n    loss = g(x)\n    return loss\n"),
    "also where a function in it returns something": (
        "def f(x):\n    def k(v):\n        return v\n    loss = k(x)\n", "loss = k", {"action": "return"},
        "def f(x):\n    def k(v):\n        return v\n    loss = k(x)\n    return loss\n",
    ),
    "a condition goes": (
        "loss.backward()\n# sane?\nif ok(net):\n    opt.step()\nopt.zero_grad()\n", "opt.step()", {"action": "always"},
        "loss.backward()\n# sane?\nopt.step()\nopt.zero_grad()\n",
    ),
    "what the function calls otherwise": (
        'def f(b):\n    x, y = b["x"], b["y"]\n    return mse(net(x), x)\n', "mse(net(x), x)",
        {"action": "wrap", "position": 1, "written": "x", "text": "b['y']"},
        'def f(b):\n    x, y = b["x"], b["y"]\n    return mse(net(x), y)\n',
    ),
    "what it can take from its argument": (
        "def f(b):\n    x = b['x']\n    return mse(net(x), x)\n", "mse(net(x), x)",
        {"action": "wrap", "position": 1, "written": "x", "text": "b['y']"},
        "def f(b):\n    x = b['x']\n    return mse(net(x), b['y'])\n",
    ),
    "a quotient keeps its fraction": (
        "rate = (step + 1)//warm  # up to 1\n", "(step + 1)//warm", {"action": "divide"}, "rate = (step + 1)/warm  # up to 1\n",
    ),
    "a statement moves into a block": (
        "h = f(x)\nwith tape:\n    loss = g(h)\n", "h = f(x)", {"action": "move", "to": "loss = g(h)", "after": False},
        "with tape:\n    h = f(x)\n    loss = g(h)\n",
    ),
    "a method's call gives way to its tensor": ("y = f(x).detach()  # keep\n", "f(x).detach()", {"action": "unwrap"}, "y = f(x)  # keep\n"),
    "an attribute gives way to its tensor": ("y = f(x).data\n", "f(x).data", {"action": "unwrap"}, "y = f(x)\n"),
    "a sum stands without its parentheses": ("y = (a + b).float()\n", "(a + b).float()", {"action": "unwrap"}, "y = a + b\n"),
    "a method with an axis gives way to its tensor": ("y = h.softmax(-1)\n", "h.softmax(-1)", {"action": "unwrap"}, "y = h\n"),
    "a function's call gives way to its argument": (
        "import torch.nn.functional as F\ny = F.softmax(h + 1, dim=1).mean()\n", "F.softmax(h + 1, dim=1)", {"action": "unwrap"},
        "import torch.nn.functional as F\ny = (h + 1).mean()\n",
    ),
    "a function that is listed is taken out": (
        "m = nnx.Sequential(a, nnx.softmax)\n", "nnx.softmax", {"action": "unwrap", "calls": ("softmax",)}, "m = nnx.Sequential(a)\n",
    ),
    "a module's call gives way to its argument": ("y = self.softmax(h)\n", "self.softmax(h)", {"action": "unwrap"}, "y = h\n"),
    "a product gives way to one of its factors": (
        "(loss * SCALE).backward()\n", "loss * SCALE", {"action": "unwrap"}, "loss.backward()\n",
    ),
    "or to the other": ("loss = SCALE * f(x, y)\n", "SCALE * f(x, y)", {"action": "unwrap", "position": 1}, "loss = f(x, y)\n"),
    "a quotient gives way to what is divided": ("loss = f(x, y) / n\n", "f(x, y) / n", {"action": "unwrap"}, "loss = f(x, y)\n"),
    "a comparison gives way to what it takes for the larger": (
        "y = (p > 0.5).float()\n", "p > 0.5", {"action": "unwrap"}, "y = p.float()\n",
    ),
    "the other way round as well": ("y = (0.5 <= f(p)).float()\n", "0.5 <= f(p)", {"action": "unwrap"}, "y = f(p).float()\n"),
    "a comparison becomes a smooth step": (
        "import torch\ny = (h + 1 > t) * w\n", "h + 1 > t", {"action": "swap", "text": "torch.sigmoid({x})"},
        "import torch\ny = torch.sigmoid((h + 1) - t) * w\n",
    ),
    "all arguments go into another function": (
        "import torch\ns = x.std(dim=1, keepdim=True) + torch.std(y, 0)\n", "x.std(dim=1, keepdim=True)",
        {"action": "swap", "text": "torch.sqrt(torch.var({args}) + 1e-12)"},
        "import torch\ns = torch.sqrt(torch.var(x, dim=1, keepdim=True) + 1e-12) + torch.std(y, 0)\n",
    ),
    "all arguments of a function as well": (
        "import torch\ns = torch.std(y, 0)\n", "torch.std(y, 0)", {"action": "swap", "text": "torch.sqrt(torch.var({args}) + 1e-12)"},
        "import torch\ns = torch.sqrt(torch.var(y, 0) + 1e-12)\n",
    ),
    "a layer leaves its list": (
        "m = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))\n", "nn.Softmax(dim=1)", {"action": "unwrap"}, "m = nn.Sequential(nn.Linear(4, 3))\n",
    ),
    "a layer on a line of its own leaves its list": (
        "m = nn.Sequential(\n    nn.Linear(4, 3),  # scores\n    nn.Softmax(dim=1),\n)\n", "nn.Softmax(dim=1)", {"action": "unwrap"},
        "m = nn.Sequential(\n    nn.Linear(4, 3),  # scores\n)\n",
    ),
    "a layer leaves a list in brackets": (
        "m = Sequential([Dense(3), Softmax()])\n", "Softmax()", {"action": "unwrap"}, "m = Sequential([Dense(3)])\n",
    ),
    "a layer that is called where it is made gives way to what it is given": (
        "x = layers.LayerNormalization(epsilon=1e-6)(inputs)\n", "layers.LayerNormalization(epsilon=1e-6)", {"action": "unwrap", "text": "keras.layers.Activation()"},
        "x = inputs\n",
    ),
    "a layer that is picked from a table is left out": (
        "layers += [nn.Linear(a, b), ACTIVATIONS[out]()]\n", "ACTIVATIONS[out]()", {"action": "unwrap", "text": "torch.nn.Identity()"},
        "layers += [nn.Linear(a, b)]\n",
    ),
    "a layer that is added is not": ("m.add(Dense(3))\nm.add(Softmax())\nm.build()\n", "Softmax()", {"action": "unwrap"}, "m.add(Dense(3))\nm.build()\n"),
    "a layer with a name becomes an identity": (
        "from torch import nn\nself.out = nn.Softmax(dim=1)\n", "nn.Softmax(dim=1)", {"action": "unwrap", "text": "torch.nn.Identity()"},
        "from torch import nn\nself.out = nn.Identity()\n",
    ),
    "an argument is wrapped": (
        "import torch\nloss = f(model(x), y)  # pairs\n", "f(model(x), y)", {"action": "wrap", "position": 1, "text": "{x}.long()"},
        "import torch\nloss = f(model(x), y.long())  # pairs\n",
    ),
    "sizes in variables are not what a reshaping was given": (
        "h = scores.contiguous().view(n, c)\n", "scores.contiguous().view(n, c)",
        {"action": "wrap", "position": -2, "text": "{x}.movedim(2, 1)", "calls": ("view",)}, "h = scores.contiguous().movedim(2, 1).view(n, c)\n",
    ),
    "a function that reshapes was given its first argument": (
        "import torch\nh = torch.reshape(scores, (n, c))\n", "torch.reshape(scores, (n, c))",
        {"action": "wrap", "position": -2, "text": "{x}.movedim(2, 1)", "calls": ("reshape",)}, "import torch\nh = torch.reshape(scores.movedim(2, 1), (n, c))\n",
    ),
    "what is wrapped is put in parentheses where it has to be": (
        "z = a - b\n", "a - b", {"action": "wrap", "text": "{x}.mean()"}, "z = (a - b).mean()\n",
    ),
    "what results is put in parentheses where it has to be": ("z = y * 2\n", "y", {"action": "wrap", "text": "{x} - 1"}, "z = (y - 1) * 2\n"),
    "functions go by the file's own names": (
        "import torch.nn.functional as F\nz = y\n", "z = y"[4:], {"action": "wrap", "text": "torch.nn.functional.one_hot({x}, 3)"},
        "import torch.nn.functional as F\nz = F.one_hot(y, 3)\n",
    ),
    "a missing import is added": (
        '"""Doc."""\nfrom torch import nn\n\nz = nn.Linear(y)\n', "nn.Linear(y)", {"action": "wrap", "text": "torch.exp({x})", "position": 0},
        '"""Doc."""\nfrom torch import nn\nimport torch\n\nz = nn.Linear(torch.exp(y))\n',
    ),
    "an argument is known by what it looks like": (
        "l = loss(y, model(x))\n", "loss(y, model(x))", {"action": "wrap", "position": 0, "written": "model(x)", "text": "{x}[:3]"},
        "l = loss(y, model(x)[:3])\n",
    ),
    "a keyword is changed": ("s = f(h, dim=0)\n", "f(h, dim=0)", {"action": "argument", "keyword": "dim", "text": "1"}, "s = f(h, dim=1)\n"),
    "a whole number is changed": (
        "s = f(h, 0)\n", "f(h, 0)", {"action": "argument", "keyword": "dim", "position": -1, "text": "1"}, "s = f(h, 1)\n",
    ),
    "a keyword is added": ("s = f(h)\n", "f(h)", {"action": "argument", "keyword": "dim", "text": "1"}, "s = f(h, dim=1)\n"),
    "a keyword is left out": ("s = f(h, act='x')\n", "f(h, act='x')", {"action": "argument", "keyword": "act"}, "s = f(h)\n"),
    "a function is called in another's place": (
        "import torch\nl = torch.nn.functional.nll_loss(h, y)\n", "torch.nn.functional.nll_loss(h, y)",
        {"action": "callee", "text": "torch.nn.functional.cross_entropy|torch.nn.CrossEntropyLoss"},
        "import torch\nl = torch.nn.functional.cross_entropy(h, y)\n",
    ),
    "Keras' layer is told another name": (
        "import keras\nm.add(keras.layers.Activation('sigmoid'))\n", "keras.layers.Activation('sigmoid')",
        {"action": "callee", "calls": ("Activation",), "text": "tensorflow.nn.relu|keras.layers.ReLU"},
        "import keras\nm.add(keras.layers.Activation('relu'))\n",
    ),
    "a method is called in another's place": (
        "p = h.view(-1, 3).softmax(1)\n", "h.view(-1, 3).softmax(1)",
        {"action": "callee", "calls": ("softmax",), "text": "torch.nn.functional.log_softmax|torch.nn.LogSoftmax"},
        "p = h.view(-1, 3).log_softmax(1)\n",
    ),
    "a class is made in another's place, where its object was made": (
        "from torch import nn\nc = nn.NLLLoss()\nl = c(h, y)\n", "c(h, y)",
        {"action": "callee", "calls": ("NLLLoss",), "text": "torch.nn.functional.cross_entropy|torch.nn.CrossEntropyLoss"},
        "from torch import nn\nc = nn.CrossEntropyLoss()\nl = c(h, y)\n",
    ),
    "a loss that a string names is another": (
        "m.compile(loss='categorical_crossentropy')\nm.fit(x, y)\n", "m.fit(x, y)",
        {"action": "callee", "calls": ("CategoricalCrossentropy", "categorical_crossentropy"), "text": "keras.losses.sparse_categorical_crossentropy"},
        "m.compile(loss='sparse_categorical_crossentropy')\nm.fit(x, y)\n",
    ),
    "a loss that a string names is made as an object where it is told something": (
        "import keras\nm.compile(loss='binary_crossentropy')\nm.fit(x, y)\n", "m.fit(x, y)",
        {"action": "argument", "calls": ("binary_crossentropy",), "keyword": "from_logits", "text": "True"},
        "import keras\nm.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True))\nm.fit(x, y)\n",
    ),
    "an object that a library calls is changed where it is made": (
        "m.compile(loss=BinaryCrossentropy())\nm.fit(x, y)\n", "m.fit(x, y)",
        {"action": "argument", "calls": ("BinaryCrossentropy",), "keyword": "from_logits", "text": "True"},
        "m.compile(loss=BinaryCrossentropy(from_logits=True))\nm.fit(x, y)\n",
    ),
    "an expression is replaced": ("o = SGD(p, lr=0)\n", "SGD(p, lr=0)", {"action": "replace", "text": "None"}, "o = None\n"),
    "a statement goes": ("for x in y:\n    # why\n    a()\n    b()\n", "a()", {"action": "drop"}, "for x in y:\n    b()\n"),
    "the only statement of a block leaves it empty": ("for x in y:\n    a()\n", "a()", {"action": "drop"}, "for x in y:\n    pass\n"),
    "a statement is put in front": (
        "for x in y:\n\n    a()\n", "a()", {"action": "insert", "text": "z()", "after": False}, "for x in y:\n\n    z()\n    a()\n",
    ),
    "a statement is put behind": ("for x in y:\n    a()\n", "a()", {"action": "insert", "text": "z()"}, "for x in y:\n    a()\n    z()\n"),
    "a statement is put in front of the loop": (
        "for e in z:\n    for x in y:\n        a()\n", "a()", {"action": "insert", "text": "z()", "after": False, "around": "loop"},
        "z()\nfor e in z:\n    for x in y:\n        a()\n",
    ),
    "a statement moves": (
        "for x in y:\n    a()\n    b()  # two\n    c()\n", "b()", {"action": "move", "to": "c()"}, "for x in y:\n    a()\n    c()\n    b()  # two\n",
    ),
    "a block gives way to its statements": (
        "def f():\n    # off\n    with torch.no_grad():\n        a()\n        b()\n    return 1\n", "torch.no_grad()", {"action": "dissolve"},
        "def f():\n    # off\n    a()\n    b()\n    return 1\n",
    ),
    "a block around the statement goes": (
        "with tape:\n    with tape.stop_recording():\n        a()\n        b()\n    c()\n", "b()", {"action": "dissolve", "calls": ("stop_recording",)},
        "with tape:\n    a()\n    b()\n    c()\n",
    ),
    "one of two blocks goes": ("with no_grad(), autocast():\n    a()\n", "no_grad()", {"action": "dissolve", "calls": ("no_grad",)}, "with autocast():\n    a()\n"),
    "a statement is put at the start of the innermost loop": (
        "for e in z:\n    for x in y:\n        a()\n        b()\n", "b()", {"action": "insert", "text": "z()", "after": False, "around": "body"},
        "for e in z:\n    for x in y:\n        z()\n        a()\n        b()\n",
    ),
    "a statement goes by the name that is assigned": (
        "x = f(1)\ny = x\n", "f(1)", {"action": "insert", "text": "{name} = {name} / 2"}, "x = f(1)\nx = x / 2\ny = x\n",
    ),
    "the value that a statement assigns is wrapped": (
        "from torch import nn\nself.h = [L(3) for _ in z]\n", "L(3)", {"action": "wrap", "text": "torch.nn.ModuleList({x})", "around": "value"},
        "from torch import nn\nself.h = nn.ModuleList([L(3) for _ in z])\n",
    ),
    "an operand is wrapped": ("e = f(x) - y\n", "f(x) - y", {"action": "wrap", "text": "{x}.squeeze(1)", "position": 0}, "e = f(x).squeeze(1) - y\n"),
    "a function is swapped for another": (
        "import torch\ny = torch.softmax(h, dim=1)\n", "torch.softmax(h, dim=1)", {"action": "swap", "text": "torch.sigmoid({x})|torch.nn.Sigmoid()"},
        "import torch\ny = torch.sigmoid(h)\n",
    ),
    "a layer that applies an activation by its name gets another name": (
        'import keras\nm.add(keras.layers.Activation("softmax"))\n', 'm.add(keras.layers.Activation("softmax"))',
        {"action": "swap", "text": "tensorflow.sigmoid({x})", "calls": ("Activation",)},
        'import keras\nm.add(keras.layers.Activation("sigmoid"))\n',
    ),
    "a layer is swapped for another": (
        "from torch import nn\nm = nn.Sequential(a, nn.Softmax(dim=1))\n", "nn.Softmax(dim=1)", {"action": "swap", "text": "torch.sigmoid({x})|torch.nn.Sigmoid()"},
        "from torch import nn\nm = nn.Sequential(a, nn.Sigmoid())\n",
    ),
    "a rebound name is updated in place": ("for w in p:\n    w = w - r * w.grad  # step\n", "w - r", {"action": "augment"}, "for w in p:\n    w -= r * w.grad  # step\n"),
    "what a function makes at each call is made before the loop that calls it": (
        "def epoch(net, data, lr):\n    opt = Adam(net.parameters(), lr=lr)\n    for x in data:\n        opt.step()\nmodel = Net()\nfor e in range(3):\n    epoch(model, data, lr=0.1)\n",
        "opt = Adam", {"action": "hoist"},
        "def epoch(net, data, lr, opt):\n    for x in data:\n        opt.step()\nmodel = Net()\nopt = Adam(model.parameters(), lr=0.1)\nfor e in range(3):\n    epoch(model, data, lr=0.1, opt=opt)\n",
    ),
    "what is handed in stands in front of what has a default": (
        "def epoch(net, data, lr=0.1):\n    opt = Adam(net.parameters(), lr)\n    opt.step()\ndef main():\n    net = Net()\n    while True:\n        epoch(net, data)\n",
        "opt = Adam", {"action": "hoist"},
        "def epoch(net, data, opt, lr=0.1):\n    opt.step()\ndef main():\n    net = Net()\n    opt = Adam(net.parameters(), 0.1)\n    while True:\n        epoch(net, data, opt=opt)\n",
    ),
    "what a method makes at each call is made with its object": (
        "class Loop:\n    def __init__(self, net):\n        self.net = net\n\n    def step(self, x):\n        opt = Adam(self.net.parameters())\n        opt.step(x)\n",
        "opt = Adam", {"action": "hoist"},
        "class Loop:\n    def __init__(self, net):\n        self.net = net\n        self.opt = Adam(self.net.parameters())\n\n    def step(self, x):\n        opt = self.opt\n        opt.step(x)\n",
    ),
    "a statement passes functions that read what it makes and that nobody calls on the way": (
        "opt = Adam(net)\ndef step(x):\n    opt.step(x)\nnet = Net()\nstep(3)\n", "opt = Adam", {"action": "move", "to": "net = Net()"},
        "def step(x):\n    opt.step(x)\nnet = Net()\nopt = Adam(net)\nstep(3)\n",
    ),
    "every so many turns, and at the last one": (
        "for i, x in enumerate(loader, 1):\n    if i % 8 == 0:\n        opt.step()\n", "opt.step()", {"action": "reach"},
        "for i, x in enumerate(loader, 1):\n    if i % 8 == 0 or i == len(loader):\n        opt.step()\n",
    ),
    "the same, counted from 0": (
        "for i, (x, y) in enumerate(self.data):\n    if (i + 1) % n == 0:\n        opt.step()\n", "opt.step()", {"action": "reach"},
        "for i, (x, y) in enumerate(self.data):\n    if (i + 1) % n == 0 or i + 1 == len(self.data):\n        opt.step()\n",
    ),
    "the same, where the count is divided as it is": (
        "for i, x in enumerate(data):\n    if i % n == n - 1:\n        opt.step()\n", "opt.step()", {"action": "reach"},
        "for i, x in enumerate(data):\n    if i % n == n - 1 or i == len(data) - 1:\n        opt.step()\n",
    ),
    "the prediction and the labels change places by name": (
        "c = xent(labels=p, logits=y, axis=1) + r\n", "xent(labels=p, logits=y, axis=1)", {"action": "exchange"}, "c = xent(labels=y, logits=p, axis=1) + r\n",
    ),
    "and by place": ("c = loss(f(x), y, w=1)\n", "loss(f(x), y, w=1)", {"action": "exchange"}, "c = loss(y, f(x), w=1)\n"),
    "a straight-through estimator is stopped in its difference alone": (
        "import jax\nq = jax.lax.stop_gradient(z + (n - z))\n", "jax.lax.stop_gradient(z + (n - z))", {"action": "narrow", "calls": ("stop_gradient",)},
        "import jax\nq = z + jax.lax.stop_gradient(n - z)\n",
    ),
    "the same by a method, the difference first": (
        "q = ((f(z) - z) + z).detach()\n", "((f(z) - z) + z).detach()", {"action": "narrow", "calls": ("detach",)}, "q = z + (f(z) - z).detach()\n",
    ),
    "what a method begins at each call is begun with its object": (
        "class Loop:\n    def __init__(self, data):\n        self.data = data\n\n    def batch(self):\n        return next(iter(self.data))\n",
        "next(iter(self.data))", {"action": "hoist", "text": "itertools.cycle(self.data)", "calls": ("next",), "written": "endless"},
        "import itertools\nclass Loop:\n    def __init__(self, data):\n        self.data = data\n        self.endless = itertools.cycle(self.data)\n\n    def batch(self):\n        return next(self.endless)\n",
    ),
    "the variable of a loop that counts is put back": (
        "for i, m in enumerate(maps):\n    m = unit(m)\n", "m = unit(m)", {"action": "element"}, "for i, m in enumerate(maps):\n    maps[i] = unit(m)\n",
    ),
    "the variable of a loop over a dictionary is put back": (
        "for k, p in params.items():\n    p -= r * g[k]\n", "p -= r", {"action": "element"}, "for k, p in params.items():\n    params[k] = p - r * g[k]\n",
    ),
    "a sum that is taken off stays together": (
        "for k, p in params.items():\n    p -= r * g[k] + d\n", "p -= r", {"action": "element"}, "for k, p in params.items():\n    params[k] = p - (r * g[k] + d)\n",
    ),
    "a loop over two lists counts, so that a variable can be put back": (
        "for p, g in zip(params, grads):\n    p -= rate * g\n", "p -= rate", {"action": "element"},
        "for i, (p, g) in enumerate(zip(params, grads)):\n    params[i] = p - rate * g\n",
    ),
    "a sum is taken of what was added to in place": (
        "h[i - 1] += f(x) if y else z  # up\n", "h[i - 1] +=", {"action": "part"}, "h[i - 1] = h[i - 1] + (f(x) if y else z)  # up\n",
    ),
    "a variable is updated by its method": (
        "for v, g in pairs:\n    v = v - rate * g  # step\n", "v = v", {"action": "assign"}, "for v, g in pairs:\n    v.assign_sub(rate * g)  # step\n",
    ),
    "a variable is added to by its method": ("v += g\n", "v +=", {"action": "assign"}, "v.assign_add(g)\n"),
    "a statement moves to the start of each turn": (
        "opt = Adam(0.1)\ny = 1\nfor f in folds:\n    m = make()\n    for x in f:\n        step(m, opt)\n", "opt = Adam",
        {"action": "move", "to": "step(m, opt)", "after": False, "around": "body"},
        "y = 1\nfor f in folds:\n    opt = Adam(0.1)\n    m = make()\n    for x in f:\n        step(m, opt)\n",
    ),
    "what a step hands out is kept under the names that it was given": (
        "def step(model, state, x):\n    return eqx.apply_updates(model, u), state, loss\nfor x in y:\n    _, _, loss = step(net, opt_state, x)\n",
        "_, _, loss", {"action": "keep"},
        "def step(model, state, x):\n    return eqx.apply_updates(model, u), state, loss\nfor x in y:\n    net, opt_state, loss = step(net, opt_state, x)\n",
    ),
    "what a step hands out to nobody is kept as far as it has a name": (
        "def step(p, x):\n    return p, loss\nfor x in y:\n    step(params, x)\n", "step(params, x)", {"action": "keep"},
        "def step(p, x):\n    return p, loss\nfor x in y:\n    params, _ = step(params, x)\n",
    ),
    "what a method makes anew is kept": ("state.apply_gradients(grads=g)\n", "state.apply", {"action": "keep"}, "state = state.apply_gradients(grads=g)\n"),
    "what a function of a library makes anew is kept": (
        "import optax\noptax.apply_updates(params, u)\n", "optax.apply", {"action": "keep"}, "import optax\nparams = optax.apply_updates(params, u)\n",
    ),
    "a statement moves behind the loop of an epoch": (
        "for e in z:\n    for x in y:\n        a()\n        s.step()\n    b()\n", "s.step()", {"action": "move", "to": "s.step()", "around": "epoch"},
        "for e in z:\n    for x in y:\n        a()\n    s.step()\n    b()\n",
    ),
    "a statement moves behind the loop of a function that a loop calls": (
        "def epoch(self):\n    for x in y:\n        a()\n        s.step()\nfor e in z:\n    t.epoch()\n", "s.step()",
        {"action": "move", "to": "s.step()", "around": "epoch"},
        "def epoch(self):\n    for x in y:\n        a()\n    s.step()\nfor e in z:\n    t.epoch()\n",
    ),
    "a call is made once more": (
        "m.compile(\n    loss='mse',\n)\nm.fit(x)\nb.trainable = True\nm.fit(x)\n", "b.trainable", {"action": "repeat", "calls": ("compile",)},
        "m.compile(\n    loss='mse',\n)\nm.fit(x)\nb.trainable = True\nm.compile(\n    loss='mse',\n)\nm.fit(x)\n",
    ),
    "a switch for good becomes one for the function": (
        "import torch\ndef check(m):\n    m.eval()\n    torch.set_grad_enabled(False)\n    return m()\n", "torch.set_grad",
        {"action": "decorate", "text": "torch.no_grad()"},
        "import torch\n@torch.no_grad()\ndef check(m):\n    m.eval()\n    return m()\n",
    ),
    "what is kept is made at each call": (
        "class A:\n    def w(self):\n        if self._w is None:\n            z = self.z\n            self._w = f(z)\n        return self._w\n", "self._w = f",
        {"action": "uncache"}, "class A:\n    def w(self):\n        z = self.z\n        self._w = f(z)\n        return self._w\n",
    ),
    "a property that is kept becomes a plain one": (
        "class A:\n    @cached_property\n    def w(self):\n        return f(self.z)\n", "return f", {"action": "uncache"},
        "class A:\n    @property\n    def w(self):\n        return f(self.z)\n",
    ),
    "a function that keeps what it gave forgets it": (
        "@lru_cache(maxsize=None)\ndef w(z):\n    return f(z)\n", "return f", {"action": "uncache"}, "def w(z):\n    return f(z)\n",
    ),
    "all that is written alike in a function changes": (
        "def step(x):\n    g = t.gradient(l, h.trainable_variables)\n    o.apply(zip(g, h.trainable_variables))\nh.trainable_variables\n", "g = t",
        {"action": "alike", "written": "h.trainable_variables", "text": "e.trainable_variables + {x}"},
        "def step(x):\n    g = t.gradient(l, e.trainable_variables + h.trainable_variables)\n    o.apply(zip(g, e.trainable_variables + h.trainable_variables))\nh.trainable_variables\n",
    ),
    "a function reads its own argument": (
        "import jax\ndef predict(p, x):\n    return x @ p\ndef loss(q, x):\n    y = predict(params, x)\n    return y.mean() + 0.1 * params.sum()\nparams = 1\n", "y = predict",
        {"action": "own"},
        "import jax\ndef predict(p, x):\n    return x @ p\ndef loss(q, x):\n    y = predict(q, x)\n    return y.mean() + 0.1 * q.sum()\nparams = 1\n",
    ),
    "a function reads its own argument for a part of an object": (
        "def loss(p, x):\n    y = state.apply_fn(state.params, x)\n    return y\n", "y = state", {"action": "own"},
        "def loss(p, x):\n    y = state.apply_fn(p, x)\n    return y\n",
    ),
    "what is made of a parameter is made before it": (
        "self.p = nn.Parameter(torch.randn(3) + 1) * 0.5\n", "self.p", {"action": "inward", "calls": ("Parameter",)},
        "self.p = nn.Parameter((torch.randn(3) + 1) * 0.5)\n",
    ),
    "a method of a parameter is called before it": (
        "self.p = nn.Parameter(torch.randn(3), requires_grad=True).to(device)\n", "self.p", {"action": "inward", "calls": ("Parameter",)},
        "self.p = nn.Parameter(torch.randn(3).to(device), requires_grad=True)\n",
    ),
    "a state that is dropped is carried over": (
        "def step(params, state, x):\n    updates, _ = tx.update(g, state, params)\n    return apply(params, updates), loss\nfor x in y:\n    params, loss = step(params, opt, x)\n",
        "updates, _", {"action": "carry"},
        "def step(params, state, x):\n    updates, state = tx.update(g, state, params)\n    return apply(params, updates), loss, state\nfor x in y:\n    params, loss, opt = step(params, opt, x)\n",
    ),
    "a state that goes out of its function is only kept": (
        "def step(params, state, x):\n    updates, _ = tx.update(g, state, params)\n    return params, state\n", "updates, _", {"action": "carry"},
        "def step(params, state, x):\n    updates, state = tx.update(g, state, params)\n    return params, state\n",
    ),
    "a state in the loop is kept": (
        "for x in y:\n    updates, _ = tx.update(g, state)\n", "updates, _", {"action": "carry"}, "for x in y:\n    updates, state = tx.update(g, state)\n",
    ),
    "a single result becomes two": (
        "def step(params, state):\n    updates, state = tx.update(g, state, params)\n    return params\nfor x in y:\n    params = step(params, state=s)\n",
        "updates, state", {"action": "carry"},
        "def step(params, state):\n    updates, state = tx.update(g, state, params)\n    return params, state\nfor x in y:\n    params, s = step(params, state=s)\n",
    ),
    "a decorator goes": ("@no_grad()\ndef f():\n    pass\n", "no_grad()", {"action": "dissolve"}, "def f():\n    pass\n"),
}  # fmt: skip

CASES["what a keyword is given is made elsewhere"] = (
    "decay = l2(2.0)\nm = Dense(3, kernel_regularizer=decay)\n", "Dense(3, kernel_regularizer=decay)",
    {"action": "wrap", "text": "{x} * 0.1", "calls": ("l2", "L2"), "position": 0},
    "decay = l2(2.0 * 0.1)\nm = Dense(3, kernel_regularizer=decay)\n",
)  # fmt: skip

REFUSALS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a statement whose result is used on the way": (
        "optimizer = make(a)\noptimizer.build(a)\nmodel = new()\n", "optimizer = make(a)", {"action": "move", "to": "model = new()"},
    ),
    "what a keyword is given in another function": (
        "def f():\n    decay = l2(2.0)\ndef g(decay):\n    return Dense(3, kernel_regularizer=decay)\n", "Dense(3, kernel_regularizer=decay)",
        {"action": "wrap", "text": "{x} * 0.1", "calls": ("l2", "L2"), "position": 0},
    ),
    "a statement of another function": (
        "def f():\n    opt = make(a)\n    return opt\nmodel = new()\n", "opt = make(a)", {"action": "move", "to": "model = new()"},
    ),
    "a statement that would stand before what it reads is made": (
        "grads = g(x)\nstep(grads)\nclear()\nshown = grads.norm()\n", "shown = grads.norm()", {"action": "move", "to": "grads = g(x)", "after": False},
    ),
    "a statement that reads what its loop goes through": (
        "for t in sums:\n    t.clear()\nstep(sums)\n", "t.clear()", {"action": "move", "to": "step(sums)"},
    ),
    "rows of three that belong together": ("def load(x, y, z):\n    x = x[order]\n    return x, y, z\n", "x[order]", {"action": "beside"}),
    "rows that are picked under another name": ("def load(x, y):\n    a = x[order]\n    return a, y\n", "x[order]", {"action": "beside"}),
    "what the function has no name for": (
        "def f(x):\n    return mse(net(x), x)\n", "mse(net(x), x)", {"action": "wrap", "position": 1, "written": "x", "text": "b['y']"},
    ),
    "a condition with an alternative": ("if ok:\n    opt.step()\nelse:\n    skip()\n", "opt.step()", {"action": "always"}),
    "one condition of several": ("if a:\n    pass\nelif ok:\n    opt.step()\n", "opt.step()", {"action": "always"}),
    "a statement without a condition": ("for x in y:\n    opt.step()\n", "opt.step()", {"action": "always"}),
    "a layer beside one that is called three times": (
        "class M:\n    def __init__(self):\n        self.b = B()\n\n    def call(self, x):\n        return self.a(self.a(self.a(x)))\n",
        "self.b = B()", {"action": "mistake", "written": "b"},
    ),
    "a forgotten method beside two that could be meant": (
        "class M:\n    def __init__(self):\n        self.b = B()\n\n    def f(self, h):\n        return h\n\n    def g(self, h):\n        return self.b(h)\n\n    def call(self, x):\n        return self.f(self.f(x))\n",
        "self.b = B()", {"action": "mistake", "written": "b"},
    ),
    "a method that is called": (
        "class M:\n    def __init__(self):\n        self.b = B()\n\n    def f(self, h):\n        return h\n\n    def g(self, h):\n        return self.b(h)\n\n    def call(self, x):\n        return self.f(x)\n\n    def test(self, x):\n        return self.g(x)\n",
        "self.b = B()", {"action": "mistake", "written": "b"},
    ),
    "a layer that its class reads": (
        "class M:\n    def __init__(self):\n        self.b = B()\n\n    def call(self, x):\n        if self.b:\n            return self.a(self.a(x))\n",
        "self.b = B()", {"action": "mistake", "written": "b"},
    ),
    "two calls with the same argument, all of which are read": (
        "class M:\n    def __init__(self):\n        self.b = B()\n\n    def call(self, x):\n        return self.a(x) + self.a(x)\n",
        "self.b = B()", {"action": "mistake", "written": "b"},
    ),
    "a forward that asks its context": (
        "class F(Function):\n    @staticmethod\n    def forward(ctx, x):\n        return x if ctx.needs_input_grad[0] else 0\n\n    @staticmethod\n    def backward(ctx, g):\n        return g\n",
        "return g", {"action": "derive"},
    ),
    "a derivative of nothing that is known": ("def bwd(x, g):\n    return (g,)\n", "return (g", {"action": "derive"}),
    "a derivative that is made elsewhere": ("@tf.custom_gradient\ndef f(x):\n    return x, make(x)\n", "return x", {"action": "derive"}),
    "a return": ("def f():\n    g()\n    return make(a)\n", "return make(a)", {"action": "move", "to": "g()"}),
    "a layer with a name": ("self.out = nn.Softmax(dim=1)\n", "nn.Softmax(dim=1)", {"action": "unwrap"}),
    "two calls of that name on one line": ("a, b = sigmoid(x), sigmoid(y)\n", "a, b", {"action": "unwrap", "calls": ("sigmoid",)}),
    "a line of two statements": ("a(); b()\n", "a()", {"action": "drop"}),
    "a loss made in two places": (
        "c = NLLLoss()\nif z:\n    c = NLLLoss()\nl = c(h)\n", "c(h)", {"action": "callee", "calls": ("NLLLoss",), "text": "f|G"},
    ),
    "arguments behind a star": ("s = f(*h)\n", "f(*h)", {"action": "argument", "keyword": "dim", "text": "1"}),
    "an argument that is not written as it was in a call of several": (
        "out = model(ids, mask, labels=y)\n", "model(ids, mask, labels=y)", {"action": "wrap", "position": 1, "written": "target", "text": "{x}.long()"},
    ),
    "what a function makes of what is another one at each turn": (
        "def step(net):\n    opt = Adam(net.parameters())\nfor net in nets:\n    step(net)\n", "opt = Adam", {"action": "hoist"},
    ),
    "what a function makes of what it reckons": (
        "def step(net):\n    p = net.parameters()\n    opt = Adam(p)\nfor x in y:\n    step(net)\n", "opt = Adam", {"action": "hoist"},
    ),
    "what a function makes that is called from two places": (
        "def step(net):\n    opt = Adam(net)\nfor x in y:\n    step(net)\n    step(net)\n", "opt = Adam", {"action": "hoist"},
    ),
    "what a function makes that no loop calls": ("def step(net):\n    opt = Adam(net)\nstep(net)\n", "opt = Adam", {"action": "hoist"}),
    "what a function makes under a name that is taken where it is called": (
        "def step(net):\n    opt = Adam(net)\nopt = 3\nfor x in y:\n    step(net)\n", "opt = Adam", {"action": "hoist"},
    ),
    "what a method makes of what it is given": (
        "class Loop:\n    def __init__(self):\n        self.x = 1\n    def step(self, net):\n        opt = Adam(net)\n", "opt = Adam", {"action": "hoist"},
    ),
    "what a method makes of what its object gets later": (
        "class Loop:\n    def __init__(self):\n        self.x = 1\n    def step(self):\n        opt = Adam(self.net)\n", "opt = Adam", {"action": "hoist"},
    ),
    "what a method makes that keeps another thing under the name": (
        "class Loop:\n    def __init__(self):\n        self.net = 1\n        self.opt = 2\n    def step(self):\n        opt = Adam(self.net)\n",
        "opt = Adam", {"action": "hoist"},
    ),
    "a statement that would pass the call of a function which reads what it makes": (
        "opt = Adam(net)\ndef step(x):\n    opt.step(x)\nstep(3)\nnet = Net()\n", "opt = Adam", {"action": "move", "to": "net = Net()"},
    ),
    "a statement that would pass an object whose method reads what it makes": (
        "opt = Adam(net)\nclass Loop:\n    def __init__(self):\n        opt.step()\nl = Loop()\nnet = Net()\n", "opt = Adam", {"action": "move", "to": "net = Net()"},
    ),
    "a condition on something else than turns": ("for i, x in enumerate(data):\n    if warm:\n        opt.step()\n", "opt.step()", {"action": "reach"}),
    "turns that another number counts": ("for i, x in enumerate(data):\n    if n % 8 == 0:\n        opt.step()\n", "opt.step()", {"action": "reach"}),
    "turns of a loop that counts none": ("for x in data:\n    if n % 8 == 0:\n        opt.step()\n", "opt.step()", {"action": "reach"}),
    "turns of what has no name": ("for i, x in enumerate(f(y)):\n    if i % 8 == 0:\n        opt.step()\n", "opt.step()", {"action": "reach"}),
    "a condition in no loop": ("if i % 8 == 0:\n    opt.step()\n", "opt.step()", {"action": "reach"}),
    "a sum that is no straight-through estimator": ("q = (z + (n - y)).detach()\n", "(z + (n - y)).detach()", {"action": "narrow", "calls": ("detach",)}),
    "what is stopped under a name": ("s = z + (n - z)\nq = s.detach()\n", "s.detach()", {"action": "narrow", "calls": ("detach",)}),
    "what a method begins of what its object gets later": (
        "class Loop:\n    def __init__(self):\n        self.x = 1\n    def batch(self):\n        return next(iter(self.data))\n",
        "next(iter(self.data))", {"action": "hoist", "text": "itertools.cycle(self.data)", "calls": ("next",), "written": "endless"},
    ),
    "what a method begins under a name that its object has": (
        "class Loop:\n    def __init__(self, data):\n        self.data, self.endless = data, 1\n    def batch(self):\n        return next(iter(self.data))\n",
        "next(iter(self.data))", {"action": "hoist", "text": "itertools.cycle(self.data)", "calls": ("next",), "written": "endless"},
    ),
    "what begins in a function of no class": (
        "def batch(self):\n    return next(iter(self.data))\n",
        "next(iter(self.data))", {"action": "hoist", "text": "itertools.cycle(self.data)", "calls": ("next",), "written": "endless"},
    ),
    "what is to stand before a loop that is not there": (
        "def batch(data):\n    return next(iter(data))\n", "next(iter", {"action": "insert", "text": "a = 1", "after": False, "around": "loop"},
    ),
    "a variable of a loop over something without a name": ("for m in f(x):\n    m = g(m)\n", "m = g(m)", {"action": "element"}),
    "a variable that is no loop's": ("for m in maps:\n    n = g(m)\n", "n = g(m)", {"action": "element"}),
    "a product that is no update": ("v = v * g\n", "v = v", {"action": "assign"}),
    "what does not begin with its own name": ("v = w - g\n", "v = w", {"action": "assign"}),
    "what a step hands out under no name that it was given": (
        "def step(p, x):\n    return f(x)\nstep(params, 3)\n", "step(params", {"action": "keep"},
    ),
    "a call within another": ("def step(p, x):\n    return p\nlosses.append(step(params, 3))\n", "step(params, 3)", {"action": "keep"}),
    "a result that has a name": ("import optax\nq = optax.apply_updates(params, u)\n", "q = optax", {"action": "keep"}),
    "a statement of a loop that runs once": (
        "def train():\n    for x in y:\n        a()\n        s.step()\ntrain()\n", "s.step()", {"action": "move", "to": "s.step()", "around": "epoch"},
    ),
    "data that no loop reads": (
        "x = load()\nstep(x)\n", "step(x)", {"action": "insert", "text": "x = x / 9", "after": False, "around": "loop", "written": "x"},
    ),
    "data that two calls hand in": (
        "def step(x):\n    return f(x)\nfor i in r:\n    step(x[i])\nstep(test)\n", "return f",
        {"action": "insert", "text": "x = x / 9", "after": False, "around": "loop", "written": "x"},
    ),
    "data without a name": (
        "def step(x):\n    return f(x)\nfor i in r:\n    step(next(it))\n", "return f",
        {"action": "insert", "text": "x = x / 9", "after": False, "around": "loop", "written": "x"},
    ),
    "data that the loop makes": (
        "for x in loader:\n    step(x)\n", "step(x)", {"action": "insert", "text": "x = x / 9", "after": False, "around": "loop", "written": "x"},
    ),
    "data that the loop binds anew": (
        "for e in range(9):\n    x, y = batch()\n    step(x)\n", "step(x)",
        {"action": "insert", "text": "x = x / 9", "after": False, "around": "loop", "written": "x"},
    ),
    "copies that nothing reads": ("ws = m.get_weights()\nstep()\n", "ws = m", {"action": "put back"}),
    "copies of another make": ("ws = list(m.weights)\nws += 1\n", "ws = list", {"action": "put back"}),
    "a layer frozen without a loop": ("net.requires_grad_(False)\n", "net.requires", {"action": "thaw", "text": "head"}),
    "a loop through no model": ("for p in ps:\n    p.requires_grad = False\n", "p.requires", {"action": "thaw", "text": "head"}),
    "groups of two models": ("g = [a.parameters(), b.parameters()]\nopt = SGD(g)\n", "SGD(g)", {"action": "group", "text": '("fc.",)'}),
    "groups that come from elsewhere": ("opt = SGD(g)\n", "SGD(g)", {"action": "group", "text": '("fc.",)'}),
    "an optimizer without a name": ("g = a.parameters()\nrun(SGD(g))\n", "SGD(g)", {"action": "group", "text": '("fc.",)'}),
    "a layer that is called where it is made": ("h = Dense(10)(x)\n", "Dense(10)", {"action": "enlist", "text": "f()"}),
    "a layer that is kept under a name": ("self.fc = Dense(10)\n", "Dense(10)", {"action": "enlist", "text": "f()"}),
    "a function that returns something": ("def f(x):\n    loss = g(x)\n    return x\n", "loss = g", {"action": "return"}),
    "what is made under a condition": ("def f(x):\n    if x:\n        loss = g(x)\n", "loss = g", {"action": "return"}),
    "what has no name": ("def f(x):\n    g(x)\n", "g(x)", {"action": "return"}),
    "a call that comes later": ("b.trainable = True\nm.compile()\n", "b.trainable", {"action": "repeat", "calls": ("compile",)}),
    "a call of another function": (
        "def build():\n    m.compile()\nb.trainable = True\n", "b.trainable", {"action": "repeat", "calls": ("compile",)},
    ),
    "a switch outside a function": ("import torch\ntorch.set_grad_enabled(False)\n", "torch.set", {"action": "decorate", "text": "torch.no_grad()"}),
    "what depends on something else than whether it is there": (
        "if fast:\n    self.w = f(z)\n", "self.w", {"action": "uncache"},
    ),
    "what is made where nothing asks": ("self.w = f(z)\n", "self.w", {"action": "uncache"}),
    "an argument that is read already": ("def loss(p, x):\n    y = f(w, x)\n    return y + p\n", "y = f(w", {"action": "own"}),
    "two names of around a function": ("def loss(p, x):\n    return w * x + b\n", "return w", {"action": "own"}),
    "a line outside of a function": ("y = w * x\n", "y = w", {"action": "own"}),
    "a parameter alone": ("self.p = nn.Parameter(x)\n", "self.p", {"action": "inward", "calls": ("Parameter",)}),
    "a state that is carried over already": (
        "def step(p, s):\n    u, s = tx.update(g, s, p)\n    return p, s\n", "u, s", {"action": "carry"},
    ),
    "a state under other names": ("u, new = tx.update(g, s, p)\n", "u, new", {"action": "carry"}),
    "a state of a function that is called in two places": (
        "def step(p, s):\n    u, _ = tx.update(g, s, p)\n    return p\np = step(p, s)\np = step(p, s)\n", "u, _", {"action": "carry"},
    ),
    "a function that evaluation calls too": (
        "def f(x):\n    return m(x, training=False)\na = f(1)\nb = f(2)\n", "m(x, training=False)",
        {"action": "wrap", "text": "True", "keyword": "training", "around": "once"},
    ),
    "one argument alone, to be exchanged": ("c = loss(p)\n", "loss(p)", {"action": "exchange"}),
    "arguments in a tuple": ("c = loss(*both)\n", "loss(*both)", {"action": "exchange"}),
    "names that tell nothing": ("c = loss(a=x, b=y)\n", "loss(a=x, b=y)", {"action": "exchange"}),
    "the first argument already": ("o = chain(clip(1.0), adam(0.1))\n", "clip(1.0)", {"action": "lead"}),
    "no argument": ("o = clip(1.0)\n", "clip(1.0)", {"action": "lead"}),
    "two calls that allow it": ("f = jit(a, donate=0)\ng = jit(b, donate=0)\nx\n", "x", {"action": "argument", "keyword": "donate", "around": "file"}),
    "a block that reads it on the way": ("o = Adam()\nfor i in r:\n    o.step()\nm = 1\n", "o = Adam()", {"action": "postpone", "to": "m = 1"}),
    "a place before it": ("m = 1\no = Adam()\n", "o = Adam()", {"action": "postpone", "to": "m = 1"}),
    "a place in another block": ("def f():\n    o = 1\ndef g():\n    m = 1\n", "o = 1", {"action": "postpone", "to": "m = 1"}),
    "a function that is not given it": ("b = a + 1\ndef f(p):\n    return b\n", "b = a + 1", {"action": "take in", "to": "return b"}),
    "what others read too": ("b = p + 1\ndef f(p):\n    return b\nprint(b)\n", "b = p + 1", {"action": "take in", "to": "return b"}),
    "nothing that is changed in place": ("h = h + f(x)\n", "h = h", {"action": "part"}),
    "no expression at the place": ("s = f(h)\n", "= f", {"action": "unwrap"}),
    "no statement at the place": ("s = 1\n# two\n", "# two", {"action": "drop"}),
}  # fmt: skip


def edit(text: str, fragment: str, options: dict[str, Any]) -> Edit:
    """The edit at a fragment; `to` is given as a fragment too."""
    to = options.get("to")
    return Edit(**{**options, "site": at(text, fragment), "to": at(text, to) if to else None})


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_edit_changes_what_it_is_about(case: tuple[str, str, dict[str, Any], str]):
    text, fragment, options, expected = case

    assert edited(text, (edit(text, fragment, options),), "train.py") == expected


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_edit_changes_nothing_the_second_time(case: tuple[str, str, dict[str, Any], str]):
    text, fragment, options, _ = case
    once = edited(text, (edit(text, fragment, options),), "train.py")

    try:
        twice = edited(once, (edit(text, fragment, options),), "train.py")
    except Refused:
        twice = once

    assert twice == once


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
def test_an_edit_that_is_not_clear_is_refused(case: tuple[str, str, dict[str, Any]]):
    text, fragment, options = case

    with pytest.raises(Refused):
        edited(text, (edit(text, fragment, options),), "train.py")


def test_there_is_a_case_of_every_kind_of_edit():
    elsewhere = {"translate"}  # test_translating.py

    assert {options["action"] for _, _, options, _ in CASES.values()} == set(get_args(Action)) - elsewhere


def test_where_no_column_is_known_the_argument_tells_the_call():
    text = "y = f(model(x, training=False), z)\n"
    wanted = Edit("wrap", at(text, "y", columns=False), "True", keyword="training")

    assert edited(text, (wanted,), "train.py") == "y = f(model(x, training=True), z)\n"


def test_edits_inside_one_another_are_all_made():
    text = "import torch\nz = torch.tensor(f(x).item())\n"
    outer = edit(text, "torch.tensor(f(x).item())", {"action": "unwrap"})

    assert edited(text, (outer, edit(text, "f(x).item()", {"action": "unwrap"})), "train.py") == "import torch\nz = f(x)\n"


def test_line_ends_of_windows_stay():
    text = "a()\r\nb()\r\n"

    assert edited(text, (edit(text.replace("\r", ""), "a()", {"action": "insert", "text": "z()"}),), "train.py") == "a()\r\nz()\r\nb()\r\n"


def test_a_statement_is_found_by_what_it_calls():
    text = "for w in model.parameters():\n    nn.init.zeros_(w.weight)\n    nn.init.zeros_(w.bias)\n"
    drop = Edit("drop", Site("train.py", 1), calls=("zeros_",), written="weight")

    assert edited(text, (drop,), "train.py") == "for w in model.parameters():\n    nn.init.zeros_(w.bias)\n"
    with pytest.raises(Refused, match="several statements"):
        edited(text, (replace(drop, written=""),), "train.py")
    with pytest.raises(Refused, match="no statement"):
        edited(text, (replace(drop, calls=("ones_",)),), "train.py")
