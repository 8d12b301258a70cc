"""The command `grepq`: its models, its evaluation and the rated data sets that it reads."""
