"""1xx: do the labels reach the gradient?"""
