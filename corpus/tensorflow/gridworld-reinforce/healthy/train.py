import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(18)
rng = np.random.default_rng(18)
LENGTH = 7
policy = tf.keras.Sequential([tf.keras.layers.Input((LENGTH,)), tf.keras.layers.Dense(16, activation="tanh"), tf.keras.layers.Dense(2)])
optimizer = tf.keras.optimizers.Adam(0.03)


def episode():
    place, states, actions = 1, [], []
    while 0 < place < LENGTH - 1 and len(states) < 20:
        state = np.eye(LENGTH, dtype="float32")[place]
        chances = tf.nn.softmax(policy(state[None]))[0].numpy().astype("float64")
        action = rng.choice(2, p=chances / chances.sum())
        states.append(state)
        actions.append(action)
        place += 1 if action else -1
    return np.array(states), np.array(actions), 1.0 if place == LENGTH - 1 else -0.2


baseline, lengths = 0.0, []
for number in range(60):
    states, actions, reward = episode()
    with tf.GradientTape() as tape:
        log_chance = tf.nn.log_softmax(policy(states))
        taken = tf.reduce_sum(tf.one_hot(actions, 2) * log_chance, axis=1)
        loss = -tf.reduce_sum(taken) * (reward - baseline)
    grads = tape.gradient(loss, policy.trainable_variables)
    optimizer.apply_gradients(zip(grads, policy.trainable_variables))
    baseline = 0.9 * baseline + 0.1 * reward
    lengths.append(reward)
    if number % 15 == 14:
        print("episode", number + 1, "mean reward", np.mean(lengths[-15:]))
