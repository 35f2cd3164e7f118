"""Parameters that an update was added to though the derivative was taken by others."""

import jax.numpy as jnp

from whygrad.frontends.jax.strangers import strangers

KERNEL, BIAS = jnp.arange(6.0).reshape(3, 2), jnp.zeros(2)
OTHER = jnp.ones((3, 2))


def test_another_model_of_the_same_make_is_a_stranger_though_its_biases_are_equal():
    assert strangers({"w": OTHER, "b": jnp.zeros(2)}, [KERNEL, BIAS]) == ("f32[3,2]", "f32[2]")


def test_what_was_differentiated_and_copies_of_it_are_none():
    assert strangers({"w": KERNEL, "b": BIAS}, [KERNEL, BIAS]) == ()
    assert strangers({"w": KERNEL + 0, "b": BIAS + 0}, [KERNEL, BIAS]) == ()


def test_nothing_is_known_without_both():
    assert strangers({}, [KERNEL]) == ()
    assert strangers({"w": KERNEL}, []) == ()
