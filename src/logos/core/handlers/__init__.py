"""What a strategy hears besides market data, and what it may ask, set and write down."""
