"""Pictures that are turned without what belongs to them, by what they look like."""

from math import inf

import numpy as np
import pytest

from whygrad.frontends.source import Sources
from whygrad.frontends.turned import Counts, planes, turning_site
from whygrad.ir import Turning
from whygrad.rules.labels.turning import apart


def counted(make, rows=64, size=32):
    rng = np.random.default_rng(0)
    pairs = [make(rng, size) for _ in range(rows)]
    counts = Counts()
    counts.add(*(planes(np.array(side)) for side in zip(*pairs, strict=True)))
    return counts


def mask(rng, size):
    wide = int(rng.integers(4, 10))
    row, column = rng.integers(1, size - wide - 1, 2)
    found = np.zeros((size, size))
    found[row : row + wide, column : column + wide] = 1
    return found


def aligned(rng, size):
    own = mask(rng, size)
    return own + rng.normal(0, 0.4, own.shape), own


def flipped(rng, size):
    image, own = aligned(rng, size)
    return image[:: rng.choice([1, -1]), :: rng.choice([1, -1])], own


def light(rng, size):
    across, down = np.meshgrid(*2 * [np.linspace(-1, 1, size)])
    angle = rng.random() * 2 * np.pi
    return across * np.cos(angle) + down * np.sin(angle) + rng.normal(0, 0.1, (size, size)), mask(rng, size)


def noise(rng, size):
    return rng.normal(size=(size, size)), mask(rng, size)


@pytest.mark.parametrize("size", [16, 32, 64])
def test_flips_of_one_side_are_counted(size):
    counts = counted(flipped, size=size)

    assert apart(Turning("[0]", "[1]", counts.rows, counts.straight, counts.turned, counts.chance))


@pytest.mark.parametrize("size", [12, 16, 32, 64])
@pytest.mark.parametrize("make", [aligned, light, noise])
def test_pairs_that_belong_together_or_have_nothing_in_common(make, size):
    counts = counted(make, size=size)

    assert not apart(Turning("[0]", "[1]", counts.rows, counts.straight, counts.turned, counts.chance))


def test_what_is_no_picture_has_no_planes():
    assert planes(np.zeros((4, 3, 2))) is None
    assert planes(np.zeros((4, 9))) is None
    large, last = planes(np.zeros((4, 3, 200, 100))), planes(np.zeros((4, 20, 30, 3)))

    assert large is not None
    assert large.shape == (4, 100, 50)
    assert last is not None
    assert last.shape == (4, 20, 30)


def example(image, image_mod):
    if image.mean() > 0:
        image = image_mod.flipud(image)
    return image[:, ::-1]


def plain_example(image):
    return image[::2]


def test_the_first_turn_of_a_function_is_its_place():
    found, other = (turning_site(function.__code__, Sources(inf)) for function in (example, plain_example))

    assert "flipud" in found.text
    assert "def plain_example" in other.text
