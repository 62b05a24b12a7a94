"""The ways to tell people, a module each; all have the contract of `base`."""
