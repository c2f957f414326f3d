"""A model of both stages on a broker that misbehaves: real counting, real folding, and everything between them made up.

`broker` is what is stored and who may commit, `profiling` a profile worker, `judging` a judge worker, `world` the
schedule of what happens to them, `truth` what must come out, `mutants` each protective line taken away.
"""
