import keras
import numpy as np

from vit import build

keras.utils.set_random_seed(12)
rng = np.random.default_rng(12)
icon = rng.integers(0, 4, 240)
drawing = (rng.random((4, 16, 16, 1)) > 0.5)[icon] + 0.3 * rng.normal(size=(240, 16, 16, 1))
model = build()
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=0.003, weight_decay=1e-4),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(drawing.astype("float32"), icon, batch_size=20, epochs=4, validation_split=0.1, verbose=2)
