"""Pictures and masks that a function of a data set moves by chance: read from its graph, nothing is run."""

import pytest

from frontends.tensorflow.tensorflow_here import recorded
from whygrad.flow import Index
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.augmenting import moved_apart
from whygrad.rules.labels import misaligned_labels

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

PICTURES = (tf.zeros((4, 8, 8, 3)), tf.zeros((4, 8, 8, 1)))


def flips(image, mask):
    return tf.image.random_flip_left_right(image), tf.image.random_flip_left_right(mask)


def coins(image, mask):
    if tf.random.uniform(()) > 0.5:
        image = tf.image.flip_up_down(image)
    if tf.random.uniform(()) > 0.5:
        mask = tf.image.flip_up_down(mask)
    return image, mask


def crops(image, mask):
    return tf.image.random_crop(image, (4, 4, 3)), tf.image.random_crop(mask, (4, 4, 1))


def first_together(image, mask):
    both = tf.image.random_crop(tf.concat([image, mask], -1), (4, 4, 4))
    return tf.image.random_flip_left_right(both[..., :3]), tf.image.random_flip_left_right(both[..., 3:])


def seeds(image, mask):
    one, other = (tf.random.uniform((2,), maxval=1000, dtype=tf.int32) for _ in range(2))
    return tf.image.stateless_random_crop(image, (4, 4, 3), one), tf.image.stateless_random_crop(mask, (4, 4, 1), other)


def one_seed(image, mask):
    return tf.image.random_flip_left_right(image, seed=4), tf.image.random_flip_left_right(mask, seed=4)


def one_drawn_seed(image, mask):
    seed = tf.random.uniform((2,), maxval=1000, dtype=tf.int32)
    return tf.image.stateless_random_crop(image, (4, 4, 3), seed), tf.image.stateless_random_crop(mask, (4, 4, 1), seed)


def one_coin(image, mask):
    if tf.random.uniform(()) > 0.5:
        image, mask = tf.image.flip_left_right(image), tf.image.flip_left_right(mask)
    return tf.image.random_brightness(image, 0.2), mask


def together(image, mask):
    both = tf.image.random_flip_left_right(tf.concat([image, mask], -1))
    return both[..., :3], both[..., 3:]


def views(image, _mask):
    return tf.image.random_flip_left_right(image), tf.image.random_flip_left_right(image)


def noises(image, mask):
    return image + tf.random.normal((8, 8, 3)), mask + tf.random.normal((8, 8, 1))


def not_at_all(image, mask):
    return image / 255.0, mask


@pytest.mark.parametrize("function", [flips, coins, crops, first_together, seeds])
def test_two_draws_are_told_with_their_lines(function):
    found = moved_apart(tf.data.Dataset.from_tensor_slices(PICTURES).map(function).shuffle(4).batch(2))["apart"]

    assert found[0] == found[4] == __file__
    assert found[2] == found[6] == function.__name__


@pytest.mark.parametrize("function", [one_seed, one_drawn_seed, one_coin, together, views, noises, not_at_all])
def test_one_draw_for_both_is_fine(function):
    assert not moved_apart(tf.data.Dataset.from_tensor_slices(PICTURES).map(function).batch(2))


def test_classes_are_not_moved():
    data = tf.data.Dataset.from_tensor_slices((PICTURES[0], tf.zeros((4,))))

    assert not moved_apart(data.map(lambda image, label: (tf.image.random_flip_left_right(image), label)))
    assert not moved_apart(None)


PROGRAM = """
    import numpy as np, tensorflow as tf

    def moved(image, mask):
        image = tf.image.random_flip_left_right(image)
        mask = tf.image.random_flip_left_right(mask)
        return image, mask

    masks = (np.random.random((32, 8, 8, 1)) > 0.5).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((masks + 0.1, masks)).map(moved).batch(8)
    model = tf.keras.Sequential([tf.keras.layers.Input((8, 8, 1)), tf.keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
    model.compile(optimizer="adam", loss="binary_crossentropy")
    model.fit(data, epochs=2, verbose=0)
"""


def test_a_program_whose_masks_are_flipped_apart_is_told_so(tmp_path):
    (found,) = misaligned_labels.diagnose.check(Index(recorded(tmp_path, PROGRAM)))

    assert found.site is not None
    assert (found.site.line, found.severity) == (6, "error")
