"""Sessions as they lie on the disk: which there are, how they ended, their sizes, pruning."""
