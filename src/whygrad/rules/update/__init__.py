"""4xx: does the gradient move the parameters?"""
