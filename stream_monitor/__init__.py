"""Drift monitor for machine-learning models whose traffic runs through Apache Kafka."""
