import io
import random

HEADER = "pressure,flow,heat,vibration,version,wear"


def export(rows=300, seed=321):
    rnd = random.Random(seed)
    out = [HEADER]
    for _ in range(rows):
        p, f, h, v = (rnd.gauss(0, 1) for _ in range(4))
        wear = 0.8 * v + 0.5 * h - 0.3 * p * f + rnd.gauss(0, 0.05)
        out.append(",".join(f"{value:.4f}" for value in (p, f, h, v, 1, wear)))
    return io.StringIO("\n".join(out))


def parse(stream):
    next(stream)
    features, targets = [], []
    for line in stream:
        values = [float(v) for v in line.split(",")]
        features.append(values[:4])
        targets.append(values[-2])
    return features, targets
