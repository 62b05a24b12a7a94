"""What a person sees of a session while it runs and when it has ended."""
