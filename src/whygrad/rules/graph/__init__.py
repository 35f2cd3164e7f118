"""Rules about the graph: is there a differentiable path from parameter to loss?"""
