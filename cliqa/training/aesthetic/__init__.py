"""The aesthetic classes from several rated data sets together."""
