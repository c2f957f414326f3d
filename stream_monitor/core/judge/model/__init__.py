"""A model as the judge knows it: its versions, what each is compared with, and how a first reference is made.

`model_state` holds models and versions, `versions` follows the life of a version, `warm_up` gathers its first rows, and
`proposing` turns them into records of `drift-baselines`.
"""
