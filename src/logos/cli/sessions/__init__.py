"""`logos sessions`: list, show, measure and prune the sessions of a workspace."""
