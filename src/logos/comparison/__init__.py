"""Sessions held against each other: figures side by side, what differs, curves over each other."""
