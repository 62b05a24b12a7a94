"""What the class of a strategy declares of itself, before there is one."""
