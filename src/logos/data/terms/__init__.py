"""What the terms of an instrument are made of: currencies, fees of venues."""
