"""Yahoo Finance: bars through the yfinance library."""
