"""5xx: are the numbers fit to learn from?"""
