"""What changes a judge from outside: another plan, more partitions, another version of the program.

`carry` takes a judge over to another plan, `split` to a multiple of its partitions, and `reconcile` lets one that was
refolded to another state go on with the published alerts.
"""
