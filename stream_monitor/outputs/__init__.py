"""What leaves the product beside the alert topics: Prometheus metrics, probes, the status page.

An output is a file: it listens to a worker or reads a topic, touches one thing outside and decides nothing.
`families` is the table of metrics, `prometheus` and `snapshot` fill it, `endpoints` are the pages, `http` serves them.
"""
