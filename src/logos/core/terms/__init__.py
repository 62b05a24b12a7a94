"""What the terms of an instrument come to: its hours, what a position earns and costs over time."""
