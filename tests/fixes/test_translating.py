"""What NumPy reckons in a function, written with the framework's own functions."""

import pytest

from whygrad.diagnosis import Edit
from whygrad.fixes.patching import edited
from whygrad.fixes.refusals import Refused
from whygrad.ir import Site

HEAD = "import numpy as np\nimport torch\nimport tensorflow as tf\nimport jax.numpy as jnp\n"
WITHIN: dict[str, tuple[str, str, str, str]] = {
    "a loss": (
        "torch",
        "    f = p.detach().cpu().numpy()\n    a = y.numpy()\n    value = np.mean(2 * np.abs(f - a), axis=0)\n    return torch.tensor(value, requires_grad=True)\n",
        "value",
        "    f = p\n    a = y\n    value = torch.mean(2 * torch.abs(f - a), dim=0)\n    return value\n",
    ),
    "an array beside the tensor": (
        "torch",
        "    error = p.detach().numpy() - y.numpy()\n    return torch.tensor(np.mean(w * error**2), dtype=torch.float32)\n",
        "error",
        "    error = p - y\n    return torch.mean(torch.as_tensor(w) * error**2)\n",
    ),
    "the way back to the same name": (
        "torch",
        "    stats = np.quantile(p.detach().numpy(), w, axis=-1)\n    stats = torch.from_numpy(stats.astype(np.float32))\n    return stats\n",
        "stats",
        "    stats = torch.quantile(p, torch.as_tensor(w), dim=-1)\n    return stats\n",
    ),
    "numbers in a list": (
        "torch",
        "    return torch.tensor([p.item(), y.item()], requires_grad=True).sum()\n",
        "return",
        "    return torch.stack([p, y]).sum()\n",
    ),
    "what is logged on the way": (
        "torch",
        "    total = y.sum().item()\n    f = p.detach().numpy()\n    print(len(f), total)\n    return torch.from_numpy(np.exp(f))\n",
        "f",
        "    total = y.sum().item()\n    f = p\n    print(len(f), total)\n    return torch.exp(f)\n",
    ),
    "methods of arrays": (
        "keras.ops",
        "    pose = p.numpy().reshape(-1, 4, 2)\n    far = np.sum(pose**2, axis=2).mean()\n    return tf.constant(far, dtype=tf.float32)\n",
        "pose",
        "    pose = tf.keras.ops.reshape(p, (-1, 4, 2))\n    far = tf.keras.ops.mean(tf.keras.ops.sum(pose**2, axis=2))\n    return far\n",
    ),
    "a function of arrays in JAX": (
        "jax.numpy",
        "    worst = np.percentile(p, 5)\n    return jnp.mean(p) - np.asarray(worst)\n",
        "worst",
        "    worst = jnp.percentile(p, 5)\n    return jnp.mean(p) - jnp.asarray(worst)\n",
    ),
}  # fmt: skip


def translated(body: str, library: str, leaves: str) -> str:
    return edited(f"{HEAD}def f(p, y, w):\n{body}", (translation(body, library, leaves),), "a.py")


def translation(body: str, library: str, leaves: str) -> Edit:
    """The edit of this function's text."""
    lines = f"{HEAD}def f(p, y, w):\n{body}".splitlines()
    site = next(Site("a.py", at + 1, text=line) for at, line in enumerate(lines) if line.lstrip().startswith(leaves))
    end = Site("a.py", len(lines), text=lines[-1])
    last = next(
        (Site("a.py", at + 1, text=line) for at, line in enumerate(lines) if any(way in line for way in ("torch.tensor(", "from_numpy(", "constant("))),
        end,
    )  # fmt: skip
    return Edit("translate", site, library, to=None if library == "jax.numpy" else last)


@pytest.mark.parametrize(("library", "body", "leaves", "becomes"), WITHIN.values(), ids=WITHIN)
def test_what_becomes_of_a_function(library: str, body: str, leaves: str, becomes: str) -> None:
    assert translated(body, library, leaves) == f"{HEAD}def f(p, y, w):\n{becomes}"


@pytest.mark.parametrize(("library", "body", "leaves", "becomes"), WITHIN.values(), ids=WITHIN)
def test_a_second_time_changes_nothing(library: str, body: str, leaves: str, becomes: str) -> None:
    once = translated(body, library, leaves)

    assert becomes in once
    with pytest.raises(Refused):
        edited(once, (translation(body, library, leaves),), "a.py")


REFUSED = {
    "a function without counterpart": ("    f = np.median(p.numpy())\n    return torch.tensor(f)\n", "`numpy.median` has no counterpart"),
    "a list that is filled elsewhere": (
        "    parts = []\n    kept = p.item()\n    parts.append(kept)\n    return torch.tensor(parts)\n", "can't be followed",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_left_to_the_user(body: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        translated(body, "torch", "kept" if "kept" in body else "f")


def test_two_functions_are_not_followed() -> None:
    text = f"{HEAD}def g(p):\n    return p.numpy()\ndef f(p):\n    return torch.tensor(g(p))\n"
    site, to = Site("a.py", 6, text="    return p.numpy()"), Site("a.py", 8, text="    return torch.tensor(g(p))")

    with pytest.raises(Refused, match="in one function and comes back in another"):
        edited(text, (Edit("translate", site, "torch", to=to),), "a.py")


def test_a_function_that_gets_arrays_is_called_with_the_tensors() -> None:
    text = f"{HEAD}def w(a, b):\n    return np.mean(np.abs(a - b)).astype('float32')\ndef f(y, p):\n    return tf.numpy_function(w, [y, p], tf.float32)\n"
    site = Site("a.py", 8, text="    return tf.numpy_function(w, [y, p], tf.float32)")

    made = edited(text, (Edit("translate", site, "keras.ops"),), "a.py")

    assert made == f"{HEAD}def w(a, b):\n    return tf.keras.ops.mean(tf.keras.ops.abs(a - b))\ndef f(y, p):\n    return w(y, p)\n"
