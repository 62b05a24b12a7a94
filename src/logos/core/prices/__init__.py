"""Whether a price is the market's: what it is compared with, and what follows when it is not."""
