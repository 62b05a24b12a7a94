"""What comes into a live session: its inbox, and what is done with the batches it gives."""
