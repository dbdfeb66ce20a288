"""What a library is on disk: how molecules come in, how they lie there, how they are read.

in          sources (which formats there are), streams (bytes, decompressed), headers (which column is which), delimited,
            sdf, tables, texts: a file -> blocks -> rows (``rows``); embedded: the demonstration's molecules; measurements
one row     standardize and canonical (one molecule, one text), keys (one text, one key)
to disk     layout (names, schemas, the order of rows), runs (sorted pieces), merging (pieces -> shards), present (keys that
            a library has already), writing (files that appear whole), histograms, staging (the folder of a build), ahead
            (threads that read while others work)
from disk   store (the manifest), places (paths and addresses), reading (shards -> batches), pruning (what need not be read)
asked       summary (info), picking (sample, find), exports (text formats), checks, accounts, twice (verify)
"""
