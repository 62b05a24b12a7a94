"""Files made of a session's tables when it ends: round trips and the curve of equity."""
