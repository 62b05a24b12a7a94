"""For tests, ours and those of people who build on logos: a core from keywords, and an auditor."""
