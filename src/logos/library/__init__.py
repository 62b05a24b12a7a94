"""logos as a library: what `import logos` gives besides the vocabulary of strategies."""
