"""The parts of bench/run.py: what is measured, against whom, and how it is shown."""
