"""One strategy over many parameters: a session for each, on all cores or many machines."""
