"""What money was due, by the settings alone: fees, and what positions and cash cost over time."""
