"""Where market data comes from: files replayed, files imported, data made up from a seed."""
