"""The kill switch, and what watches and rehearses it."""
