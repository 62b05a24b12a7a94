"""What sessions wrote, in a browser: live and finished ones, read only, in its own process."""
