"""Ways to carry a run out: this process and its decode workers (`cliqa.pipeline`), or Ray on one machine or many."""
