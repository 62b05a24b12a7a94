"""What a session tells the outside: logs and metrics. Nothing here may change what it decides."""
