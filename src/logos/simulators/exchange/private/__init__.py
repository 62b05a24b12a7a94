"""The private streams of the simulated exchanges: what each tells of an account's orders."""
