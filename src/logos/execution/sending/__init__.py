"""How requests leave for a venue: in turn, within its budget, past the last gate."""
