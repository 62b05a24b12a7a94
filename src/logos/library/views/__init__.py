"""A result as others see it: in a notebook, as a drawing."""
