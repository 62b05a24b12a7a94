"""What single cells say: figures, times, and which column holds what."""
