"""Readers of market data files: text and Parquet into columns of integers."""
