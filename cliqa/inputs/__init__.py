"""Whatever holds pictures (folders, files, standard input, tars, Parquet) -> Sources."""
