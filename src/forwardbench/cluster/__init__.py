"""The same run on many machines of a Dask cluster, and batches larger than memory."""
