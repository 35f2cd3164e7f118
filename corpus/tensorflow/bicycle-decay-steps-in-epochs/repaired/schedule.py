import tensorflow as tf

EPOCHS = 10


def optimizer():
    schedule = tf.keras.optimizers.schedules.PolynomialDecay(
        initial_learning_rate=0.01,
        decay_steps=30 * EPOCHS,
        end_learning_rate=0.0,
    )
    return tf.keras.optimizers.Adam(schedule)
