"""Files beside market data: calendars, splits and dividends, when data was fetched."""
