"""Market data and signals from topics of Kafka brokers."""
