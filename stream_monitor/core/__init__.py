"""What is decided: the mathematics, the rules and the fold. No I/O, clock, threads, logging, pydantic or Kafka.

Layers, from the decision down to the instant: `judge`, `alerts`, `rules`, `detectors` and `comparisons`, `profile`,
`baseline`, `grid` and `batch`, `chain` and `plan`, and at the bottom `keys`, `time`, `names`, `canonical`.
"""
