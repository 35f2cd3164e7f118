def ramp(step, length):
    """Rises from 0 to 1 over `length` steps, then stays."""
    return min(1.0, step / length)
