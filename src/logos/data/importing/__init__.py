"""Other people's files into the project's own CSV."""
