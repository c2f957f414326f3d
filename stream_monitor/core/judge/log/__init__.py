"""Reading the log: which chunks count, and when the pane of an instant is complete.

`source_chain` decides which chunks of a source partition count, `roster` knows which partitions there are and how far
each is, `open_panes` merges what is counted by pane, and `ledger` joins the three.
"""
