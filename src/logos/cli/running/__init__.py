"""Running sessions, whatever their workspace: which there are, and how they are stopped."""
